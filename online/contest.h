/*
 * online/contest.h -- does a challenger take over from the champion? Where the trainers of a
 * service's models meet, and what comes of it.
 *
 * When a challenger that may take over is about to publish a version, the state thread puts an
 * ACT_CONTEST into the example log. There, each of the two models' trainers hands in what its
 * serving versions said of the newest examples before they had learnt them (contender.h); whoever
 * comes second judges, on the rows that both have: it takes over if its area under the ROC curve is
 * larger beyond chance (DeLong's test for paired samples, p < .05), and nothing is amiss without
 * labels. So the verdict is a function of the log alone, and nobody waits for the other.
 *
 *     contest_wait(contest, number, version, &verdict);   // the state thread, if it has to know
 *
 * Any thread, but for what says otherwise. What was decided is kept, and goes into the challenger's
 * model files.
 */
#ifndef ONLINE_CONTEST_H
#define ONLINE_CONTEST_H

#include "models/model.h"
#include "online/contender.h"
#include "online/decision.h"

enum { CONTEST_MODELS_MAX = 64, CONTEST_DECISIONS_KEPT = 500, CONTEST_NAME_MAX = 64 };

/* What is judged by. */
struct contest_options {
    size_t positives_max; /* newest positives */
    size_t positives_min; /* with fewer nobody takes over */
    double p_max;         /* of a difference in AUC that is chance */
    double psi_max;
    double alerts, alerts_ratio_max; /* see gate.h */
};
struct contest_options contest_defaults(void);

/* Verdicts are PROMOTED: it takes over; HELD: not better, or too little to go by; REFUSED: it
 * might be, but something is amiss. "earlier" figures are of the rows that both have. */
struct contest_decision {
    struct decision decision; /* champion: the version of it that served */
    char champion[CONTEST_NAME_MAX];
};

struct contest_verdict {
    uint32_t version, rival;
    bool takes_over;
};

/* Told of each decision, on the thread that came to it; NULL: not wanted. */
typedef void (*contest_tell_fn)(void *arg, uint32_t model, const struct contest_decision *decision);

STATUS_CHECKED enum status contest_create(contest_tell_fn tell, void *arg, struct contest **ret);
void contest_free(struct contest *contest);
/* Before anybody meets: the name of a model, and how it is judged where it is the challenger. */
void contest_add_model(struct contest *contest, uint32_t number, const char *name,
                       const struct contest_options *options);
/* For trainers without threads of their own: instead of sleeping, contest_wait() calls work until
 * the verdict is there; once it returns false there will be none. */
void contest_set_work(struct contest *contest, bool (*work)(void *arg), void *arg);
/* Nobody waits any more, nor will. */
void contest_stop(struct contest *contest);

/* One of the two (`by`) has come to the act. Copies its half. Cost: of the second, some sorts of
 * what both have. Returns ST_ENOMEM. */
STATUS_CHECKED enum status contest_hand_in(struct contest *contest, const struct act *act,
                                           int64_t time, uint32_t by,
                                           const struct contender_half *half);

/* The verdict on that version, or on a later one; waits for it. ST_ESTOPPED. */
STATUS_CHECKED enum status contest_wait(struct contest *contest, uint32_t model, uint32_t version,
                                        struct contest_verdict *ret);
/* The newest; version 0: there was none. */
struct contest_verdict contest_newest(struct contest *contest, uint32_t model);

/* Appends what was decided on a model, oldest first, as structs. */
void contest_decisions(struct contest *contest, uint32_t model, struct buf *ret);
/* One more, if there is none of its version. */
void contest_remember(struct contest *contest, uint32_t model,
                      const struct contest_decision *decision);
/* Appends those in a model file as structs; none where it met nobody. ST_ECORRUPT. */
STATUS_CHECKED enum status contest_read_decisions(const struct tensors *tensors, struct buf *ret);

/* challenger, champion: their halves. */
STATUS_CHECKED enum status contest_judge(const struct contender_half *challenger,
                                         const struct contender_half *champion,
                                         const struct contest_options *options,
                                         struct decision *ret);

#endif
