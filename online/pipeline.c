#include "online/pipeline_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "ingest/examples.h"

enum status pipeline_create(const struct pipeline_options *options, struct pipeline **ret)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return ST_ENOMEM;
    p->options = *options;
    p->schema = options->schema;
    p->head = options->head;
    p->flush_by = INT64_MAX;
    p->n_dense = plan_vector_schema(options->plan)->n_dense;
    p->values = calloc(ROWS_MAX * (p->n_dense + 1), sizeof *p->values);
    p->dense = calloc(ROWS_MAX * (p->n_dense + 1), sizeof *p->dense);
    p->n_sparse_cap = ROWS_MAX * 16 + VECTOR_SPARSE_MAX;
    p->sparse = calloc(p->n_sparse_cap, sizeof *p->sparse);
    p->keys = calloc(plan_n_label_keys(options->plan) + 1, sizeof *p->keys);
    enum status st = p->values && p->dense && p->sparse && p->keys ? ST_OK : ST_ENOMEM;
    if (st == ST_OK)
        st = prequential_create(&p->prequential);
    if (st < 0) {
        pipeline_free(p);
        return st;
    }
    p->boundary_next = INT64_MIN;
    for (size_t i = 0; i < options->n_models; i++)
        p->learns = p->learns || options->models[i].trainer;
    rows_init(&p->rows_out, &options->rows, plan_vector_schema(options->plan));
    pipeline_find_champion(p);
    pipeline_begin_contests(p);
    *ret = p;
    return ST_OK;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    prequential_free(p->prequential);
    rows_done(&p->rows_out);
    buf_done(&p->given);
    free(p->values);
    free(p->dense);
    free(p->sparse);
    free(p->keys);
    free(p);
}

void pipeline_set_epoch(struct pipeline *p, struct epoch *epoch)
{
    p->epoch = epoch;
    epoch->examples_first = p->head->examples_next;
}

/* Examples: into the epoch, so that they are durable with it, and to the trainer, who need not wait
 * for that. */

enum status pipeline_give_examples(struct pipeline *p)
{
    if (p->given_n == 0)
        return ST_OK;
    bool given = true;
    for (size_t i = 0; i < p->options.n_models; i++)
        given = (!p->options.models[i].trainer ||
                 trainer_give(p->options.models[i].trainer, buf_slice(&p->given), p->given_n)) &&
                given;
    buf_reset(&p->given);
    p->given_n = 0;
    return given ? ST_OK : ST_ESTOPPED;
}

/* Where the next item begins: behind the layout's number, if it is the first of its block. */
size_t pipeline_begin_item(struct pipeline *p)
{
    struct buf *examples = &p->epoch->examples;
    if (examples->len == 0 && p->options.layout > 0)
        examples_put_layout(examples, p->options.layout);
    return examples->len;
}

void pipeline_end_item(struct pipeline *p, size_t from)
{
    buf_append(&p->given, p->epoch->examples.data + from, p->epoch->examples.len - from);
    p->given_n++;
    p->epoch->examples_n++;
    p->head->examples_next++;
}

static void count_released(struct pipeline *p, const struct released *example)
{
    p->figures.released++;
    p->figures.absent += example->absent;
    p->figures.corrections += example->correction;
    p->figures.thinned += !example->kept;
    if (!example->correction && example->version > 0)
        prequential_add(p->prequential, example->score, example->label);
}

static void on_release(void *arg, const struct released *example)
{
    struct pipeline *p = arg;
    count_released(p, example);
    pipeline_watch_release(p, example);
    if (!example->kept || !p->learns)
        return;
    size_t from = pipeline_begin_item(p);
    examples_put(&p->epoch->examples, example);
    pipeline_end_item(p, from);
    p->head->examples_end = p->head->examples_next;
}

/* Time. */

static int64_t floor_to(int64_t t, int64_t step)
{
    int64_t r = t % step;
    return t - (r < 0 ? r + step : r);
}

static struct head_model *head_of(const struct pipeline *p, const struct pipeline_model *model)
{
    return &p->head->models[model->number];
}

/* The version published at a boundary has learnt exactly what was released by it; without anything
 * new there is none. Rows gathered so far belong to the version before. */
static enum status publish(struct pipeline *p, const struct pipeline_model *model, int64_t boundary)
{
    struct head_model *at = head_of(p, model);
    if (!model->trainer || p->head->examples_end <= at->examples_published)
        return ST_OK;
    TRY(pipeline_flush(p));
    TRY(pipeline_contest(p, model, at->version + 1, boundary));
    size_t from = pipeline_begin_item(p);
    at->version++;
    if (!model->beside)
        p->waits[model - p->options.models] = at->version;
    p->figures.boundaries++;
    examples_put_boundary(&p->epoch->examples,
                          &(struct example_boundary){at->version, boundary, model->number});
    pipeline_end_item(p, from);
    at->examples_published = p->head->examples_next;
    return pipeline_give_examples(p);
}

/* Stretches in which nothing falls due are jumped over. */
static int64_t next_boundary(const struct pipeline *p, int64_t step, int64_t boundary, int64_t now)
{
    int64_t due = join_next_due(p->options.join);
    int64_t next = boundary + step, until = due < now ? due : now;
    if (until <= next)
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
    join_release(p->options.join, boundary, true, on_release, p);
    for (size_t i = 0; i < p->options.n_models; i++) {
        const struct pipeline_model *model = &p->options.models[i];
        if (head_of(p, model)->boundary_next != boundary)
            continue;
        TRY(publish(p, model, boundary));
        head_of(p, model)->boundary_next = next_boundary(p, model->publish_every, boundary, now);
    }
    find_boundary(p);
    return ST_OK;
}

/* Carries the stream's time on to t: what is due is released, and boundaries before t publish. An
 * event sees what is due at its own instant, a label or a tick does not: labels come first. */
static enum status advance(struct pipeline *p, int64_t t, bool inclusive)
{
    struct head *head = p->head;
    if (t > head->clock)
        head->clock = t;
    int64_t now = head->clock;
    if (p->n_rows > 0 && now >= p->flush_by)
        TRY(pipeline_flush(p));
    if (p->boundary_next == INT64_MIN)
        begin_boundaries(p, now);
    while (p->boundary_next < now)
        TRY(pass_boundary(p, p->boundary_next, now));
    join_release(p->options.join, now, inclusive, on_release, p);
    return p->given.len >= EXAMPLES_GIVEN_AT ? pipeline_give_examples(p) : ST_OK;
}

/* Events. */

static bool is_repeated(struct pipeline *p, const struct event *event, struct waiting_row *row)
{
    return p->schema->streams[event->stream].id_field &&
           join_find(p->options.join, event->id_key, p->head->clock, &row->known, &row->ref);
}

/* Scored by the replay that built this state: not once more on the topics. */
static bool is_archived(const struct pipeline *p, const struct waiting_row *row)
{
    return !p->options.replay && row->known.time <= p->head->replayed;
}

static void round_vector(struct pipeline *p, size_t at)
{
    const double *from = p->values + at * p->n_dense;
    float *to = p->dense + at * p->n_dense;
    for (size_t i = 0; i < p->n_dense; i++)
        to[i] = (float)from[i];
}

static void extract(struct pipeline *p, const struct event *event, size_t at)
{
    size_t n_sparse = 0;
    p->sparse_from[at] = p->n_sparse_used;
    plan_extract(p->options.plan, p->options.state, event, p->values + at * p->n_dense,
                 p->sparse + p->n_sparse_used, &n_sparse);
    p->n_sparse_used += n_sparse;
    p->sparse_from[at + 1] = p->n_sparse_used;
    round_vector(p, at);
    pipeline_watch_scored(p, event->time, at);
}

/* Keeps the event until its label comes; its id alone, where it is not scored. Returns whether. */
static bool remember(struct pipeline *p, const struct event *event, bool scored, bool observed,
                     size_t at, struct pending_ref *ret)
{
    const struct stream *stream = &p->schema->streams[event->stream];
    const struct label_schema *labels = &p->schema->labels;
    if ((!stream->id_field && !(scored && labels->present)) ||
        event->time + labels->horizon < p->head->clock)
        return false;
    struct pending_parts parts = {.id = event->id_key, .time = event->time, .scored = scored};
    if (observed) {
        plan_label_keys(p->options.plan, event, p->keys);
        parts.keys = p->keys;
    }
    if (scored) {
        parts.dense = p->dense + at * p->n_dense;
        parts.sparse = p->sparse + p->sparse_from[at];
        parts.n_sparse = p->sparse_from[at + 1] - p->sparse_from[at];
    }
    double label;
    if (join_add(p->options.join, &parts, p->head->clock, ret, &label) && observed)
        plan_label(p->options.plan, p->options.state, p->keys, event->time,
                   (uint32_t)event->id_key.lo, label);
    return true;
}

static enum status take_data(struct pipeline *p, const struct event *event, uint32_t lane)
{
    TRY(advance(p, event->time, true));
    if (pipeline_rows_full(p))
        TRY(pipeline_flush(p));
    p->figures.events++;
    bool scored = p->schema->streams[event->stream].score;
    struct waiting_row row = {.event = event, .lane = lane, .at = p->n_vectors};
    row.repeated = is_repeated(p, event, &row);
    if (row.repeated) {
        p->figures.repeated++;
        if (row.known.scored && !is_archived(p, &row))
            pipeline_gather(p, &row);
        return ST_OK;
    }
    if (scored)
        extract(p, event, row.at);
    bool observed = event->time >= p->head->clock - p->options.lateness;
    if (observed)
        plan_observe(p->options.plan, p->options.state, event,
                     scored ? p->values + row.at * p->n_dense : NULL);
    p->figures.late += !observed;
    row.stored = remember(p, event, scored, observed, row.at, &row.ref);
    if (scored)
        pipeline_gather(p, &row);
    return ST_OK;
}

static enum status take_label(struct pipeline *p, const struct event *event)
{
    TRY(advance(p, event->time, false));
    int64_t offset = event->origin.offset + (p->options.replay ? LABEL_OFFSET_REPLAYED : 0);
    struct label label = {event->id_key, event->label, p->head->clock, offset};
    struct labelled labelled = {0};
    enum label_outcome outcome = join_label(p->options.join, &label, on_release, p, &labelled);
    p->figures.labels[outcome]++;
    if (outcome == LABEL_APPLIED)
        newest_add(&p->label_delays, event->time - labelled.time);
    if (labelled.keys)
        plan_label(p->options.plan, p->options.state, labelled.keys, labelled.time,
                   (uint32_t)event->id_key.lo, label.value);
    return ST_OK;
}

static void take_dead(struct pipeline *p, const struct event *event, uint32_t lane)
{
    p->figures.dead++;
    outbox_put(&p->epoch->outbox, CHANNEL_DEAD, lane, event->origin.offset, 0, (struct slice){0},
               event->raw, slice_of(event->reason));
    p->epoch->outbox_rows++;
}

static enum status take_act(struct pipeline *p, const struct event *event)
{
    struct act act = event_act(event);
    return pipeline_act(p, &act);
}

static enum status dispatch(struct pipeline *p, const struct event *event, uint32_t lane)
{
    switch (event->kind) {
    case EVENT_DATA:
        return take_data(p, event, lane);
    case EVENT_LABEL:
        return take_label(p, event);
    case EVENT_TICK:
        return advance(p, event->time, false);
    case EVENT_DEAD:
        take_dead(p, event, lane);
        break;
    case EVENT_ACT:
        return take_act(p, event);
    }
    return ST_OK;
}

enum status pipeline_take(struct pipeline *p, const struct event *event, uint32_t lane)
{
    TRY(dispatch(p, event, lane));
    if (event->kind == EVENT_TICK) {
        runs_tick(&p->runs, &p->epoch->runs, event->time);
        return ST_OK;
    }
    if (event->kind == EVENT_ACT)
        return ST_OK;
    struct origin origin = {lane, event->origin.offset};
    runs_take(&p->runs, &p->epoch->runs, origin);
    p->head->lanes[lane].next = event->origin.offset + 1;
    p->head->events++;
    p->epoch->events++;
    if (event->arrived < p->epoch->oldest_arrival)
        p->epoch->oldest_arrival = event->arrived;
    return ST_OK;
}

void pipeline_seal(struct pipeline *p)
{
    assert(p->n_rows == 0 && p->given_n == 0);
    struct epoch *epoch = p->epoch;
    runs_close(&p->runs, &epoch->runs);
    p->head->epoch = epoch->number;
    if (p->options.replay)
        p->head->replayed = p->head->clock;
    head_encode(p->head, &epoch->head);
    state_seal(p->options.state, &epoch->redo);
}

const struct pipeline_figures *pipeline_figures(const struct pipeline *p)
{
    return &p->figures;
}

const _Atomic size_t *pipeline_champion(const struct pipeline *p)
{
    return &p->champion;
}

const struct prequential *pipeline_prequential(const struct pipeline *p)
{
    return p->prequential;
}
