/*
 * ingest/merge.h -- many lanes of records, decoded, into one stream ordered by time.
 *
 * Event time rules: the next event is the least head of all lanes by (time, labels before events,
 * topic, partition, offset), where time is `known` time for labels. Heads only are compared, so a
 * late record inside a lane stays late. A lane with nothing at hand is waited for, at most idle_max
 * (a topic that is merely slow) and not at all once it is read to its end, so that in catch-up no
 * lane runs hours ahead and labels do not overtake their events. The order depends on the lanes'
 * content alone, as long as no wait runs out.
 *
 * What cannot be decoded becomes an EVENT_DEAD in its place in the lane (its time: that of the
 * record before it in the lane, else of the first decodable one at hand, else the merged time so
 * far), and so does an event dated more than ahead_max after its broker timestamp. While all lanes
 * of growing sources are at their end, ticks carry time on: every tick_every of wall time one
 * EVENT_TICK at (last merged time + wall time passed since it was merged).
 *
 * A file with a label column gets one lane more, of EVENT_LABELs known `labels.delay` after their
 * events (in that order; the lane's offsets count its labels from 0). Rows before the sought offset
 * are read again for their labels only.
 *
 *     TRY(merge_create(&options, &schema, sources, n_sources, &merge));
 *     TRY(merge_seek(merge, lane, next_offset));            // each lane with a stored position
 *     while ((st = merge_fill(merge, batch, now_us)) != ST_EEND)
 *         if (st == ST_EAGAIN) merge_wait(merge, 1000);
 */
#ifndef INGEST_MERGE_H
#define INGEST_MERGE_H

#include "base/conf.h"
#include "ingest/batch.h"
#include "ingest/schema.h"
#include "ingest/source.h"

struct run; /* epoch.h */

struct merge_options {
    int64_t idle_max;         /* us to wait for a lane that is silent */
    int64_t ahead_max;        /* us an event may be dated after its broker timestamp */
    int64_t tick_every;       /* us of wall time between ticks; 0: none */
    int64_t until;            /* a lane ends in front of its first event (or label) after this time;
                                 INT64_MAX: all are read */
    const char *label_column; /* of files; NULL: none */
    size_t lane_depth;        /* records held per lane; 0: 1024 */
    struct conf_errors *errors; /* where merge_create() says what it refuses */
    /* Instead of the order of time the one in which the input was taken once before: gives one run
     * after another, lanes numbered as here; ST_EEND behind the last. Nothing is waited for longer
     * than it takes to come, and a record that is not there any more is an ST_ENOTFOUND. Of sources
     * without label lanes. NULL: by time. */
    enum status (*next_run)(void *arg, struct run *ret);
    void *runs_arg;
};

struct merge;

/* Sources stay the caller's. Lanes are numbered source by source; a label lane of a file comes
 * behind all others. Returns ST_EINVAL where a lane cannot be decoded as the schema says (a CSV
 * file without a named column); options->errors says what is wrong. */
STATUS_CHECKED enum status merge_create(const struct merge_options *options,
                                        const struct schema *schema, struct source *const *sources,
                                        size_t n_sources, struct merge **ret);
void merge_free(struct merge *merge);

size_t merge_lanes(const struct merge *merge);
struct lane_info merge_lane(const struct merge *merge, size_t lane);
STATUS_CHECKED enum status merge_seek(struct merge *merge, size_t lane, int64_t offset);
/* A lane that is not sought begins at its first record whose broker timestamp is past time. */
void merge_skip(struct merge *merge, size_t lane, int64_t time);
/* Where ticks count from after a restart; the merged time never falls below it for ticks. */
void merge_set_time(struct merge *merge, int64_t time);

/* Appends merged events to the batch until it is full or nothing more is ready. now: monotonic us.
 * ST_OK: at least one was added; ST_EAGAIN: none is ready; ST_EEND: all lanes are read to the end
 * and cannot grow (a batch in which this is known has `end` set). ST_EIO, ST_ENOTFOUND: see
 * merge_error(). */
STATUS_CHECKED enum status merge_fill(struct merge *merge, struct batch *batch, int64_t now);
void merge_wait(struct merge *merge, int64_t timeout_us);
const char *merge_error(const struct merge *merge);

/* For the lag metric and the progress bar: records left in a lane, and the share in [0, 1] of a
 * file that is read; -1 and NaN if unknown. */
int64_t merge_lag(struct merge *merge, size_t lane);
double merge_progress(const struct merge *merge);

#endif
