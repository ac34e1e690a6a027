#include "ingest/commit_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "ingest/formats.h"
#include "ingest/retention.h"
#include "ingest/state_store.h"

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
    free(commit->keepers);
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

/* Step 1. */

static void put_number(struct commit *commit, enum store_space space, uint64_t number,
                       const struct buf *value)
{
    if (value->len == 0)
        return;
    struct store_key key = store_number_key(space, number);
    commit->store->ops->put(commit->batch, store_key_slice(&key), buf_slice(value));
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
    commit_drop_learnt(commit);
}

enum status commit_write(struct commit *commit, struct epoch *epoch)
{
    assert(epoch->number == commit->epoch + 1 && epoch->redo.len > 0);
    if (commit->n_quiet > 0)
        commit_keep_quiet(commit, epoch);
    commit->store->ops->put(commit->batch, slice_of(KEY_HEAD), buf_slice(&epoch->head));
    if (!commit->formats_known)
        formats_put(commit->store, commit->batch);
    put_number(commit, STORE_REDO, epoch->number, &epoch->redo);
    put_number(commit, STORE_RUNS, epoch->number, &epoch->runs);
    if (epoch->runs_marks.len > 0)
        commit->store->ops->put(commit->batch, slice_of(RETENTION_KEY),
                                buf_slice(&epoch->runs_marks));
    put_number(commit, STORE_OUTBOX, epoch->number, &epoch->outbox);
    commit_put_examples(commit, epoch);
    state_put_pages(commit->store, commit->batch, &epoch->pages);
    commit_put_trainers(commit);
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
    commit_put_trainers(commit);
    drop_needless(commit, &none);
    return commit->store->ops->write(commit->store, commit->batch);
}

/* Step 2. */

enum status commit_produce(struct commit *commit, int64_t timeout_us)
{
    TRY(outbox_produce(&commit->outbox, timeout_us));
    return commit_park_refused(commit);
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
