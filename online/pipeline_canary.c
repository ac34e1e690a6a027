/* Trials: what a version on trial scores, and how long it does. A trial begins with the first row
 * behind its version's boundary, is looked at when the stream's time has come, and ends there; so
 * all of it is a function of the input. */
#include <string.h>

#include "ingest/examples.h"
#include "online/pipeline_internal.h"

static struct canary *canary_of(const struct pipeline *p, size_t i)
{
    return &p->head->models[p->options.models[i].number].canary;
}

static const struct canary_share *share_of(const struct pipeline *p, size_t i)
{
    return p->options.models[i].canary;
}

/* When the next trial is to be looked at. */
static void find_look(struct pipeline *p)
{
    p->look_next = INT64_MAX;
    for (size_t i = 0; i < p->options.n_models; i++) {
        const struct canary *canary = canary_of(p, i);
        if (canary->expected && canary->look_next < p->look_next)
            p->look_next = canary->look_next;
    }
}

void pipeline_begin_trials(struct pipeline *p)
{
    find_look(p);
}

static void forget_trial(struct pipeline *p, size_t i)
{
    *canary_of(p, i) = (struct canary){0};
    find_look(p);
}

bool pipeline_expect_trial(struct pipeline *p, size_t i, int64_t boundary)
{
    const struct canary_share *share = share_of(p, i);
    if (!share || share->share == 0 || p->options.models[i].number != p->head->champion)
        return false;
    canary_expect(canary_of(p, i), boundary, &share->options);
    find_look(p);
    return true;
}

/* Scoring. */

/* The version that is on trial, from now on known to be; NULL: there is none. Its registry has
 * passed the boundary. */
static const struct model *find_trial(struct pipeline *p, size_t i)
{
    struct canary *canary = canary_of(p, i);
    struct canary_limits limits;
    uint32_t version;
    const struct model *model =
        registry_acquire_trial(p->options.models[i].registry, &version, &limits);
    if (model && canary->version == 0)
        canary_begin(canary, version, p->scored_by, &limits);
    return model;
}

static const struct model *acquire(struct pipeline *p, size_t i)
{
    if (!canary_of(p, i)->expected)
        return NULL;
    const struct model *model = find_trial(p, i);
    if (!model)
        forget_trial(p, i); /* the version was not promoted, or it is the first */
    return model;
}

/* The vectors of the share, side by side; their places to p->tried. */
static size_t gather_share(struct pipeline *p, size_t i, struct vector *ret)
{
    const struct canary_share *share = share_of(p, i);
    uint32_t version = canary_of(p, i)->version;
    size_t n = 0;
    for (size_t row = 0; share && row < p->n_rows; row++) {
        const struct waiting_row *waiting = &p->rows[row];
        if (waiting->repeated || !canary_share_has(share, waiting->event, version))
            continue;
        p->tried[n] = waiting->at;
        ret[n++] = p->vectors[waiting->at];
    }
    return n;
}

static void score_share(struct pipeline *p, size_t i, const struct model *model)
{
    struct vector vectors[ROWS_MAX];
    float scores[ROWS_MAX];
    struct canary *canary = canary_of(p, i);
    size_t n = gather_share(p, i, vectors);
    if (n == 0)
        return;
    model->ops->score(model, vectors, n, scores);
    for (size_t j = 0; j < n; j++) {
        size_t at = p->tried[j];
        canary_count(canary, p->scores[at], scores[j]);
        p->scores[at] = scores[j];
        p->is_tried[at] = true;
    }
}

const struct model *pipeline_score_share(struct pipeline *p, size_t i)
{
    memset(p->is_tried, 0, p->n_vectors * sizeof p->is_tried[0]);
    const struct model *model = acquire(p, i);
    p->tried_by = canary_of(p, i)->version;
    if (model)
        score_share(p, i, model);
    return model;
}

void pipeline_count_label(struct pipeline *p, const struct released *example)
{
    for (size_t i = 0; i < p->options.n_models && !example->correction; i++)
        canary_count_label(canary_of(p, i), example->time, example->version, example->score,
                           example->label);
}

/* Ending. */

/* In the registry at once: the next row is scored by what stays. The trainer comes to it in its
 * place of the log. */
static enum status end(struct pipeline *p, size_t i, const struct decision *decision)
{
    const struct pipeline_model *model = &p->options.models[i];
    struct head_model *at = &p->head->models[model->number];
    bool confirmed = decision->verdict == VERDICT_CONFIRMED;
    struct act act = {confirmed ? ACT_CONFIRM : ACT_ROLL_BACK, model->number,
                      (uint32_t)decision->version, 0};
    size_t from = pipeline_begin_item(p);
    examples_put_act(&p->epoch->examples, &act, (int64_t)decision->time,
                     (struct slice){(const char *)decision, sizeof *decision});
    pipeline_end_item(p, from);
    registry_end_trial(model->registry, act.version, confirmed);
    forget_trial(p, i);
    if (!confirmed)
        at->examples_published = p->head->examples_next; /* what is new is not known any more */
    return pipeline_give_examples(p);
}

/* Where no row was scored since the boundary nobody knows whether there is a trial: the trainer
 * does. */
static struct decision judge(const struct pipeline *p, size_t i, int64_t time)
{
    const struct canary *canary = canary_of(p, i);
    uint32_t newest = p->head->models[p->options.models[i].number].version;
    struct decision decision = {.version = canary->version > 0 ? canary->version : newest,
                                .time = (double)time};
    canary_judge(canary, &decision);
    return decision;
}

static enum status look(struct pipeline *p, size_t i, int64_t time)
{
    struct canary *canary = canary_of(p, i);
    struct decision decision = judge(p, i, time);
    bool is_over = time >= canary->until || decision.verdict == VERDICT_ROLLED_BACK;
    if (is_over)
        return end(p, i, &decision);
    canary->look_next += (canary->until - canary->from) / CANARY_LOOKS;
    if (canary->look_next > canary->until)
        canary->look_next = canary->until;
    find_look(p);
    return ST_OK;
}

enum status pipeline_look(struct pipeline *p, int64_t time)
{
    TRY(pipeline_flush(p));
    for (size_t i = 0; i < p->options.n_models; i++) {
        const struct canary *canary = canary_of(p, i);
        if (canary->expected && canary->look_next <= time)
            TRY(look(p, i, time));
    }
    return ST_OK;
}

bool pipeline_is_tried(const struct pipeline *p, size_t i)
{
    return canary_of(p, i)->expected;
}

void pipeline_drop_trial(struct pipeline *p, size_t i)
{
    const struct canary *canary = canary_of(p, i);
    if (canary->version > 0)
        registry_end_trial(p->options.models[i].registry, canary->version, false);
    forget_trial(p, i);
}

void pipeline_forget_labels(struct pipeline *p)
{
    for (size_t i = 0; i < p->options.n_models; i++)
        canary_forget_labels(canary_of(p, i));
}

/* Where no row was scored since the boundary, whether there is a trial is waited for. If there is
 * none nothing changes: the act is not recorded. */
static enum status wait_for_trial(struct pipeline *p, size_t i)
{
    struct registry *registry = p->options.models[i].registry;
    const struct model *model = registry_acquire(registry, p->waits[i]);
    if (!model)
        return ST_ESTOPPED;
    p->scored_by = registry_version_of(registry, model);
    registry_release(registry, model);
    if ((model = find_trial(p, i)))
        registry_release(registry, model);
    return model ? ST_OK : ST_ENOTFOUND;
}

enum status pipeline_roll_back(struct pipeline *p, struct act *act, size_t i)
{
    struct canary *canary = canary_of(p, i);
    enum status none = p->options.recorded ? ST_ECORRUPT : ST_ENOTFOUND;
    if (!canary->expected)
        return none;
    if (canary->version == 0)
        TRY(wait_for_trial(p, i));
    if (act->version > 0 && act->version != canary->version)
        return none;
    struct decision decision = judge(p, i, p->head->clock);
    decision.verdict = VERDICT_ROLLED_BACK;
    decision.reason = REASON_BY_HAND;
    act->version = canary->version;
    act->source = canary->stable;
    return end(p, i, &decision);
}
