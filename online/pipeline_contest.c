/* Challengers that take over. A contest begins where the challenger publishes; where both models'
 * versions serve from their boundaries on, so does what comes of it, and the scoring waits for it
 * as it does for them. Else it takes place once it is known, as an act. */
#include "online/pipeline_internal.h"

static struct head_model *head_of(const struct pipeline *p, size_t i)
{
    return &p->head->models[p->options.models[i].number];
}

/* Of a contest that nothing has come of yet. */
static bool is_open(const struct pipeline *p, size_t i)
{
    return p->options.contest && p->options.models[i].takeover &&
           head_of(p, i)->contested > head_of(p, i)->settled;
}

static bool is_beside(const struct pipeline *p, size_t i)
{
    size_t rival = pipeline_find_model(p, head_of(p, i)->rival);
    return p->options.models[i].beside || p->options.models[rival].beside;
}

void pipeline_begin_contests(struct pipeline *p)
{
    for (size_t i = 0; i < p->options.n_models; i++) {
        struct head_model *model = head_of(p, i);
        bool asked = is_open(p, i) && pipeline_find_model(p, model->rival) < p->options.n_models;
        if (!asked)
            model->settled = model->contested;
    }
}

/* A person may have made another model the champion meanwhile. */
static bool takes_over(const struct pipeline *p, const struct contest_verdict *verdict)
{
    return verdict->takes_over && verdict->rival == p->head->champion;
}

/* The two trainers must not wait for the scoring meanwhile. */
static void hurry(const struct pipeline *p, size_t i, bool on)
{
    size_t rival = pipeline_find_model(p, head_of(p, i)->rival);
    registry_hurry(p->options.models[i].registry, on);
    registry_hurry(p->options.models[rival].registry, on);
}

static enum status settle(struct pipeline *p, size_t i)
{
    struct contest_verdict verdict;
    struct head_model *model = head_of(p, i);
    hurry(p, i, true);
    enum status st =
        contest_wait(p->options.contest, p->options.models[i].number, model->contested, &verdict);
    hurry(p, i, false);
    if (st < 0)
        return st;
    model->settled = model->contested;
    if (takes_over(p, &verdict)) {
        p->head->champion = p->options.models[i].number;
        pipeline_forget_labels(p);
        pipeline_find_champion(p);
    }
    return ST_OK;
}

enum status pipeline_settle_contests(struct pipeline *p)
{
    for (size_t i = 0; i < p->options.n_models; i++)
        if (is_open(p, i) && !is_beside(p, i))
            TRY(settle(p, i));
    return ST_OK;
}

enum status pipeline_contest(struct pipeline *p, const struct pipeline_model *model,
                             uint32_t version, int64_t boundary)
{
    struct head_model *at = &p->head->models[model->number];
    if (!p->options.contest || !model->takeover)
        return ST_OK;
    TRY(pipeline_settle_contests(p));
    if (p->head->champion == model->number)
        return ST_OK;
    at->contested = version;
    at->rival = p->head->champion;
    struct act act = {ACT_CONTEST, model->number, version, at->rival};
    return pipeline_log_act(p, &act, boundary);
}

/* Verdicts on versions that are settled come again after a start. */
static enum status take_verdict(struct pipeline *p, size_t i)
{
    struct head_model *model = head_of(p, i);
    struct contest_verdict verdict =
        contest_newest(p->options.contest, p->options.models[i].number);
    if (verdict.version <= model->settled)
        return ST_OK;
    struct act act = {ACT_CHAMPION, p->options.models[i].number, verdict.version, verdict.rival};
    if (takes_over(p, &verdict))
        return pipeline_act(p, &act);
    model->settled = verdict.version;
    return ST_OK;
}

enum status pipeline_take_verdicts(struct pipeline *p)
{
    for (size_t i = 0; i < p->options.n_models; i++)
        if (is_open(p, i) && is_beside(p, i))
            TRY(take_verdict(p, i));
    return ST_OK;
}
