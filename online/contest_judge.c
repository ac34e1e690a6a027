/* Is the challenger better? By what both models said of the same examples. */
#include <math.h>
#include <stdlib.h>

#include "online/contest.h"
#include "online/gate_internal.h"

static struct gate_pairs make_pairs(size_t n)
{
    struct gate_pairs pairs = {.champion = calloc(4 * n + 1, sizeof(float))};
    if (!pairs.champion)
        return pairs;
    pairs.candidate = pairs.champion + n;
    pairs.label = pairs.candidate + n;
    pairs.weight = pairs.label + n;
    return pairs;
}

static bool is_score(float score)
{
    return score >= 0 && score <= 1;
}

/* What both picked, the one with the larger stride picked. */
static void add_pair(struct gate_pairs *pairs, const struct sighting *challenger,
                     const struct sighting *champion)
{
    size_t i = pairs->n;
    uint32_t stride = challenger->stride > champion->stride ? challenger->stride : champion->stride;
    if (!is_score(champion->score))
        return;
    pairs->not_numbers += !is_score(challenger->score);
    pairs->champion[i] = champion->score;
    pairs->candidate[i] = challenger->score;
    pairs->label[i] = challenger->label;
    pairs->weight[i] = challenger->weight * (float)stride;
    pairs->positives += challenger->label > 0;
    pairs->n++;
}

/* Rows that both have, from this one of the challenger's on; both are in the log's order. */
static void add_common(struct gate_pairs *pairs, const struct contender_half *challenger,
                       const struct contender_half *champion, size_t label, uint64_t since)
{
    const struct sighting *a = challenger->rows[label], *a_end = a + challenger->n[label];
    const struct sighting *b = champion->rows[label], *b_end = b + champion->n[label];
    while (a < a_end && b < b_end) {
        if (a->item == b->item && a->item >= since)
            add_pair(pairs, a, b);
        uint64_t item = a->item < b->item ? a->item : b->item;
        a += a->item == item;
        b += b->item == item;
    }
}

/* The item of the oldest of the newest positives that both have; 0 while there are fewer. */
static uint64_t since_when(const struct contender_half *challenger,
                           const struct contender_half *champion, size_t max)
{
    const struct sighting *a = challenger->rows[1], *b = champion->rows[1];
    size_t i = challenger->n[1], j = champion->n[1], n = 0;
    while (i > 0 && j > 0) {
        uint64_t item = a[i - 1].item > b[j - 1].item ? a[i - 1].item : b[j - 1].item;
        if (a[i - 1].item == b[j - 1].item && ++n == max)
            return item;
        i -= a[i - 1].item == item;
        j -= b[j - 1].item == item;
    }
    return 0;
}

static void decide(struct decision *decision, enum verdict verdict, enum decision_reason reason)
{
    decision->verdict = verdict;
    decision->reason = reason;
}

static void find_verdict(struct decision *decision, const struct contest_options *options)
{
    if (decision->not_numbers > 0)
        decide(decision, VERDICT_REFUSED, REASON_NOT_A_NUMBER);
    else if (isnan(decision->p))
        decide(decision, VERDICT_HELD, REASON_FEW);
    else if (!(decision->difference > 0 && decision->p < options->p_max))
        decide(decision, VERDICT_HELD, REASON_NOT_BETTER);
    else if (decision->psi > decision->psi_max)
        decide(decision, VERDICT_REFUSED, REASON_DRIFT);
    else if (gate_alerts_moved(decision))
        decide(decision, VERDICT_REFUSED, REASON_ALERTS);
    else
        decide(decision, VERDICT_PROMOTED, REASON_BETTER);
}

static enum status judge_pairs(const struct gate_pairs *pairs,
                               const struct contest_options *options, struct decision *ret)
{
    ret->positives = (double)pairs->positives;
    ret->negatives = (double)(pairs->n - pairs->positives);
    ret->not_numbers = (double)pairs->not_numbers;
    ret->psi_max = options->psi_max;
    ret->alerts_ratio_max = options->alerts_ratio_max;
    ret->positives_min = (double)options->positives_min;
    if (pairs->not_numbers == 0 && pairs->positives >= options->positives_min)
        TRY(gate_compare(pairs, options->alerts, ret));
    find_verdict(ret, options);
    return ST_OK;
}

enum status contest_judge(const struct contender_half *challenger,
                          const struct contender_half *champion,
                          const struct contest_options *options, struct decision *ret)
{
    struct gate_pairs pairs = make_pairs(challenger->n[0] + challenger->n[1]);
    if (!pairs.champion)
        return ST_ENOMEM;
    struct decision decision = decision_unknown(ret->version, ret->time);
    uint64_t since = since_when(challenger, champion, options->positives_max);
    decision.champion = champion->version;
    decision.part = 1;
    add_common(&pairs, challenger, champion, 0, since);
    add_common(&pairs, challenger, champion, 1, since);
    enum status st = judge_pairs(&pairs, options, &decision);
    if (st == ST_OK)
        *ret = decision;
    free(pairs.champion);
    return st;
}
