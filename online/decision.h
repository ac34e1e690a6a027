/*
 * online/decision.h -- what the gate decided about one candidate, with all that it went by.
 *
 * Every figure is a number with a name: the rows of one table in decision.c, which is what a
 * decision's JSON, its place in a model file and docs/gate.md follow.
 */
#ifndef ONLINE_DECISION_H
#define ONLINE_DECISION_H

#include "base/bytes.h"
#include "base/status.h"

enum verdict {
    VERDICT_PROMOTED, /* it serves */
    VERDICT_HELD,     /* the champion goes on, and so does the candidate's learning */
    VERDICT_REFUSED,  /* harmful: the candidate begins again as the champion */
    VERDICTS_OF_GATE,
    /* What came of the trial of a promoted version (canary.h). */
    VERDICT_CONFIRMED = VERDICTS_OF_GATE, /* it scores all events */
    VERDICT_ROLLED_BACK,                  /* the one before it does, and goes on learning */
    VERDICTS
};

/* Why. */
enum decision_reason {
    REASON_NOT_WORSE,
    REASON_BETTER,
    REASON_FEW,          /* too few positives to judge by labels */
    REASON_FORGOT,       /* worse on what was due before it and the champion parted */
    REASON_WORSE,        /* worse on the newest examples */
    REASON_UNSURE,       /* the same, but it may be chance */
    REASON_NOT_A_NUMBER, /* it gives scores that are none */
    REASON_MISSING,      /* what it learnt lacks a feature that used to be there */
    REASON_DRIFT,        /* its scores lie elsewhere than the champion's */
    REASON_ALERTS,       /* it alerts far more, or less, often */
    REASON_BY_HAND,
    REASON_NOT_BETTER, /* a challenger, than the champion */
    REASON_FEW_ROWS,   /* too few rows to judge a trial by */
    REASON_AWAY,       /* its trial was not seen to its end */
    DECISION_REASONS
};

/* All double, so that one table names them. What was not worked out is NaN. "earlier": on examples
 * due before candidate and champion parted, scored by the candidate as it is; "all": on these and
 * those since, which it scored before it learnt them. */
struct decision {
    double version;  /* of the boundary */
    double time;     /* event time, us */
    double verdict;  /* enum verdict */
    double reason;   /* enum decision_reason */
    double champion; /* the version that served before */
    double examples; /* learnt since the last boundary */
    double part;     /* one in so many of the examples kept was looked at */
    double positives, negatives;
    double champion_auc, candidate_auc, difference, lower, upper, p;
    double champion_average_precision, candidate_average_precision;
    double champion_log_loss, candidate_log_loss;
    double champion_calibration_error, candidate_calibration_error;
    double all_positives, all_negatives, all_difference, all_lower, all_upper, all_p;
    double psi, champion_alerts, candidate_alerts, not_numbers, missing;
    double worse_max, psi_max, alerts_ratio_max, missing_max, positives_min; /* the thresholds */
};

enum { DECISION_FIGURES = sizeof(struct decision) / sizeof(double) };

/* Names in the order of the struct. */
extern const char *const decision_names[DECISION_FIGURES];

const char *verdict_text(enum verdict verdict);
/* One line for people. */
const char *decision_reason_text(enum decision_reason reason);
/* Of that version and time, all else unknown. */
struct decision decision_unknown(double version, double time);
/* False: not one that this program could have made. */
bool decision_is_sound(const struct decision *decision);
/* Appends it as one JSON object: time as text, verdict and reason as words, NaN as null. */
void decision_render_json(const struct decision *decision, struct buf *ret);

#endif
