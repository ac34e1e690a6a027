/*
 * ingest/source_kafka_internal.h -- what the files of the Kafka source share: source_kafka.c
 * fetches records, source_kafka_offsets.c knows where logs begin and end, source_kafka_open.c makes
 * and ends it all.
 */
#ifndef INGEST_SOURCE_KAFKA_INTERNAL_H
#define INGEST_SOURCE_KAFKA_INTERNAL_H

#include <pthread.h>

#include "base/ring.h"
#include "ingest/kafka_conf.h"
#include "ingest/source_kafka.h"

enum { KAFKA_FETCH_MAX = 1000 }; /* records given out at once */

struct kafka_lane {
    char *topic;
    struct lane_info info;
    rd_kafka_queue_t *queue;
    int64_t low, high;         /* the log holds [low, high): at the start, or when last asked for */
    int64_t next;              /* behind the last record given out, or where to start */
    bool at_end;               /* nothing is known behind next */
    bool in_doubt;             /* a broker went away since that was known */
    size_t queued_most;        /* records seen waiting since the last nudge */
    enum status failed;        /* ST_OK, or what every fetch gives from now on */
    rd_kafka_message_t **held; /* KAFKA_FETCH_MAX; n_held of them back the records given out last */
    size_t n_held;
};

struct source_kafka {
    struct source head;
    rd_kafka_t *client;
    rd_kafka_queue_t *events; /* everything that is not of a lane */
    struct kafka_lane *lanes;
    size_t n_lanes;
    int timeout_ms;
    bool started;
    struct bell bell; /* rung when a queue is no longer empty */
    uint32_t seen;
    bool in_doubt;                              /* some lane is */
    int64_t doubt_asked;                        /* monotonic us */
    pthread_mutex_t lock;                       /* guards to_commit */
    rd_kafka_topic_partition_list_t *to_commit; /* NULL: nothing new */
    int64_t committed_at;                       /* monotonic us; ingest thread */
    char error[512];
};

static inline struct source_kafka *source_kafka_of(struct source *source)
{
    return (struct source_kafka *)source;
}

int64_t source_kafka_now(void); /* monotonic us, for deadlines */

/* Sets the error text and returns st. */
__attribute__((format(printf, 3, 4))) enum status
source_kafka_fail(struct source_kafka *self, enum status st, const char *format, ...);

/* One entry a lane, in their order, all with this offset. The caller destroys it. */
rd_kafka_topic_partition_list_t *source_kafka_list(const struct source_kafka *self, int64_t offset);
/* Asks the brokers for low and high of all lanes; waits up to timeout_ms. */
rd_kafka_resp_err_t source_kafka_ask_bounds(struct source_kafka *self, int timeout_ms);
/* Sets the text for an offset that the lane's log does not hold; returns ST_ENOTFOUND. */
enum status source_kafka_fail_offset(struct source_kafka *self, const struct kafka_lane *lane);
/* Keeps librdkafka filling the lane's queue; after each fetch that brought records. */
void source_kafka_nudge(struct source_kafka *self, struct kafka_lane *lane);
/* While in doubt: asks, now and then, whether lanes are still at their end. */
void source_kafka_settle(struct source_kafka *self);

/* Sends what source_kafka_commit() left, if it is time to. */
void source_kafka_send_commit(struct source_kafka *self);
/* The same at the end: waits for the answer, but not for long. */
void source_kafka_finish_commit(struct source_kafka *self, int timeout_ms);

/* librdkafka's error callback; arg is the source. */
void source_kafka_note_event(rd_kafka_t *client, int err, const char *text, void *arg);

extern const struct source_ops source_kafka_ops;
int64_t source_kafka_lag(struct source *source, size_t lane);
enum status source_kafka_seek(struct source *source, size_t lane, int64_t offset);
void source_kafka_free(struct source *source);

#endif
