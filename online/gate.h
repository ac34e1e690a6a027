/*
 * online/gate.h -- lets a model's next version serve only if it is not worse than the one that
 * does.
 *
 * The champion serves; the candidate is the learner, which goes on from it. Of the examples that
 * the candidate learns, the gate keeps every positive and some of the negatives (evidence.h), with
 * what both said of them before. At a boundary it judges:
 *
 *   earlier   on examples from before the two parted, scored by the candidate as it is now: has it
 *             forgotten what the champion knows?
 *   all       on these and those since, as scored before they were learnt: is it worse on what has
 *             come?
 *   without labels: scores that are no numbers, scores that lie elsewhere (PSI), another share of
 *             alerts, features that are missing in what it learnt
 *
 * It is promoted unless the 95 % interval of the difference in AUC reaches below -worse_max, or a
 * check without labels fails. If so, but it may be chance, the champion goes on serving and the
 * candidate learning (held). If it is worse beyond chance, or a check fails, it is harmful: it
 * begins again as the champion, and what it had learnt never judges another candidate (refused).
 * Where that goes on for `patience` boundaries, the world has changed and not the hour: then such
 * examples do count.
 *
 * Where versions are tried, what was promoted is the champion here at once; the version before it
 * is kept beside it, and both learner and champion become that again if the trial says so.
 *
 * All of it is a function of the examples in their order and of the stored state: no clock, no
 * chance, no cut into batches. Used by the trainer's thread alone.
 */
#ifndef ONLINE_GATE_H
#define ONLINE_GATE_H

#include "ingest/act.h"
#include "models/model.h"
#include "online/canary.h"
#include "online/decision.h"

struct gate;
struct contender;

struct gate_options {
    size_t positives_max;    /* newest positives judged on */
    size_t positives_min;    /* with fewer, labels judge nothing */
    double negatives_factor; /* negatives kept for each positive */
    double worse_max;        /* of AUC */
    double psi_max;
    double alerts;           /* share of the champion's scores that count as alerts */
    double alerts_ratio_max; /* between candidate's alerts and champion's, either way */
    double missing_max;      /* rise of a feature's share of missing numbers */
    unsigned patience;
};

/* The table's defaults; see gate.c for why these. */
struct gate_options gate_defaults(void);

/* champion: made as the learner was, handed over; the same as the learner. schema: outlives it. */
STATUS_CHECKED enum status gate_create(const struct gate_options *options,
                                       const struct vector_schema *schema, struct model *champion,
                                       struct gate **ret);
void gate_free(struct gate *gate);

/* Learns the examples, judging on the way, also by those that were set aside. Instead of
 * model_learn(). */
void gate_learn(struct gate *gate, struct model *learner, const struct example *rows, size_t n);
/* Of a version that may be published: all items of the example log before the cursor are learnt. */
struct gate_moment {
    uint32_t version;
    int64_t time; /* event time */
    uint64_t cursor;
    bool tried; /* promoted, it does not serve all yet */
};
/* At a boundary: decides, and makes the learner or the champion the other's copy. Returns what
 * model_copy() returns. Cost: a score of each settled row, some sorts of them. */
STATUS_CHECKED enum status gate_judge(struct gate *gate, struct model *learner,
                                      const struct gate_moment *moment, struct decision *ret);
/* Promotes the learner as it is, because a person says so. */
STATUS_CHECKED enum status gate_promote(struct gate *gate, struct model *learner,
                                        const struct gate_moment *moment, struct decision *ret);

/* What serves, and since which version. */
struct model *gate_champion(struct gate *gate, uint32_t *ret_version);

/* Versions may be tried first (canary.h): the one before it, the stable one, is then kept until
 * that is over, in a model that is made as the learner was, once it is needed. Before anything is
 * learnt or loaded. */
typedef enum status (*gate_make_fn)(void *arg, struct model **ret);
void gate_set_make(struct gate *gate, gate_make_fn make, void *arg);
/* What scores the events of those whom the champion does not; NULL: there is no trial. */
struct model *gate_stable(struct gate *gate, uint32_t *ret_version);
/* The limits that the champion was promoted under, for its trial. */
struct canary_limits gate_limits(const struct gate *gate);
/* The trial is over, as decided. ROLLED_BACK: the learner and the champion are the stable version
 * again. Where the champion is another version, or not on trial, nothing is done. Returns what
 * model_copy() returns; *ret: the item of the example log from which on nothing is known to the
 * learner any more; UINT64_MAX: it goes on. */
STATUS_CHECKED enum status gate_end_trial(struct gate *gate, struct model *learner,
                                          const struct decision *decision, uint64_t *ret);

/* From now on it takes note for meetings with other models; handed over. Before anything is learnt
 * or loaded. */
void gate_set_contender(struct gate *gate, struct contender *contender);
/* At an ACT_CONTEST, all before it being learnt. */
STATUS_CHECKED enum status gate_meet(struct gate *gate, const struct act *act, int64_t time);

/* The newest decisions, from the oldest, 0, on. */
size_t gate_decisions(const struct gate *gate);
const struct decision *gate_decision(const struct gate *gate, size_t i);

/* All that the next decision depends on, beside the learner. */
STATUS_CHECKED enum status gate_save(const struct gate *gate, struct tensors *ret);
/* learner: as loaded from the same file. A file without a gate's state, or with that of other
 * columns or sizes: the learner is the champion, and what is judged on is gathered anew. Returns
 * ST_ECORRUPT. */
STATUS_CHECKED enum status gate_load(struct gate *gate, struct model *learner, uint32_t version,
                                     const struct tensors *tensors);
/* The decisions in a model file, oldest first, borrowed from it; none where no gate was. Returns
 * ST_ECORRUPT. */
STATUS_CHECKED enum status gate_read_decisions(const struct tensors *tensors,
                                               const struct decision **ret, size_t *ret_n);

#endif
