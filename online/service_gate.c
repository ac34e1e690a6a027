/* A model's gate, and what is told of its decisions: log lines and metrics. */
#include <math.h>

#include "base/log.h"
#include "online/service_internal.h"

void service_gate_metrics_make(const char *model, struct service_gate_metrics *ret)
{
    static const char *const names[VERDICTS] = {"promoted", "held", "refused", "confirmed",
                                                "rolled_back"};
    for (size_t i = 0; i < VERDICTS; i++)
        ret->decisions[i] = metric_counter("freshet_gate_decisions_total",
                                           "Versions by what the gate decided, and their trials.",
                                           "verdict", names[i]);
    ret->kept_back = metric_gauge("freshet_gate_kept_back",
                                  "Versions kept back one after the other.", "model", model);
    ret->difference =
        metric_gauge("freshet_gate_auc_difference",
                     "Candidate's AUC less the champion's, on earlier examples.", "model", model);
    ret->lower = metric_gauge("freshet_gate_auc_difference_lower",
                              "Lower end of its 95 % interval, on all examples.", "model", model);
    ret->psi =
        metric_gauge("freshet_gate_score_drift",
                     "PSI of the candidate's scores against the champion's.", "model", model);
    ret->on_trial = metric_gauge("freshet_canary_version", "Version that is on trial; 0: none is.",
                                 "model", model);
    for (size_t i = 0; i < VERDICTS_OF_GATE; i++)
        ret->contests[i] =
            metric_counter("freshet_takeover_decisions_total",
                           "Comparisons of challengers with the champion, by what was decided.",
                           "verdict", names[i]);
    ret->contest_difference =
        metric_gauge("freshet_takeover_auc_difference",
                     "Challenger's AUC less the champion's, at the last of them.", "model", model);
    for (size_t i = 0; i < VERDICTS; i++)
        metric_set(ret->decisions[i], 0);
    for (size_t i = 0; i < VERDICTS_OF_GATE; i++)
        metric_set(ret->contests[i], 0);
    service_gate_metrics_done(ret);
    metric_set(ret->kept_back, 0);
}

/* The name of the model is that of one service. */
void service_gate_metrics_done(const struct service_gate_metrics *metrics)
{
    metric_set(metrics->kept_back, NAN);
    metric_set(metrics->difference, NAN);
    metric_set(metrics->lower, NAN);
    metric_set(metrics->psi, NAN);
    metric_set(metrics->on_trial, NAN);
    metric_set(metrics->contest_difference, NAN);
}

static void log_trial(const char *model, const struct decision *decision)
{
    const char *why = decision_reason_text((enum decision_reason)decision->reason);
    if (decision->verdict == VERDICT_ROLLED_BACK)
        log_warn("canary.rolled_back",
                 "model=\"%s\" version=%.0f to=%.0f why=\"%s\" rows=%.0f psi=%.3g alerts=%.3g "
                 "before=%.3g",
                 model, decision->version, decision->champion, why, decision->examples,
                 decision->psi, decision->candidate_alerts, decision->champion_alerts);
    else
        log_debug("canary.confirmed", "model=\"%s\" version=%.0f rows=%.0f", model,
                  decision->version, decision->examples);
}

static void log_decision(const char *model, const struct decision *decision)
{
    if (decision->verdict == VERDICT_PROMOTED)
        log_debug("gate.promoted", "model=\"%s\" version=%.0f", model, decision->version);
    else
        log_warn("gate.kept_back",
                 "model=\"%s\" version=%.0f verdict=%s why=\"%s\" hint=\"freshet model decisions "
                 "shows all figures\"",
                 model, decision->version, verdict_text((enum verdict)decision->verdict),
                 decision_reason_text((enum decision_reason)decision->reason));
}

/* On the trainer's thread. After a crash what is learnt again is decided and told again. */
void service_tell_decision(void *arg, const struct decision *decision)
{
    struct service_model *model = arg;
    const struct service_gate_metrics *m = &model->gate_metrics;
    if (decision->verdict >= VERDICTS_OF_GATE) {
        metric_add(m->decisions[(size_t)decision->verdict], 1);
        log_trial(model->settings->name, decision);
        return;
    }
    model->kept_back = decision->verdict == VERDICT_PROMOTED ? 0 : model->kept_back + 1;
    metric_add(m->decisions[(size_t)decision->verdict], 1);
    metric_set(m->kept_back, model->kept_back);
    metric_set(m->difference, decision->difference);
    metric_set(m->lower, decision->all_lower);
    metric_set(m->psi, decision->psi);
    log_decision(model->settings->name, decision);
}

enum status service_make_gate(struct service_model *model, struct model *champion)
{
    const struct model_settings *settings = model->settings;
    struct gate_options options = gate_defaults();
    options.positives_max = (size_t)settings->judged_on;
    options.positives_min = options.positives_max / 2;
    options.worse_max = settings->worse_max;
    service_gate_metrics_make(settings->name, &model->gate_metrics);
    return gate_create(&options, plan_vector_schema(model->service->plan), champion, &model->gate);
}
