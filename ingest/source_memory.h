/*
 * ingest/source_memory.h -- a source that hands out what a test puts in, when the test says so.
 *
 *     struct source *source = source_memory_create(true);
 *     size_t lane = source_memory_lane(source, &(struct lane_info){.stream = 0, .topic = "tx"});
 *     source_memory_add(source, lane, slice_of("{...}"), 1000);
 *     source_memory_pause(source, lane, 2);         // then two fetches find nothing
 *     source_memory_fail(source, lane, ST_EIO);     // then one fails
 *
 * What is put in is handed out in that order; behind it comes ST_EEND, until more is put in.
 */
#ifndef INGEST_SOURCE_MEMORY_H
#define INGEST_SOURCE_MEMORY_H

#include "ingest/source.h"

/* Aborts where there is no memory, as all of this file does: it serves tests. */
struct source *source_memory_create(bool grows);

/* Adds a lane and returns its index. info's texts are borrowed. */
size_t source_memory_lane(struct source *source, const struct lane_info *info);
/* No fetch gives more than this many records; 0: as many as it may. */
void source_memory_set_chunk(struct source *source, size_t chunk);

/* The payload is copied; broker_time may be TIME_NONE. Offsets count from 0. */
void source_memory_add(struct source *source, size_t lane, struct slice payload,
                       int64_t broker_time);
/* As many fetches give ST_EAGAIN. A negative number: all, for good. */
void source_memory_pause(struct source *source, size_t lane, int fetches);
/* One fetch gives this. */
void source_memory_fail(struct source *source, size_t lane, enum status st);

/* How often the source was asked to wait. */
size_t source_memory_waits(const struct source *source);

#endif
