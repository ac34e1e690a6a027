/*
 * online/noise.h -- examples that are set aside before a model learns: noise.
 *
 * A forest of half-space trees (models/half_space.h) sees every example and says how few like it
 * came of late. Of the negatives the share that is farthest out is set aside: judged like any
 * other, and not learnt. Positives never are: they are rare, and often what is looked for.
 *
 * Where the line lies is told by the examples before: of each window of NOISE_LINE_ROWS / share
 * negatives the NOISE_LINE_ROWS-th highest score, beyond which the next window's go. Until there is
 * a line, after the forest's first two windows and one of these, nothing is set aside.
 *
 * The newest `rows` of what was set aside stay, with their vectors, for people to look at and to
 * have them learnt after all: noise_give_back(). What came since the last version that was promoted
 * is fresh; it goes if that comes to nothing, as it would have if it had been learnt.
 *
 * A function of the examples in their order: no clock, no cut into batches. Used by the trainer's
 * thread alone.
 */
#ifndef ONLINE_NOISE_H
#define ONLINE_NOISE_H

#include <stdbool.h>

#include "models/model.h"

enum { NOISE_LINE_ROWS = 16 };

struct noise_options {
    const struct vector_schema *schema; /* outlives it */
    double share;                       /* of the negatives; 0: it only gives back */
    size_t rows;                        /* kept, at most */
    size_t window;                      /* of the forest, in examples */
    bool recalls; /* the model is made anew from a window of the log: see noise_recalls() */
};

struct noise;

/* Memory: rows of n_dense floats and 64 bytes, and their categories; 600 KB for the forest. */
STATUS_CHECKED enum status noise_create(const struct noise_options *options, struct noise **ret);
void noise_free(struct noise *noise);

/* Whether the example is to be set aside; it is kept then. Cost: some 5 us. */
bool noise_look(struct noise *noise, const struct example *example);
/* Whether the one of that number was, among those that a model recalls at a start: all from
 * noise_forget_recalled() on. */
bool noise_recalls(const struct noise *noise, uint64_t item);
/* Those before that number will not be recalled any more. */
void noise_forget_recalled(struct noise *noise, uint64_t item);

/* What came so far is to stay; `item`: the first that is fresh from here on. */
void noise_settle(struct noise *noise, uint64_t item);
/* What is fresh, or all from that one on, is kept no longer. */
void noise_forget_fresh(struct noise *noise);
void noise_forget(struct noise *noise, uint64_t item);

/* Where nothing is set aside any more: the model learns what an earlier life kept, unless it
 * recalls it from the log anyway. It is kept no longer. Returns how many. */
size_t noise_give_back(struct noise *noise, struct model *model);

/* Since it was made, or loaded. */
uint64_t noise_set_aside(const struct noise *noise);

/* As tensors "noise.*". */
void noise_save(const struct noise *noise, struct tensors *ret);
/* A file without them, or of other columns: it begins anew. One of another share: with no line.
 * Returns ST_ECORRUPT if what is there is not sound; it is empty then. */
STATUS_CHECKED enum status noise_load(struct noise *noise, const struct tensors *tensors);

/* What a model file holds of them as CSV, oldest first, a header before: `item` (its number in the
 * example log), `time`, `score`, `line`, `column` (the one that lies farthest outside its usual
 * range, if any does), and the vector's numbers by name. Nothing where there is nothing. Returns
 * ST_ECORRUPT. */
STATUS_CHECKED enum status noise_print(const struct tensors *tensors, struct buf *ret);

#endif
