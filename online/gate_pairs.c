/*
 * What champion and candidate say of the same examples, gathered into arrays: of all that the gate
 * has, or of a fixed part of it.
 */
#include <math.h>

#include "online/gate_internal.h"

/* splitmix64's finaliser. */
static uint64_t mix(uint64_t number)
{
    uint64_t h = number + UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

bool gate_picks(uint64_t order, uint64_t stride)
{
    return (mix(order) & (stride - 1)) == 0;
}

/* By other bits than those that picked it. */
bool gate_samples(const struct evidence_row *row, unsigned part)
{
    return ((mix(row->order) >> 40) & (part - 1)) == 0;
}

/* A part that holds enough positives to say something, or all of it. */
unsigned gate_part(const struct gate *gate)
{
    unsigned part = 1;
    while (part < GATE_PARTS_MAX && gate->options.positives_max / (2 * part) >= GATE_PART_POSITIVES)
        part *= 2;
    return part;
}

static size_t list_settled(struct gate *gate, unsigned part)
{
    size_t n = 0;
    for (size_t label = 0; label < 2; label++) {
        const struct evidence_ring *ring = &gate->evidence.rings[EVIDENCE_SETTLED][label];
        for (size_t i = 0; i < ring->n; i++) {
            struct evidence_row *row = evidence_at(ring, i);
            if (!gate_samples(row, part))
                continue;
            gate->rows[n] = row;
            gate->vectors[n++] = row->kept.vector;
        }
    }
    return n;
}

void gate_score_settled(struct gate *gate, const struct model *candidate, unsigned part)
{
    size_t n = list_settled(gate, part);
    candidate->ops->score(candidate, gate->vectors, n, gate->scores);
    for (size_t i = 0; i < n; i++)
        gate->rows[i]->candidate = gate->scores[i];
    if (part >= gate->known)
        return;
    gate->champion->ops->score(gate->champion, gate->vectors, n, gate->scores);
    for (size_t i = 0; i < n; i++)
        gate->rows[i]->champion = gate->scores[i];
    gate->known = part;
}

static void add_pair(struct gate_pairs *pairs, const struct evidence_row *row)
{
    size_t i = pairs->n++;
    pairs->champion[i] = row->champion;
    pairs->candidate[i] = row->candidate;
    pairs->label[i] = row->label;
    pairs->weight[i] = row->weight;
    pairs->positives += row->label > 0;
    pairs->not_numbers += !(row->candidate >= 0 && row->candidate <= 1);
}

static void add_rows(struct gate_pairs *pairs, const struct evidence_ring *ring, uint64_t since,
                     unsigned part)
{
    for (size_t i = 0; i < ring->n; i++) {
        const struct evidence_row *row = evidence_at(ring, i);
        if (row->order >= since && gate_samples(row, part))
            add_pair(pairs, row);
    }
}

/* The order of the oldest of the newest positives; 0 while there are fewer. */
static uint64_t since_when(const struct gate *gate, bool with_fresh)
{
    const struct evidence_ring *settled = &gate->evidence.rings[EVIDENCE_SETTLED][1];
    const struct evidence_ring *fresh = &gate->evidence.rings[EVIDENCE_FRESH][1];
    size_t n_fresh = with_fresh ? fresh->n : 0, max = gate->options.positives_max;
    if (settled->n + n_fresh < max)
        return 0;
    if (n_fresh >= max)
        return evidence_at(fresh, n_fresh - max)->order;
    return evidence_at(settled, settled->n + n_fresh - max)->order;
}

struct gate_pairs gate_gather(struct gate *gate, bool with_fresh, unsigned part)
{
    struct gate_pairs pairs = gate->pairs;
    uint64_t since = since_when(gate, with_fresh);
    for (size_t label = 0; label < 2; label++) {
        add_rows(&pairs, &gate->evidence.rings[EVIDENCE_SETTLED][label], since, part);
        if (with_fresh)
            add_rows(&pairs, &gate->evidence.rings[EVIDENCE_FRESH][label], since, part);
    }
    return pairs;
}
