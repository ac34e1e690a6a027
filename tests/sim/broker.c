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
        broker->group[i].next = -1; /* of a group that never committed */
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

enum status broker_resume(void *arg, struct group_offset *ret)
{
    struct broker *broker = arg;
    if (world_touch(broker->world, "group: read") != TOUCH_DONE)
        return ST_EIO;
    memcpy(ret, broker->group, broker->input->n_lanes * sizeof *ret);
    return ST_OK;
}

/* What arrives. */

struct arrival *broker_arrival(struct broker *broker, const struct row *row)
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

/* Whatever way a row takes, it has the same bytes. */
static void note(struct broker *broker, const struct row *row, struct arrival *arrival)
{
    struct buf bytes = {0};
    put_bytes(row, &bytes);
    if (arrival->bytes.len > 0) {
        if (!slice_eq(buf_slice(&bytes), buf_slice(&arrival->bytes)))
            complain(broker, row, "came again with other bytes");
        buf_done(&bytes);
        return;
    }
    arrival->bytes = bytes;
    arrival->channel = row->channel;
    arrival->payload = (struct slice){bytes.data + bytes.len - row->payload.len, row->payload.len};
}

void broker_arrive(struct broker *broker, const struct row *row)
{
    struct arrival *arrival = broker_arrival(broker, row);
    if (!arrival || row->ordinal != 0) {
        complain(broker, row, "of no record");
        return;
    }
    note(broker, row, arrival);
    arrival->times++;
    if (broker->exactly_once && arrival->times > 1)
        complain(broker, row, "came twice");
}

void broker_park(struct broker *broker, const struct row *row)
{
    struct arrival *arrival = broker_arrival(broker, row);
    if (!arrival || !arrival->refused) {
        complain(broker, row, "parked, and was not refused");
        return;
    }
    note(broker, row, arrival);
    arrival->parked = true;
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

/* So that a trial ends. */
enum { SOURCE_FAILS_UNTIL = 3 };

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
    if (!self->broker->calm && world->life < SOURCE_FAILS_UNTIL && world_chance(world, 2000)) {
        world_tell(world, "source: fails");
        world->failed = true;
        return ST_EIO;
    }
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
    return "made to fail";
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
