/*
 * online/kafka_ends.h -- source and sink of `run` and `demo`: topics of the configured broker, or
 * of the one inside the process.
 */
#ifndef ONLINE_KAFKA_ENDS_H
#define ONLINE_KAFKA_ENDS_H

#include "ingest/broker_embedded.h"
#include "ingest/lineage.h"
#include "ingest/sink.h"
#include "ingest/source.h"
#include "online/settings.h"

struct kafka_ends {
    struct broker_embedded *broker; /* NULL: an outside one */
    const char *brokers;
    struct source *source;
    struct sink *sink;
};

/* Starts the embedded broker if the config asks for it, and connects. Failures are logged. */
STATUS_CHECKED enum status kafka_ends_open(const struct settings *settings, struct kafka_ends *ret);
/* Takes the transactional id over, if there is one, and then reads what the group has committed:
 * one a lane of the source. Once the state directory is ours alone. Failures are logged. */
STATUS_CHECKED enum status kafka_ends_resume(struct kafka_ends *ends, struct group_offset *ret);
/* The source alone, of the broker that the config names. Failures are logged. The caller frees it.
 */
STATUS_CHECKED enum status kafka_ends_open_source(const struct settings *settings,
                                                  struct source **ret);
void kafka_ends_close(struct kafka_ends *ends);

#endif
