#include "ingest/source_generator.h"

#include <stdlib.h>

#include "ingest/event.h"

/* A fetch of labels gives up for now after so many events without one. */
enum { LANES_MAX = 2, STEPS_MAX = 20000 };

struct generator_lane {
    struct generator *generator;
    int64_t next;    /* offset */
    struct buf text; /* of the records handed out last */
};

struct source_generator {
    struct source source;
    struct source_generator_options options;
    size_t n_lanes;
    struct generator_lane lanes[LANES_MAX];
};

static struct source_generator *self(struct source *source)
{
    return (struct source_generator *)source;
}

static size_t generator_lanes(const struct source *source)
{
    return ((const struct source_generator *)source)->n_lanes;
}

static struct lane_info generator_lane(const struct source *source, size_t lane)
{
    const struct source_generator_options *options =
        &((const struct source_generator *)source)->options;
    return (struct lane_info){.stream = lane == 0 ? options->stream : LABEL_STREAM,
                              .topic = lane == 0 ? options->topic : options->label_topic,
                              .format = "json"};
}

/* The next one that belongs to the lane. ST_EAGAIN: not yet found. */
static enum status next_of_lane(struct generator_lane *lane, bool labels, struct generated *ret)
{
    for (int step = 0; step < STEPS_MAX; step++) {
        if (!generator_next(lane->generator, ret))
            return ST_EEND;
        if (ret->is_label == labels)
            return ST_OK;
    }
    return ST_EAGAIN;
}

static enum status restart(struct source_generator *all, struct generator_lane *lane)
{
    struct generator *generator = NULL;
    TRY(generator_create(&all->options.generator, &generator));
    generator_free(lane->generator);
    lane->generator = generator;
    lane->next = 0;
    return ST_OK;
}

static enum status generator_seek(struct source *source, size_t number, int64_t offset)
{
    struct generator_lane *lane = &self(source)->lanes[number];
    struct generated made;
    if (offset < lane->next)
        TRY(restart(self(source), lane));
    while (lane->next < offset) {
        enum status st = next_of_lane(lane, number == 1, &made);
        if (st == ST_EEND)
            return ST_ENOTFOUND;
        lane->next += st == ST_OK;
    }
    return ST_OK;
}

/* Records are written one behind the other first: the buffer may move while it grows. */
static enum status generator_fetch(struct source *source, size_t number, struct record_in *ret,
                                   size_t max, size_t *ret_n)
{
    struct generator_lane *lane = &self(source)->lanes[number];
    struct generated made;
    enum status st = ST_OK;
    size_t n = 0, at = 0;
    buf_reset(&lane->text);
    for (; n < max && (st = next_of_lane(lane, number == 1, &made)) == ST_OK; n++) {
        size_t start = lane->text.len;
        generator_write_json(&made, false, &lane->text);
        ret[n] = (struct record_in){.payload = {NULL, lane->text.len - start},
                                    .offset = lane->next++,
                                    .broker_time = made.time};
    }
    for (size_t i = 0; i < n; at += ret[i++].payload.len)
        ret[i].payload.data = lane->text.data + at;
    *ret_n = n;
    return n > 0 ? ST_OK : st;
}

static void generator_wait(struct source *source, int64_t timeout_us)
{
    (void)source;
    (void)timeout_us; /* it never has to */
}

static const char *generator_error(const struct source *source)
{
    (void)source;
    return "the generator makes fewer records than were read of it before";
}

static void generator_source_free(struct source *source)
{
    if (!source)
        return;
    for (size_t i = 0; i < LANES_MAX; i++) {
        generator_free(self(source)->lanes[i].generator);
        buf_done(&self(source)->lanes[i].text);
    }
    free(self(source));
}

static const struct source_ops generator_ops = {
    .kind = "generator",
    .lanes = generator_lanes,
    .lane = generator_lane,
    .seek = generator_seek,
    .fetch = generator_fetch,
    .wait = generator_wait,
    .grows = false,
    .free = generator_source_free,
    .error = generator_error,
};

enum status source_generator_create(const struct source_generator_options *options,
                                    struct source **ret)
{
    struct source_generator *all = calloc(1, sizeof *all);
    if (!all)
        return ST_ENOMEM;
    *all = (struct source_generator){
        .source = {&generator_ops}, .options = *options, .n_lanes = options->label_topic ? 2 : 1};
    for (size_t i = 0; i < all->n_lanes; i++) {
        enum status st = restart(all, &all->lanes[i]);
        if (st < 0) {
            generator_source_free(&all->source);
            return st;
        }
    }
    *ret = &all->source;
    return ST_OK;
}
