/* Decomposition: any bytes as parameters and a series. What is refused has a reason; what is
 * accepted gives numbers that add up, weights in [0, 1], strengths in [0, 1], and, for twice the
 * series, twice the parts. */
#include <float.h>
#include <math.h>

#include "features/boxcox.h"
#include "features/mstl.h"
#include "features/stl_period.h"
#include "tests/fuzz/fuzz.h"

enum { N_MAX = 400 };

struct run {
    struct mstl_params params;
    size_t n;
    double y[N_MAX], trend[N_MAX], seasonal[2][N_MAX], remainder[N_MAX], weights[N_MAX];
};

static struct stl_params read_params(struct reader *in)
{
    struct stl_params params = stl_params_default(read_byte(in) % 64);
    uint8_t which = read_byte(in), loops = read_byte(in), degrees = read_byte(in);
    if (which & 1)
        params.seasonal_span = read_byte(in);
    if (which & 2)
        params.trend_span = read_u16(in);
    if (which & 4)
        params.low_pass_span = read_u16(in);
    if (which & 8)
        params.seasonal_jump = read_byte(in);
    if (which & 16)
        params.trend_jump = read_byte(in);
    if (which & 32)
        params.low_pass_jump = read_byte(in);
    params.periodic = which & 64;
    params.gaps = which & 128;
    params.inner_loops = loops & 3;
    params.robust_loops = loops >> 2 & 3;
    params.seasonal_degree = degrees & 3;
    params.trend_degree = degrees >> 2 & 1;
    params.low_pass_degree = degrees >> 3 & 1;
    return params;
}

/* Small whole numbers, or any bits at all. */
static void read_series(struct reader *in, struct run *run)
{
    bool bits = read_byte(in) & 1;
    size_t width = bits ? sizeof(double) : 1;
    for (run->n = 0; run->n < N_MAX && reader_left(in) >= width; run->n++) {
        uint8_t small = bits ? 0 : read_byte(in);
        run->y[run->n] = bits ? read_f64(in) : small == 255 ? NAN : (double)small - 100;
    }
}

static enum status decompose(struct run *run)
{
    struct mstl *mstl = NULL;
    struct mstl_parts parts = {
        run->trend, {run->seasonal[0], run->seasonal[1]}, run->remainder, run->weights};
    size_t at;
    enum status st = mstl_create(&run->params, run->n, &mstl);
    FUZZ_LAW((st == ST_OK) == !mstl_params_wrong(&run->params, run->n, &at),
             "what is refused has a reason");
    if (st == ST_OK)
        st = mstl_decompose(mstl, run->y, run->n, &parts);
    mstl_free(mstl);
    return st;
}

static double largest(const struct run *run)
{
    double most = 0;
    for (size_t i = 0; i < run->n; i++)
        most = fmax(most, fabs(run->y[i]));
    return most;
}

static void check_parts(const struct run *run)
{
    double most = largest(run);
    for (size_t i = 0; i < run->n; i++) {
        double sum = run->trend[i] + run->remainder[i], part = 0;
        for (size_t k = 0; k < run->params.n_seasons; k++) {
            sum += run->seasonal[k][i];
            part += fabs(run->seasonal[k][i]);
        }
        FUZZ_LAW(isfinite(sum) || isnan(run->y[i]), "parts are numbers");
        FUZZ_LAW(isfinite(run->trend[i] + part), "trend and seasons are, in gaps too");
        double eps = 1e-14 * (most + fabs(run->trend[i]) + part) + DBL_MIN;
        FUZZ_LAW(isnan(run->y[i]) || fabs(sum - run->y[i]) <= eps, "parts add up");
        FUZZ_LAW(run->weights[i] >= 0 && run->weights[i] <= 1, "weights are in [0, 1]");
    }
    struct stl_parts parts;
    memset(&parts, 0, sizeof parts);
    static struct run copy; /* the arrays are not const there */
    copy = *run;
    parts = (struct stl_parts){copy.trend, copy.seasonal[0], copy.remainder, NULL};
    double strength = stl_seasonal_strength(&parts, run->n);
    FUZZ_LAW(strength >= 0 && strength <= 1, "strengths are in [0, 1]");
    strength = stl_trend_strength(&parts, run->n);
    FUZZ_LAW(strength >= 0 && strength <= 1, "strengths are in [0, 1]");
}

static void check_twice(const struct run *run)
{
    static struct run twice;
    double most = largest(run);
    if (!(most > 1e-200 && most < 1e200) || run->params.n_seasons > 1)
        return;
    twice = *run;
    for (size_t i = 0; i < run->n; i++)
        twice.y[i] *= 2;
    FUZZ_LAW(decompose(&twice) == ST_OK, "twice the series is one too");
    for (size_t i = 0; i < run->n; i++)
        FUZZ_LAW(fabs(twice.trend[i] - 2 * run->trend[i]) <= 1e-280, "twice the trend, to the bit");
}

static void check_estimates(const struct run *run)
{
    size_t period = 0;
    double lambda = 0, strength = 0;
    if (stl_period_detect(run->y, run->n, 0, &period, &strength) == ST_OK)
        FUZZ_LAW(period >= 2 && period <= run->n / 2 && strength > 0, "a period has its bounds");
    if (boxcox_likelihood(run->y, run->n, &lambda) == ST_OK)
        FUZZ_LAW(lambda >= -5 && lambda <= 5, "lambda has its bounds");
    if (boxcox_guerrero(run->y, run->n, 4, &lambda) == ST_OK)
        FUZZ_LAW(lambda >= -1 && lambda <= 2, "lambda has its bounds");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct reader in = reader_of(fuzz_slice(data, size));
    memset(&run, 0, sizeof run);
    uint8_t first = read_byte(&in);
    run.params.iterations = first & 3;
    run.params.n_seasons = 1 + (read_byte(&in) & 1);
    for (size_t k = 0; k < run.params.n_seasons; k++)
        run.params.seasons[k] = read_params(&in);
    read_series(&in, &run);
    if (first & 4) /* they cost more than all the rest */
        check_estimates(&run);
    if (decompose(&run) == ST_OK) {
        check_parts(&run);
        check_twice(&run);
    }
    return 0;
}
