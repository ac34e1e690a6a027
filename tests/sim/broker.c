#include "tests/sim/broker.h"

#include <inttypes.h>
#include <stdlib.h>

void broker_init(struct broker *broker, const struct input *input, struct world *world)
{
    *broker = (struct broker){.input = input, .world = world};
    for (size_t i = 0; i < input->n_lanes; i++) {
        broker->arrivals[i] = calloc(input->lanes[i].n + 1, sizeof *broker->arrivals[i]);
        if (!broker->arrivals[i])
            abort();
        broker->group[i] = -1; /* of a group that never committed */
    }
}

void broker_done(struct broker *broker)
{
    for (size_t i = 0; i < broker->input->n_lanes; i++) {
        for (size_t j = 0; j < broker->input->lanes[i].n; j++)
            buf_done(&broker->arrivals[i][j].bytes);
        free(broker->arrivals[i]);
    }
}

int64_t broker_end(const struct broker *broker, size_t number)
{
    const struct input_lane *lane = &broker->input->lanes[number];
    return lane->n > 0 ? lane->records[lane->n - 1].offset + 1 : -1;
}

static void commit_lane(struct broker *broker, size_t lane, int64_t next)
{
    if (next >= 0 &&
        world_touch(broker->world, "group: lane %zu at %" PRId64, lane, next) != TOUCH_LOST)
        broker->group[lane] = next;
}

/* What arrives. */

static struct arrival *arrival_of(struct broker *broker, const struct row *row)
{
    for (size_t i = 0; i < broker->input->n_lanes; i++) {
        const struct input_lane *lane = &broker->input->lanes[i];
        if (lane->partition != row->partition || strcmp(lane->topic, row->topic) != 0)
            continue;
        size_t at = input_find(lane, row->offset);
        return at < lane->n && lane->records[at].offset == row->offset ? &broker->arrivals[i][at]
                                                                       : NULL;
    }
    return NULL;
}

static void complain(struct broker *broker, const struct row *row, const char *what)
{
    if (!broker->wrong[0])
        snprintf(broker->wrong, sizeof broker->wrong, "row of %s/%d offset %" PRId64 ": %s",
                 row->topic, (int)row->partition, row->offset, what);
}

static void put_bytes(const struct row *row, struct buf *ret)
{
    buf_byte(ret, (uint8_t)row->channel);
    buf_slice_put(ret, row->key);
    buf_slice_put(ret, row->reason);
    buf_append(ret, row->payload.data, row->payload.len);
}

void broker_arrive(struct broker *broker, const struct row *row)
{
    struct arrival *arrival = arrival_of(broker, row);
    if (!arrival || row->ordinal != 0) {
        complain(broker, row, "of no record");
        return;
    }
    struct buf bytes = {0};
    put_bytes(row, &bytes);
    if (arrival->times++ == 0) {
        arrival->bytes = bytes;
        arrival->channel = row->channel;
        arrival->payload =
            (struct slice){bytes.data + bytes.len - row->payload.len, row->payload.len};
        return;
    }
    if (!slice_eq(buf_slice(&bytes), buf_slice(&arrival->bytes)))
        complain(broker, row, "came again with other bytes");
    buf_done(&bytes);
}

/* The source. */

struct sim_source {
    struct source head;
    struct broker *broker;
    size_t at[INPUT_LANES_MAX];
    unsigned run_max, silent_one_in; /* records that come at once; fetches that find none */
};

static struct sim_source *source_of(const struct source *source)
{
    return (struct sim_source *)(uintptr_t)source;
}

static size_t source_lanes(const struct source *source)
{
    return source_of(source)->broker->input->n_lanes;
}

static struct lane_info source_lane(const struct source *source, size_t number)
{
    const struct input_lane *lane = &source_of(source)->broker->input->lanes[number];
    return (struct lane_info){
        .stream = lane->stream, .topic = lane->topic, .partition = lane->partition};
}

static enum status source_seek(struct source *source, size_t number, int64_t offset)
{
    struct sim_source *self = source_of(source);
    const struct input_lane *lane = &self->broker->input->lanes[number];
    self->at[number] = input_find(lane, offset);
    return ST_OK;
}

/* Weeks of records come within minutes. */
static bool is_there(const struct broker *broker, size_t number, const struct input_record *record)
{
    if (broker->gated)
        return number == broker->gate && record->offset <= broker->gate_last;
    int64_t age = record->broker_time - INPUT_BEGIN;
    return !broker->timed || age / 3000 <= broker->world->clock;
}

static size_t records_there(const struct sim_source *self, size_t number, size_t max)
{
    const struct input_lane *lane = &self->broker->input->lanes[number];
    size_t at = self->at[number], n = 0;
    while (n < max && at + n < lane->n && is_there(self->broker, number, &lane->records[at + n]))
        n++;
    return n;
}

static enum status source_fetch(struct source *source, size_t number, struct record_in *ret,
                                size_t max, size_t *ret_n)
{
    struct sim_source *self = source_of(source);
    struct world *world = self->broker->world;
    const struct input_lane *lane = &self->broker->input->lanes[number];
    size_t n = records_there(self, number, max);
    if (world->dead)
        return ST_EIO;
    if (!self->broker->calm && world_chance(world, self->silent_one_in))
        return ST_EAGAIN;
    if (n == 0)
        return ST_EEND;
    if (!self->broker->calm)
        n = 1 + rng_below(&world->rng, n < self->run_max ? n : self->run_max);
    for (size_t i = 0; i < n; i++) {
        const struct input_record *record = &lane->records[self->at[number]++];
        ret[i] = (struct record_in){.payload = record->payload,
                                    .offset = record->offset,
                                    .broker_time = record->broker_time};
    }
    *ret_n = n;
    return ST_OK;
}

static void source_wait(struct source *source, int64_t timeout_us)
{
    (void)source;
    (void)timeout_us;
}

static void source_free(struct source *source)
{
    free(source);
}

static const char *source_error(const struct source *source)
{
    (void)source;
    return "the process is dead";
}

static const struct source_ops source_ops = {
    .kind = "simulated",
    .lanes = source_lanes,
    .lane = source_lane,
    .seek = source_seek,
    .fetch = source_fetch,
    .wait = source_wait,
    .grows = true,
    .free = source_free,
    .error = source_error,
};

struct source *broker_source(struct broker *broker)
{
    struct sim_source *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    static const unsigned run_maxs[] = {1, 2, 5, 30};
    self->head.ops = &source_ops;
    self->broker = broker;
    self->run_max = run_maxs[rng_below(&broker->world->rng, 4)];
    self->silent_one_in = 2 + (unsigned)rng_below(&broker->world->rng, 4);
    return &self->head;
}

/* The sink. */

/* Under way: not known to have arrived. */
struct flight {
    struct row row;
    struct buf bytes; /* what it points to */
    bool done;        /* arrived, or refused */
};

enum { FLIGHTS_MAX = 64 };

struct sim_sink {
    struct sink head;
    struct broker *broker;
    struct flight flights[FLIGHTS_MAX]; /* of rows sent and not yet acknowledged, in order */
    size_t n;
    uint64_t acked, refused;
    bool marked;       /* the group is to be told */
    uint64_t mark_row; /* once rows before this one are acknowledged */
    int64_t mark[INPUT_LANES_MAX];
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

static void land(struct sim_sink *self, struct flight *flight)
{
    if (flight->done)
        return;
    flight->done = true;
    if (!is_refused(self->broker, &flight->row)) {
        broker_arrive(self->broker, &flight->row);
        return;
    }
    struct arrival *arrival = arrival_of(self->broker, &flight->row);
    if (arrival)
        arrival->refused = true;
}

static struct slice keep(struct buf *bytes, struct slice s)
{
    buf_append(bytes, s.data, s.len);
    return (struct slice){bytes->data + bytes->len - s.len, s.len};
}

static void take_off(struct sim_sink *self, const struct row *row)
{
    struct flight *flight = &self->flights[self->n++];
    flight->row = *row;
    flight->done = false;
    buf_reset(&flight->bytes);
    struct slice topic = {row->topic, strlen(row->topic) + 1};
    buf_reserve(&flight->bytes, topic.len + row->key.len + row->payload.len + row->reason.len);
    flight->row.topic = keep(&flight->bytes, topic).data;
    flight->row.key = keep(&flight->bytes, row->key);
    flight->row.payload = keep(&flight->bytes, row->payload);
    flight->row.reason = keep(&flight->bytes, row->reason);
}

static enum status sink_send(struct sink *sink, const struct row *row)
{
    struct sim_sink *self = sink_of(sink);
    struct world *world = self->broker->world;
    if (!world->dead &&
        (self->n == FLIGHTS_MAX || (!self->broker->calm && world_chance(world, 20))))
        return ST_EAGAIN;
    enum touch touch = world_touch(world, "broker: row of %s/%d offset %" PRId64, row->topic,
                                   (int)row->partition, row->offset);
    if (touch == TOUCH_LOST)
        return ST_EIO;
    take_off(self, row);
    return touch == TOUCH_UNHEARD ? ST_EIO : ST_OK;
}

static void take_flights_from(struct sim_sink *self, size_t n)
{
    struct flight gone[FLIGHTS_MAX];
    memcpy(gone, self->flights, n * sizeof *gone);
    memmove(self->flights, self->flights + n, (FLIGHTS_MAX - n) * sizeof *gone);
    memcpy(self->flights + FLIGHTS_MAX - n, gone, n * sizeof *gone); /* their buffers */
    self->n -= n;
}

static void tell_group(struct sim_sink *self)
{
    if (!self->marked || self->mark_row > self->acked)
        return;
    self->marked = false;
    for (size_t i = 0; i < self->broker->input->n_lanes; i++)
        commit_lane(self->broker, i, self->mark[i]);
}

/* Rows arrive in any order; acknowledgements are counted in theirs. */
static enum status sink_poll(struct sink *sink, int64_t timeout_us, uint64_t *ret_acked,
                             uint64_t *ret_refused)
{
    struct sim_sink *self = sink_of(sink);
    struct broker *broker = self->broker;
    (void)timeout_us;
    if (broker->world->dead)
        return ST_EIO;
    size_t n = 0;
    tell_group(self);
    for (size_t i = 0; i < self->n; i++)
        if (broker->calm || world_chance(broker->world, 3))
            land(self, &self->flights[i]);
    size_t most = broker->calm ? self->n : rng_below(&broker->world->rng, self->n + 1);
    while (n < most && self->flights[n].done)
        self->refused += is_refused(broker, &self->flights[n++].row);
    if (n > 0)
        take_flights_from(self, n);
    self->acked += n;
    *ret_acked = self->acked + (broker->acks_early ? self->n : 0);
    *ret_refused = self->refused;
    return ST_OK;
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
                self->mark[i] = mark->positions[j].next;
    return ST_OK;
}

static bool sink_unsettled(const struct sink *sink)
{
    return ((const struct sim_sink *)(const void *)sink)->marked;
}

static void sink_free(struct sink *sink)
{
    struct sim_sink *self = sink_of(sink);
    for (size_t i = 0; i < self->n; i++)
        if (!self->broker->world->dead || world_chance(self->broker->world, 2))
            land(self, &self->flights[i]);
    for (size_t i = 0; i < FLIGHTS_MAX; i++)
        buf_done(&self->flights[i].bytes);
    free(self);
}

static const char *sink_error(const struct sink *sink)
{
    return ((const struct sim_sink *)(const void *)sink)->broker->world->dead
               ? "the process is dead"
               : "";
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
