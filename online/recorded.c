#include "online/recorded.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ingest/store.h"
#include "online/inspect.h"

struct recorded {
    struct store *store;
    struct head head;
    uint32_t *lanes; /* of the source, by the head's numbers */
    uint64_t epoch;  /* whose runs are read */
    struct buf runs; /* of it */
    struct reader in;
};

static enum status keep_first(void *arg, struct slice key, struct slice value)
{
    (void)value;
    *(uint64_t *)arg = store_key_number(key);
    return ST_EEND;
}

/* Each epoch has runs, but those in which only room was made: so what is missing between the first
 * that is wanted and the oldest that is there has been dropped. */
static enum status check_there(const struct recorded *recorded, const char *dir, uint64_t after)
{
    uint64_t oldest = UINT64_MAX;
    enum status st = store_scan_space(recorded->store, STORE_RUNS, keep_first, &oldest);
    if (st < 0 && st != ST_EEND)
        return st;
    if (oldest <= after + 1 || after >= recorded->head.epoch)
        return ST_OK;
    if (oldest == UINT64_MAX)
        fprintf(stderr, "%s: no order of input is recorded: see state.runs_keep\n", dir);
    else
        fprintf(stderr,
                "%s: the order of input is recorded from commit %" PRIu64 " on: begin at a "
                "checkpoint of commit %" PRIu64 " or later (--from), and see state.runs_keep\n",
                dir, oldest, oldest - 1);
    return ST_ENOTFOUND;
}

static enum status read_head(struct recorded *recorded)
{
    struct buf bytes = {0};
    enum status st = recorded->store->ops->get(recorded->store, slice_of("mhead"), &bytes);
    if (st == ST_OK)
        st = head_decode(buf_slice(&bytes), &recorded->head);
    buf_done(&bytes);
    return st;
}

enum status recorded_open(const char *dir, uint64_t after, struct recorded **ret)
{
    struct recorded *recorded = calloc(1, sizeof *recorded);
    if (!recorded)
        return ST_ENOMEM;
    head_init(&recorded->head);
    recorded->epoch = after;
    enum status st = inspect_open_store(dir, &recorded->store);
    if (st == ST_OK) {
        st = read_head(recorded);
        if (st < 0)
            fprintf(stderr, "%s: cannot read where it stands: %s\n", dir, status_text(st));
    }
    if (st == ST_OK)
        st = check_there(recorded, dir, after);
    if (st < 0)
        recorded_free(recorded);
    else
        *ret = recorded;
    return st;
}

void recorded_free(struct recorded *recorded)
{
    if (!recorded)
        return;
    store_free(recorded->store);
    head_done(&recorded->head);
    buf_done(&recorded->runs);
    free(recorded->lanes);
    free(recorded);
}

const struct head *recorded_head(const struct recorded *recorded)
{
    return &recorded->head;
}

static uint32_t find_lane(const struct source *source, const struct head_lane *lane)
{
    size_t n = source->ops->lanes(source);
    for (size_t i = 0; i < n; i++) {
        struct lane_info info = source->ops->lane(source, i);
        if (info.partition == lane->partition && strcmp(info.topic, lane->topic) == 0)
            return (uint32_t)i;
    }
    return UINT32_MAX;
}

enum status recorded_bind(struct recorded *recorded, const struct source *source)
{
    free(recorded->lanes);
    recorded->lanes = calloc(recorded->head.n_lanes + 1, sizeof *recorded->lanes);
    if (!recorded->lanes)
        return ST_ENOMEM;
    for (size_t i = 0; i < recorded->head.n_lanes; i++)
        recorded->lanes[i] = find_lane(source, &recorded->head.lanes[i]);
    return ST_OK;
}

/* An epoch in which only room was made has none. */
static enum status read_epoch(struct recorded *recorded)
{
    if (recorded->epoch >= recorded->head.epoch)
        return ST_EEND;
    struct store_key key = store_number_key(STORE_RUNS, ++recorded->epoch);
    buf_reset(&recorded->runs);
    enum status st =
        recorded->store->ops->get(recorded->store, store_key_slice(&key), &recorded->runs);
    recorded->in = reader_of(buf_slice(&recorded->runs));
    return st == ST_ENOTFOUND ? ST_OK : st;
}

enum status recorded_next(void *arg, struct run *ret)
{
    struct recorded *recorded = arg;
    enum status st;
    struct run run;
    while ((st = runs_next(&recorded->in, &run)) == ST_EEND)
        TRY(read_epoch(recorded));
    TRY(st);
    bool of_lane = !run.tick && !run.is_act;
    if (of_lane && run.lane >= recorded->head.n_lanes)
        return ST_ECORRUPT;
    if (of_lane)
        run.lane = recorded->lanes[run.lane];
    *ret = run;
    return ST_OK;
}
