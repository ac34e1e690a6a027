/*
 * ingest/examples.h -- the example log: what the trainer learns from, in order, durable.
 *
 * Items are numbered from 0. Most are examples; an item may also be a boundary, "the version
 * published here has learnt all items before this one", so that a trainer that reads the log again
 * publishes the same versions. So may an act (act.h): a version that was made beside the scoring
 * serves from here on, or is made anew from the file of an earlier one. Blocks of items are stored
 * under the number of their first one, as part of the commit of the epoch that made them, and are
 * handed to the trainer as they are.
 */
#ifndef INGEST_EXAMPLES_H
#define INGEST_EXAMPLES_H

#include "base/vector.h"
#include "ingest/act.h"
#include "ingest/join.h"
#include "ingest/layouts.h"

struct example_boundary {
    uint32_t version;
    int64_t time;   /* event time of the publication */
    uint32_t model; /* number of the model that publishes: see head.h of online/ */
    bool tried;     /* the version is to be tried before it serves all */
};

enum example_item_kind {
    ITEM_EXAMPLE,
    ITEM_PUBLISH, /* a boundary */
    ITEM_ACT
};

/* Begins a block whose vectors are not laid out as layout 0 says. */
void examples_put_layout(struct buf *buf, unsigned number);
/* Append one item. */
void examples_put(struct buf *buf, const struct released *example);
void examples_put_boundary(struct buf *buf, const struct example_boundary *boundary);
/* verdict: of an act that ends a trial, what it went by; the log does not look into it. */
void examples_put_act(struct buf *buf, const struct act *act, int64_t time, struct slice verdict);

struct example_item {
    enum example_item_kind kind;
    struct example_boundary boundary; /* of an act only its time */
    struct act act;
    struct slice verdict; /* of an act that ends a trial; borrowed from the block */
    int64_t time;         /* of the event */
    int64_t released_at;  /* us */
    float label, weight;
    bool correction, absent;
    size_t n_sparse;
};

/* Reads one item; its vector goes to dense[0..n_dense) and sparse[0..VECTOR_SPARSE_MAX).
 * ST_EEND at the end, ST_ECORRUPT. */
STATUS_CHECKED enum status examples_next(struct reader *in, size_t n_dense, float *dense,
                                         struct sparse *sparse, struct example_item *ret);

/* The layout of a block's vectors, at its beginning. */
STATUS_CHECKED enum status examples_read_layout(struct reader *block, unsigned *ret);
/* The same as examples_next(), of items laid out as `number` says, into today's columns. */
STATUS_CHECKED enum status examples_next_of(const struct layouts *layouts, unsigned number,
                                            struct reader *in, float *dense, struct sparse *sparse,
                                            struct example_item *ret);

#endif
