#include "features/stl_period.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Cooley and Tukey's transform in place; n is a power of two. */
static void transform(double complex *a, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex t = a[i];
            a[i] = a[j];
            a[j] = t;
        }
    }
    for (size_t length = 2; length <= n; length <<= 1) {
        for (size_t k = 0; k < length / 2; k++) {
            double complex turn = cexp(-2 * M_PI * I * (double)k / (double)length);
            for (size_t i = k; i < n; i += length) {
                double complex u = a[i], v = a[i + length / 2] * turn;
                a[i] = u + v;
                a[i + length / 2] = u - v;
            }
        }
    }
}

/* Takes the line through x off it; NaN becomes 0, which is then the line. */
static void level(double *x, size_t n)
{
    double known = 0, t_mean = 0, x_mean = 0, tx = 0, tt = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            continue;
        known += 1;
        double dt = (double)i - t_mean;
        t_mean += dt / known;
        x_mean += (x[i] - x_mean) / known;
        tx += dt * (x[i] - x_mean);
        tt += dt * ((double)i - t_mean);
    }
    double slope = tt > 0 ? tx / tt : 0;
    for (size_t i = 0; i < n; i++)
        x[i] = isnan(x[i]) ? 0 : x[i] - x_mean - slope * ((double)i - t_mean);
}

/* Sums of products of x with itself, by how far apart, into the real parts of ret. */
static void multiply_lags(const double *x, size_t n, double complex *ret, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ret[i] = i < n ? x[i] : 0;
    transform(ret, size);
    for (size_t i = 0; i < size; i++)
        ret[i] = creal(ret[i]) * creal(ret[i]) + cimag(ret[i]) * cimag(ret[i]);
    transform(ret, size);
    for (size_t i = 0; i < size; i++)
        ret[i] /= (double)size;
}

/* Autocorrelations of x, which they replace, as if no value were missing: known, 1 or 0, says which
 * ones are there. Where hardly a pair is, 0. False: x does not vary. */
static bool correlate(double *x, double *known, size_t n, double complex *scratch, size_t size)
{
    multiply_lags(known, n, scratch, size);
    for (size_t i = 0; i < n; i++)
        known[i] = creal(scratch[i]);
    multiply_lags(x, n, scratch, size);
    double variance = creal(scratch[0]) / known[0];
    if (!(variance > 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool enough = known[i] > 0.1 * (double)(n - i);
        x[i] = enough ? creal(scratch[i]) / known[i] / variance : 0;
    }
    return true;
}

static bool is_peak(const double *r, size_t lag)
{
    return r[lag] > r[lag - 1] && r[lag] >= r[lag + 1];
}

/* The highest peak in from..to that chance would hardly make; 0: there is none. */
static size_t highest_peak(const double *r, size_t n, size_t from, size_t to)
{
    size_t found = 0;
    double highest = 0.1;
    for (size_t lag = from; lag <= to; lag++) {
        /* Of noise, the highest of so many is above this one time in fifty or so. */
        double chance = sqrt(2 * log(50 * (double)n) / (double)(n - lag));
        if (is_peak(r, lag) && r[lag] > highest && r[lag] > chance) {
            highest = r[lag];
            found = lag;
        }
    }
    return found;
}

/* The highest peak of the first that are nearly the highest: multiples of a period peak as well. */
static size_t find_peak(const double *r, size_t n, size_t longest)
{
    size_t from = 1;
    while (from < longest && r[from] > 0)
        from++;
    from = from < 2 ? 2 : from;
    size_t found = highest_peak(r, n, from, longest);
    for (size_t lag = from; lag <= found * 2 / 3; lag++)
        if (is_peak(r, lag) && r[lag] >= 0.9 * r[found])
            return highest_peak(r, n, lag, lag + lag / 3);
    return found;
}

/* Largest magnitude; -1: one is infinite. */
static double magnitude(const double *y, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (isinf(y[i]))
            return -1;
        largest = fmax(largest, fabs(y[i]));
    }
    return largest;
}

struct search {
    double *x, *known;
    double complex *scratch;
    size_t size; /* of scratch */
    double rounding;
};

/* x[0..n), NaN in gaps, becomes its autocorrelations. Returns the period; 0: there is none. */
static size_t search_period(const struct search *search, size_t n, size_t longest)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        search->known[i] = isnan(search->x[i]) ? 0 : 1;
    level(search->x, n);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(search->x[i]));
    if (most <= search->rounding ||
        !correlate(search->x, search->known, n, search->scratch, search->size))
        return 0;
    return find_peak(search->x, n, longest);
}

static size_t search_twice(const struct search *search, const double *y, size_t n, size_t longest,
                           double factor)
{
    for (size_t i = 0; i < n; i++)
        search->x[i] = y[i] * factor;
    size_t found = search_period(search, n, longest);
    if (found > 0)
        return found;
    for (size_t i = 0; i + 1 < n; i++)
        search->x[i] = (y[i + 1] - y[i]) * factor;
    return search_period(search, n - 1, longest < n - 2 ? longest : n - 3);
}

enum status stl_period_detect(const double *y, size_t n, size_t longest, size_t *ret_period,
                              double *ret_strength)
{
    double largest = magnitude(y, n);
    if (n < 4 || largest < 0)
        return ST_EINVAL;
    double factor = largest > 0 ? ldexp(1, largest < 1e-290 ? 960 : -ilogb(largest)) : 1;
    struct search search = {.size = 8, .rounding = 1e-13 * largest * factor};
    while (search.size < 2 * n)
        search.size *= 2;
    search.scratch = malloc(search.size * sizeof *search.scratch);
    search.x = malloc(2 * n * sizeof *search.x);
    enum status st = ST_ENOMEM;
    if (search.scratch && search.x) {
        search.known = search.x + n;
        size_t longest_sound = longest == 0 || longest > n / 2 ? n / 2 : longest;
        size_t found = search_twice(&search, y, n, longest_sound, factor);
        st = found > 0 ? ST_OK : ST_ENOTFOUND;
        if (found > 0)
            *ret_period = found;
        if (found > 0 && ret_strength)
            *ret_strength = search.x[found];
    }
    free(search.scratch);
    free(search.x);
    return st;
}
