/*
 * base/rng.h -- random numbers that are the same on every machine.
 *
 * xoshiro256++ (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47,
 * 2021), seeded through splitmix64. The distributions use additions, multiplications, divisions and
 * square roots alone, which IEEE 754 rounds one way only, and logarithms and exponentials made of
 * these: libm's may differ in their last bit from one version to the next.
 *
 *     struct rng rng = rng_of(42);
 *     double amount = rng_normal(&rng, 50, 25);
 *
 * Not for secrets.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

/* Any seed is as good as another, 0 too. */
struct rng rng_of(uint64_t seed);
/* A generator of its own for each (seed, part): for things that must not depend on what else was
 * drawn. */
struct rng rng_part(uint64_t seed, uint64_t part);

static inline uint64_t rng_rotate(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->s, ret = rng_rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return ret;
}

/* In [0, 1), a multiple of 2^-53. */
static inline double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

static inline double rng_between(struct rng *rng, double low, double high)
{
    return low + (high - low) * rng_uniform(rng);
}

/* 0..n-1, each as likely as the others (Lemire, "Fast random integer generation in an interval",
 * ACM TOMACS 29, 2019). n > 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);

double rng_normal(struct rng *rng, double mean, double deviation);
double rng_exponential(struct rng *rng, double mean);
/* mean >= 0; costs time in proportion to it. */
uint64_t rng_poisson(struct rng *rng, double mean);

/* Rank k of n, from 0, with probability in proportion to 1 / (k + 1)^skew: rejection-inversion
 * (Hoermann & Derflinger, "Rejection-inversion to generate variates from monotone discrete
 * distributions", ACM TOMACS 6, 1996). No table; the same cost for any n. */
struct zipf {
    uint64_t n;
    double skew;
    double high, low; /* of the range that is drawn from */
    double sure;      /* this near to an integer, no check is needed */
};
/* n > 0, skew >= 0 (0: all alike). */
struct zipf zipf_of(uint64_t n, double skew);
uint64_t rng_zipf(struct rng *rng, const struct zipf *zipf);

/* Within 2 units in the last place of the true value. x > 0 and finite; |x| < 700. */
double rng_log(double x);
double rng_exp(double x);

#endif
