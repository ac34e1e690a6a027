/* What the gate goes by: the figures of two models on the same examples, and the verdict. */
#include <math.h>

#include "models/auc.h"
#include "models/delong.h"
#include "models/psi.h"
#include "online/gate_internal.h"

/* With fewer examples a share says nothing. */
enum { MISSING_ROWS_MIN = 20, MISSING_BEFORE_MIN = 200 };

/* A figure may be so many times what is usual, but no more than this much in all. */
#define USUAL_TIMES 6
#define WORSE_MOST  0.05
#define PSI_MOST    1.5
#define ALERTS_MOST 3 /* a factor of 20 */

/* By labels. */

static enum status judge_earlier(const struct gate_pairs *pairs, struct decision *ret)
{
    struct delong judged;
    struct score_figures champion, candidate;
    TRY(delong_compare(pairs->champion, pairs->candidate, pairs->label, pairs->n, &judged));
    TRY(score_figures_weighted(pairs->champion, pairs->label, pairs->weight, pairs->n, &champion,
                               NULL));
    TRY(score_figures_weighted(pairs->candidate, pairs->label, pairs->weight, pairs->n, &candidate,
                               NULL));
    ret->positives = (double)judged.positives;
    ret->negatives = (double)judged.negatives;
    ret->champion_auc = judged.auc[0];
    ret->candidate_auc = judged.auc[1];
    ret->difference = judged.difference;
    ret->lower = judged.lower;
    ret->upper = judged.upper;
    ret->p = judged.p;
    ret->champion_average_precision = champion.average_precision;
    ret->candidate_average_precision = candidate.average_precision;
    ret->champion_log_loss = champion.log_loss;
    ret->candidate_log_loss = candidate.log_loss;
    ret->champion_calibration_error = champion.calibration_error;
    ret->candidate_calibration_error = candidate.calibration_error;
    return ST_OK;
}

static enum status judge_all(const struct gate_pairs *pairs, struct decision *ret)
{
    struct delong judged;
    TRY(delong_compare(pairs->champion, pairs->candidate, pairs->label, pairs->n, &judged));
    ret->all_positives = (double)judged.positives;
    ret->all_negatives = (double)judged.negatives;
    ret->all_difference = judged.difference;
    ret->all_lower = judged.lower;
    ret->all_upper = judged.upper;
    ret->all_p = judged.p;
    return ST_OK;
}

/* Without labels. */

static enum status compare_scores(const struct gate_pairs *pairs, struct decision *ret)
{
    struct psi_edges edges;
    double champion[PSI_COUNTS] = {0}, candidate[PSI_COUNTS] = {0};
    TRY(psi_make_edges(pairs->champion, pairs->weight, pairs->n, &edges));
    for (size_t i = 0; i < pairs->n; i++) {
        champion[psi_bin(&edges, pairs->champion[i])] += (double)pairs->weight[i];
        candidate[psi_bin(&edges, pairs->candidate[i])] += (double)pairs->weight[i];
    }
    ret->psi = psi_of_counts(champion + 1, candidate + 1, edges.n + 1);
    return ST_OK;
}

static double share_above(const float *scores, const float *weights, size_t n, float threshold)
{
    double above = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        all += (double)weights[i];
        above += scores[i] > threshold ? (double)weights[i] : 0;
    }
    return all > 0 ? above / all : NAN;
}

/* The score that this share of the champion's exceeds, by halving. */
static float alert_threshold(const struct gate_pairs *pairs, double share)
{
    float low = 0, high = 1;
    for (int i = 0; i < 24; i++) { /* to a float's precision */
        float middle = low + (high - low) / 2;
        if (share_above(pairs->champion, pairs->weight, pairs->n, middle) > share)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void compare_alerts(const struct gate_pairs *pairs, double share, struct decision *ret)
{
    float threshold = alert_threshold(pairs, share);
    ret->champion_alerts = share_above(pairs->champion, pairs->weight, pairs->n, threshold);
    ret->candidate_alerts = share_above(pairs->candidate, pairs->weight, pairs->n, threshold);
}

enum status gate_compare(const struct gate_pairs *pairs, double alerts, struct decision *ret)
{
    TRY(judge_earlier(pairs, ret));
    TRY(compare_scores(pairs, ret));
    compare_alerts(pairs, alerts, ret);
    return ST_OK;
}

/* The largest rise of a feature's share of missing numbers. */
static double missing_rise(const struct gate *gate)
{
    const struct gate_missing *before = &gate->before, *now = &gate->now;
    double most = 0;
    if (before->rows < MISSING_BEFORE_MIN || now->rows < MISSING_ROWS_MIN)
        return NAN;
    for (size_t i = 0; i < gate->schema->n_dense; i++) {
        double rise = now->counts[i] / now->rows - before->counts[i] / before->rows;
        most = rise > most ? rise : most;
    }
    return most;
}

/* The verdict. */

static void decide(struct decision *decision, enum verdict verdict, enum decision_reason reason)
{
    decision->verdict = verdict;
    decision->reason = reason;
}

/* On earlier examples only what is beyond chance counts: where the world changes, a candidate that
 * follows it gives up a little of what was. */
static bool has_forgotten(const struct decision *decision)
{
    return decision->difference < -decision->worse_max && decision->upper < 0;
}

bool gate_alerts_moved(const struct decision *decision)
{
    double ratio = decision->candidate_alerts / decision->champion_alerts;
    return ratio > decision->alerts_ratio_max || ratio < 1 / decision->alerts_ratio_max;
}

/* Beyond chance, by all labels: then its scores may well lie elsewhere. */
static bool is_better(const struct decision *decision)
{
    return decision->lower > 0 && decision->all_lower > 0;
}

static void find_verdict(struct decision *decision)
{
    if (decision->not_numbers > 0)
        decide(decision, VERDICT_REFUSED, REASON_NOT_A_NUMBER);
    else if (decision->missing > decision->missing_max)
        decide(decision, VERDICT_REFUSED, REASON_MISSING);
    else if (isnan(decision->difference))
        decide(decision, VERDICT_PROMOTED, REASON_FEW);
    else if (has_forgotten(decision))
        decide(decision, VERDICT_REFUSED, REASON_FORGOT);
    else if (decision->all_lower < -decision->worse_max && decision->all_upper < 0)
        decide(decision, VERDICT_REFUSED, REASON_WORSE);
    else if (decision->all_lower < -decision->worse_max)
        decide(decision, VERDICT_HELD, REASON_UNSURE);
    else if (is_better(decision))
        decide(decision, VERDICT_PROMOTED, REASON_BETTER);
    else if (decision->psi > decision->psi_max)
        decide(decision, VERDICT_REFUSED, REASON_DRIFT);
    else if (gate_alerts_moved(decision))
        decide(decision, VERDICT_REFUSED, REASON_ALERTS);
    else
        decide(decision, VERDICT_PROMOTED, REASON_NOT_WORSE);
}

/* Of a part: nothing is near a limit, although few rows leave wide intervals. */
static bool passes(const struct decision *decision)
{
    return decision->not_numbers == 0 && !(decision->missing > decision->missing_max) &&
           decision->lower >= -decision->worse_max && decision->all_lower >= -decision->worse_max &&
           decision->psi <= decision->psi_max && !gate_alerts_moved(decision);
}

/* A young model moves by itself further than a settled one may. */
static double allowed(double limit, double usual_square, double most)
{
    double usual = USUAL_TIMES * sqrt(usual_square);
    usual = usual < most ? usual : most;
    return usual > limit ? usual : limit;
}

static void note_thresholds(const struct gate *gate, struct decision *ret)
{
    ret->champion = gate->champion_version;
    ret->examples = (double)gate->learnt;
    ret->worse_max = allowed(gate->options.worse_max, gate->usual.difference, WORSE_MOST);
    ret->psi_max = allowed(gate->options.psi_max, gate->usual.psi, PSI_MOST);
    ret->alerts_ratio_max =
        exp(allowed(log(gate->options.alerts_ratio_max), gate->usual.alerts, ALERTS_MOST));
    ret->missing_max = gate->options.missing_max;
    ret->positives_min = (double)gate->options.positives_min;
}

static bool has_enough(const struct gate *gate)
{
    return gate->evidence.rings[EVIDENCE_SETTLED][1].n >= gate->options.positives_min;
}

/* One in `part` of all that there is to go by. */
static enum status look_at(struct gate *gate, const struct model *candidate, unsigned part,
                           struct decision *ret)
{
    gate->part = part;
    gate_score_settled(gate, candidate, part);
    struct gate_pairs pairs = gate_gather(gate, true, part);
    ret->part = part;
    ret->not_numbers = (double)pairs.not_numbers;
    ret->all_positives = (double)pairs.positives;
    if (pairs.not_numbers > 0 || !has_enough(gate))
        return ST_OK;
    TRY(judge_all(&pairs, ret));
    pairs = gate_gather(gate, false, part);
    return gate_compare(&pairs, gate->options.alerts, ret);
}

enum status gate_work_out(struct gate *gate, const struct model *candidate, struct decision *ret)
{
    struct decision decision = decision_unknown(ret->version, ret->time);
    unsigned part = has_enough(gate) ? gate_part(gate) : 1;
    note_thresholds(gate, &decision);
    decision.missing = missing_rise(gate);
    TRY(look_at(gate, candidate, part, &decision));
    while (part > 1 && !passes(&decision)) {
        part /= 2;
        TRY(look_at(gate, candidate, part, &decision));
    }
    find_verdict(&decision);
    *ret = decision;
    return ST_OK;
}
