/*
 * online/reservoir.h -- examples that are learnt again now and then, against forgetting.
 *
 * It keeps up to `rows` examples of each label, each as likely to be there as its weight times its
 * age's share (half after `half_life`) among those of its label: a sample without replacement by
 * random keys (Efraimidis & Spirakis, "Weighted random sampling with a reservoir", Information
 * Processing Letters 97, 2006). Behind some of the examples learnt, one in 1 / `share`, one of the
 * kept is learnt again: of either label as often, so that the rare one is seen, but with weights
 * that leave their sums as they are in the (fading) stream, so that nothing is learnt of how many
 * there are.
 *
 * What came since the last version that was promoted is fresh; it goes if that comes to nothing, so
 * that a poisoned hour does not come back by this way.
 *
 * What it draws is a function of the examples' numbers and the seed: no clock, no cut into batches.
 * Used by the trainer's thread alone.
 */
#ifndef ONLINE_RESERVOIR_H
#define ONLINE_RESERVOIR_H

#include <stdbool.h>

#include "models/model.h"

struct reservoir_options {
    size_t n_dense;
    uint64_t columns;  /* what the vectors mean: vector_schema.id */
    size_t rows;       /* of each label, at most */
    double share;      /* of the examples that one is learnt again behind; 0 to 1 */
    int64_t half_life; /* us of event time */
    uint64_t seed;
};

struct reservoir;

/* Memory: 2 rows of n_dense floats and 64 bytes, and their categories. */
STATUS_CHECKED enum status reservoir_create(const struct reservoir_options *options,
                                            struct reservoir **ret);
void reservoir_free(struct reservoir *reservoir);

/* Whether one is learnt again behind the example of that number in the log, and which; borrowed
 * until the next call of reservoir_add(). */
bool reservoir_draw(const struct reservoir *reservoir, uint64_t item, struct example *ret);
/* Copies it, if chance says so. Examples of weight 0 are left out. Cost: log2(rows) steps then. */
void reservoir_add(struct reservoir *reservoir, const struct example *example);

/* What came so far is to stay; `item`: the first that is fresh from here on. */
void reservoir_settle(struct reservoir *reservoir, uint64_t item);
/* What is fresh goes. Those whose places it took do not come back. */
void reservoir_forget_fresh(struct reservoir *reservoir);

/* All from that one on goes: a person took it back. */
void reservoir_forget(struct reservoir *reservoir, uint64_t item);

size_t reservoir_count(const struct reservoir *reservoir, unsigned label);

/* As tensors "replay.*". */
void reservoir_save(const struct reservoir *reservoir, struct tensors *ret);
/* A file without them, or with those of other columns, another seed or half-life, or more rows: it
 * begins empty. ST_ECORRUPT if what is there is not sound; it is empty then. */
STATUS_CHECKED enum status reservoir_load(struct reservoir *reservoir,
                                          const struct tensors *tensors);

#endif
