#include "models/psi.h"

#include <math.h>
#include <stdlib.h>

#include "models/score_order.h"

double psi_of_counts(const double *a, const double *b, size_t n)
{
    double sum_a = 0, sum_b = 0, psi = 0;
    for (size_t i = 0; i < n; i++) {
        sum_a += a[i];
        sum_b += b[i];
    }
    if (!(sum_a > 0) || !(sum_b > 0))
        return NAN;
    double all_a = sum_a + 0.5 * (double)n, all_b = sum_b + 0.5 * (double)n;
    for (size_t i = 0; i < n; i++) {
        double share_a = (a[i] + 0.5) / all_a, share_b = (b[i] + 0.5) / all_b;
        psi += (share_b - share_a) * log(share_b / share_a);
    }
    return psi;
}

/* Known values in order, and what they weigh. */
struct known {
    float *values, *weights;
    struct score_rank *order;
    size_t n;
    double total;
};

static double weight_at(const struct known *known, size_t i)
{
    return (double)known->weights[known->order[i].row];
}

/* The value at which each tenth of the weight is reached; the last tenth has no edge. */
static struct psi_edges edges_of(const struct known *known)
{
    struct psi_edges edges = {.n = 0};
    double below = 0;
    for (size_t i = 0, tenth = 1; i < known->n && tenth < PSI_BINS; i++) {
        below += weight_at(known, i);
        if (below < known->total * (double)tenth / PSI_BINS)
            continue;
        float value = known->values[known->order[i].row];
        if (known->order[i].key < known->order[known->n - 1].key &&
            (edges.n == 0 || value > edges.edges[edges.n - 1]))
            edges.edges[edges.n++] = value;
        while (tenth < PSI_BINS && below >= known->total * (double)tenth / PSI_BINS)
            tenth++;
    }
    return edges;
}

static void gather_known(const float *values, const float *weights, size_t n, struct known *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i]))
            continue;
        ret->values[ret->n] = values[i];
        ret->weights[ret->n] = weights ? weights[i] : 1;
        ret->total += (double)ret->weights[ret->n++];
    }
}

enum status psi_make_edges(const float *values, const float *weights, size_t n,
                           struct psi_edges *ret)
{
    struct known known = {.values = calloc(2 * n + 1, sizeof(float)),
                          .order = calloc(2 * n + 1, sizeof(struct score_rank))};
    enum status st = known.values && known.order ? ST_OK : ST_ENOMEM;
    if (st == ST_OK) {
        known.weights = known.values + n;
        gather_known(values, weights, n, &known);
        score_order(known.values, known.n, known.order, known.order + n);
        *ret = edges_of(&known);
    }
    free(known.values);
    free(known.order);
    return st;
}

size_t psi_bin(const struct psi_edges *edges, float value)
{
    if (isnan(value))
        return 0;
    size_t bin = 0;
    while (bin < edges->n && value > edges->edges[bin])
        bin++;
    return 1 + bin;
}

static void count(const struct psi_edges *edges, const float *values, size_t n, double *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[psi_bin(edges, values[i])] += 1;
}

/* Bins that the edges do not make, and that of missing numbers where none is missing, do not count:
 * the rest keep their order. */
static size_t drop_needless(const struct psi_edges *edges, double *a, double *b)
{
    size_t n = 0;
    for (size_t i = 0; i <= edges->n + 1; i++) {
        if (i == 0 && a[0] == 0 && b[0] == 0)
            continue;
        a[n] = a[i];
        b[n++] = b[i];
    }
    return n;
}

enum status psi_of_samples(const float *a, size_t n_a, const float *b, size_t n_b, double *ret)
{
    struct psi_edges edges;
    double in_a[PSI_COUNTS] = {0}, in_b[PSI_COUNTS] = {0};
    TRY(psi_make_edges(a, NULL, n_a, &edges));
    count(&edges, a, n_a, in_a);
    count(&edges, b, n_b, in_b);
    *ret = psi_of_counts(in_a, in_b, drop_needless(&edges, in_a, in_b));
    return ST_OK;
}
