/*
 * online/model_diff.h -- two versions of a model beside each other, for people: `freshet model
 * diff`.
 */
#ifndef ONLINE_MODEL_DIFF_H
#define ONLINE_MODEL_DIFF_H

#include "base/bytes.h"
#include "base/status.h"

/* Files of one kind of model. Appends what each has learnt, the figures by which the gate judged
 * it, and the features that moved furthest. error: why not, for people. */
STATUS_CHECKED enum status model_diff(const char *before, const char *after, struct buf *ret,
                                      struct buf *error);

#endif
