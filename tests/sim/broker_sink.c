/* Rows on their way to the broker of the simulation, one by one or in transactions. */
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/broker.h"

/* Under way: not known to have arrived. */
struct flight {
    struct row row;
    struct buf bytes; /* what it points to */
    bool done;        /* arrived, or refused */
};

enum { QUEUE_MAX = 64 };

struct sim_sink {
    struct sink head;
    struct broker *broker;
    struct flight *flights; /* of rows sent and not yet acknowledged, in order */
    size_t n, cap;
    uint64_t acked, refused;
    uint64_t told_below; /* aborted once and sent again: rows before it are not refused anew */
    bool marked;         /* the group is to be told */
    uint64_t mark_row;   /* of rows before this one */
    struct group_offset mark[INPUT_LANES_MAX];
};

static struct sim_sink *sink_of(struct sink *sink)
{
    return (struct sim_sink *)sink;
}

/* Some rows are too large for the broker, whenever they come. */
static bool is_refused(const struct broker *broker, const struct row *row)
{
    return broker->refuse_one_in > 0 &&
           (uint64_t)(row->offset * 7 + row->partition) % broker->refuse_one_in == 0;
}

/* number: of the row, from the first that was sent through this sink. */
static void refuse(struct sim_sink *self, const struct row *row, uint64_t number)
{
    struct arrival *arrival = broker_arrival(self->broker, row);
    if (arrival)
        arrival->refused = true;
    if (number < self->told_below)
        return;
    self->refused++;
    world_tell(self->broker->world, "broker: refuses %s/%d offset %" PRId64, row->topic,
               (int)row->partition, row->offset);
    if (self->head.refused)
        self->head.refused(self->head.refused_arg, number, "too large");
}

static struct slice keep(struct buf *bytes, struct slice s)
{
    buf_append(bytes, s.data, s.len);
    return (struct slice){bytes->data + bytes->len - s.len, s.len};
}

static void take_off(struct sim_sink *self, const struct row *row)
{
    if (self->n == self->cap) {
        self->cap = self->cap ? 2 * self->cap : QUEUE_MAX;
        self->flights = realloc(self->flights, self->cap * sizeof *self->flights);
        if (!self->flights)
            abort();
        memset(self->flights + self->n, 0, (self->cap - self->n) * sizeof *self->flights);
    }
    struct flight *flight = &self->flights[self->n++];
    struct slice topic = {row->topic, strlen(row->topic) + 1};
    flight->row = *row;
    flight->done = false;
    buf_reset(&flight->bytes);
    buf_reserve(&flight->bytes, topic.len + row->key.len + row->payload.len + row->reason.len);
    flight->row.topic = keep(&flight->bytes, topic).data;
    flight->row.key = keep(&flight->bytes, row->key);
    flight->row.payload = keep(&flight->bytes, row->payload);
    flight->row.reason = keep(&flight->bytes, row->reason);
}

/* A row behind a mark would be of a transaction that cannot end until the next one. */
static bool is_full(const struct sim_sink *self)
{
    const struct broker *broker = self->broker;
    if (broker->exactly_once && self->marked)
        return true;
    return (!broker->exactly_once && self->n >= QUEUE_MAX) ||
           (!broker->calm && world_chance(broker->world, 20));
}

static enum status sink_send(struct sink *sink, const struct row *row)
{
    struct sim_sink *self = sink_of(sink);
    struct world *world = self->broker->world;
    if (!world->dead && is_full(self))
        return ST_EAGAIN;
    enum touch touch = world_touch(world, "broker: row of %s/%d offset %" PRId64, row->topic,
                                   (int)row->partition, row->offset);
    if (touch == TOUCH_LOST)
        return ST_EIO;
    take_off(self, row);
    if (touch == TOUCH_DONE && is_refused(self->broker, row) && world_chance(world, 2)) {
        self->flights[self->n - 1].done = true; /* it does not even leave */
        refuse(self, row, self->acked + self->n - 1);
    }
    return touch == TOUCH_UNHEARD ? ST_EIO : ST_OK;
}

/* The first n are over; their buffers are used again. */
static void forget_flights(struct sim_sink *self, size_t n)
{
    for (size_t i = 0; i + n < self->n; i++) {
        struct flight gone = self->flights[i];
        self->flights[i] = self->flights[i + n];
        self->flights[i + n] = gone;
    }
    self->n -= n;
}

/* It arrives, or is refused. number: as for refuse(). */
static void land(struct sim_sink *self, struct flight *flight, uint64_t number)
{
    if (flight->done)
        return;
    flight->done = true;
    if (is_refused(self->broker, &flight->row))
        refuse(self, &flight->row, number);
    else
        broker_arrive(self->broker, &flight->row);
}

static void tell_group(struct sim_sink *self)
{
    memcpy(self->broker->group, self->mark, sizeof self->mark);
    self->marked = false;
}

/* One by one: rows arrive in any order; acknowledgements are counted in theirs. */
static enum status poll_rows(struct sim_sink *self)
{
    struct broker *broker = self->broker;
    size_t n = 0, most = broker->calm ? self->n : rng_below(&broker->world->rng, self->n + 1);
    if (self->marked && self->mark_row <= self->acked) {
        enum touch touch =
            world_touch(broker->world, "group: told of epoch %" PRIu64, self->mark[0].epoch);
        if (touch != TOUCH_LOST)
            tell_group(self);
        if (touch != TOUCH_DONE)
            return ST_EIO;
    }
    for (size_t i = 0; i < self->n; i++)
        if (broker->calm || world_chance(broker->world, 3))
            land(self, &self->flights[i], self->acked + i);
    while (n < most && self->flights[n].done)
        n++;
    forget_flights(self, n);
    self->acked += n;
    return ST_OK;
}

/* Rows that were not refused in a transaction before are now; true if there is one. */
static bool refuse_some(struct sim_sink *self)
{
    bool any = false;
    for (size_t i = 0; i < self->n; i++) {
        struct flight *flight = &self->flights[i];
        if (flight->done || !is_refused(self->broker, &flight->row))
            continue;
        flight->done = true;
        any = any || self->acked + i >= self->told_below;
        refuse(self, &flight->row, self->acked + i);
    }
    return any;
}

static enum status abort_transaction(struct sim_sink *self)
{
    world_tell(self->broker->world, "broker: transaction of %zu rows aborted", self->n);
    if (self->acked + self->n > self->told_below)
        self->told_below = self->acked + self->n;
    self->n = 0;
    self->marked = false;
    return ST_EAGAIN;
}

/* In transactions: all up to the mark and the group's offsets at once; or it is aborted, and all is
 * to be sent again. A transaction that a row of was refused in cannot be committed. */
static enum status poll_transaction(struct sim_sink *self)
{
    struct broker *broker = self->broker;
    if (refuse_some(self) || (!broker->calm && world_chance(broker->world, 12)))
        return abort_transaction(self);
    if (!self->marked || (!broker->calm && world_chance(broker->world, 2)))
        return ST_OK;
    enum touch touch = world_touch(broker->world, "broker: transaction of %zu rows, epoch %" PRIu64,
                                   self->n, self->mark[0].epoch);
    if (touch == TOUCH_LOST)
        return ST_EIO;
    for (size_t i = 0; i < self->n; i++)
        land(self, &self->flights[i], self->acked + i);
    bool told =
        !broker->group_apart ||
        (touch == TOUCH_DONE && world_touch(broker->world, "group: told by itself") == TOUCH_DONE);
    if (told)
        tell_group(self);
    self->acked += self->n;
    self->n = 0;
    return touch == TOUCH_DONE && told ? ST_OK : ST_EIO;
}

static enum status sink_poll(struct sink *sink, int64_t timeout_us, uint64_t *ret_acked,
                             uint64_t *ret_refused)
{
    struct sim_sink *self = sink_of(sink);
    (void)timeout_us;
    if (self->broker->world->dead)
        return ST_EIO;
    enum status st = self->broker->exactly_once ? poll_transaction(self) : poll_rows(self);
    *ret_acked = self->acked + (self->broker->acks_early ? self->n : 0);
    *ret_refused = self->refused;
    return st;
}

static enum status sink_mark(struct sink *sink, const struct sink_mark *mark)
{
    struct sim_sink *self = sink_of(sink);
    const struct input *input = self->broker->input;
    self->marked = true;
    self->mark_row = self->acked + self->n;
    for (size_t i = 0; i < input->n_lanes; i++)
        for (size_t j = 0; j < mark->n; j++)
            if (mark->positions[j].partition == input->lanes[i].partition &&
                strcmp(mark->positions[j].topic, input->lanes[i].topic) == 0)
                self->mark[i] =
                    (struct group_offset){mark->positions[j].next, mark->life, mark->epoch};
    return ST_OK;
}

static bool sink_unsettled(const struct sink *sink)
{
    return ((const struct sim_sink *)(const void *)sink)->marked;
}

/* What was under way when the process died has arrived or not. */
static void sink_free(struct sink *sink)
{
    struct sim_sink *self = sink_of(sink);
    struct broker *broker = self->broker;
    bool sure = !broker->world->dead && !broker->world->failed;
    self->head.refused = NULL;
    for (size_t i = 0; i < self->n && !broker->exactly_once; i++)
        if (sure || world_chance(broker->world, 2))
            land(self, &self->flights[i], self->acked + i);
    for (size_t i = 0; i < self->cap; i++)
        buf_done(&self->flights[i].bytes);
    free(self->flights);
    free(self);
}

static const char *sink_error(const struct sink *sink)
{
    const struct sim_sink *self = (const struct sim_sink *)(const void *)sink;
    return self->broker->world->dead ? "the process is dead" : "";
}

static const struct sink_ops sink_ops = {
    .kind = "simulated",
    .send = sink_send,
    .poll = sink_poll,
    .mark = sink_mark,
    .unsettled = sink_unsettled,
    .free = sink_free,
    .error = sink_error,
};

struct sink *broker_sink(struct broker *broker)
{
    struct sim_sink *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->head.ops = &sink_ops;
    self->broker = broker;
    return &self->head;
}
