#include "models/bins.h"

#include <string.h>

void bins_clear(float *edges, size_t bins)
{
    for (size_t i = 0; i < bins_edges_size(bins); i++)
        edges[i] = INFINITY;
}

/* One way to cut: values of at least `heavy` weight by themselves, the others together until they
 * weigh `target`. */
struct cut {
    double heavy, target;
    uint32_t *last; /* points behind which it is cut */
    size_t room, n; /* n may exceed room: then it did not fit, and what is written ends at room */
};

static void cut_after(struct cut *cut, size_t point)
{
    if (cut->n < cut->room)
        cut->last[cut->n] = (uint32_t)point;
    cut->n++;
}

static void cut_points(struct cut *cut, const struct quantile_point *points, size_t n)
{
    double weight = 0;
    cut->n = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        double own = (double)points[i].weight, next = (double)points[i + 1].weight;
        weight += own;
        if (weight >= cut->target || own >= cut->heavy || next >= cut->heavy) {
            cut_after(cut, i);
            weight = 0;
        }
    }
}

/* The weight of the values that get a bin to themselves leaves less for the others to share. */
static double target_of(const struct quantile_point *points, size_t n, double heavy, size_t bins)
{
    double rest = 0;
    size_t left = bins;
    for (size_t i = 0; i < n; i++) {
        if ((double)points[i].weight < heavy)
            rest += (double)points[i].weight;
        else if (left > 1)
            left--;
    }
    return rest / (double)left;
}

size_t bins_cut(const struct quantile_point *points, size_t n, size_t bins, uint32_t *ret_last)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += (double)points[i].weight;
    struct cut cut = {.heavy = total / (double)bins, .last = ret_last, .room = bins - 1};
    cut.target = target_of(points, n, cut.heavy, bins);
    cut_points(&cut, points, n);
    /* Between two heavy values some bins stay part-filled: make all a little wider until they fit.
     */
    while (cut.n > cut.room) {
        cut.heavy *= 1.1;
        cut.target = 1.1 * (cut.target > 0 ? cut.target : 1);
        cut_points(&cut, points, n);
    }
    return cut.n;
}

void bins_make(const struct quantile_point *points, size_t n, size_t bins, float *ret_edges)
{
    uint32_t last[BINS_MAX];
    size_t cuts = bins_cut(points, n, bins, last);
    bins_clear(ret_edges, bins);
    for (size_t i = 0; i < cuts; i++)
        ret_edges[i] = points[last[i]].value;
}

void bins_overlap(const struct quantile_point *points, size_t n, size_t bins, const float *from,
                  const float *to, double *ret)
{
    size_t width = bins + 1, size = bins_edges_size(bins);
    memset(ret, 0, width * width * sizeof *ret);
    ret[0] = 1;
    for (size_t i = 0; i < n; i++)
        ret[bins_find(to, size, points[i].value) * width +
            bins_find(from, size, points[i].value)] += (double)points[i].weight;
}
