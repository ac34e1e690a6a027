/* Acts: what happens to the models at a moment that nothing in the stream decides. It is recorded
 * with the order of the input before anything that comes of it leaves. */
#include "ingest/examples.h"
#include "online/pipeline_internal.h"

size_t pipeline_find_model(const struct pipeline *p, uint32_t number)
{
    size_t i = 0;
    while (i < p->options.n_models && p->options.models[i].number != number)
        i++;
    return i;
}

void pipeline_find_champion(struct pipeline *p)
{
    size_t champion = pipeline_find_model(p, p->head->champion);
    if (champion == p->options.n_models)
        champion = 0;
    if (p->options.n_models > 0 && p->options.models[champion].name)
        p->rows_out.options.model = p->options.models[champion].name;
    p->champion = champion; /* once: other threads look at it */
}

enum status pipeline_log_act(struct pipeline *p, const struct act *act, int64_t time)
{
    size_t from = pipeline_begin_item(p);
    examples_put_act(&p->epoch->examples, act, time, (struct slice){0});
    pipeline_end_item(p, from);
    return pipeline_give_examples(p);
}

static enum status serve(struct pipeline *p, struct act *act, size_t i)
{
    uint32_t taken = registry_take(p->options.models[i].registry, act->version);
    if (taken == 0)
        return act->version > 0 ? ST_ESTOPPED : ST_EAGAIN;
    act->version = p->head->models[act->model].accepted = taken;
    return pipeline_log_act(p, act, p->head->clock);
}

static enum status publish(struct pipeline *p, struct act *act, size_t i)
{
    uint32_t *version = &p->head->models[act->model].version;
    if (act->version > 0 && act->version != *version + 1)
        return ST_ECORRUPT;
    pipeline_drop_trial(p, i);
    act->version = ++*version;
    p->figures.boundaries++;
    return pipeline_log_act(p, act, p->head->clock);
}

static enum status act_out(struct pipeline *p, struct act *act, size_t i)
{
    switch (act->kind) {
    case ACT_SERVE:
        return serve(p, act, i);
    case ACT_PUBLISH:
        return publish(p, act, i);
    case ACT_ROLL_BACK:
        return pipeline_roll_back(p, act, i);
    default:
        if (act->kind != ACT_CHAMPION)
            return ST_ECORRUPT;
        if (act->version > 0)
            p->head->models[act->model].settled = act->version;
        p->head->champion = act->model;
        pipeline_forget_labels(p);
        pipeline_find_champion(p);
        return ST_OK;
    }
}

enum status pipeline_act(struct pipeline *p, struct act *act)
{
    size_t i = pipeline_find_model(p, act->model);
    if (i == p->options.n_models)
        return ST_ECORRUPT;
    TRY(pipeline_flush(p));
    enum status st = act_out(p, act, i);
    if (st == ST_OK)
        runs_act(&p->runs, &p->epoch->runs, act);
    return st;
}

/* One that the scoring has waited past is not taken any more: it is replaced, or serves already. */
static bool is_ready(const struct pipeline *p, size_t i)
{
    return registry_staged(p->options.models[i].registry) > p->waits[i];
}

enum status pipeline_take_ready(struct pipeline *p)
{
    for (size_t i = 0; !p->options.recorded && i < p->options.n_models; i++) {
        struct act act = {.kind = ACT_SERVE, .model = p->options.models[i].number};
        enum status st = is_ready(p, i) ? pipeline_act(p, &act) : ST_OK;
        if (st < 0 && st != ST_EAGAIN)
            return st;
    }
    return p->options.recorded ? ST_OK : pipeline_take_verdicts(p);
}
