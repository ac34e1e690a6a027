#include "online/evidence.h"

#include <stdlib.h>

static enum status init_ring(struct evidence_ring *ring, size_t max, size_t n_dense)
{
    ring->max = max;
    ring->rows = calloc(max, sizeof *ring->rows);
    ring->dense = calloc(max * n_dense + 1, sizeof *ring->dense);
    if (!ring->rows || !ring->dense)
        return ST_ENOMEM;
    for (size_t i = 0; i < max; i++)
        ring->rows[i].kept.vector.dense = ring->dense + i * n_dense;
    return ST_OK;
}

static void done_ring(struct evidence_ring *ring)
{
    for (size_t i = 0; ring->rows && i < ring->max; i++)
        kept_vector_done(&ring->rows[i].kept);
    free(ring->rows);
    free(ring->dense);
    *ring = (struct evidence_ring){0};
}

enum status evidence_init(struct evidence *evidence, size_t n_dense, const size_t max[2])
{
    *evidence = (struct evidence){.n_dense = n_dense};
    for (size_t set = 0; set < EVIDENCE_SETS; set++)
        for (size_t label = 0; label < 2; label++) {
            enum status st = init_ring(&evidence->rings[set][label], max[label], n_dense);
            if (st < 0) {
                evidence_done(evidence);
                return st;
            }
        }
    return ST_OK;
}

void evidence_done(struct evidence *evidence)
{
    for (size_t set = 0; set < EVIDENCE_SETS; set++)
        for (size_t label = 0; label < 2; label++)
            done_ring(&evidence->rings[set][label]);
}

/* The place behind the newest; the oldest makes room. */
static struct evidence_row *push(struct evidence_ring *ring)
{
    if (ring->n == ring->max)
        ring->first = (ring->first + 1) % ring->max;
    else
        ring->n++;
    return evidence_at(ring, ring->n - 1);
}

static struct evidence_row *keep(struct evidence_ring *ring, const struct example *example,
                                 size_t n_dense)
{
    struct evidence_row *row = push(ring);
    kept_vector_set(&row->kept, &example->vector, n_dense);
    row->label = example->label >= 0.5f;
    row->weight = example->weight;
    return row;
}

struct evidence_row *evidence_add(struct evidence *evidence, const struct example *example)
{
    return keep(&evidence->rings[EVIDENCE_FRESH][example->label >= 0.5f], example,
                evidence->n_dense);
}

static void swap_rows(struct evidence_row *a, struct evidence_row *b)
{
    struct evidence_row kept = *a;
    *a = *b;
    *b = kept;
}

void evidence_settle(struct evidence *evidence)
{
    for (size_t label = 0; label < 2; label++) {
        struct evidence_ring *fresh = &evidence->rings[EVIDENCE_FRESH][label];
        for (size_t i = 0; i < fresh->n; i++)
            swap_rows(push(&evidence->rings[EVIDENCE_SETTLED][label]), evidence_at(fresh, i));
    }
    evidence_forget_fresh(evidence);
}

static void forget(struct evidence *evidence, size_t set)
{
    for (size_t label = 0; label < 2; label++)
        evidence->rings[set][label].n = evidence->rings[set][label].first = 0;
}

void evidence_forget_fresh(struct evidence *evidence)
{
    forget(evidence, EVIDENCE_FRESH);
}

void evidence_forget(struct evidence *evidence)
{
    forget(evidence, EVIDENCE_FRESH);
    forget(evidence, EVIDENCE_SETTLED);
}
