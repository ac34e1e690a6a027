#include "ingest/commit.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/fetch.h"
#include "ingest/formats.h"
#include "ingest/outbox.h"
#include "ingest/retention.h"

#define KEY_HEAD    "mhead"
#define KEY_TRAINER "mtrainer"

/* A block of the stored example log, oldest first. */
struct stored_block {
    uint64_t first, n;
};

struct commit {
    struct commit_options options;
    struct store *store;
    struct store_batch *batch;
    struct outbox outbox;
    uint64_t epoch;              /* durable */
    uint64_t redo_first;         /* oldest redo value in the store */
    uint64_t runs_first;         /* oldest runs in the store */
    uint64_t examples_next;      /* items [0, this) are durable */
    struct stored_block *blocks; /* circular */
    size_t blocks_first, blocks_n, blocks_cap;
    pthread_mutex_t lock; /* guards offered */
    struct trainer_checkpoint offered, named;
    bool has_offer;
    int64_t *quiet_below; /* a lane */
    size_t n_quiet;
    _Atomic uint64_t bytes_written;
    bool formats_known; /* the store says what is written today */
    char error[256];
};

enum status commit_create(const struct commit_options *options, struct commit **ret)
{
    struct commit *commit = calloc(1, sizeof *commit);
    if (!commit)
        return ST_ENOMEM;
    commit->options = *options;
    commit->store = options->store;
    commit->batch = commit->store->ops->batch_create(commit->store);
    commit->redo_first = commit->runs_first = 1;
    pthread_mutex_init(&commit->lock, NULL);
    outbox_init(&commit->outbox, options->sink, options->lane_name, options->lane_arg);
    *ret = commit;
    return ST_OK;
}

void commit_free(struct commit *commit)
{
    if (!commit)
        return;
    commit->store->ops->batch_free(commit->batch);
    outbox_done(&commit->outbox);
    pthread_mutex_destroy(&commit->lock);
    free(commit->blocks);
    free(commit->quiet_below);
    free(commit);
}

const char *commit_error(const struct commit *commit)
{
    if (commit->error[0])
        return commit->error;
    const char *sink = commit->options.sink ? outbox_error(&commit->outbox) : "";
    return sink[0] ? sink : commit->store->ops->error(commit->store);
}

/* The stored example log. */

static void block_push(struct commit *commit, uint64_t first, uint64_t n)
{
    if (commit->blocks_n == commit->blocks_cap) {
        size_t cap = commit->blocks_cap ? commit->blocks_cap * 2 : 256;
        struct stored_block *blocks = malloc(cap * sizeof *blocks);
        if (!blocks)
            abort();
        for (size_t i = 0; i < commit->blocks_n; i++)
            blocks[i] = commit->blocks[(commit->blocks_first + i) % commit->blocks_cap];
        free(commit->blocks);
        commit->blocks = blocks;
        commit->blocks_first = 0;
        commit->blocks_cap = cap;
    }
    size_t at = (commit->blocks_first + commit->blocks_n++) % commit->blocks_cap;
    commit->blocks[at] = (struct stored_block){first, n};
}

/* Blocks that the named checkpoint has passed are never read again. */
static void drop_learnt_blocks(struct commit *commit)
{
    while (commit->blocks_n > 0) {
        const struct stored_block *block = &commit->blocks[commit->blocks_first];
        if (block->first + block->n > commit->named.cursor)
            return;
        struct store_key key = store_number_key(STORE_EXAMPLES, block->first);
        commit->store->ops->drop(commit->batch, store_key_slice(&key));
        commit->blocks_first = (commit->blocks_first + 1) % commit->blocks_cap;
        commit->blocks_n--;
    }
}

/* The trainer's checkpoint. */

void commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *checkpoint)
{
    pthread_mutex_lock(&commit->lock);
    commit->offered = *checkpoint;
    commit->has_offer = true;
    pthread_mutex_unlock(&commit->lock);
}

static bool take_offer(struct commit *commit, struct trainer_checkpoint *ret)
{
    pthread_mutex_lock(&commit->lock);
    bool take = commit->has_offer && commit->offered.cursor <= commit->examples_next;
    if (take) {
        *ret = commit->offered;
        commit->has_offer = false;
    }
    pthread_mutex_unlock(&commit->lock);
    return take;
}

/* Nothing durable may name a cursor past the durable log: examples_next counts this write's. */
static void put_trainer(struct commit *commit)
{
    if (!take_offer(commit, &commit->named))
        return;
    struct buf value = {0};
    buf_u64(&value, commit->named.cursor);
    buf_u32(&value, commit->named.version);
    buf_slice_put(&value, slice_of(commit->named.file));
    commit->store->ops->put(commit->batch, slice_of(KEY_TRAINER), buf_slice(&value));
    buf_done(&value);
}

enum status commit_read_trainer(struct store *store, struct trainer_checkpoint *ret)
{
    struct buf value = {0};
    struct trainer_checkpoint found = {0};
    enum status st = store->ops->get(store, slice_of(KEY_TRAINER), &value);
    if (st == ST_OK) {
        struct reader in = reader_of(buf_slice(&value));
        found.cursor = read_u64(&in);
        found.version = read_u32(&in);
        struct slice file = read_slice(&in);
        if (!reader_done(&in) || file.len >= sizeof found.file)
            st = ST_ECORRUPT;
        else
            memcpy(found.file, file.data, file.len);
    }
    if (st == ST_OK)
        *ret = found;
    buf_done(&value);
    return st;
}

/* Step 1. */

static void put_number(struct commit *commit, enum store_space space, uint64_t number,
                       const struct buf *value)
{
    if (value->len == 0)
        return;
    struct store_key key = store_number_key(space, number);
    commit->store->ops->put(commit->batch, store_key_slice(&key), buf_slice(value));
}

static void put_pages(struct commit *commit, const struct buf *pages)
{
    struct reader in = reader_of(buf_slice(pages));
    struct slice key, value;
    while (state_next_page(&in, &key, &value)) {
        char stored[1 + STATE_PAGE_KEY] = {STORE_PAGE};
        memcpy(stored + 1, key.data, key.len);
        struct slice at = {stored, sizeof stored};
        if (value.len > 0)
            commit->store->ops->put(commit->batch, at, value);
        else
            commit->store->ops->drop(commit->batch, at);
    }
}

static void drop_numbers(struct commit *commit, enum store_space space, uint64_t *first,
                         uint64_t below)
{
    for (; *first < below; (*first)++) {
        struct store_key key = store_number_key(space, *first);
        commit->store->ops->drop(commit->batch, store_key_slice(&key));
    }
}

/* Of many epochs at a time. */
static void drop_runs(struct commit *commit, uint64_t below)
{
    if (commit->runs_first >= below)
        return;
    struct store_key from = store_number_key(STORE_RUNS, commit->runs_first);
    struct store_key to = store_number_key(STORE_RUNS, below);
    commit->store->ops->drop_range(commit->batch, store_key_slice(&from), store_key_slice(&to));
    commit->runs_first = below;
}

static void drop_needless(struct commit *commit, const struct epoch *epoch)
{
    drop_numbers(commit, STORE_REDO, &commit->redo_first, epoch->redo_needed);
    drop_runs(commit, epoch->runs_needed);
    uint64_t acked;
    while (outbox_take_acked(&commit->outbox, &acked)) {
        struct store_key key = store_number_key(STORE_OUTBOX, acked);
        commit->store->ops->drop(commit->batch, store_key_slice(&key));
    }
    drop_learnt_blocks(commit);
}

/* Value of a block: varint items, then the items. */
static void put_examples(struct commit *commit, const struct epoch *epoch)
{
    if (epoch->examples_n == 0)
        return;
    struct buf value = {0};
    buf_varint(&value, epoch->examples_n);
    buf_append(&value, epoch->examples.data, epoch->examples.len);
    put_number(commit, STORE_EXAMPLES, epoch->examples_first, &value);
    buf_done(&value);
    block_push(commit, epoch->examples_first, epoch->examples_n);
    commit->examples_next = epoch->examples_first + epoch->examples_n;
}

/* The positions, but nowhere below where this state keeps quiet. False if none was. */
static bool quiet_positions(const struct commit *commit, struct slice positions, struct buf *ret)
{
    struct reader in = reader_of(positions);
    uint32_t lane;
    int64_t next;
    bool any = false;
    while (positions_next(&in, &lane, &next)) {
        bool quiet = lane < commit->n_quiet && next < commit->quiet_below[lane];
        positions_put(ret, lane, quiet ? commit->quiet_below[lane] : next);
        any = any || quiet;
    }
    return any;
}

static bool is_quiet(const struct commit *commit, uint32_t lane, int64_t offset)
{
    return lane < commit->n_quiet && offset < commit->quiet_below[lane];
}

/* Leaves out the rows of an epoch that another life of this state has sent, and says so of its
 * positions: the group's offsets must not go back. */
static void keep_quiet(struct commit *commit, struct epoch *epoch)
{
    struct outbox_row row;
    struct buf positions = {0};
    struct reader in = reader_of(buf_slice(&epoch->outbox));
    size_t len = 0;
    for (const char *begin = in.at; outbox_next(&in, &row) == ST_OK; begin = in.at) {
        bool quiet = is_quiet(commit, row.lane, row.row.offset);
        epoch->outbox_rows -= quiet;
        if (quiet)
            continue;
        memmove(epoch->outbox.data + len, begin, (size_t)(in.at - begin));
        len += (size_t)(in.at - begin);
    }
    epoch->outbox.len = len;
    if (!quiet_positions(commit, buf_slice(&epoch->positions), &positions))
        commit->n_quiet = 0; /* all that follows is new */
    buf_done(&epoch->positions);
    epoch->positions = positions;
}

enum status commit_write(struct commit *commit, struct epoch *epoch)
{
    assert(epoch->number == commit->epoch + 1 && epoch->redo.len > 0);
    if (commit->n_quiet > 0)
        keep_quiet(commit, epoch);
    commit->store->ops->put(commit->batch, slice_of(KEY_HEAD), buf_slice(&epoch->head));
    if (!commit->formats_known)
        formats_put(commit->store, commit->batch);
    put_number(commit, STORE_REDO, epoch->number, &epoch->redo);
    put_number(commit, STORE_RUNS, epoch->number, &epoch->runs);
    if (epoch->runs_marks.len > 0)
        commit->store->ops->put(commit->batch, slice_of(RETENTION_KEY),
                                buf_slice(&epoch->runs_marks));
    put_number(commit, STORE_OUTBOX, epoch->number, &epoch->outbox);
    put_examples(commit, epoch);
    put_pages(commit, &epoch->pages);
    put_trainer(commit);
    drop_needless(commit, epoch);
    TRY(commit->store->ops->write(commit->store, commit->batch));
    commit->epoch = epoch->number;
    commit->formats_known = true;
    commit->bytes_written += epoch->head.len + epoch->redo.len + epoch->runs.len +
                             epoch->outbox.len + epoch->examples.len + epoch->pages.len;
    outbox_add(&commit->outbox, epoch->number, &epoch->outbox, epoch->outbox_rows,
               buf_slice(&epoch->positions));
    return ST_OK;
}

enum status commit_tidy(struct commit *commit)
{
    struct epoch none = {.number = commit->epoch};
    put_trainer(commit);
    drop_needless(commit, &none);
    return commit->store->ops->write(commit->store, commit->batch);
}

/* Step 2. */

/* {lane, offset, ordinal} of the record that it came of: a row refused again is parked once. */
struct parked_key {
    char data[1 + 16];
};

static struct parked_key parked_key_of(const struct outbox_row *row)
{
    struct parked_key key = {{STORE_PARKED}};
    for (int i = 0; i < 4; i++) {
        key.data[1 + i] = (char)(row->lane >> (24 - 8 * i));
        key.data[13 + i] = (char)(row->row.ordinal >> (24 - 8 * i));
    }
    for (int i = 0; i < 8; i++)
        key.data[5 + i] = (char)((uint64_t)row->row.offset >> (56 - 8 * i));
    return key;
}

/* Stores what the sink refused; it is then safe to count these rows as done. */
static enum status park_refused(struct commit *commit)
{
    struct buf *refused = &commit->outbox.refused_rows;
    if (refused->len == 0)
        return ST_OK;
    struct reader in = reader_of(buf_slice(refused));
    struct buf value = {0};
    while (reader_left(&in) > 0) {
        struct slice why = read_slice(&in), bytes = read_slice(&in);
        struct reader inner = reader_of(bytes);
        struct outbox_row row;
        if (outbox_next(&inner, &row) < 0)
            break; /* it was read before */
        struct parked_key key = parked_key_of(&row);
        buf_reset(&value);
        buf_slice_put(&value, why);
        buf_append(&value, bytes.data, bytes.len);
        commit->store->ops->put(commit->batch, (struct slice){key.data, sizeof key.data},
                                buf_slice(&value));
    }
    buf_done(&value);
    buf_reset(refused);
    return commit->store->ops->write(commit->store, commit->batch);
}

enum status commit_produce(struct commit *commit, int64_t timeout_us)
{
    TRY(outbox_produce(&commit->outbox, timeout_us));
    return park_refused(commit);
}

bool commit_unsettled(const struct commit *commit)
{
    return outbox_unsettled(&commit->outbox);
}

bool commit_untidy(const struct commit *commit)
{
    return outbox_has_acked(&commit->outbox);
}

const char *commit_refusal(const struct commit *commit)
{
    return commit->outbox.refused_why;
}

struct parked_scan {
    enum status (*fn)(void *arg, const struct parked_row *row);
    void *arg;
};

static enum status read_parked(void *arg, struct slice key, struct slice value)
{
    struct parked_scan *scan = arg;
    struct reader in = reader_of(value);
    struct outbox_row row;
    struct parked_row parked = {.why = read_slice(&in)};
    (void)key;
    if (in.bad || outbox_next(&in, &row) < 0 || !reader_done(&in))
        return ST_ECORRUPT;
    parked.lane = row.lane;
    parked.row = row.row;
    return scan->fn(scan->arg, &parked);
}

enum status commit_read_parked(struct store *store,
                               enum status (*fn)(void *arg, const struct parked_row *row),
                               void *arg)
{
    struct parked_scan scan = {fn, arg};
    return store_scan_space(store, STORE_PARKED, read_parked, &scan);
}

bool commit_ready(const struct commit *commit)
{
    return outbox_depth(&commit->outbox) < commit->options.outbox_rows_max;
}

uint64_t commit_outbox_depth(const struct commit *commit)
{
    return outbox_depth(&commit->outbox);
}

struct commit_figures commit_figures(const struct commit *commit)
{
    struct commit_figures figures = outbox_figures(&commit->outbox);
    figures.bytes_written = commit->bytes_written;
    return figures;
}

/* Recovery. */

struct recovery {
    struct commit *commit;
    struct state *state;
    uint64_t redo_next;
};

static enum status corrupt(struct commit *commit, const char *what, uint64_t number)
{
    snprintf(commit->error, sizeof commit->error,
             "%s %llu is unreadable: restore the state directory from a checkpoint", what,
             (unsigned long long)number);
    return ST_ECORRUPT;
}

static enum status load_page(void *arg, struct slice key, struct slice value)
{
    struct recovery *recovery = arg;
    struct slice page = {key.data + 1, key.len - 1};
    enum status st = state_load_page(recovery->state, page, value);
    return st < 0 ? corrupt(recovery->commit, "page of shard", (unsigned char)key.data[1]) : ST_OK;
}

/* Pages are in order of shard, then family. */
static enum status load_family(struct recovery *recovery, uint16_t family)
{
    struct store *store = recovery->commit->store;
    for (unsigned shard = 0; shard < 256; shard++) {
        const unsigned char from[] = {STORE_PAGE, (unsigned char)shard,
                                      (unsigned char)(family >> 8), (unsigned char)family};
        unsigned char to[sizeof from];
        memcpy(to, from, sizeof to);
        to[2] = (unsigned char)((family + 1) >> 8);
        to[3] = (unsigned char)(family + 1);
        TRY(store->ops->scan(store, (struct slice){(const char *)from, sizeof from},
                             (struct slice){(const char *)to, sizeof to}, load_page, recovery));
    }
    return ST_OK;
}

static bool is_named(const char *const *names, struct slice name)
{
    for (; names && *names; names++)
        if (slice_eq(slice_of(*names), name))
            return true;
    return false;
}

/* Family 0 tells the names of the others. */
static enum status load_named_families(struct recovery *recovery)
{
    TRY(load_family(recovery, 0));
    struct slice name;
    for (uint16_t family = 1;
         (name.data = state_family_name(recovery->state, family, &name.len)) != NULL; family++)
        if (is_named(recovery->commit->options.loaded_families, name))
            TRY(load_family(recovery, family));
    return ST_OK;
}

static enum status load_record(void *arg, uint16_t family, struct key128 id)
{
    struct recovery *recovery = arg;
    return fetch_record(recovery->commit->store, recovery->state, family, id);
}

static enum status load_pages(struct recovery *recovery)
{
    struct commit *commit = recovery->commit;
    uint64_t most = commit->options.load_max;
    if (most == 0 || commit->store->ops->page_bytes(commit->store) <= most)
        return store_scan_space(commit->store, STORE_PAGE, load_page, recovery);
    state_set_incomplete(recovery->state);
    state_set_loader(recovery->state, load_record, recovery);
    return load_named_families(recovery);
}

static enum status load_redo(void *arg, struct slice key, struct slice value)
{
    struct recovery *recovery = arg;
    uint64_t number = store_key_number(key);
    struct commit *commit = recovery->commit;
    if (commit->redo_first == 0)
        commit->redo_first = recovery->redo_next = number;
    if (number != recovery->redo_next++ || number > commit->epoch ||
        state_apply_redo(recovery->state, value) < 0)
        return corrupt(commit, "redo value", number);
    return ST_OK;
}

/* Of the values that are needed none may be missing, the last one least of all. */
static enum status load_redo_values(struct recovery *recovery)
{
    struct commit *commit = recovery->commit;
    commit->redo_first = 0;
    TRY(store_scan_space(commit->store, STORE_REDO, load_redo, recovery));
    if (commit->redo_first == 0)
        commit->redo_first = commit->epoch + 1;
    else if (recovery->redo_next != commit->epoch + 1)
        return corrupt(commit, "redo value", recovery->redo_next);
    state_redone(recovery->state);
    return ST_OK;
}

static enum status load_outbox(void *arg, struct slice key, struct slice value)
{
    struct recovery *recovery = arg;
    struct buf rows = {0};
    struct outbox_row row;
    buf_append(&rows, value.data, value.len);
    struct reader in = reader_of(buf_slice(&rows));
    uint64_t n = 0;
    enum status st;
    while ((st = outbox_next(&in, &row)) == ST_OK)
        n++;
    if (st == ST_EEND)
        outbox_add(&recovery->commit->outbox, store_key_number(key), &rows, n, (struct slice){0});
    buf_done(&rows);
    return st == ST_EEND ? ST_OK : corrupt(recovery->commit, "outbox", store_key_number(key));
}

static enum status load_block(void *arg, struct slice key, struct slice value)
{
    struct recovery *recovery = arg;
    struct reader in = reader_of(value);
    uint64_t first = store_key_number(key), n = read_varint(&in);
    if (in.bad)
        return corrupt(recovery->commit, "example block", first);
    block_push(recovery->commit, first, n);
    recovery->commit->examples_next = first + n;
    return ST_OK;
}

static enum status first_number(void *arg, struct slice key, struct slice value)
{
    (void)value;
    *(uint64_t *)arg = store_key_number(key);
    return ST_EEND;
}

static enum status check_formats(struct commit *commit)
{
    struct buf error = {0};
    enum status st = formats_check(commit->store, &commit->formats_known, &error);
    if (error.len > 0)
        snprintf(commit->error, sizeof commit->error, "%.*s", (int)error.len, error.data);
    buf_done(&error);
    return st;
}

enum status commit_recover(struct commit *commit, struct state *state, struct buf *ret_head,
                           uint64_t *ret_epoch)
{
    struct recovery recovery = {commit, state, 0};
    TRY(check_formats(commit));
    enum status st = commit->store->ops->get(commit->store, slice_of(KEY_HEAD), ret_head);
    if (st == ST_ENOTFOUND) {
        *ret_epoch = 0;
        return ST_OK;
    }
    TRY(st);
    struct reader in = reader_of(buf_slice(ret_head));
    commit->epoch = read_u64(&in); /* each head begins with its epoch */
    if (in.bad)
        return corrupt(commit, "head", 0);
    st = load_pages(&recovery);
    if (st == ST_OK)
        st = load_redo_values(&recovery);
    state_set_loader(state, NULL, NULL);
    TRY(st);
    TRY(store_scan_space(commit->store, STORE_OUTBOX, load_outbox, &recovery));
    TRY(store_scan_space(commit->store, STORE_EXAMPLES, load_block, &recovery));
    commit->runs_first = commit->epoch + 1;
    st = store_scan_space(commit->store, STORE_RUNS, first_number, &commit->runs_first);
    if (st < 0 && st != ST_EEND)
        return st;
    st = commit_read_trainer(commit->store, &commit->named);
    if (st < 0 && st != ST_ENOTFOUND)
        return corrupt(commit, "trainer checkpoint", 0);
    if (commit->named.cursor > commit->examples_next)
        commit->examples_next = commit->named.cursor; /* all blocks below it are gone */
    *ret_epoch = commit->epoch;
    return ST_OK;
}

/* Resumption. */

struct resuming {
    struct commit *commit;
    uint64_t sent_epoch;
};

static bool is_to_send(void *arg, uint64_t epoch, const struct outbox_row *row)
{
    const struct resuming *resuming = arg;
    return epoch > resuming->sent_epoch && !is_quiet(resuming->commit, row->lane, row->row.offset);
}

static void drop_epoch_rows(void *arg, uint64_t epoch)
{
    const struct resuming *resuming = arg;
    struct commit *commit = resuming->commit;
    struct store_key key = store_number_key(STORE_OUTBOX, epoch);
    commit->store->ops->drop(commit->batch, store_key_slice(&key));
}

static enum status set_quiet(struct commit *commit, const struct commit_resumption *resumption)
{
    size_t n = resumption->quiet_below ? resumption->n_quiet : 0;
    int64_t *below = calloc(n + 1, sizeof *below);
    if (!below)
        return ST_ENOMEM;
    if (n > 0)
        memcpy(below, resumption->quiet_below, n * sizeof *below);
    free(commit->quiet_below);
    commit->quiet_below = below;
    commit->n_quiet = n;
    return ST_OK;
}

enum status commit_resume(struct commit *commit, const struct commit_resumption *resumption)
{
    TRY(set_quiet(commit, resumption));
    struct resuming resuming = {commit, resumption->sent_epoch};
    uint64_t waiting = outbox_depth(&commit->outbox);
    outbox_filter(&commit->outbox, is_to_send, drop_epoch_rows, &resuming);
    commit->outbox.life = resumption->life;
    struct buf none = {0}, positions = {0};
    quiet_positions(commit, resumption->positions, &positions);
    if (commit->epoch > 0)
        outbox_add(&commit->outbox, commit->epoch, &none, 0, buf_slice(&positions));
    buf_done(&positions);
    return outbox_depth(&commit->outbox) < waiting
               ? commit->store->ops->write(commit->store, commit->batch)
               : ST_OK;
}

struct examples_scan {
    uint64_t cursor;
    enum status (*fn)(void *arg, uint64_t first, uint64_t n, struct slice block);
    void *arg;
};

static enum status scan_block(void *arg, struct slice key, struct slice value)
{
    struct examples_scan *scan = arg;
    struct reader in = reader_of(value);
    uint64_t first = store_key_number(key), n = read_varint(&in);
    if (in.bad)
        return ST_ECORRUPT;
    if (first + n <= scan->cursor)
        return ST_OK;
    return scan->fn(scan->arg, first, n, (struct slice){in.at, reader_left(&in)});
}

enum status commit_read_examples(struct store *store, uint64_t cursor,
                                 enum status (*fn)(void *arg, uint64_t first, uint64_t n,
                                                   struct slice block),
                                 void *arg)
{
    struct examples_scan scan = {cursor, fn, arg};
    return store_scan_space(store, STORE_EXAMPLES, scan_block, &scan);
}
