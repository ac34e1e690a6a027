/* The stream's time goes on: examples fall due, versions are published at their boundaries, and
 * their trials are looked at. */
#include "ingest/examples.h"
#include "online/pipeline_internal.h"

static void count_released(struct pipeline *p, const struct released *example)
{
    p->figures.released++;
    p->figures.absent += example->absent;
    p->figures.corrections += example->correction;
    p->figures.thinned += !example->kept;
    if (!example->correction && example->version > 0)
        prequential_add(p->prequential, example->score, example->label);
}

void pipeline_on_release(void *arg, const struct released *example)
{
    struct pipeline *p = arg;
    count_released(p, example);
    pipeline_watch_release(p, example);
    pipeline_count_label(p, example);
    if (!example->kept || !p->learns)
        return;
    size_t from = pipeline_begin_item(p);
    examples_put(&p->epoch->examples, example);
    pipeline_end_item(p, from);
    p->head->examples_end = p->head->examples_next;
}

static int64_t floor_to(int64_t t, int64_t step)
{
    int64_t r = t % step;
    return t - (r < 0 ? r + step : r);
}

static struct head_model *head_of(const struct pipeline *p, const struct pipeline_model *model)
{
    return &p->head->models[model->number];
}

/* Examples that no version has learnt. */
static bool has_new(const struct pipeline *p, const struct pipeline_model *model)
{
    return model->trainer && p->head->examples_end > head_of(p, model)->examples_published;
}

/* The version published at a boundary has learnt exactly what was released by it; without anything
 * new, and while the one before it is on trial, there is none. Rows gathered so far belong to the
 * version before. */
static enum status publish(struct pipeline *p, const struct pipeline_model *model, int64_t boundary)
{
    struct head_model *at = head_of(p, model);
    size_t i = (size_t)(model - p->options.models);
    if (!has_new(p, model))
        return ST_OK;
    TRY(pipeline_flush(p));
    if (pipeline_is_tried(p, i))
        return ST_OK;
    TRY(pipeline_contest(p, model, at->version + 1, boundary));
    size_t from = pipeline_begin_item(p);
    at->version++;
    if (!model->beside)
        p->waits[i] = at->version;
    bool tried = pipeline_expect_trial(p, i, boundary);
    p->figures.boundaries++;
    examples_put_boundary(&p->epoch->examples,
                          &(struct example_boundary){at->version, boundary, model->number, tried});
    pipeline_end_item(p, from);
    at->examples_published = p->head->examples_next;
    return pipeline_give_examples(p);
}

/* Stretches in which nothing falls due are jumped over, unless something waits to be published: a
 * trial kept it back. */
static int64_t next_boundary(const struct pipeline *p, const struct pipeline_model *model,
                             int64_t boundary, int64_t now)
{
    int64_t due = join_next_due(p->options.join), step = model->publish_every;
    int64_t next = boundary + step, until = due < now ? due : now;
    if (until <= next || has_new(p, model))
        return next;
    int64_t reached = floor_to(until, step);
    return reached < until ? reached + step : reached;
}

static void find_boundary(struct pipeline *p)
{
    p->boundary_next = INT64_MAX;
    for (size_t i = 0; i < p->options.n_models; i++) {
        int64_t next = head_of(p, &p->options.models[i])->boundary_next;
        p->boundary_next = next < p->boundary_next ? next : p->boundary_next;
    }
}

/* Models whose boundaries are not yet known: they come with the stream's time. */
static void begin_boundaries(struct pipeline *p, int64_t now)
{
    for (size_t i = 0; i < p->options.n_models; i++) {
        const struct pipeline_model *model = &p->options.models[i];
        if (head_of(p, model)->boundary_next == INT64_MIN)
            head_of(p, model)->boundary_next =
                floor_to(now, model->publish_every) + model->publish_every;
    }
    find_boundary(p);
}

static enum status pass_boundary(struct pipeline *p, int64_t boundary, int64_t now)
{
    join_release(p->options.join, boundary, true, pipeline_on_release, p);
    for (size_t i = 0; i < p->options.n_models; i++) {
        const struct pipeline_model *model = &p->options.models[i];
        if (head_of(p, model)->boundary_next != boundary)
            continue;
        TRY(publish(p, model, boundary));
        head_of(p, model)->boundary_next = next_boundary(p, model, boundary, now);
    }
    find_boundary(p);
    return ST_OK;
}

/* A trial ends before the next version is published. */
static enum status pass_moment(struct pipeline *p, int64_t now)
{
    if (p->look_next > p->boundary_next)
        return pass_boundary(p, p->boundary_next, now);
    int64_t time = p->look_next;
    join_release(p->options.join, time, true, pipeline_on_release, p);
    return pipeline_look(p, time);
}

enum status pipeline_advance(struct pipeline *p, int64_t t, bool inclusive)
{
    struct head *head = p->head;
    if (t > head->clock)
        head->clock = t;
    int64_t now = head->clock;
    if (p->n_rows > 0 && now >= p->flush_by)
        TRY(pipeline_flush(p));
    if (p->boundary_next == INT64_MIN)
        begin_boundaries(p, now);
    while (p->boundary_next < now || p->look_next < now)
        TRY(pass_moment(p, now));
    join_release(p->options.join, now, inclusive, pipeline_on_release, p);
    return p->given.len >= EXAMPLES_GIVEN_AT ? pipeline_give_examples(p) : ST_OK;
}
