#include "ingest/merge_internal.h"

#include <math.h>

/* A binary heap of heads, least first. */

static bool head_less(struct head a, struct head b)
{
    return a.time < b.time || (a.time == b.time && a.rank < b.rank);
}

/* Puts a head in the place of entry i and lets it sink to where it belongs. */
static void heap_sink(struct merge *merge, size_t i, struct head head)
{
    struct head *heap = merge->heap;
    for (size_t child; (child = 2 * i + 1) < merge->n_heap; i = child) {
        child += child + 1 < merge->n_heap && head_less(heap[child + 1], heap[child]);
        if (!head_less(heap[child], head))
            break;
        heap[i] = heap[child];
    }
    heap[i] = head;
}

static void heap_add(struct merge *merge, struct head head)
{
    size_t i = merge->n_heap++;
    for (size_t parent; i > 0; i = parent) {
        parent = (i - 1) / 2;
        if (!head_less(head, merge->heap[parent]))
            break;
        merge->heap[i] = merge->heap[parent];
    }
    merge->heap[i] = head;
}

static void heap_drop_least(struct merge *merge)
{
    merge->n_heap--;
    if (merge->n_heap > 0)
        heap_sink(merge, 0, merge->heap[merge->n_heap]);
}

static struct head head_of(const struct merge *merge, const struct lane *lane)
{
    return (struct head){lane->head.time, merge->ranks[lane->number], lane->number};
}

/* The lanes. */

/* Asks the lanes without a head for one. */
static enum status poll_lanes(struct merge *merge, int64_t now)
{
    for (size_t i = 0; i < merge->n_lanes; i++) {
        struct lane *lane = &merge->lanes[i];
        if (lane->state == LANE_READY)
            continue;
        enum status st = lane_poll(lane, &merge->rules, now);
        if (st < 0)
            return merge_fail_of(merge, st, lane->source);
        if (lane->state == LANE_READY)
            heap_add(merge, head_of(merge, lane));
    }
    return ST_OK;
}

static enum status start(struct merge *merge, int64_t now)
{
    if (merge->started)
        return ST_OK;
    for (size_t i = 0; i < merge->n_labels; i++)
        TRY(merge_catch_up(merge, &merge->labels[i], now));
    for (size_t i = 0; i < merge->n_lanes; i++)
        if (merge->lanes[i].state == LANE_READY)
            heap_add(merge, head_of(merge, &merge->lanes[i]));
    merge->time_at = now;
    merge->started = true;
    return ST_OK;
}

/* A silent lane holds all others back, for as long as idle_max. */
static bool is_held_back(const struct merge *merge, int64_t now)
{
    for (size_t i = 0; i < merge->n_lanes; i++) {
        const struct lane *lane = &merge->lanes[i];
        if (lane->state == LANE_SILENT && now - lane->silent_since < merge->options.idle_max)
            return true;
    }
    return false;
}

void merge_pass_time(struct merge *merge, int64_t time, int64_t now)
{
    if (merge->time != TIME_NONE && time <= merge->time)
        return;
    merge->time = time;
    merge->time_at = now;
}

/* Hands out the lane's head; *ret_held: the lane fell silent. *bytes: what the batch has taken. */
static enum status take_head(struct merge *merge, struct lane *lane, struct batch *batch,
                             int64_t now, bool *ret_held, size_t *bytes)
{
    *bytes += lane_copy_head(lane, batch);
    if (lane->head.kind != EVENT_DEAD)
        merge_pass_time(merge, lane->head.time, now);
    if (merge->n_labels > 0 && lane->info.is_file)
        merge_put_label(merge, merge_labels_of(merge, lane), &lane->head);
    enum status st = lane_advance(lane, &merge->rules, now);
    if (st == ST_OK && lane->state == LANE_READY)
        heap_sink(merge, 0, head_of(merge, lane));
    else
        heap_drop_least(merge);
    *ret_held = lane->state == LANE_SILENT && merge->options.idle_max > 0;
    return st < 0 ? merge_fail_of(merge, st, lane->source) : ST_OK;
}

/* The label lane whose head comes before all others; NULL if a lane of the heap is first, or none.
 * Labels never overtake the file that they are of, however long that is silent. */
static struct label_lane *first_label(struct merge *merge)
{
    struct label_lane *first = NULL;
    struct head least = {INT64_MAX, UINT32_MAX, 0};
    if (merge->n_heap > 0)
        least = merge->heap[0];
    for (size_t i = 0; i < merge->n_labels; i++) {
        struct label_lane *lane = &merge->labels[i];
        bool is_silent = lane->file->state == LANE_SILENT;
        const struct label_entry *entry = is_silent ? NULL : merge_label_head(merge, lane);
        struct head head = {entry ? entry->time : INT64_MAX, lane->rank, 0};
        if (entry && head_less(head, least)) {
            least = head;
            first = lane;
        }
    }
    return first;
}

static enum status take_all(struct merge *merge, struct batch *batch, int64_t now)
{
    bool held = false;
    size_t bytes = 0;
    while (batch->n < batch->cap && bytes < MERGE_BATCH_BYTES && !held) {
        struct label_lane *label = merge->n_labels > 0 ? first_label(merge) : NULL;
        if (label) {
            merge_pass_time(merge, label_queue_head(&label->queue)->time, now);
            merge_take_label(label, batch);
        } else if (merge->n_heap > 0) {
            TRY(take_head(merge, &merge->lanes[merge->heap[0].lane], batch, now, &held, &bytes));
        } else {
            break;
        }
    }
    return ST_OK;
}

/* True if nothing is at hand and no lane is about to bring something. */
static bool is_idle(const struct merge *merge)
{
    if (merge->n_heap > 0)
        return false;
    for (size_t i = 0; i < merge->n_labels; i++)
        if (merge_label_head(merge, &merge->labels[i]))
            return false;
    for (size_t i = 0; i < merge->n_lanes; i++)
        if (merge->lanes[i].state != LANE_END)
            return false;
    return true;
}

static bool may_grow(const struct merge *merge)
{
    for (size_t i = 0; i < merge->n_lanes; i++)
        if (merge->lanes[i].source->ops->grows && !merge->lanes[i].stopped)
            return true;
    return false;
}

void merge_add_tick(struct batch *batch, int64_t time, int64_t now)
{
    batch->events[batch->n++] = (struct event){.kind = EVENT_TICK,
                                               .origin = {UINT32_MAX, 0},
                                               .time = time,
                                               .broker_time = TIME_NONE,
                                               .arrived = now,
                                               .label = NAN};
}

/* While nothing comes, event time goes on at the pace of the wall's. */
static void tick(struct merge *merge, struct batch *batch, int64_t now)
{
    int64_t last = merge->ticked_at > merge->time_at ? merge->ticked_at : merge->time_at;
    if (merge->options.tick_every <= 0 || merge->time == TIME_NONE ||
        now - last < merge->options.tick_every || batch->n == batch->cap)
        return;
    merge->ticked_at = now;
    merge_pass_time(merge, merge->time + (now - merge->time_at), now);
    merge_add_tick(batch, merge->time, now);
}

static enum status fill(struct merge *merge, struct batch *batch, int64_t now)
{
    TRY(start(merge, now));
    if (merge->options.next_run)
        return merge_fill_recorded(merge, batch, now);
    TRY(poll_lanes(merge, now));
    if (!is_held_back(merge, now))
        TRY(take_all(merge, batch, now));
    if (!is_idle(merge))
        return ST_OK;
    if (may_grow(merge))
        tick(merge, batch, now);
    else
        batch->end = true;
    return ST_OK;
}

enum status merge_fill(struct merge *merge, struct batch *batch, int64_t now)
{
    size_t before = batch->n;
    if (merge->failed == ST_OK)
        merge->failed = fill(merge, batch, now);
    if (batch->n > before)
        return ST_OK;
    if (merge->failed < 0)
        return merge->failed;
    return batch->end ? ST_EEND : ST_EAGAIN;
}

/* Has the source a lane that it could bring something for? */
static bool is_wanting(const struct merge *merge, const struct source *source)
{
    for (size_t i = 0; i < merge->n_lanes; i++)
        if (merge->lanes[i].source == source && merge->lanes[i].state != LANE_READY)
            return true;
    return false;
}

void merge_wait(struct merge *merge, int64_t timeout_us)
{
    int64_t n = 0;
    for (size_t i = 0; i < merge->n_sources; i++)
        n += is_wanting(merge, merge->sources[i]);
    if (n == 0)
        return;
    for (size_t i = 0; i < merge->n_sources; i++)
        if (is_wanting(merge, merge->sources[i]))
            merge->sources[i]->ops->wait(merge->sources[i], timeout_us / n);
}
