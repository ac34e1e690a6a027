/* The merge in the order in which its input was taken once before: see merge_options.next_run. */
#include <inttypes.h>
#include <stdio.h>

#include "ingest/merge_internal.h"

static enum status gone(struct merge *merge, const struct lane *lane)
{
    snprintf(merge->text, sizeof merge->text,
             "%s [%" PRId32 "]: the record at offset %" PRId64 " was taken then and is not there",
             lane->info.topic, lane->info.partition, merge->run.first);
    return merge_fail(merge, ST_ENOTFOUND, merge->text);
}

/* Brings the lane's head to the record that was taken next. Those before it were passed over then.
 * ST_EAGAIN: it has not come yet. */
static enum status reach(struct merge *merge, struct lane *lane, int64_t now)
{
    enum status st = lane_poll(lane, &merge->rules, now);
    while (st == ST_OK && lane->state == LANE_READY && lane->head.origin.offset < merge->run.first)
        st = lane_advance(lane, &merge->rules, now);
    if (st < 0)
        return merge_fail_of(merge, st, lane->source);
    if (lane->state == LANE_SILENT)
        return ST_EAGAIN;
    bool here = lane->state == LANE_READY && lane->head.origin.offset == merge->run.first;
    return here ? ST_OK : gone(merge, lane);
}

static enum status take_record(struct merge *merge, struct batch *batch, int64_t now, size_t *bytes)
{
    struct lane *lane = &merge->lanes[merge->run.lane];
    TRY(reach(merge, lane, now));
    *bytes += lane_copy_head(lane, batch);
    if (lane->head.kind != EVENT_DEAD)
        merge_pass_time(merge, lane->head.time, now);
    merge->in_run = merge->run.first++ < merge->run.last;
    enum status st = lane_advance(lane, &merge->rules, now);
    return st < 0 ? merge_fail_of(merge, st, lane->source) : ST_OK;
}

static enum status take_next(struct merge *merge, struct batch *batch, int64_t now, size_t *bytes)
{
    if (!merge->in_run) {
        TRY(merge->options.next_run(merge->options.runs_arg, &merge->run));
        if (!merge->run.tick && !merge->run.is_act && merge->run.lane >= merge->n_lanes)
            return merge_fail(merge, ST_ENOTFOUND, "a topic that was read then is not configured");
        merge->in_run = true;
    }
    if (!merge->run.tick && !merge->run.is_act)
        return take_record(merge, batch, now, bytes);
    merge->in_run = false;
    if (merge->run.is_act) {
        batch->events[batch->n++] = event_of_act(&merge->run.act);
        return ST_OK;
    }
    merge_pass_time(merge, merge->run.time, now);
    merge_add_tick(batch, merge->run.time, now);
    return ST_OK;
}

enum status merge_fill_recorded(struct merge *merge, struct batch *batch, int64_t now)
{
    size_t bytes = 0;
    enum status st = ST_OK;
    while (st == ST_OK && batch->n < batch->cap && bytes < MERGE_BATCH_BYTES)
        st = take_next(merge, batch, now, &bytes);
    batch->end = batch->end || st == ST_EEND;
    return st == ST_EAGAIN || st == ST_EEND ? ST_OK : st;
}
