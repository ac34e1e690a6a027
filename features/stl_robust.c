#include "features/stl_robust.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "features/stl.h"

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's, with pivots at fixed pseudo-random places, so that no input is slow on purpose by
 * accident. */
double stl_select(double *values, size_t n, size_t k)
{
    size_t from = 0, end = n;
    uint64_t seed = 1;
    while (end - from > 1) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double pivot = values[from + (size_t)(seed >> 33) % (end - from)];
        size_t i = from, j = end - 1;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&values[i++], &values[j--]);
        }
        if ((i == j && values[i] < pivot) || i == from) /* else the pivot alone stands first */
            i++;
        if (k < i)
            end = i;
        else
            from = i;
    }
    return values[k];
}

/* Three times the two middle ones: six times the median. */
static double six_medians(double *values, size_t n)
{
    size_t upper = n / 2, lower = n - upper - 1;
    double high = stl_select(values, n, upper);
    double low = lower == upper ? high : stl_select(values, n, lower);
    return 3 * (low + high);
}

void stl_robust_weights(const double *y, const double *trend, const double *seasonal, size_t n,
                        double *scratch, double *ret)
{
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        double r = fabs(y[i] - (trend[i] + seasonal[i]));
        ret[i] = isnan(r) ? INFINITY : r;
        if (!isnan(r))
            scratch[known++] = r;
    }
    double h = fmax(six_medians(scratch, known), 1e-14);
    for (size_t i = 0; i < n; i++) {
        double u = ret[i] / h, t = 1 - u * u;
        double w = ret[i] <= .001 * h ? 1 : t * t;
        ret[i] = ret[i] <= .999 * h ? w : 0;
    }
}

struct moments {
    size_t n;
    double mean, squares, largest;
};

static void add(struct moments *moments, double x)
{
    double before = x - moments->mean;
    moments->n++;
    moments->mean += before / (double)moments->n;
    moments->squares += before * (x - moments->mean);
    moments->largest = fmax(moments->largest, fabs(x));
}

/* 1 - var(remainder) / var(part + remainder). */
static double strength(const double *part, const struct stl_parts *parts, size_t n)
{
    struct moments rest = {0}, both = {0};
    double level = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(parts->remainder[i]))
            continue;
        add(&rest, parts->remainder[i]);
        add(&both, part[i] + parts->remainder[i]);
        level = fmax(level, fabs(parts->trend[i]) + fabs(parts->seasonal[i]));
    }
    double rounding = 64 * 2.2e-16 * level;
    if (!(both.squares > (double)both.n * rounding * rounding))
        return 0;
    return fmin(fmax(1 - rest.squares / both.squares, 0), 1);
}

double stl_seasonal_strength(const struct stl_parts *parts, size_t n)
{
    return strength(parts->seasonal, parts, n);
}

double stl_trend_strength(const struct stl_parts *parts, size_t n)
{
    return strength(parts->trend, parts, n);
}
