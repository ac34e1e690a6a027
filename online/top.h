/*
 * online/top.h -- the highest scores of the last minute, for people who watch.
 *
 * The state thread offers each scored row; the view reads now and then. Time is the stream's. The
 * minute is kept as twelve stretches of it with the best of each, so that when one passes out of
 * the minute the next best are known: what is read is exact but for the oldest stretch, of which
 * some part is already more than a minute old.
 *
 *     top_offer(top, event->id, event->time, score, version);     // a few ns if it is not one
 *     n = top_read(top, entries);                                 // from any thread
 */
#ifndef ONLINE_TOP_H
#define ONLINE_TOP_H

#include "base/bytes.h"
#include "base/status.h"

enum { TOP_N = 10, TOP_STRETCHES = 12, TOP_STRETCH_US = 5000000, TOP_ID_MAX = 47 };

struct top_entry {
    int64_t time; /* us, of the event */
    float score;
    uint32_t version;
    uint8_t id_len; /* longer ids are cut */
    char id[TOP_ID_MAX];
};

/* What decides whether an offer is looked at; the state thread's alone. */
struct top {
    int64_t from, to; /* the newest stretch of time */
    float bar;        /* at or below this nothing enters it */
    struct top_kept *kept;
};

STATUS_CHECKED enum status top_create(struct top **ret);
void top_free(struct top *top);

void top_take(struct top *top, struct slice id, int64_t time, float score, uint32_t version);

static inline bool top_wants(const struct top *top, int64_t time, float score)
{
    return score > top->bar || time < top->from || time >= top->to;
}

/* One thread offers. A score that is no number is passed over, as is a row from before
 * the minute. */
static inline void top_offer(struct top *top, struct slice id, int64_t time, float score,
                             uint32_t version)
{
    if (top_wants(top, time, score))
        top_take(top, id, time, score, version);
}

struct row_score;
/* The same from a scored row, as a hook for `on_score`; arg is a struct top. A row of a stream
 * without ids is shown by its offset. */
void top_on_score(void *arg, const struct row_score *row);

/* The best of the last minute, highest first. Returns how many. */
size_t top_read(struct top *top, struct top_entry ret[TOP_N]);

#endif
