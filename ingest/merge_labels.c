#include "ingest/merge_internal.h"

#include <math.h>

const struct label_entry *merge_label_head(const struct merge *merge, const struct label_lane *lane)
{
    const struct label_entry *head = label_queue_head(&lane->queue);
    return head && head->time <= merge->options.until ? head : NULL;
}

void merge_put_label(struct merge *merge, struct label_lane *lane, const struct event *event)
{
    if (event->kind != EVENT_DATA || isnan(event->label))
        return;
    struct label_entry entry = {.time = event->time + merge->delay,
                                .label = event->label,
                                .id_key = event->id_key,
                                .id = event->id};
    label_queue_push(&lane->queue, &entry);
}

struct label_lane *merge_labels_of(struct merge *merge, const struct lane *file)
{
    for (size_t i = 0; i < merge->n_labels; i++)
        if (merge->labels[i].file == file)
            return &merge->labels[i];
    return NULL;
}

void merge_take_label(struct label_lane *lane, struct batch *batch)
{
    const struct label_entry *head = label_queue_head(&lane->queue);
    struct event *ret = &batch->events[batch->n++];
    *ret = (struct event){.kind = EVENT_LABEL,
                          .stream = LABEL_STREAM,
                          .origin = {lane->number, lane->given++},
                          .time = head->time,
                          .broker_time = TIME_NONE,
                          .arrived = lane->file->fetched_at,
                          .id = arena_copy(&batch->arena, head->id.data, head->id.len),
                          .id_key = head->id_key,
                          .label = head->label};
    label_queue_pop(&lane->queue);
}

static void skip_label(struct label_lane *lane)
{
    label_queue_pop(&lane->queue);
    lane->given++;
}

/* Goes through one row that was handed out before: the labels that had become known by then were
 * handed out too, as many as were. */
static enum status repeat_row(struct merge *merge, struct label_lane *labels, int64_t now)
{
    struct lane *file = labels->file;
    const struct label_entry *head;
    while (labels->given < labels->seek && (head = label_queue_head(&labels->queue)) &&
           head->time <= file->head.time)
        skip_label(labels);
    merge_put_label(merge, labels, &file->head);
    enum status st = lane_advance(file, &merge->rules, now);
    return st < 0 ? merge_fail_of(merge, st, file->source) : ST_OK;
}

enum status merge_catch_up(struct merge *merge, struct label_lane *labels, int64_t now)
{
    struct lane *file = labels->file;
    int64_t row = 0;
    while (row < labels->row) {
        enum status st = lane_poll(file, &merge->rules, now);
        if (st < 0)
            return merge_fail_of(merge, st, file->source);
        if (file->state == LANE_END)
            break;
        if (file->state == LANE_SILENT) {
            file->source->ops->wait(file->source, 1000);
            continue;
        }
        TRY(repeat_row(merge, labels, now));
        row++;
    }
    while (labels->given < labels->seek && labels->queue.n > 0)
        skip_label(labels);
    if (!file->stopped && (row < labels->row || labels->given < labels->seek))
        return merge_fail(merge, ST_ENOTFOUND, "a file holds less than was read of it before");
    return ST_OK;
}
