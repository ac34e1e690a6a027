#include "base/rng.h"

#include <assert.h>
#include <math.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

struct rng rng_of(uint64_t seed)
{
    struct rng rng;
    for (int i = 0; i < 4; i++)
        rng.s[i] = splitmix(&seed);
    return rng;
}

struct rng rng_part(uint64_t seed, uint64_t part)
{
    return rng_of(splitmix(&seed) ^ part);
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
    assert(n > 0);
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)rng_next(rng) * n;
    if ((uint64_t)product < n)
        for (uint64_t least = -n % n; (uint64_t)product < least;)
            product = (wide)rng_next(rng) * n;
    return (uint64_t)(product >> 64);
}

/* ln 2 in two parts: the first has zeros enough to be multiplied by an exponent exactly. */
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW  0x1.ef35793c7673p-45

/* x = m 2^e with m about 1, and ln m = 2 artanh((m - 1) / (m + 1)) by its series. */
double rng_log(double x)
{
    assert(x > 0 && isfinite(x));
    int e;
    double m = frexp(x, &e);
    if (m < 0x1.6a09e667f3bcdp-1) { /* the root of 1/2 */
        m *= 2;
        e--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 23; k >= 3; k -= 2)
        sum = square * (sum + 1.0 / k);
    return e * LN2_HIGH + (2 * s + (2 * s * sum + e * LN2_LOW));
}

/* exp x = 2^k exp r with |r| <= ln 2 / 2, by its series. */
double rng_exp(double x)
{
    assert(x > -700 && x < 700);
    double k = floor(x * 0x1.71547652b82fep0 + 0.5);
    double r = (x - k * LN2_HIGH) - k * LN2_LOW, sum = 1;
    for (int i = 14; i >= 1; i--)
        sum = 1 + r * sum / i;
    return ldexp(sum, (int)k);
}

/* The polar method (Marsaglia & Bray, 1964); of its pair one is used, so that nothing is kept. */
double rng_normal(struct rng *rng, double mean, double deviation)
{
    double u, v, square;
    do {
        u = rng_between(rng, -1, 1);
        v = rng_between(rng, -1, 1);
        square = u * u + v * v;
    } while (square >= 1 || square == 0);
    return mean + deviation * u * sqrt(-2 * rng_log(square) / square);
}

double rng_exponential(struct rng *rng, double mean)
{
    return -mean * rng_log(1 - rng_uniform(rng));
}

/* How many uniform factors keep a product above exp(-mean) (Knuth, TAOCP 2, 3.4.1). */
static uint64_t poisson_small(struct rng *rng, double mean)
{
    double least = rng_exp(-mean), product = rng_uniform(rng);
    uint64_t n = 0;
    for (; product > least; n++)
        product *= rng_uniform(rng);
    return n;
}

/* A sum of Poisson variates is one of the sum of their means. */
uint64_t rng_poisson(struct rng *rng, double mean)
{
    enum { SMALL = 32 };
    assert(mean >= 0);
    uint64_t n = 0;
    while (mean > SMALL) {
        n += poisson_small(rng, SMALL);
        mean -= SMALL;
    }
    return n + poisson_small(rng, mean);
}

/* 1 / x^skew, an integral of it, and the inverse of that. */

static double zipf_weight(double skew, double x)
{
    return rng_exp(-skew * rng_log(x));
}

static double zipf_area(double skew, double x)
{
    double log = rng_log(x), rest = 1 - skew;
    return fabs(rest) < 1e-9 ? log : (rng_exp(rest * log) - 1) / rest;
}

static double zipf_area_inverse(double skew, double area)
{
    double rest = 1 - skew;
    if (fabs(rest) < 1e-9)
        return rng_exp(area);
    double power = 1 + rest * area;
    return power > 0 ? rng_exp(rng_log(power) / rest) : INFINITY;
}

struct zipf zipf_of(uint64_t n, double skew)
{
    assert(n > 0 && skew >= 0);
    return (struct zipf){
        .n = n,
        .skew = skew,
        .high = zipf_area(skew, (double)n + 0.5),
        .low = zipf_area(skew, 1.5) - 1,
        .sure = 2 - zipf_area_inverse(skew, zipf_area(skew, 2.5) - zipf_weight(skew, 2))};
}

uint64_t rng_zipf(struct rng *rng, const struct zipf *zipf)
{
    for (;;) {
        double area = rng_between(rng, zipf->low, zipf->high);
        double x = zipf_area_inverse(zipf->skew, area);
        double k = fmin(fmax(floor(x + 0.5), 1), (double)zipf->n);
        if (k - x <= zipf->sure ||
            area >= zipf_area(zipf->skew, k + 0.5) - zipf_weight(zipf->skew, k))
            return (uint64_t)k - 1;
    }
}
