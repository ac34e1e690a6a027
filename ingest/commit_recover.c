#include "ingest/commit_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "ingest/fetch.h"
#include "ingest/formats.h"

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

/* Bytes of pages from which on it pays to read side by side. */
#define LARGE (UINT64_C(1) << 20)

/* A family's pages in some shards. */
struct shards {
    struct store *store;
    uint16_t family;
    unsigned first, n;
    struct buf pages[JOBS_MAX];
    enum status status[JOBS_MAX];
};

static enum status keep_page(void *arg, struct slice key, struct slice value)
{
    struct buf *pages = arg;
    buf_slice_put(pages, key);
    buf_slice_put(pages, value);
    return ST_OK;
}

/* Pages are in order of shard, then family. */
static void read_shard(void *arg, size_t i)
{
    struct shards *shards = arg;
    struct store *store = shards->store;
    uint16_t family = shards->family;
    const unsigned char from[] = {STORE_PAGE, (unsigned char)(shards->first + i),
                                  (unsigned char)(family >> 8), (unsigned char)family};
    unsigned char to[sizeof from];
    memcpy(to, from, sizeof to);
    to[2] = (unsigned char)((family + 1) >> 8);
    to[3] = (unsigned char)(family + 1);
    shards->status[i] =
        store->ops->scan(store, (struct slice){(const char *)from, sizeof from},
                         (struct slice){(const char *)to, sizeof to}, keep_page, &shards->pages[i]);
}

static enum status load_kept(struct recovery *recovery, struct slice pages)
{
    struct reader in = reader_of(pages);
    while (reader_left(&in) > 0) {
        struct slice key = read_slice(&in);
        TRY(load_page(recovery, key, read_slice(&in)));
    }
    return ST_OK;
}

static enum status load_family(struct recovery *recovery, uint16_t family)
{
    struct store *store = recovery->commit->store;
    bool large = store->ops->page_bytes(store) > LARGE;
    struct shards shards = {.store = store, .family = family, .n = large ? JOBS_MAX : 1};
    enum status st = ST_OK;
    for (; shards.first < 256 && st == ST_OK; shards.first += shards.n) {
        jobs_run(shards.n, read_shard, &shards);
        for (size_t i = 0; i < shards.n; i++) {
            if (st == ST_OK)
                st = shards.status[i];
            if (st == ST_OK)
                st = load_kept(recovery, buf_slice(&shards.pages[i]));
            buf_reset(&shards.pages[i]);
        }
    }
    for (size_t i = 0; i < shards.n; i++)
        buf_done(&shards.pages[i]);
    return st;
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
    struct slice name;
    TRY(load_family(recovery, 0));
    state_set_whole(recovery->state, 0);
    for (uint16_t family = 1;
         (name.data = state_family_name(recovery->state, family, &name.len)) != NULL; family++) {
        if (!is_named(recovery->commit->options.loaded_families, name))
            continue;
        TRY(load_family(recovery, family));
        state_set_whole(recovery->state, family);
    }
    return ST_OK;
}

static enum status load_pages(struct recovery *recovery)
{
    struct commit *commit = recovery->commit;
    uint64_t most = commit->options.load_max;
    if (most == 0 || commit->store->ops->page_bytes(commit->store) <= most)
        return store_scan_space(commit->store, STORE_PAGE, load_page, recovery);
    state_set_incomplete(recovery->state);
    return load_named_families(recovery);
}

/* Whether records of which something is held must be here before anything else is done: a family
 * that is named may have been begun in the redo values. */
static bool is_due(const struct recovery *recovery, uint16_t family)
{
    const struct commit_options *options = &recovery->commit->options;
    struct slice name;
    name.data = state_family_name(recovery->state, family, &name.len);
    return !options->load_later || (name.data && is_named(options->loaded_families, name));
}

/* They are in order of shard, then family. */
static size_t keep_due(const struct recovery *recovery, struct state_missing *records, size_t n)
{
    size_t due = 0;
    bool family_is = false;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || records[i].family != records[i - 1].family)
            family_is = is_due(recovery, records[i].family);
        if (family_is)
            records[due++] = records[i];
    }
    return due;
}

static enum status load_held(struct recovery *recovery)
{
    enum { AT_ONCE = 8192 };
    struct state_missing *records = malloc(AT_ONCE * sizeof *records);
    if (!records)
        return ST_ENOMEM;
    enum status st = ST_OK;
    size_t at = 0, n;
    while (st == ST_OK && (n = state_held_next(recovery->state, &at, records, AT_ONCE)) > 0) {
        size_t due = keep_due(recovery, records, n);
        if (due > 0)
            st = fetch_records(recovery->commit->store, recovery->state, records, due);
    }
    free(records);
    return st == ST_ECORRUPT
               ? corrupt(recovery->commit, "a record of redo value", recovery->commit->redo_first)
               : st;
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
    commit_push_block(recovery->commit, first, n);
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
    if (st == ST_OK)
        st = load_held(&recovery);
    TRY(st);
    TRY(store_scan_space(commit->store, STORE_OUTBOX, load_outbox, &recovery));
    TRY(store_scan_space(commit->store, STORE_EXAMPLES, load_block, &recovery));
    commit->runs_first = commit->epoch + 1;
    st = store_scan_space(commit->store, STORE_RUNS, first_number, &commit->runs_first);
    if (st < 0 && st != ST_EEND)
        return st;
    if (commit_read_trainers(commit->store, &commit->named) < 0)
        return corrupt(commit, "trainer checkpoint", 0);
    for (size_t i = 0; i < commit->named.n; i++) /* all blocks below it may be gone */
        if (commit->named.points[i].cursor > commit->examples_next)
            commit->examples_next = commit->named.points[i].cursor;
    *ret_epoch = commit->epoch;
    return ST_OK;
}
