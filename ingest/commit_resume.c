#include "ingest/commit_internal.h"

#include <stdlib.h>

/* Rows and positions of an epoch. */

static bool is_quiet(const struct commit *commit, uint32_t lane, int64_t offset)
{
    return lane < commit->n_quiet && offset < commit->quiet_below[lane];
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

void commit_keep_quiet(struct commit *commit, struct epoch *epoch)
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

/* A start. */

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
