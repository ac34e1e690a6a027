/*
 * online/recorded.h -- the order in which a state directory took its input, for whoever takes it
 * again.
 *
 *     TRY(recorded_open("state", 0, &recorded));          // all of it
 *     TRY(recorded_bind(recorded, source));               // its lanes by topic and partition
 *     merge.next_run = recorded_next, merge.runs_arg = recorded;
 */
#ifndef ONLINE_RECORDED_H
#define ONLINE_RECORDED_H

#include "ingest/epoch.h"
#include "ingest/source.h"
#include "online/head.h"

struct recorded;

/* What the directory (or a checkpoint) recorded after epoch `after`. No process may be at work on
 * it. Says on stderr what is wrong. Returns ST_ENOTFOUND where that is not recorded any more,
 * ST_EBUSY, ST_ECORRUPT, ST_EIO. */
STATUS_CHECKED enum status recorded_open(const char *dir, uint64_t after, struct recorded **ret);
void recorded_free(struct recorded *recorded);
/* Numbers the lanes of what follows as the source does; the topics that it lacks, as UINT32_MAX. */
STATUS_CHECKED enum status recorded_bind(struct recorded *recorded, const struct source *source);
/* merge_options.next_run. ST_EEND, ST_ECORRUPT, ST_EIO. */
enum status recorded_next(void *recorded, struct run *ret);
/* Where the directory stands. */
const struct head *recorded_head(const struct recorded *recorded);

#endif
