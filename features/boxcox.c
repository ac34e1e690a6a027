#include "features/boxcox.h"

#include <math.h>
#include <stdbool.h>

double boxcox(double y, double lambda)
{
    return lambda == 0 ? log(y) : expm1(lambda * log(y)) / lambda;
}

double boxcox_inverse(double x, double lambda)
{
    if (lambda == 0)
        return exp(x);
    if (lambda * x <= -1)
        return lambda > 0 ? 0 : NAN;
    return exp(log1p(lambda * x) / lambda);
}

/* Mean and variance as they come. */
struct moments {
    double n, mean, squares;
};

static void add(struct moments *moments, double x)
{
    double before = x - moments->mean;
    moments->n += 1;
    moments->mean += before / moments->n;
    moments->squares += before * (x - moments->mean);
}

struct sample {
    const double *y;
    size_t n, period;
    double log_mean;
};

typedef double (*cost_fn)(const struct sample *sample, double lambda);

/* The least of a function with one valley, by golden sections. */
static double minimise(cost_fn cost, const struct sample *sample, double low, double high)
{
    const double golden = 0.6180339887498949;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double cost_a = cost(sample, a), cost_b = cost(sample, b);
    while (high - low > 1e-9) {
        if (cost_a <= cost_b) {
            high = b;
            b = a;
            cost_b = cost_a;
            a = high - golden * (high - low);
            cost_a = cost(sample, a);
        } else {
            low = a;
            a = b;
            cost_a = cost_b;
            b = low + golden * (high - low);
            cost_b = cost(sample, b);
        }
    }
    return (low + high) / 2;
}

/* Half of minus the log likelihood, but for constants: with y measured in its geometric mean, what
 * is left of it is the variance. */
static double unlikelihood(const struct sample *sample, double lambda)
{
    struct moments moments = {0};
    for (size_t i = 0; i < sample->n; i++) {
        double x = log(sample->y[i]) - sample->log_mean;
        if (!isnan(x))
            add(&moments, lambda == 0 ? x : expm1(lambda * x) / lambda);
    }
    return isfinite(moments.squares) ? log(moments.squares) : INFINITY;
}

static enum status gather(const double *y, size_t n, struct moments *ret)
{
    *ret = (struct moments){0};
    for (size_t i = 0; i < n; i++) {
        if (y[i] <= 0 || isinf(y[i]))
            return ST_EINVAL;
        if (!isnan(y[i]))
            add(ret, log(y[i]));
    }
    return ret->n > 0 ? ST_OK : ST_EINVAL;
}

enum status boxcox_likelihood(const double *y, size_t n, double *ret)
{
    struct moments logs;
    TRY(gather(y, n, &logs));
    struct sample sample = {y, n, 0, logs.mean};
    double rounding = 1e-14 * (1 + fabs(logs.mean));
    bool constant = logs.squares <= logs.n * rounding * rounding;
    *ret = constant ? 1 : minimise(unlikelihood, &sample, -5, 5);
    return ST_OK;
}

/* The variation among groups of spread / mean^(1 - lambda); n in ret: how many groups. */
static struct moments spreads(const struct sample *sample, double lambda)
{
    struct moments all = {0};
    for (size_t at = sample->n % sample->period; at < sample->n; at += sample->period) {
        struct moments group = {0};
        for (size_t i = 0; i < sample->period; i++)
            add(&group, sample->y[at + i]);
        double spread = sqrt(group.squares / (group.n - 1));
        if (!isnan(spread))
            add(&all, spread * exp((lambda - 1) * (log(group.mean) - sample->log_mean)));
    }
    return all;
}

static double unevenness(const struct sample *sample, double lambda)
{
    struct moments all = spreads(sample, lambda);
    return sqrt(all.squares / (all.n - 1)) / all.mean;
}

enum status boxcox_guerrero(const double *y, size_t n, size_t period, double *ret)
{
    struct moments logs;
    TRY(gather(y, n, &logs));
    if (period < 2)
        return ST_EINVAL;
    struct sample sample = {y, n, period, logs.mean};
    struct moments all = spreads(&sample, 1);
    if (all.n < 2 || !(all.mean > 0))
        return ST_EINVAL;
    *ret = minimise(unevenness, &sample, -1, 2);
    return ST_OK;
}
