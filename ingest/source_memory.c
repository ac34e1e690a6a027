#include "ingest/source_memory.h"

#include <assert.h>
#include <stdlib.h>

/* A record, or what a fetch gives instead. */
struct item {
    enum status st; /* ST_OK: a record */
    int times;      /* < 0: for good */
    int64_t offset;
    int64_t broker_time;
    struct slice payload; /* owned */
};

struct memory_lane {
    struct lane_info info;
    struct item *items;
    size_t n, at;
    int64_t next; /* offset of the next record put in */
};

struct source_memory {
    struct source source;
    struct source_ops ops; /* its own, because tests choose whether it grows */
    struct memory_lane *lanes;
    size_t n_lanes;
    size_t chunk;
    size_t waits;
};

/* An array of n with room for one more: as many as the next power of two. */
static void *grown(void *array, size_t n, size_t size)
{
    if (n > 0 && (n & (n - 1)) != 0)
        return array;
    array = realloc(array, (n > 0 ? 2 * n : 1) * size);
    if (!array)
        abort();
    return array;
}

static struct source_memory *self(struct source *source)
{
    return (struct source_memory *)source;
}

static size_t memory_lanes(const struct source *source)
{
    return ((const struct source_memory *)source)->n_lanes;
}

static struct lane_info memory_lane(const struct source *source, size_t lane)
{
    return ((const struct source_memory *)source)->lanes[lane].info;
}

static enum status memory_seek(struct source *source, size_t number, int64_t offset)
{
    struct memory_lane *lane = &self(source)->lanes[number];
    if (offset > lane->next)
        return ST_ENOTFOUND;
    lane->at = 0;
    while (lane->at < lane->n &&
           (lane->items[lane->at].st < 0 || lane->items[lane->at].offset < offset))
        lane->at++;
    return ST_OK;
}

/* The status of an item that is no record; it is passed once it was given as often as it should. */
static enum status give_status(struct memory_lane *lane)
{
    struct item *item = &lane->items[lane->at];
    enum status st = item->st;
    if (item->times > 0 && --item->times == 0)
        lane->at++;
    return st;
}

static enum status memory_fetch(struct source *source, size_t number, struct record_in *ret,
                                size_t max, size_t *ret_n)
{
    struct memory_lane *lane = &self(source)->lanes[number];
    size_t n = 0;
    if (self(source)->chunk > 0 && self(source)->chunk < max)
        max = self(source)->chunk;
    if (lane->at == lane->n)
        return ST_EEND;
    if (lane->items[lane->at].st < 0)
        return give_status(lane);
    for (; n < max && lane->at < lane->n && lane->items[lane->at].st == ST_OK; lane->at++) {
        const struct item *item = &lane->items[lane->at];
        ret[n++] = (struct record_in){
            .payload = item->payload, .offset = item->offset, .broker_time = item->broker_time};
    }
    *ret_n = n;
    return ST_OK;
}

static void memory_wait(struct source *source, int64_t timeout_us)
{
    (void)timeout_us;
    self(source)->waits++;
}

static int64_t memory_lag(struct source *source, size_t number)
{
    const struct memory_lane *lane = &self(source)->lanes[number];
    int64_t n = 0;
    for (size_t i = lane->at; i < lane->n; i++)
        n += lane->items[i].st == ST_OK;
    return n;
}

static void memory_free(struct source *source)
{
    if (!source)
        return;
    for (size_t i = 0; i < self(source)->n_lanes; i++) {
        struct memory_lane *lane = &self(source)->lanes[i];
        for (size_t j = 0; j < lane->n; j++)
            free((void *)(uintptr_t)lane->items[j].payload.data);
        free(lane->items);
    }
    free(self(source)->lanes);
    free(self(source));
}

static const char *memory_error(const struct source *source)
{
    (void)source;
    return "as the test said";
}

struct source *source_memory_create(bool grows)
{
    struct source_memory *memory = grown(NULL, 0, sizeof *memory);
    *memory = (struct source_memory){.ops = {.kind = "memory",
                                             .lanes = memory_lanes,
                                             .lane = memory_lane,
                                             .seek = memory_seek,
                                             .fetch = memory_fetch,
                                             .wait = memory_wait,
                                             .grows = grows,
                                             .lag = memory_lag,
                                             .free = memory_free,
                                             .error = memory_error}};
    memory->source.ops = &memory->ops;
    return &memory->source;
}

size_t source_memory_lane(struct source *source, const struct lane_info *info)
{
    struct source_memory *memory = self(source);
    memory->lanes = grown(memory->lanes, memory->n_lanes, sizeof *memory->lanes);
    memory->lanes[memory->n_lanes] = (struct memory_lane){.info = *info};
    return memory->n_lanes++;
}

void source_memory_set_chunk(struct source *source, size_t chunk)
{
    self(source)->chunk = chunk;
}

static void add_item(struct source *source, size_t number, const struct item *item)
{
    assert(number < self(source)->n_lanes);
    struct memory_lane *lane = &self(source)->lanes[number];
    lane->items = grown(lane->items, lane->n, sizeof *lane->items);
    lane->items[lane->n++] = *item;
}

void source_memory_add(struct source *source, size_t lane, struct slice payload,
                       int64_t broker_time)
{
    char *copy = malloc(payload.len + 1);
    if (!copy)
        abort();
    if (payload.len > 0)
        memcpy(copy, payload.data, payload.len);
    add_item(source, lane,
             &(struct item){.st = ST_OK,
                            .offset = self(source)->lanes[lane].next++,
                            .broker_time = broker_time,
                            .payload = {copy, payload.len}});
}

void source_memory_pause(struct source *source, size_t lane, int fetches)
{
    add_item(source, lane, &(struct item){.st = ST_EAGAIN, .times = fetches});
}

void source_memory_fail(struct source *source, size_t lane, enum status st)
{
    add_item(source, lane, &(struct item){.st = st, .times = 1});
}

size_t source_memory_waits(const struct source *source)
{
    return ((const struct source_memory *)source)->waits;
}
