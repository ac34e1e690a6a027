/*
 * online/contender.h -- what the versions of one model that served said of the newest examples,
 * before any of them had learnt them: its half of a comparison with another model.
 *
 * Positives are all kept, of negatives one in so many, picked by their number in the example log:
 * two models that learn the same log keep the same ones, or one of them some of the other's. At an
 * ACT_CONTEST in the log each of the two hands in what it has (contest.h). What was handed in last
 * is part of its file, so that a start after a crash hands it in again.
 *
 * Used by the thread of the model's trainer alone.
 */
#ifndef ONLINE_CONTENDER_H
#define ONLINE_CONTENDER_H

#include "ingest/act.h"
#include "models/model.h"

struct contest;
struct contender;

/* One example as the model saw it. */
struct sighting {
    uint64_t item; /* of the example log */
    float score, label, weight;
    uint32_t stride; /* of negatives one in so many was kept */
};

/* Of the negatives [0] and positives [1], oldest first. */
struct contender_half {
    uint32_t version; /* that served */
    size_t n[2];
    struct sighting *rows[2];
};
/* What it held goes. */
STATUS_CHECKED enum status contender_half_copy(struct contender_half *to,
                                               const struct contender_half *from);
void contender_half_done(struct contender_half *half);

/* number: of the model; positives_max: newest positives that are kept; twice as many negatives. The
 * contest outlives it. */
STATUS_CHECKED enum status contender_create(struct contest *contest, uint32_t number,
                                            size_t positives_max, struct contender **ret);
void contender_free(struct contender *contender);

/* Examples that are about to be learnt; serving: the version that serves, which has not learnt
 * them. */
void contender_see(struct contender *contender, const struct model *serving,
                   const struct example *rows, size_t n);
/* At a contest that it may be part of; version: that serves. Returns what judging returns. */
STATUS_CHECKED enum status contender_meet(struct contender *contender, const struct act *act,
                                          uint32_t version, int64_t time);

/* As tensors "gate.contest.*", with what was decided on the model. */
void contender_save(const struct contender *contender, struct tensors *ret);
/* A file without them: it begins anew. ST_ECORRUPT. */
STATUS_CHECKED enum status contender_load(struct contender *contender,
                                          const struct tensors *tensors);

#endif
