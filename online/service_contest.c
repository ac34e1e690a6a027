/* Challengers that may take over: who meets whom, and what is told of it. */
#include "base/log.h"
#include "online/service_internal.h"

static const struct service_model *find(const struct service *service, uint32_t number)
{
    size_t i = 0;
    while (service->models[i].number != number)
        i++;
    return &service->models[i];
}

/* On a trainer's thread. What is come to again after a crash is told again. */
static void tell(void *arg, uint32_t number, const struct contest_decision *made)
{
    const struct service_model *model = find(arg, number);
    const struct decision *decision = &made->decision;
    metric_add(model->gate_metrics.contests[(size_t)decision->verdict], 1);
    metric_set(model->gate_metrics.contest_difference, decision->difference);
    if (decision->verdict == VERDICT_PROMOTED)
        log_info("model.takes_over",
                 "model=\"%s\" from=\"%s\" version=%.0f auc=%.4f champion_auc=%.4f p=%.2g",
                 model->settings->name, made->champion, decision->version, decision->candidate_auc,
                 decision->champion_auc, decision->p);
    else if (decision->verdict == VERDICT_REFUSED)
        log_info("model.may_not_take_over",
                 "model=\"%s\" from=\"%s\" version=%.0f why=\"%s\" hint=\"freshet model decisions "
                 "shows all figures\"",
                 model->settings->name, made->champion, decision->version,
                 decision_reason_text((enum decision_reason)decision->reason));
}

enum status service_make_contest(struct service *service)
{
    bool wanted = false;
    for (size_t i = 0; i < service->n_models; i++)
        wanted = wanted || service->models[i].settings->takeover;
    if (!wanted)
        return ST_OK;
    TRY(contest_create(tell, service, &service->contest));
    for (size_t i = 0; i < service->n_models; i++) {
        const struct service_model *model = &service->models[i];
        struct contest_options options = contest_defaults();
        options.positives_max = (size_t)model->settings->judged_on;
        options.positives_min = options.positives_max / 2;
        contest_add_model(service->contest, model->number, model->settings->name, &options);
    }
    return ST_OK;
}

enum status service_make_contender(struct service_model *model)
{
    struct contender *contender = NULL;
    if (!model->service->contest || model->settings->role == ROLE_SHADOW)
        return ST_OK;
    TRY(contender_create(model->service->contest, model->number, (size_t)model->settings->judged_on,
                         &contender));
    gate_set_contender(model->gate, contender);
    return ST_OK;
}
