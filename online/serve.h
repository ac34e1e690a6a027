/*
 * online/serve.h -- the service on topics, with its console and its metrics: what `run` and `demo`
 * share.
 */
#ifndef ONLINE_SERVE_H
#define ONLINE_SERVE_H

#include "online/kafka_ends.h"
#include "online/service.h"

struct serve_options {
    const struct settings *settings;
    const char *dir; /* state */
    struct kafka_ends *ends;
    bool live;                      /* the live view, or lines where there is no terminal */
    bool after_restore, accept_gap; /* see service.h */
    volatile sig_atomic_t *stop;    /* set: drain and end; set here too when the service ended */
    /* Called once the service takes input, on a thread of its own; and told to end. Optional. */
    void *(*feeder)(void *arg);
    void *feeder_arg;
};

/* Runs until *stop is set, or a failure. Failures are logged. */
STATUS_CHECKED enum status serve(const struct serve_options *options);

#endif
