/*
 * tests/sim/broker.h -- a broker that misbehaves within its contract: topics of an input behind a
 * source, and the rows that came of them behind a sink.
 *
 * Records come in runs of any length, with delays. Rows may be taken late, some are refused for
 * good, the queue may be full, and acknowledgements come when they like. When the process dies, a
 * row that was under way has arrived or not; with transactions, none of an open one has. What
 * arrives is kept by where it came from: a second arrival must be the same bytes.
 */
#ifndef TESTS_SIM_BROKER_H
#define TESTS_SIM_BROKER_H

#include "ingest/lineage.h"
#include "ingest/sink.h"
#include "ingest/source.h"
#include "tests/sim/input.h"
#include "tests/sim/world.h"

/* A record's row. */
struct arrival {
    unsigned times;
    enum channel channel;
    struct buf bytes; /* key, payload and reason */
    struct slice payload;
    bool refused; /* by the broker, for good */
    bool parked;  /* found among the service's parked rows */
};

struct broker {
    const struct input *input;
    struct world *world;
    struct arrival *arrivals[INPUT_LANES_MAX]; /* one a record */
    struct group_offset group[INPUT_LANES_MAX];
    bool exactly_once;      /* rows come in transactions, and each arrives once */
    unsigned refuse_one_in; /* 0: no row is refused */
    bool acks_early;        /* a planted fault: before it has the row */
    bool group_apart;       /* likewise: offsets are no part of a transaction */
    bool calm;              /* no misbehaviour */
    bool timed;             /* a record is there once its time has come */
    bool gated;             /* only records of one lane, up to an offset, are there */
    size_t gate;
    int64_t gate_last;
    char wrong[300]; /* what a row did that it must not; "": nothing */
};

void broker_init(struct broker *broker, const struct input *input, struct world *world);
void broker_done(struct broker *broker);

/* A process's ends; their free() is the service's death for what is under way. */
struct source *broker_source(struct broker *broker);
struct sink *broker_sink(struct broker *broker);
/* What the group has committed; arg: the broker. As service_options.resume. */
enum status broker_resume(void *arg, struct group_offset *ret);
/* The record's place; NULL: there is no such record. */
struct arrival *broker_arrival(struct broker *broker, const struct row *row);
/* A row that the service has put aside. */
void broker_park(struct broker *broker, const struct row *row);
/* A row is in its topic. */
void broker_arrive(struct broker *broker, const struct row *row);
/* The offset behind the last record of a lane. */
int64_t broker_end(const struct broker *broker, size_t lane);

#endif
