/*
 * tests/tools/client.h -- how these tools connect, and how they end where something fails: with one
 * line.
 */
#ifndef TESTS_TOOLS_CLIENT_H
#define TESTS_TOOLS_CLIENT_H

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/kafka_conf.h"

__attribute__((noreturn)) static inline void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

/* report: called with each message that a producer sent, or NULL. */
static inline rd_kafka_t *
connect_to(rd_kafka_type_t type, const char *brokers, const struct kafka_setting *settings,
           void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    struct kafka_conf_spec spec = {.brokers = brokers, .defaults = settings};
    struct buf error = {0};
    rd_kafka_conf_t *conf = NULL;
    rd_kafka_t *client = NULL;
    if (kafka_conf_create(&spec, &error, &conf) == ST_OK) {
        if (report)
            rd_kafka_conf_set_dr_msg_cb(conf, report);
        if (kafka_client_create(type, conf, &error, &client) == ST_OK)
            return client;
    }
    buf_byte(&error, 0);
    die(brokers, error.data);
}

/* Messages that were not taken. */
static _Atomic size_t refused;

static inline void count_refused(rd_kafka_t *client, const rd_kafka_message_t *message, void *arg)
{
    (void)client;
    (void)arg;
    refused += message->err != 0;
}

#endif
