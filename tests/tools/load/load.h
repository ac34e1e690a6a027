/*
 * tests/tools/load/load.h -- a caller of the endpoint that costs far less than the endpoint:
 * requests are made once, frames by hand, and what is answered is only counted and, where it can
 * be, checked.
 *
 * endpoint_load.c keeps the connections busy, load_grpc.c and load_http.c speak, load_body.c makes
 * what is asked and load_count.c counts. Nobody but endpoint_load includes this.
 */
#ifndef TESTS_TOOLS_LOAD_LOAD_H
#define TESTS_TOOLS_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/bytes.h"

enum { LOAD_STREAMS_MAX = 256, LOAD_BODIES_MAX = 1024, LOAD_IN = 256 * 1024 };

struct load_options {
    bool grpc, live, json, typed;
    int port;
    size_t connections, streams; /* each has so many requests on their way */
    const char *model;
    size_t rows, columns;
    const char *event; /* printf format of an event with one number; NULL: vectors */
    bool told;         /* the model is that of tests/endpoint_fixture.h: answers can be checked */
};

/* What is asked, in turns. */
struct load_bodies {
    size_t n;
    struct slice items[LOAD_BODIES_MAX];
    struct buf text;
};
void load_make_bodies(const struct load_options *options, struct load_bodies *ret);

/* Latencies by microsecond, up to a second. */
enum { LOAD_US_MAX = 1000 * 1000 };
struct load_count {
    uint64_t n, failed, mixed; /* mixed: rows of one answer from two versions */
    uint64_t total_us;
    uint32_t us[LOAD_US_MAX];
};
void load_count_add(struct load_count *count, int64_t us);
/* The latency that a share of all are not above. */
int64_t load_count_quantile(const struct load_count *count, double share);

struct load_link {
    const struct load_options *options;
    const struct load_bodies *bodies;
    /* An answer is there; data: that of gRPC's message, or the body. begun: when it was asked. */
    void (*answered)(void *arg, int64_t begun, bool good, struct slice data);
    void *arg;
    int fd;
    struct buf out;
    size_t out_at, in_len, in_flight;
    uint64_t asked;
    struct buf head;    /* HTTP: the head of a request; gRPC: its header block */
    struct slice first; /* gRPC: the header block of the first request */
    int64_t begun[LOAD_STREAMS_MAX];
    bool has_data[LOAD_STREAMS_MAX];
    uint64_t window; /* gRPC: bytes taken since the window was last opened */
    char in[LOAD_IN];
};

struct load_protocol {
    void (*greet)(struct load_link *link);
    void (*ask)(struct load_link *link, int64_t begun);
    /* Takes what is whole; returns how much that was. */
    size_t (*take)(struct load_link *link, const char *data, size_t len);
};
extern const struct load_protocol load_grpc, load_http;

/* Whether all rows of an answer are of one version: scores of the model of
 * tests/endpoint_fixture.h, as float32. */
bool load_is_of_one_version(struct slice scores);

/* The versions of that model that answers came from. */
struct load_versions {
    int newest; /* 0: none yet */
    long seen;  /* how often a newer one was met */
};
void load_see_version(struct load_versions *versions, struct slice scores);

#endif
