#include "online/gate_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is settled fades by this much with each boundary, half of it within two days of hours. */
#define MISSING_KEPT (63.0 / 64)

/* Of AUC; before anything is known it is taken to move a lot. */
#define USUAL_FIRST 0.01
#define USUAL_KEPT  (63.0 / 64)

struct gate_options gate_defaults(void)
{
    return (struct gate_options){.positives_max = 500,
                                 .positives_min = 250,
                                 .negatives_factor = 1,
                                 .worse_max = 0.005,
                                 .psi_max = 0.5,
                                 .alerts = 0.01,
                                 .alerts_ratio_max = 4,
                                 .missing_max = 0.5,
                                 .patience = 24};
}

static enum status make_scratch(struct gate *gate, const size_t max[2])
{
    size_t n = gate->n_max = EVIDENCE_SETS * (max[0] + max[1]), m = gate->schema->n_dense + 1;
    gate->vectors = calloc(n, sizeof *gate->vectors);
    gate->rows = calloc(n, sizeof *gate->rows);
    gate->scores = calloc(n, sizeof *gate->scores);
    gate->pairs.champion = calloc(4 * n, sizeof(float));
    gate->before.counts = calloc(m, sizeof(double));
    gate->now.counts = calloc(m, sizeof(double));
    if (!gate->vectors || !gate->rows || !gate->scores || !gate->pairs.champion ||
        !gate->before.counts || !gate->now.counts)
        return ST_ENOMEM;
    gate->pairs.candidate = gate->pairs.champion + n;
    gate->pairs.label = gate->pairs.candidate + n;
    gate->pairs.weight = gate->pairs.label + n;
    return ST_OK;
}

enum status gate_create(const struct gate_options *options, const struct vector_schema *schema,
                        struct model *champion, struct gate **ret)
{
    struct gate *gate = calloc(1, sizeof *gate);
    if (!gate) {
        champion->ops->free(champion);
        return ST_ENOMEM;
    }
    gate->options = *options;
    gate->schema = schema;
    gate->champion = champion;
    gate->stride = gate->part = gate->known = 1;
    gate->usual = (struct gate_usual){USUAL_FIRST * USUAL_FIRST, 0.25 * 0.25, 1};
    size_t positives = options->positives_max;
    size_t negatives = (size_t)ceil(2 * options->negatives_factor * (double)positives);
    const size_t max[2] = {negatives > 0 ? negatives : 1, positives};
    enum status st = evidence_init(&gate->evidence, schema->n_dense, max);
    if (st == ST_OK)
        st = make_scratch(gate, max);
    if (st < 0) {
        gate_free(gate);
        return st;
    }
    *ret = gate;
    return ST_OK;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    gate->champion->ops->free(gate->champion);
    if (gate->stable)
        gate->stable->ops->free(gate->stable);
    contender_free(gate->contender);
    evidence_done(&gate->evidence);
    free(gate->vectors);
    free(gate->rows);
    free(gate->scores);
    free(gate->pairs.champion);
    free(gate->before.counts);
    free(gate->now.counts);
    free(gate);
}

/* Learning. */

static void count_missing(struct gate *gate, const struct vector *vector)
{
    double *counts = gate->now.counts;
    for (size_t i = 0; i < gate->schema->n_dense; i++) {
        float v = vector->dense[i];
        counts[i] += v - v == 0 ? 0 : 1;
    }
    gate->now.rows += 1;
}

/* What both say of an example that the candidate has not learnt yet. */
static void keep(struct gate *gate, const struct model *learner, const struct example *example)
{
    struct evidence_row *row = evidence_add(&gate->evidence, example);
    row->order = gate->seen;
    if (row->label == 0)
        row->weight *= (float)gate->stride;
    gate->champion->ops->score(gate->champion, &example->vector, 1, &row->champion);
    learner->ops->score(learner, &example->vector, 1, &row->candidate);
}

/* An example that is kept is scored by a learner that has learnt all before it, wherever batches
 * are cut. */
void gate_learn(struct gate *gate, struct model *learner, const struct example *rows, size_t n)
{
    size_t from = 0;
    if (gate->contender)
        contender_see(gate->contender, gate->champion, rows, n);
    for (size_t i = 0; i < n; i++) {
        bool positive = rows[i].label >= 0.5f;
        gate->labels[positive]++;
        count_missing(gate, &rows[i].vector);
        if (positive || gate_picks(gate->seen, gate->stride)) {
            if (i > from)
                model_learn(learner, rows + from, i - from);
            from = i;
            keep(gate, learner, &rows[i]);
        }
        gate->seen++;
    }
    if (n > from)
        model_learn(learner, rows + from, n - from);
    gate->learnt += n;
}

/* What comes of a verdict. */

/* As many negatives as there should be for each positive, or up to twice as many. */
static void set_stride(struct gate *gate)
{
    double wanted = gate->options.negatives_factor * (double)(gate->labels[1] + 1);
    gate->stride = 1;
    while ((double)gate->stride * 2 * wanted <= (double)gate->labels[0])
        gate->stride *= 2;
    if (gate->labels[1] >= 2 * gate->options.positives_max) {
        gate->labels[0] /= 2;
        gate->labels[1] /= 2;
    }
}

static void reset_missing(struct gate_missing *missing, size_t n)
{
    missing->rows = 0;
    memset(missing->counts, 0, n * sizeof *missing->counts);
}

static void settle_missing(struct gate *gate)
{
    struct gate_missing *before = &gate->before, *now = &gate->now;
    before->rows = before->rows * MISSING_KEPT + now->rows;
    for (size_t i = 0; i < gate->schema->n_dense; i++)
        before->counts[i] = before->counts[i] * MISSING_KEPT + now->counts[i];
    reset_missing(now, gate->schema->n_dense);
}

/* What the candidate said of the rows looked at is what the champion says now; fresh ones among
 * them get its scores. */
static void hand_over_scores(struct gate *gate)
{
    for (size_t label = 0; label < 2; label++) {
        struct evidence_ring *settled = &gate->evidence.rings[EVIDENCE_SETTLED][label];
        struct evidence_ring *fresh = &gate->evidence.rings[EVIDENCE_FRESH][label];
        for (size_t i = 0; i < settled->n; i++)
            evidence_at(settled, i)->champion = evidence_at(settled, i)->candidate;
        for (size_t i = 0; i < fresh->n; i++) {
            struct evidence_row *row = evidence_at(fresh, i);
            if (gate_samples(row, gate->part))
                gate->champion->ops->score(gate->champion, &row->kept.vector, 1, &row->champion);
        }
    }
    gate->known = gate->part;
}

static void fade_in(double *mean_square, double v)
{
    if (isfinite(v))
        *mean_square = *mean_square * USUAL_KEPT + v * v * (1 - USUAL_KEPT);
}

static void note_usual(struct gate *gate, const struct decision *decision)
{
    fade_in(&gate->usual.difference, decision->difference);
    fade_in(&gate->usual.psi, decision->psi);
    fade_in(&gate->usual.alerts, log(decision->candidate_alerts / decision->champion_alerts));
}

/* What is better by all labels may well score otherwise; and where version after version does, the
 * world has changed. */
static struct canary_limits limits_of(const struct gate *gate, const struct decision *decision)
{
    bool free = decision->reason == REASON_BETTER || gate->refused >= gate->options.patience;
    return (struct canary_limits){decision->worse_max, free ? INFINITY : decision->psi_max,
                                  free ? INFINITY : decision->alerts_ratio_max};
}

enum status gate_make_stable(struct gate *gate)
{
    return gate->stable ? ST_OK : gate->make(gate->make_arg, &gate->stable);
}

/* The first version has none before it, and what a person wants is not tried. */
static enum status keep_stable(struct gate *gate, const struct decision *decision)
{
    gate->on_trial = gate->tried && gate->make && gate->champion_version > 0 &&
                     decision->reason != REASON_BY_HAND;
    if (!gate->on_trial)
        return ST_OK;
    TRY(gate_make_stable(gate));
    gate->stable_version = gate->champion_version;
    gate->stable_cursor = gate->champion_cursor;
    gate->limits = limits_of(gate, decision);
    return model_copy(gate->champion, gate->stable);
}

static enum status promote(struct gate *gate, struct model *learner,
                           const struct decision *decision)
{
    TRY(keep_stable(gate, decision));
    TRY(model_copy(learner, gate->champion));
    gate->champion_version = (uint32_t)decision->version;
    gate->champion_cursor = gate->cursor;
    note_usual(gate, decision);
    gate->refused = gate->on_trial ? gate->refused : 0;
    gate->apart = false;
    hand_over_scores(gate);
    evidence_settle(&gate->evidence);
    settle_missing(gate);
    return ST_OK;
}

/* The champion has not learnt the fresh examples, so what it said of them still holds. */
static enum status refuse(struct gate *gate, struct model *learner)
{
    TRY(model_copy(gate->champion, learner));
    gate->apart = false;
    if (++gate->refused >= gate->options.patience) {
        evidence_settle(&gate->evidence);
        settle_missing(gate);
    }
    evidence_forget_fresh(&gate->evidence);
    reset_missing(&gate->now, gate->schema->n_dense);
    return ST_OK;
}

static enum status apply(struct gate *gate, struct model *learner, const struct decision *decision)
{
    gate->learnt = 0;
    set_stride(gate);
    gate_remember(gate, decision);
    switch ((enum verdict)decision->verdict) {
    case VERDICT_PROMOTED:
        return promote(gate, learner, decision);
    case VERDICT_REFUSED:
        return refuse(gate, learner);
    default:
        gate->apart = true;
        return ST_OK;
    }
}

static struct decision about(const struct gate_moment *moment)
{
    return (struct decision){.version = moment->version, .time = (double)moment->time};
}

enum status gate_judge(struct gate *gate, struct model *learner, const struct gate_moment *moment,
                       struct decision *ret)
{
    struct decision decision = about(moment);
    gate->cursor = moment->cursor;
    gate->tried = moment->tried;
    TRY(gate_work_out(gate, learner, &decision));
    TRY(apply(gate, learner, &decision));
    *ret = decision;
    return ST_OK;
}

enum status gate_promote(struct gate *gate, struct model *learner, const struct gate_moment *moment,
                         struct decision *ret)
{
    struct decision decision = about(moment);
    gate->cursor = moment->cursor;
    gate->tried = moment->tried;
    TRY(gate_work_out(gate, learner, &decision));
    decision.verdict = VERDICT_PROMOTED;
    decision.reason = REASON_BY_HAND;
    TRY(apply(gate, learner, &decision));
    *ret = decision;
    return ST_OK;
}

struct model *gate_champion(struct gate *gate, uint32_t *ret_version)
{
    *ret_version = gate->champion_version;
    return gate->champion;
}

/* Trials. */

void gate_set_make(struct gate *gate, gate_make_fn make, void *arg)
{
    gate->make = make;
    gate->make_arg = arg;
}

struct model *gate_stable(struct gate *gate, uint32_t *ret_version)
{
    *ret_version = gate->stable_version;
    return gate->on_trial ? gate->stable : NULL;
}

struct canary_limits gate_limits(const struct gate *gate)
{
    return gate->limits;
}

/* What the champion says of the evidence is not known any more. */
static enum status roll_back(struct gate *gate, struct model *learner)
{
    TRY(model_copy(gate->stable, gate->champion));
    TRY(model_copy(gate->stable, learner));
    gate->champion_version = gate->stable_version;
    gate->champion_cursor = gate->stable_cursor;
    gate->apart = false;
    gate->known = 2 * GATE_PARTS_MAX;
    gate->learnt = 0;
    evidence_forget_fresh(&gate->evidence);
    reset_missing(&gate->now, gate->schema->n_dense);
    return ST_OK;
}

enum status gate_end_trial(struct gate *gate, struct model *learner,
                           const struct decision *decision, uint64_t *ret)
{
    *ret = UINT64_MAX;
    if (!gate->on_trial || decision->version != gate->champion_version)
        return ST_OK;
    gate->on_trial = false;
    gate_remember(gate, decision);
    bool rolled_back = (enum verdict)decision->verdict == VERDICT_ROLLED_BACK;
    gate->refused = rolled_back ? gate->refused + 1 : 0;
    *ret = rolled_back ? gate->stable_cursor : UINT64_MAX;
    return rolled_back ? roll_back(gate, learner) : ST_OK;
}

/* Meeting other models. */

void gate_set_contender(struct gate *gate, struct contender *contender)
{
    gate->contender = contender;
}

enum status gate_meet(struct gate *gate, const struct act *act, int64_t time)
{
    return gate->contender ? contender_meet(gate->contender, act, gate->champion_version, time)
                           : ST_OK;
}

/* Decisions. */

void gate_remember(struct gate *gate, const struct decision *decision)
{
    if (gate->n_decisions == GATE_DECISIONS_KEPT)
        gate->first_decision = (gate->first_decision + 1) % GATE_DECISIONS_KEPT;
    else
        gate->n_decisions++;
    gate->decisions[(gate->first_decision + gate->n_decisions - 1) % GATE_DECISIONS_KEPT] =
        *decision;
}

size_t gate_decisions(const struct gate *gate)
{
    return gate->n_decisions;
}

const struct decision *gate_decision(const struct gate *gate, size_t i)
{
    return &gate->decisions[(gate->first_decision + i) % GATE_DECISIONS_KEPT];
}
