/*
 * ingest/kafka_conf.h -- the settings of a librdkafka client: ours, the user's, and those that must
 * stay ours.
 *
 * The user may pass any setting that librdkafka knows (TLS and SASL included); it overrides our
 * defaults. A few settings the rest of the code relies on; to name one of those is a mistake.
 * librdkafka's own log lines are dropped, because its errors reach us as events, except where the
 * user asks for them with `debug`.
 */
#ifndef INGEST_KAFKA_CONF_H
#define INGEST_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "base/conf.h"
#include "base/status.h"

struct kafka_setting {
    const char *name;
    const char *value; /* NULL: stays librdkafka's default */
};

struct kafka_conf_spec {
    const char *brokers;                  /* host:port,... */
    const struct kafka_setting *fixed;    /* may not be overridden; ended by {NULL, NULL} */
    const struct kafka_setting *defaults; /* likewise ended */
    const struct conf_map *properties;    /* the user's; NULL: none */
};

/* The caller owns the result (rd_kafka_conf_destroy()) until it makes a client of it with
 * kafka_client_create(). Returns ST_EINVAL and appends one line that names the setting to error. */
STATUS_CHECKED enum status kafka_conf_create(const struct kafka_conf_spec *spec, struct buf *error,
                                             rd_kafka_conf_t **ret);

/* Makes a client and takes the conf in any case. Returns ST_EINVAL with a line in error where the
 * settings do not fit together (a missing key file, for one). Starts threads. */
STATUS_CHECKED enum status kafka_client_create(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                               struct buf *error, rd_kafka_t **ret);

/* Would kafka_client_create() make a client of this conf? Takes the conf; asks no broker. */
STATUS_CHECKED enum status kafka_client_check(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                              struct buf *error);

/* Makes a topic unless it is there; waits up to timeout_ms for each of its requests. replication
 * -1: the broker's default. Returns ST_EINVAL or ST_EIO with a line in error. The embedded broker
 * knows no such request: after the time-out the topic is made in its own way. */
STATUS_CHECKED enum status kafka_topic_ensure(rd_kafka_t *client, const char *topic, int partitions,
                                              int replication, int timeout_ms, struct buf *error);

/* How many partitions a topic has; does not make it. Waits up to timeout_ms for a broker.
 * Returns ST_ENOTFOUND if there is no such topic and ST_EIO for everything else, with a line in
 * error. */
STATUS_CHECKED enum status kafka_topic_partitions(rd_kafka_t *client, const char *topic,
                                                  int timeout_ms, struct buf *error, int *ret);

#endif
