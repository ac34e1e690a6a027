/*
 * ingest/sink_kafka_internal.h -- the inside of the Kafka sink: sink_kafka.c makes it,
 * sink_kafka_rows.c sends rows, sink_kafka_reports.c takes what the brokers say to them,
 * sink_kafka_txn.c puts them into transactions, for which sink_kafka_coordinate.c waits;
 * sink_kafka_renew.c puts a new producer in the place of one that librdkafka gave up.
 */
#ifndef INGEST_SINK_KAFKA_INTERNAL_H
#define INGEST_SINK_KAFKA_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/ring.h"
#include "ingest/ack_window.h"
#include "ingest/event.h"
#include "ingest/kafka_conf.h"
#include "ingest/row_set.h"
#include "ingest/sink_kafka.h"

/* A row whose batch was refused, kept to be sent by itself. */
struct sink_kafka_spare {
    uint64_t row;
    rd_kafka_topic_t *topic; /* the sink's */
    rd_kafka_headers_t *headers;
    struct buf key, payload;
    struct sink_kafka_spare *next;
};

enum txn_job { JOB_NONE, JOB_COMMIT, JOB_ABORT, JOB_PROBE, JOB_QUIT };

/* Which topics can be written, where a transaction was refused for one of them. Kafka does not tell
 * which, so rows of one channel at a time are sent, in transactions that are aborted. Rows of a
 * topic that cannot be written are refused for a while, then it is tried again. */
struct txn_topics {
    unsigned used;                        /* a bit for each channel with rows in this transaction */
    unsigned unknown;                     /* that are still to be tried */
    unsigned guilty;                      /* that were, and cannot be written */
    bool probing;                         /* the transaction tries the first of the unknown */
    unsigned in_vain;                     /* rounds in a row that found none */
    int64_t refused_until[CHANNEL_COUNT]; /* monotonic us */
    rd_kafka_resp_err_t why[CHANNEL_COUNT];
};

/* A mark as it goes to the group. */
struct sink_kafka_mark {
    rd_kafka_topic_partition_list_t *offsets; /* NULL: none */
    uint64_t row;                             /* rows before this one belong to it */
};
void sink_kafka_mark_set(struct sink_kafka_mark *mark, const struct sink_mark *from, uint64_t row);
void sink_kafka_mark_done(struct sink_kafka_mark *mark);

/* The transaction in hand. While a job is given all of it, and the client, is the thread's. */
struct sink_kafka_txn {
    bool on;
    rd_kafka_consumer_group_metadata_t *group;
    pthread_t thread;
    bool has_thread;
    struct bell work, done;
    _Atomic int job; /* enum txn_job; given by the caller's thread, taken back by the other */
    bool busy;       /* a job was given whose outcome was not taken yet */
    rd_kafka_resp_err_t code; /* of its last error */
    enum status outcome;      /* of the job: ST_OK committed, ST_EAGAIN aborted, ST_EIO broken */
    bool open;                /* begun */
    bool must_abort;
    struct sink_kafka_mark mark;     /* to be told */
    struct sink_kafka_mark job_mark; /* that the job tells */
    uint64_t safe;                   /* rows whose transaction is committed */
    uint64_t safe_refused;           /* of them */
    struct row_set refused;          /* rows to leave out */
    struct row_set to_report;        /* of them, those that the user of the sink has not heard of */
    rd_kafka_resp_err_t why;         /* the last of them was refused */
    struct row_set suspects;         /* rows to be sent alone */
    bool found_out;                  /* one of these two sets has grown in this transaction */
    bool alone;                      /* the one in flight is a suspect */
    struct txn_topics topics;
    unsigned tries;       /* aborted since the last commit */
    int64_t retry_at;     /* monotonic us: not before this */
    int64_t committed_at; /* monotonic us */
    _Atomic uint64_t committed, aborted;
};

struct sink_kafka {
    struct sink head;
    rd_kafka_t *client;
    rd_kafka_topic_t *topics[CHANNEL_COUNT];
    void (*tell)(void *arg, const struct rd_kafka_topic_partition_list_s *offsets);
    void *tell_arg;
    struct sink_kafka_mark next_mark, last_mark; /* to be told, without transactions */
    uint64_t told_acked;                         /* acknowledged as of the last poll */
    struct sink_kafka_txn txn;
    struct ack_window window;
    uint64_t in_flight;                            /* rows that librdkafka has */
    uint64_t round_rows, round_bytes;              /* sent since a round was ended */
    struct sink_kafka_spare *spares, **spares_end; /* oldest first */
    bool spare_sent;                               /* the first of them is in flight, alone */
    enum status failed;                            /* ST_OK, or what everything gives from now on */
    char error[512];
};

enum { SINK_KAFKA_BATCH = 10000 }; /* rows of a request, at most */

static inline struct sink_kafka *sink_kafka_of(struct sink *sink)
{
    return (struct sink_kafka *)sink;
}

/* What becomes of a row, as its error tells. */
enum fate {
    FATE_WRITTEN,
    FATE_REFUSED,  /* by the topic: every row would be */
    FATE_AT_FAULT, /* refused for what one row of its batch is */
    FATE_AGAIN,
    FATE_UNKNOWN, /* the producer is at its end: not acknowledged, to be sent by another */
};
enum fate sink_kafka_fate(rd_kafka_resp_err_t err);

/* librdkafka's delivery report; arg is the sink. */
void sink_kafka_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *arg);
/* Ends waiting for a row that will never be written. */
void sink_kafka_refuse(struct sink_kafka *self, uint64_t row, rd_kafka_resp_err_t err);
/* Sends the first spare, once nothing else is in flight. */
void sink_kafka_send_spare(struct sink_kafka *self);
void sink_kafka_drop_spares(struct sink_kafka *self);
/* The sink's send() and flush(). */
enum status sink_kafka_send(struct sink *sink, const struct row *row);
enum status sink_kafka_end_round(struct sink *sink);
enum status sink_kafka_produce(struct sink_kafka *self, const struct row *row, uint64_t number,
                               rd_kafka_resp_err_t *ret_err);
/* The producer broke: everything gives ST_EIO from now on. */
enum status sink_kafka_fail(struct sink_kafka *self, const char *why);

/* Transactions. */
STATUS_CHECKED enum status txn_init(struct sink_kafka *self, const char *group);
/* False: the thread still waits for the coordinator and has the client; leave both alone. */
bool txn_stop(struct sink_kafka *self, int timeout_ms);
void txn_done(struct sink_kafka *self);
enum status txn_send(struct sink_kafka *self, const struct row *row);
void txn_take_mark(struct sink_kafka *self, const struct sink_mark *mark);
enum status txn_poll(struct sink_kafka *self, int64_t timeout_us, uint64_t *ret_acked,
                     uint64_t *ret_refused);
void txn_report(struct sink_kafka *self, uint64_t row, enum fate fate, rd_kafka_resp_err_t err);

/* The channel that is tried now, while probing; whether rows of a channel are refused unseen; what
 * an aborted transaction tells. */
enum channel txn_topics_probed(const struct txn_topics *topics);
bool txn_topics_refused(const struct txn_topics *topics, enum channel channel, int64_t now);
void txn_topics_learn(struct sink_kafka_txn *txn, int64_t now);

/* What of transactions waits for the coordinator. */
enum { TXN_AGAIN_US = 20 * 1000 }; /* between tries of what a broker refuses for the moment */
/* ST_OK, ST_EAGAIN (the transaction must be aborted) or ST_EIO (the producer is at its end). May be
 * called again on *ret_again. Takes the error. */
enum status txn_outcome_of(struct sink_kafka *self, rd_kafka_error_t *error, bool *ret_again);
/* librdkafka gave the producer up because the transaction that it was to abort had not begun for
 * the coordinator; a new one with the same settings, to be fenced before its first row (ST_EIO:
 * there is none, the sink is broken). On the thread that has the client. */
bool txn_had_nothing_to_abort(const struct sink_kafka *self);
STATUS_CHECKED enum status txn_renew(struct sink_kafka *self);
/* From here to txn.job being JOB_NONE again the client is the thread's. */
void txn_give_job(struct sink_kafka *self, enum txn_job job);

static inline int64_t txn_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* The row's number travels as the message's opaque; + 1, because NULL means none. */
static inline void *sink_kafka_opaque(uint64_t row)
{
    return (void *)(uintptr_t)(row + 1);
}

#endif
