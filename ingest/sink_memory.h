/*
 * ingest/sink_memory.h -- a sink for tests: rows are kept in an array, and do what the test says.
 *
 *     struct sink *sink = sink_memory_create();
 *     sink_memory_script(sink)->hold = 3;          // acknowledge no more than the first 3 rows
 *     ... send, poll ...
 *     sink_memory_row(sink, 0)->payload            // what came
 */
#ifndef INGEST_SINK_MEMORY_H
#define INGEST_SINK_MEMORY_H

#include "ingest/sink.h"

/* What goes wrong; may be changed at any time. */
struct sink_memory_script {
    uint64_t hold;    /* acknowledge at most this many rows; at the start all */
    uint64_t full_at; /* ST_EAGAIN while this many rows are not acknowledged; at the start never */
    uint64_t refuse;  /* the number of a row that is refused for good; at the start none */
    uint64_t repeat;  /* every repeat-th row arrives twice; 0: none */
    bool take_back;   /* the next poll takes back what is not acknowledged, once */
    enum status broken; /* what send and poll give instead, if not ST_OK */
};

/* Aborts where there is no memory. */
struct sink *sink_memory_create(void);
struct sink_memory_script *sink_memory_script(struct sink *sink);

/* Rows that arrived, in their order (refused ones did not; repeated ones did twice). */
size_t sink_memory_rows(const struct sink *sink);
/* With copies of all that it points to; valid until the next send. */
const struct row *sink_memory_row(const struct sink *sink, size_t i);

/* The last mark, and how many rows were sent before it. epoch 0: there was none. */
struct sink_memory_mark {
    uint64_t life, epoch, row;
    size_t n;
    struct {
        char topic[32];
        int32_t partition;
        int64_t next;
    } positions[4]; /* the first ones */
};
struct sink_memory_mark sink_memory_mark(const struct sink *sink);

#endif
