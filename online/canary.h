/*
 * online/canary.h -- a version on trial: it scores the events of a share of the entities, the
 * version before it those of all others, until the figures of both tell which of them goes on.
 *
 * Of the share's events both models' scores are counted, by bins of their log-odds; of events whose
 * labels come while the trial lasts, the scores that left, apart for those of either version. The
 * trial is looked at several times at fixed moments of event time and ended at once where its
 * version is harmful:
 *
 *   numbers   it gives scores that are no numbers
 *   scores    they lie elsewhere than those of the version before on the same events (PSI)
 *   alerts    it alerts far more or less often on the same events, beyond chance
 *   labels    its area under the ROC curve is smaller beyond chance (Hanley and McNeil 1982, of two
 *             independent samples)
 *
 * Limits are those that the gate allowed the version (decision.h). All of it depends on the events
 * and their order alone, and is part of the head: a trial survives a crash.
 */
#ifndef ONLINE_CANARY_H
#define ONLINE_CANARY_H

#include "base/hash.h"
#include "online/decision.h"

/* Bins of the log-odds, half a unit each, from -8 to 8. */
enum { CANARY_BINS = 32, CANARY_LOOKS = 8 };

enum canary_arm { ARM_STABLE, ARM_TRIAL, ARMS };

/* How long a trial lasts, in us of event time; how many rows it takes for scores to judge by, and
 * of labels a tenth of that of either kind and arm; how far scores may lie elsewhere (PSI) where
 * the gate allowed more, 0: what it allowed. */
struct canary_options {
    int64_t lasts;
    uint32_t rows_min;
    double psi_max;
};

/* What the gate allowed, for the trial. */
struct canary_limits {
    double worse_max, psi_max, alerts_ratio_max;
};

/* All zero: there is no trial, and none is expected. */
struct canary {
    bool expected;    /* a version was published that may be on trial */
    uint32_t version; /* on trial; 0: not known to be */
    uint32_t stable;  /* the one before it */
    int64_t from;     /* event time of its publication */
    int64_t look_next, until;
    uint32_t rows_min;
    double psi_max;
    bool unlabelled; /* labels are not counted any more */
    bool condemned;  /* nobody saw the end of it: it is rolled back */
    struct canary_limits limits;
    uint64_t rows;                           /* scored by both */
    uint64_t not_numbers;                    /* of these, by the version on trial alone */
    uint32_t scores[ARMS][CANARY_BINS];      /* of both, on these */
    uint32_t labelled[ARMS][2][CANARY_BINS]; /* that left, by label */
};

/* Begins to expect a version that is published at `from`. */
void canary_expect(struct canary *canary, int64_t from, const struct canary_options *options);
/* It is on trial. */
void canary_begin(struct canary *canary, uint32_t version, uint32_t stable,
                  const struct canary_limits *limits);

/* Whether the events of an entity are scored by the version on trial: other entities for each
 * version. Nobody's are: none. */
bool canary_has(struct key128 entity, uint32_t version, double share);

void canary_count(struct canary *canary, float stable, float trial);
/* An event of that time, if it is behind the beginning, turned out to be `label`; it was scored so
 * by `version`. */
void canary_count_label(struct canary *canary, int64_t time, uint32_t version, float score,
                        float label);

/* Scores that left are another model's from here on. */
void canary_forget_labels(struct canary *canary);
/* The model was away while its version was on trial: that is over, at the next look. */
void canary_condemn(struct canary *canary, uint32_t version, uint32_t stable);

/* The verdict by what was counted: ROLLED_BACK, or CONFIRMED, which is for the trial's end only.
 * The stable version is the decision's champion. Cost: some passes over the bins. */
void canary_judge(const struct canary *canary, struct decision *ret);

void canary_encode(const struct canary *canary, struct buf *ret);
/* Marks the reader as bad where it is none. */
void canary_decode(struct reader *in, struct canary *ret);

#endif
