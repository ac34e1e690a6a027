/*
 * Tests of base/rng.h.
 *
 * What is known without running the code: the first outputs of xoshiro256++ and splitmix64 as their
 * authors' code gives them; means, variances and shares of the distributions, to within five
 * standard errors of the sample (the seeds are fixed, so a test passes always or never); logarithms
 * and exponentials, which libm knows too. The digests pin every bit: streams stored with a seed
 * must come out the same from each later version and on each machine.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>

#include "base/hash.h"
#include "base/rng.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define N      200000

/* Known outputs. */

Test(rng, is_xoshiro256plusplus)
{
    static const uint64_t known[] = {41943041u,
                                     58720359u,
                                     3588806011781223u,
                                     3591011842654386u,
                                     9228616714210784205u,
                                     9973669472204895162u,
                                     14011001112246962877u,
                                     12406186145184390807u,
                                     15849039046786891736u,
                                     10450023813501588000u};
    struct rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < LEN(known); i++)
        cr_expect(eq(u64, rng_next(&rng), known[i]), "output %zu", i);
}

Test(rng, is_seeded_by_splitmix64)
{
    struct rng rng = rng_of(1234567);
    cr_expect(eq(u64, rng.s[0], 6457827717110365317u));
    cr_expect(eq(u64, rng.s[1], 3203168211198807973u));
    cr_expect(eq(u64, rng.s[2], 9817491932198370423u));
    cr_expect(eq(u64, rng.s[3], 4593380528125082431u));
}

Test(rng, parts_differ_and_repeat)
{
    struct rng a = rng_part(1, 2), b = rng_part(2, 1), c = rng_part(1, 3), again = rng_part(1, 2);
    uint64_t first = rng_next(&a);
    cr_expect(ne(u64, first, rng_next(&b)));
    cr_expect(ne(u64, first, rng_next(&c)));
    cr_expect(eq(u64, first, rng_next(&again)));
}

/* Means and variances. */

enum kind { UNIFORM, BETWEEN, BELOW, NORMAL, EXPONENTIAL, POISSON };

static double draw(struct rng *rng, enum kind kind, double a, double b)
{
    switch (kind) {
    case UNIFORM:
        return rng_uniform(rng);
    case BETWEEN:
        return rng_between(rng, a, b);
    case BELOW:
        return (double)rng_below(rng, (uint64_t)a);
    case NORMAL:
        return rng_normal(rng, a, b);
    case EXPONENTIAL:
        return rng_exponential(rng, a);
    case POISSON:
        return (double)rng_poisson(rng, a);
    }
    return NAN;
}

struct moment_case {
    char name[24];
    enum kind kind;
    double a, b;
    double mean, variance;
    double fourth; /* central moment over variance squared */
    double least, most;
};

ParameterizedTestParameters(rng, mean_and_variance_are_right)
{
    static struct moment_case cases[] = {
        {"uniform", UNIFORM, 0, 0, 0.5, 1 / 12.0, 1.8, 0, 1},
        {"between", BETWEEN, -3, 5, 1, 64 / 12.0, 1.8, -3, 5},
        {"below 1", BELOW, 1, 0, 0, 0, 0, 0, 0},
        {"below 6", BELOW, 6, 0, 2.5, 35 / 12.0, 1.8, 0, 5},
        {"below 3 2^61", BELOW, 6917529027641081856.0, 0, 3458764513820540928.0, 3.9876e36, 1.8, 0,
         6917529027641081856.0},
        {"normal", NORMAL, 0, 1, 0, 1, 3, -7, 7},
        {"normal, moved", NORMAL, 43200, 20000, 43200, 4e8, 3, -1e6, 1e6},
        {"exponential", EXPONENTIAL, 5, 0, 5, 25, 9, 0, 200},
        {"poisson 0", POISSON, 0, 0, 0, 0, 0, 0, 0},
        {"poisson 0.1", POISSON, 0.1, 0, 0.1, 0.1, 13, 0, 9},
        {"poisson 4", POISSON, 4, 0, 4, 4, 3.25, 0, 40},
        {"poisson 100", POISSON, 100, 0, 100, 100, 3.01, 20, 200},
    };
    return cr_make_param_array(struct moment_case, cases, LEN(cases));
}

ParameterizedTest(struct moment_case *c, rng, mean_and_variance_are_right)
{
    struct rng rng = rng_of(7);
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    for (int i = 0; i < N; i++) {
        double v = draw(&rng, c->kind, c->a, c->b);
        sum += v - c->mean;
        squares += (v - c->mean) * (v - c->mean);
        least = fmin(least, v);
        most = fmax(most, v);
    }
    double error = sqrt(c->variance / N), variance_error = c->variance * sqrt((c->fourth - 1) / N);
    cr_expect(le(dbl, fabs(sum / N), 5 * error), "%s: off by %g", c->name, sum / N);
    if (c->variance > 0)
        cr_expect(le(dbl, fabs(squares / N - c->variance), 5 * variance_error), "%s: variance %g",
                  c->name, squares / N);
    cr_expect(ge(dbl, least, c->least), "%s", c->name);
    cr_expect(le(dbl, most, c->most), "%s", c->name);
}

/* Shares. */

/* Sum over cells of (seen - expected)^2 / expected; its mean is the number of cells less one. */
static double chi_square(const int *seen, const double *share, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double expected = share[i] * N;
        sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    return sum;
}

Test(rng, normal_has_the_shape_of_a_bell)
{
    enum { CELLS = 20 };
    int seen[CELLS] = {0};
    double share[CELLS];
    struct rng rng = rng_of(11);
    for (int i = 0; i < N; i++) {
        double u = 0.5 * erfc(-rng_normal(&rng, 0, 1) / sqrt(2));
        seen[(int)fmin(u * CELLS, CELLS - 1)]++;
    }
    for (int i = 0; i < CELLS; i++)
        share[i] = 1.0 / CELLS;
    cr_expect(lt(dbl, chi_square(seen, share, CELLS), 50)); /* 19 +- 6 */
}

Test(rng, poisson_has_its_shares)
{
    enum { CELLS = 12 };
    int seen[CELLS] = {0};
    double share[CELLS] = {exp(-3.5)}, rest = 1;
    struct rng rng = rng_of(12);
    for (int i = 0; i < N; i++) {
        uint64_t k = rng_poisson(&rng, 3.5);
        seen[k < CELLS ? k : CELLS - 1]++;
    }
    for (int k = 1; k < CELLS; k++)
        share[k] = share[k - 1] * 3.5 / k;
    for (int k = 0; k < CELLS - 1; k++)
        rest -= share[k];
    share[CELLS - 1] = rest;
    cr_expect(lt(dbl, chi_square(seen, share, CELLS), 35)); /* 11 +- 5 */
}

TheoryDataPoints(rng, zipf_has_its_shares) = {
    DataPoints(size_t, 1, 2, 10, 50),
    DataPoints(double, 0, 0.5, 0.99, 1, 1.0000001, 1.5, 3),
};

Theory((size_t n, double skew), rng, zipf_has_its_shares)
{
    int seen[50] = {0};
    double share[50], sum = 0;
    struct rng rng = rng_of(13);
    struct zipf zipf = zipf_of(n, skew);
    for (int i = 0; i < N; i++)
        seen[rng_zipf(&rng, &zipf)]++;
    for (size_t k = 0; k < n; k++)
        sum += share[k] = pow((double)k + 1, -skew);
    for (size_t k = 0; k < n; k++)
        share[k] /= sum;
    double most = (double)n - 1 + 5 * sqrt(2.0 * (double)n);
    cr_expect(lt(dbl, chi_square(seen, share, n), most), "%zu, skew %g", n, skew);
}

Test(rng, zipf_stays_below_n)
{
    struct rng rng = rng_of(14);
    struct zipf zipf = zipf_of(UINT64_C(1) << 40, 0.3);
    uint64_t most = 0;
    for (int i = 0; i < N; i++) {
        uint64_t k = rng_zipf(&rng, &zipf);
        most = k > most ? k : most;
    }
    cr_expect(lt(u64, most, UINT64_C(1) << 40));
    cr_expect(gt(u64, most, UINT64_C(1) << 39));
}

/* Functions that libm has too. */

Test(rng, log_and_exp_are_libms)
{
    double log_off = 0, exp_off = 0;
    struct rng rng = rng_of(15);
    for (int i = 0; i < N; i++) {
        double x = rng_between(&rng, -690, 690),
               y = ldexp(rng_uniform(&rng) + 1e-9, i % 2000 - 1000);
        exp_off = fmax(exp_off, fabs(rng_exp(x) / exp(x) - 1));
        log_off = fmax(log_off, fabs(rng_log(y) - log(y)) / fabs(log(y)));
        double near = 1 + x / 1e4; /* where the logarithm is near 0 */
        log_off = fmax(log_off, fabs(rng_log(near) / log(near) - 1));
    }
    cr_expect(lt(dbl, exp_off, 5e-16));
    cr_expect(lt(dbl, log_off, 5e-16));
    cr_expect(eq(dbl, rng_exp(0), 1));
    cr_expect(eq(dbl, rng_log(1), 0));
    cr_expect(eq(dbl, rng_log(0x1p-1000), log(0x1p-1000)));
}

/* Every bit. */

struct digest_case {
    char name[16];
    enum kind kind;
    double a, b;
    uint64_t digest;
};

ParameterizedTestParameters(rng, never_changes_a_bit)
{
    static struct digest_case cases[] = {
        {"uniform", UNIFORM, 0, 0, 11950581902411644578u},
        {"below", BELOW, 1000, 0, 2027021129253785527u},
        {"normal", NORMAL, 10, 3, 6040521325908904791u},
        {"exponential", EXPONENTIAL, 2, 0, 6701811021309862398u},
        {"poisson", POISSON, 3, 0, 2392088090973931904u},
    };
    return cr_make_param_array(struct digest_case, cases, LEN(cases));
}

ParameterizedTest(struct digest_case *c, rng, never_changes_a_bit)
{
    static double drawn[10000];
    struct rng rng = rng_of(42);
    for (size_t i = 0; i < LEN(drawn); i++)
        drawn[i] = draw(&rng, c->kind, c->a, c->b);
    uint64_t digest = hash_category((struct slice){(const char *)drawn, sizeof drawn});
    cr_expect(eq(u64, digest, c->digest), "%s", c->name);
}

Test(rng, zipf_never_changes_a_bit)
{
    static uint64_t drawn[10000];
    struct rng rng = rng_of(42);
    struct zipf zipf = zipf_of(1000000, 1.1);
    for (size_t i = 0; i < LEN(drawn); i++)
        drawn[i] = rng_zipf(&rng, &zipf);
    cr_expect(eq(u64, hash_category((struct slice){(const char *)drawn, sizeof drawn}),
                 5420604198291074749u));
}
