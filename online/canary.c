#include "online/canary.h"

#include <math.h>
#include <string.h>

#include "models/psi.h"

/* Beyond so many standard errors: a trial is looked at several times. */
#define LABELS_Z    3
#define ALERTS      0.01
#define ALERTS_Z    3
#define BINS_A_UNIT 2

enum { ROWS_A_LABEL = 10 };

void canary_expect(struct canary *canary, int64_t from, const struct canary_options *options)
{
    *canary = (struct canary){.expected = true,
                              .from = from,
                              .look_next = from + options->lasts / CANARY_LOOKS,
                              .until = from + options->lasts,
                              .rows_min = options->rows_min,
                              .psi_max = options->psi_max};
}

void canary_begin(struct canary *canary, uint32_t version, uint32_t stable,
                  const struct canary_limits *limits)
{
    canary->version = version;
    canary->stable = stable;
    canary->limits = *limits;
    if (canary->psi_max > 0 && canary->psi_max < limits->psi_max)
        canary->limits.psi_max = canary->psi_max;
}

void canary_condemn(struct canary *canary, uint32_t version, uint32_t stable)
{
    *canary = (struct canary){.expected = true,
                              .condemned = true,
                              .version = version,
                              .stable = stable,
                              .until = CANARY_LOOKS};
}

void canary_forget_labels(struct canary *canary)
{
    canary->unlabelled = true;
    memset(canary->labelled, 0, sizeof canary->labelled);
}

/* splitmix64's finaliser. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

bool canary_has(struct key128 entity, uint32_t version, double share)
{
    if (key_is_none(entity))
        return false;
    uint64_t h = mix(entity.hi ^ mix(entity.lo + UINT64_C(0x9e3779b97f4a7c15) * version));
    return (double)(h >> 11) < share * 0x1p53;
}

/* Counting. */

static bool is_number(float score)
{
    return score >= 0 && score <= 1;
}

static size_t bin_of(float score)
{
    double at = BINS_A_UNIT * log((double)score / (1 - (double)score)) + CANARY_BINS / 2.0;
    return at < 0 ? 0 : at >= CANARY_BINS - 1 ? CANARY_BINS - 1 : (size_t)at;
}

void canary_count(struct canary *canary, float stable, float trial)
{
    canary->rows++;
    canary->not_numbers += is_number(stable) && !is_number(trial);
    if (is_number(stable))
        canary->scores[ARM_STABLE][bin_of(stable)]++;
    if (is_number(trial))
        canary->scores[ARM_TRIAL][bin_of(trial)]++;
}

void canary_count_label(struct canary *canary, int64_t time, uint32_t version, float score,
                        float label)
{
    bool trial = version == canary->version;
    if (canary->version == 0 || canary->unlabelled || !is_number(score) || time <= canary->from ||
        (!trial && version != canary->stable))
        return;
    canary->labelled[trial ? ARM_TRIAL : ARM_STABLE][label >= 0.5f][bin_of(score)]++;
}

/* Judging. */

static double sum(const uint32_t *counts, size_t from)
{
    double n = 0;
    for (size_t i = from; i < CANARY_BINS; i++)
        n += counts[i];
    return n;
}

static void compare_scores(const struct canary *canary, struct decision *ret)
{
    double counts[ARMS][CANARY_BINS];
    for (size_t arm = 0; arm < ARMS; arm++)
        for (size_t i = 0; i < CANARY_BINS; i++)
            counts[arm][i] = canary->scores[arm][i];
    ret->psi = psi_of_counts(counts[ARM_STABLE], counts[ARM_TRIAL], CANARY_BINS);
}

/* The first bin from which on at most this share of the stable version's scores lie; one that is
 * above them all, if each bin holds more. */
static size_t alerts_from(const struct canary *canary)
{
    const uint32_t *stable = canary->scores[ARM_STABLE];
    double all = sum(stable, 0);
    size_t from = CANARY_BINS;
    while (from > 0 && sum(stable, from - 1) <= ALERTS * all)
        from--;
    return from;
}

static void compare_alerts(const struct canary *canary, struct decision *ret)
{
    size_t from = alerts_from(canary);
    ret->champion_alerts = sum(canary->scores[ARM_STABLE], from) / (double)canary->rows;
    ret->candidate_alerts = sum(canary->scores[ARM_TRIAL], from) / (double)canary->rows;
}

/* More than so many times the other, and more than chance makes of that. */
static bool far_more(double share, double other, double rows, double times)
{
    double expected = (other * rows + 1) * times;
    return share * rows > expected + ALERTS_Z * sqrt(expected);
}

static bool alerts_moved(const struct canary *canary, const struct decision *decision)
{
    double rows = (double)canary->rows, times = decision->alerts_ratio_max;
    return far_more(decision->candidate_alerts, decision->champion_alerts, rows, times) ||
           far_more(decision->champion_alerts, decision->candidate_alerts, rows, times);
}

/* Pairs in which the positive is above the negative, ties as halves. */
static double auc_of(const uint32_t labelled[2][CANARY_BINS])
{
    double below = 0, pairs = 0;
    for (size_t i = 0; i < CANARY_BINS; i++) {
        pairs += labelled[1][i] * (below + labelled[0][i] / 2.0);
        below += labelled[0][i];
    }
    return pairs / (below * sum(labelled[1], 0));
}

/* Hanley and McNeil, Radiology 143 (1982), formula (2). */
static double variance_of(double auc, double positives, double negatives)
{
    double q1 = auc / (2 - auc), q2 = 2 * auc * auc / (1 + auc);
    return (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) +
            (negatives - 1) * (q2 - auc * auc)) /
           (positives * negatives);
}

static void compare_labels(const struct canary *canary, struct decision *ret)
{
    double auc[ARMS], n[2], variance = 0;
    ret->negatives = sum(canary->labelled[ARM_TRIAL][0], 0);
    ret->positives = sum(canary->labelled[ARM_TRIAL][1], 0);
    for (size_t arm = 0; arm < ARMS; arm++) {
        for (size_t label = 0; label < 2; label++) {
            n[label] = sum(canary->labelled[arm][label], 0);
            if (n[label] * ROWS_A_LABEL < canary->rows_min)
                return;
        }
        auc[arm] = auc_of(canary->labelled[arm]);
        variance += variance_of(auc[arm], n[1], n[0]);
    }
    double reach = LABELS_Z * sqrt(variance);
    ret->champion_auc = auc[ARM_STABLE];
    ret->candidate_auc = auc[ARM_TRIAL];
    ret->difference = auc[ARM_TRIAL] - auc[ARM_STABLE];
    ret->lower = ret->difference - reach;
    ret->upper = ret->difference + reach;
}

static enum decision_reason find_harm(const struct canary *canary, const struct decision *d)
{
    if (canary->condemned)
        return REASON_AWAY;
    if (d->not_numbers > 0)
        return REASON_NOT_A_NUMBER;
    if (d->upper < -d->worse_max)
        return REASON_WORSE;
    if (canary->rows < canary->rows_min)
        return REASON_FEW_ROWS;
    if (d->psi > d->psi_max)
        return REASON_DRIFT;
    if (alerts_moved(canary, d))
        return REASON_ALERTS;
    return REASON_NOT_WORSE;
}

void canary_judge(const struct canary *canary, struct decision *ret)
{
    struct decision decision = decision_unknown(ret->version, ret->time);
    decision.champion = canary->stable;
    decision.examples = (double)canary->rows;
    decision.not_numbers = (double)canary->not_numbers;
    decision.worse_max = canary->limits.worse_max;
    decision.psi_max = canary->limits.psi_max;
    decision.alerts_ratio_max = canary->limits.alerts_ratio_max;
    decision.part = 1;
    if (canary->rows > 0) {
        compare_scores(canary, &decision);
        compare_alerts(canary, &decision);
    }
    compare_labels(canary, &decision);
    enum decision_reason reason = find_harm(canary, &decision);
    bool goes_on = reason == REASON_NOT_WORSE || reason == REASON_FEW_ROWS;
    decision.verdict = goes_on ? VERDICT_CONFIRMED : VERDICT_ROLLED_BACK;
    decision.reason = reason;
    *ret = decision;
}

/* As it is stored: {0}, or {1, ...}. */

static void encode_counts(const uint32_t *counts, size_t n, struct buf *ret)
{
    for (size_t i = 0; i < n; i++)
        buf_varint(ret, counts[i]);
}

void canary_encode(const struct canary *canary, struct buf *ret)
{
    buf_byte(ret, canary->expected);
    if (!canary->expected)
        return;
    buf_varint(ret, canary->version);
    buf_varint(ret, canary->stable);
    buf_varint_signed(ret, canary->from);
    buf_varint_signed(ret, canary->look_next);
    buf_varint_signed(ret, canary->until);
    buf_varint(ret, canary->rows_min);
    buf_f64(ret, canary->psi_max);
    buf_byte(ret, (uint8_t)(canary->unlabelled | canary->condemned << 1));
    buf_f64(ret, canary->limits.worse_max);
    buf_f64(ret, canary->limits.psi_max);
    buf_f64(ret, canary->limits.alerts_ratio_max);
    buf_varint(ret, canary->rows);
    buf_varint(ret, canary->not_numbers);
    encode_counts(canary->scores[0], ARMS * CANARY_BINS, ret);
    encode_counts(canary->labelled[0][0], ARMS * 2 * CANARY_BINS, ret);
}

static void decode_counts(struct reader *in, uint32_t *ret, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint32_t)read_varint(in);
}

/* Looks come to an end. */
static bool is_sound(const struct canary *canary)
{
    return canary->from > INT64_MIN / 2 && canary->until < INT64_MAX / 2 &&
           canary->until - canary->from >= CANARY_LOOKS && canary->look_next >= canary->from &&
           canary->look_next <= canary->until;
}

void canary_decode(struct reader *in, struct canary *ret)
{
    *ret = (struct canary){.expected = read_byte(in) != 0};
    if (!ret->expected)
        return;
    ret->version = (uint32_t)read_varint(in);
    ret->stable = (uint32_t)read_varint(in);
    ret->from = read_varint_signed(in);
    ret->look_next = read_varint_signed(in);
    ret->until = read_varint_signed(in);
    ret->rows_min = (uint32_t)read_varint(in);
    ret->psi_max = read_f64(in);
    uint8_t flags = read_byte(in);
    ret->unlabelled = flags & 1;
    ret->condemned = flags & 2;
    ret->limits.worse_max = read_f64(in);
    ret->limits.psi_max = read_f64(in);
    ret->limits.alerts_ratio_max = read_f64(in);
    ret->rows = read_varint(in);
    ret->not_numbers = read_varint(in);
    decode_counts(in, ret->scores[0], ARMS * CANARY_BINS);
    decode_counts(in, ret->labelled[0][0], ARMS * 2 * CANARY_BINS);
    in->bad = in->bad || !is_sound(ret);
}
