/* Rows are gathered, scored together and sent. All that are gathered share one version. */
#include <math.h>

#include "online/pipeline_internal.h"

static void score_vectors(struct pipeline *p, const struct model *model)
{
    for (size_t i = 0; i < p->n_vectors; i++)
        p->vectors[i] = (struct vector){p->dense + i * p->n_dense, p->sparse + p->sparse_from[i],
                                        p->sparse_from[i + 1] - p->sparse_from[i]};
    model->ops->score(model, p->vectors, p->n_vectors, p->scores);
}

/* A repeat tells what its first arrival was scored, in the same words. */
static struct row_score row_of(const struct pipeline *p, const struct waiting_row *row)
{
    struct row_score out = {.event = row->event, .time = row->event->time, .values = NULL};
    if (row->repeated) {
        struct pending known = join_get(p->options.join, row->ref);
        out.time = known.time;
        out.score = known.score;
        out.version = known.version;
    } else {
        out.score = p->scores[row->at];
        out.version = p->is_tried[row->at] ? p->tried_by : p->scored_by;
        out.values = p->values + row->at * p->n_dense;
        out.vector = &p->vectors[row->at];
    }
    return out;
}

/* What scores rows: all of them, and those of a trial's share. NULL: nothing does. */
struct scorers {
    const struct model *model, *trial;
};

static const struct model *scorer_of(const struct pipeline *p, const struct scorers *scorers,
                                     size_t at)
{
    return p->is_tried[at] ? scorers->trial : scorers->model;
}

static void emit(struct pipeline *p, const struct waiting_row *row, const struct scorers *scorers)
{
    struct row_score out = row_of(p, row);
    struct reason strongest[REASONS_MAX];
    if (scorers->model && p->options.rows.reasons > 0 && !row->repeated) {
        const struct model *model = scorer_of(p, scorers, row->at);
        struct reasons reasons = {strongest, 0, p->options.rows.reasons};
        model->ops->explain(model, out.vector, &reasons);
        out.reasons = strongest;
        out.n_reasons = reasons.n;
    }
    if (row->stored && !row->repeated)
        join_set_score(p->options.join, row->ref, out.score, out.version);
    p->epoch->outbox_rows += rows_put_score(&p->rows_out, &p->epoch->outbox, row->lane, &out);
    p->figures.scored += !row->repeated;
    if (p->options.on_score && !row->repeated)
        p->options.on_score(p->options.on_score_arg, &out);
}

static enum status score(struct pipeline *p, size_t champion, struct scorers *ret)
{
    struct registry *registry = p->options.models[champion].registry;
    ret->model = registry_acquire(registry, p->waits[champion]);
    if (!ret->model)
        return ST_ESTOPPED;
    p->scored_by = registry_version_of(registry, ret->model);
    score_vectors(p, ret->model);
    ret->trial = pipeline_score_share(p, champion);
    return ST_OK;
}

static void score_nothing(struct pipeline *p)
{
    for (size_t i = 0; i < p->n_vectors; i++)
        p->scores[i] = NAN;
}

static void release(const struct pipeline *p, size_t champion, const struct scorers *scorers)
{
    struct registry *registry = p->options.models[champion].registry;
    if (scorers->model)
        registry_release(registry, scorers->model);
    if (scorers->trial)
        registry_release(registry, scorers->trial);
}

enum status pipeline_flush(struct pipeline *p)
{
    if (p->n_rows == 0)
        return ST_OK;
    TRY(pipeline_settle_contests(p));
    struct scorers scorers = {NULL, NULL};
    size_t champion = p->champion;
    if (p->options.n_models > 0)
        TRY(score(p, champion, &scorers));
    else
        score_nothing(p);
    for (size_t i = 0; i < p->n_rows; i++)
        emit(p, &p->rows[i], &scorers);
    release(p, champion, &scorers);
    p->n_rows = p->n_vectors = p->n_sparse_used = 0;
    p->flush_by = INT64_MAX;
    return ST_OK;
}

/* A row that waits refers to its event's entry: it is scored before the entry is released, which
 * takes the score along, or goes. So neither depends on where batches are cut. */
void pipeline_gather(struct pipeline *p, const struct waiting_row *row)
{
    const struct label_schema *labels = &p->schema->labels;
    int64_t by = row->repeated
                     ? row->known.time + labels->horizon
                     : row->event->time + (labels->present ? labels->delay : labels->horizon);
    if (by < p->flush_by)
        p->flush_by = by;
    p->n_vectors += !row->repeated;
    p->rows[p->n_rows++] = *row;
}

bool pipeline_rows_full(const struct pipeline *p)
{
    return p->n_rows == ROWS_MAX || p->n_sparse_used + VECTOR_SPARSE_MAX > p->n_sparse_cap;
}
