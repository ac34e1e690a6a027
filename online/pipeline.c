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
    pipeline_begin_trials(p);
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
 * for that. It gets them when a version ends, when there are enough and with each epoch: to wake it
 * costs as much as some thirty examples. */

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
    TRY(pipeline_advance(p, event->time, true));
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
    TRY(pipeline_advance(p, event->time, false));
    int64_t offset = event->origin.offset + (p->options.replay ? LABEL_OFFSET_REPLAYED : 0);
    struct label label = {event->id_key, event->label, p->head->clock, offset};
    struct labelled labelled = {0};
    enum label_outcome outcome =
        join_label(p->options.join, &label, pipeline_on_release, p, &labelled);
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
        return pipeline_advance(p, event->time, false);
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

enum status pipeline_seal(struct pipeline *p)
{
    assert(p->n_rows == 0);
    TRY(pipeline_give_examples(p));
    struct epoch *epoch = p->epoch;
    runs_close(&p->runs, &epoch->runs);
    p->head->epoch = epoch->number;
    if (p->options.replay)
        p->head->replayed = p->head->clock;
    head_encode(p->head, &epoch->head);
    state_seal(p->options.state, &epoch->redo);
    return ST_OK;
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
