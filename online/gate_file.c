/*
 * A gate's state as tensors beside its learner's, "gate.*": counters, how often features were
 * missing, the evidence, the decisions, and the champion as a file within the file where it is
 * another than the learner.
 */
#include <stdlib.h>
#include <string.h>

#include "online/gate_internal.h"

enum {
    FORMAT = 1,
    AT_FORMAT = 0,
    AT_SCHEMA,
    AT_SEEN,
    AT_NEGATIVES,
    AT_POSITIVES,
    AT_STRIDE,
    AT_LEARNT,
    AT_REFUSED,
    AT_VERSION,
    AT_APART,
    AT_KNOWN,
    COUNTERS
};

/* Of trials; files from before there were any have none of it. */
enum { AT_ON_TRIAL, AT_CHAMPION_CURSOR, AT_STABLE_CURSOR, AT_STABLE_VERSION, TRIAL_COUNTERS };

static enum status save_model(const struct model *model, const char *name, struct tensors *ret)
{
    struct tensors *file = tensors_create();
    struct buf bytes = {0};
    if (!file)
        return ST_ENOMEM;
    enum status st = model->ops->save(model, file);
    if (st == ST_OK) {
        tensors_render(file, &bytes);
        tensors_put(ret, name, TENSOR_U8, &bytes.len, 1, bytes.data);
    }
    tensors_free(file);
    buf_done(&bytes);
    return st;
}

static void save_missing(const char *name, const struct gate_missing *missing, size_t n_dense,
                         struct tensors *ret)
{
    struct buf figures = {0};
    buf_append(&figures, &missing->rows, sizeof missing->rows);
    buf_append(&figures, missing->counts, n_dense * sizeof *missing->counts);
    tensors_put(ret, name, TENSOR_F64, (size_t[]){n_dense + 1}, 1, figures.data);
    buf_done(&figures);
}

static void save_decisions(const struct gate *gate, struct tensors *ret)
{
    struct buf rows = {0};
    for (size_t i = 0; i < gate->n_decisions; i++)
        buf_append(&rows, gate_decision(gate, i), sizeof(struct decision));
    tensors_put(ret, "gate.decisions", TENSOR_F64, (size_t[]){gate->n_decisions, DECISION_FIGURES},
                2, rows.data);
    buf_done(&rows);
}

static void save_trial(const struct gate *gate, struct tensors *ret)
{
    const uint64_t counters[TRIAL_COUNTERS] = {
        [AT_ON_TRIAL] = gate->on_trial,
        [AT_CHAMPION_CURSOR] = gate->champion_cursor,
        [AT_STABLE_CURSOR] = gate->stable_cursor,
        [AT_STABLE_VERSION] = gate->stable_version,
    };
    tensors_put(ret, "gate.trial", TENSOR_U64, (size_t[]){TRIAL_COUNTERS}, 1, counters);
    tensors_put(ret, "gate.trial.limits", TENSOR_F64, (size_t[]){3}, 1, &gate->limits);
}

enum status gate_save(const struct gate *gate, struct tensors *ret)
{
    const uint64_t counters[COUNTERS] = {
        [AT_FORMAT] = FORMAT,
        [AT_SCHEMA] = gate->schema->id,
        [AT_SEEN] = gate->seen,
        [AT_NEGATIVES] = gate->labels[0],
        [AT_POSITIVES] = gate->labels[1],
        [AT_STRIDE] = gate->stride,
        [AT_LEARNT] = gate->learnt,
        [AT_REFUSED] = gate->refused,
        [AT_VERSION] = gate->champion_version,
        [AT_APART] = gate->apart,
        [AT_KNOWN] = gate->known,
    };
    tensors_put(ret, "gate.counters", TENSOR_U64, (size_t[]){COUNTERS}, 1, counters);
    save_missing("gate.missing.before", &gate->before, gate->schema->n_dense, ret);
    save_missing("gate.missing.now", &gate->now, gate->schema->n_dense, ret);
    tensors_put(ret, "gate.usual", TENSOR_F64, (size_t[]){3}, 1, &gate->usual);
    evidence_save(&gate->evidence, ret);
    save_decisions(gate, ret);
    if (gate->contender)
        contender_save(gate->contender, ret);
    save_trial(gate, ret);
    if (gate->apart)
        TRY(save_model(gate->champion, "gate.champion", ret));
    return gate->on_trial ? save_model(gate->stable, "gate.stable", ret) : ST_OK;
}

/* Loading. */

static bool load_missing(const struct tensors *tensors, const char *name, size_t n_dense,
                         struct gate_missing *ret)
{
    const struct tensor *tensor = tensors_get_as(tensors, name, TENSOR_F64, n_dense + 1);
    if (!tensor)
        return false;
    const double *figures = tensor->data;
    ret->rows = figures[0];
    memcpy(ret->counts, figures + 1, n_dense * sizeof *ret->counts);
    return true;
}

enum status gate_read_decisions(const struct tensors *tensors, const struct decision **ret,
                                size_t *ret_n)
{
    const struct tensor *tensor = tensors_get(tensors, "gate.decisions");
    size_t n = tensor ? tensor->n / DECISION_FIGURES : 0;
    if (tensor && (tensor->type != TENSOR_F64 || tensor->n % DECISION_FIGURES != 0))
        return ST_ECORRUPT;
    const struct decision *decisions = tensor ? tensor->data : NULL;
    for (size_t i = 0; i < n; i++)
        if (!decision_is_sound(&decisions[i]))
            return ST_ECORRUPT;
    *ret = decisions;
    *ret_n = n;
    return ST_OK;
}

static enum status load_model(struct model *model, const char *name, const struct tensors *tensors)
{
    const struct tensor *bytes = tensors_get(tensors, name);
    struct tensors *file = NULL;
    if (!bytes || bytes->type != TENSOR_U8)
        return ST_ECORRUPT;
    TRY(tensors_parse((struct slice){bytes->data, bytes->n}, &file));
    enum status st = model->ops->load(model, file);
    tensors_free(file);
    return st;
}

static void take_counters(struct gate *gate, const uint64_t *counters)
{
    gate->seen = counters[AT_SEEN];
    gate->labels[0] = counters[AT_NEGATIVES];
    gate->labels[1] = counters[AT_POSITIVES];
    gate->stride = counters[AT_STRIDE];
    gate->learnt = counters[AT_LEARNT];
    gate->refused = (uint32_t)counters[AT_REFUSED];
    gate->known = (unsigned)counters[AT_KNOWN];
}

static bool load_evidence(struct gate *gate, const uint64_t *counters,
                          const struct tensors *tensors)
{
    uint64_t stride = counters[AT_STRIDE];
    size_t n = gate->schema->n_dense;
    return counters[AT_SCHEMA] == gate->schema->id && stride > 0 && (stride & (stride - 1)) == 0 &&
           evidence_load(&gate->evidence, tensors) == ST_OK &&
           load_missing(tensors, "gate.missing.before", n, &gate->before) &&
           load_missing(tensors, "gate.missing.now", n, &gate->now);
}

static void load_usual(struct gate *gate, const struct tensors *tensors)
{
    const struct tensor *usual = tensors_get_as(tensors, "gate.usual", TENSOR_F64, 3);
    if (usual)
        memcpy(&gate->usual, usual->data, sizeof gate->usual);
}

/* Of files from before there were trials it is not known what their champion had learnt. */
static enum status load_trial(struct gate *gate, const struct tensors *tensors)
{
    if (!tensors_get(tensors, "gate.trial") && !tensors_get(tensors, "gate.trial.limits")) {
        gate->champion_cursor = UINT64_MAX;
        return ST_OK;
    }
    const struct tensor *found = tensors_get_as(tensors, "gate.trial", TENSOR_U64, TRIAL_COUNTERS);
    const struct tensor *limits = tensors_get_as(tensors, "gate.trial.limits", TENSOR_F64, 3);
    if (!found || !limits)
        return ST_ECORRUPT;
    const uint64_t *counters = found->data;
    gate->champion_cursor = counters[AT_CHAMPION_CURSOR];
    gate->stable_cursor = counters[AT_STABLE_CURSOR];
    gate->stable_version = (uint32_t)counters[AT_STABLE_VERSION];
    memcpy(&gate->limits, limits->data, sizeof gate->limits);
    if (counters[AT_ON_TRIAL] == 0 || !gate->make)
        return ST_OK;
    gate->on_trial = true;
    TRY(gate_make_stable(gate));
    return load_model(gate->stable, "gate.stable", tensors);
}

static void begin_anew(struct gate *gate)
{
    evidence_forget(&gate->evidence);
    gate->before.rows = gate->now.rows = 0;
    memset(gate->before.counts, 0, gate->schema->n_dense * sizeof(double));
    memset(gate->now.counts, 0, gate->schema->n_dense * sizeof(double));
}

enum status gate_load(struct gate *gate, struct model *learner, uint32_t version,
                      const struct tensors *tensors)
{
    const struct tensor *found = tensors_get_as(tensors, "gate.counters", TENSOR_U64, COUNTERS);
    const uint64_t *counters = found ? found->data : NULL;
    const struct decision *decisions;
    size_t n;
    TRY(gate_read_decisions(tensors, &decisions, &n));
    if (gate->contender)
        TRY(contender_load(gate->contender, tensors));
    for (size_t i = 0; i < n; i++)
        gate_remember(gate, &decisions[i]);
    if (!counters || counters[AT_FORMAT] != FORMAT) {
        gate->champion_version = version;
        gate->champion_cursor = UINT64_MAX;
        return model_copy(learner, gate->champion);
    }
    load_usual(gate, tensors);
    if (load_evidence(gate, counters, tensors))
        take_counters(gate, counters);
    else
        begin_anew(gate);
    gate->champion_version = (uint32_t)counters[AT_VERSION];
    gate->apart = counters[AT_APART] != 0;
    TRY(load_trial(gate, tensors));
    return gate->apart ? load_model(gate->champion, "gate.champion", tensors)
                       : model_copy(learner, gate->champion);
}
