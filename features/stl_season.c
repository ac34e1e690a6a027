#include "features/stl_season.h"

#include <assert.h>
#include <math.h>

enum { BLOCK = 16 }; /* columns whose sums are in registers together */

/* Columns of one length, which have the same windows. */
struct columns {
    size_t first, count;
    size_t length; /* seasons */
    const double *z, *robust, *v;
    double *ret;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A row out of rows with weights that are the same in all columns. */
static void fit_plain(const struct season *season, const struct columns *columns,
                      const struct loess_window *window, double *restrict to)
{
    const struct loess_weights *weights = &season->weights;
    double sums[3] = {0}, alpha, beta;
    for (size_t k = 0; k < window->count; k++) {
        sums[0] += weights->w[k];
        sums[1] += weights->wd[k];
        sums[2] += weights->wdd[k];
    }
    loess_line(season->degree, columns->length, sums, &alpha, &beta);
    for (size_t c = 0; c < columns->count; c++)
        to[c] = 0;
    for (size_t k = 0; k < window->count; k++) {
        const double *row = columns->z + (window->first + k) * season->period + columns->first;
        double factor = alpha * weights->w[k] + beta * weights->wd[k];
        for (size_t c = 0; c < columns->count; c++)
            to[c] += factor * row[c];
    }
}

struct block {
    double w[BLOCK], wd[BLOCK], wdd[BLOCK], y[BLOCK], yd[BLOCK];
};

/* The sums of n columns from c on. */
static void sum_block(const struct season *season, const struct columns *columns,
                      const struct loess_window *window, size_t c, size_t n, struct block *ret)
{
    *ret = (struct block){0};
    for (size_t k = 0; k < window->count; k++) {
        size_t at = (window->first + k) * season->period + columns->first + c;
        const double *restrict robust = columns->robust + at, *restrict v = columns->v + at;
        double w = season->weights.w[k], wd = season->weights.wd[k], wdd = season->weights.wdd[k];
        for (size_t l = 0; l < n; l++) {
            ret->w[l] += w * robust[l];
            ret->wd[l] += wd * robust[l];
            ret->wdd[l] += wdd * robust[l];
            ret->y[l] += w * v[l];
            ret->yd[l] += wd * v[l];
        }
    }
}

/* A row where each column has robustness weights of its own. instead: where there are none. */
static void fit_weighted(const struct season *season, const struct columns *columns,
                         const struct loess_window *window, const double *instead, double *to)
{
    struct block block;
    for (size_t c = 0; c < columns->count; c += BLOCK) {
        size_t n = least(BLOCK, columns->count - c);
        if (n == BLOCK) /* a constant, which the compiler makes another function for */
            sum_block(season, columns, window, c, BLOCK, &block);
        else
            sum_block(season, columns, window, c, n, &block);
        for (size_t l = 0; l < n; l++) {
            double alpha, beta, sums[3] = {block.w[l], block.wd[l], block.wdd[l]};
            loess_line(season->degree, columns->length, sums, &alpha, &beta);
            to[c + l] = alpha == 0 ? instead[c + l] : alpha * block.y[l] + beta * block.yd[l];
        }
    }
}

/* ret begins a season before z, so that its row i + 1 belongs to season i. */
static double *row_of(const struct season *season, const struct columns *columns, size_t row)
{
    return columns->ret + row * season->period + columns->first;
}

static void fit_row(const struct season *season, const struct columns *columns,
                    const struct loess_window *window, const double *instead, double *to)
{
    loess_tricube(window, &season->weights);
    if (columns->robust)
        fit_weighted(season, columns, window, instead, to);
    else
        fit_plain(season, columns, window, to);
}

static void fit_season(const struct season *season, const struct columns *columns, size_t i,
                       const struct loess_window *window)
{
    const double *instead = columns->z + i * season->period + columns->first;
    fit_row(season, columns, window, instead, row_of(season, columns, i + 1));
}

/* Gaps without a fit: lines between the fits of the same phase. */
static void bridge_columns(const struct season *season, const struct columns *columns, size_t jump)
{
    assert(jump >= 1);
    for (size_t c = 0; c < columns->count; c++) {
        double *column = row_of(season, columns, 1) + c;
        bool whole = true;
        for (size_t i = 0; i < columns->length; i++) {
            bool fitted = i % jump == 0 || i == columns->length - 1;
            season->column[i] = column[i * season->period];
            whole = whole && !(fitted && isnan(season->column[i]));
        }
        if (whole)
            continue;
        loess_bridge(season->column, columns->length, jump);
        for (size_t i = 0; i < columns->length; i++)
            column[i * season->period] = season->column[i];
    }
}

/* Rows between those that were fitted. */
static void draw_rows(const struct season *season, const struct columns *columns, size_t from,
                      size_t to)
{
    const double *a = row_of(season, columns, from + 1), *b = row_of(season, columns, to + 1);
    for (size_t i = from + 1; i < to; i++) {
        double *row = row_of(season, columns, i + 1);
        for (size_t c = 0; c < columns->count; c++)
            row[c] = a[c] + (b[c] - a[c]) / (double)(to - from) * (double)(i - from);
    }
}

/* One season further at both ends: the line of the outermost window goes on. */
static void carry_on(const struct season *season, const struct columns *columns)
{
    size_t n = columns->length;
    struct loess_window window = loess_window_of(season->span, n, 0);
    loess_window_look(&window, season->span, n, -1);
    fit_row(season, columns, &window, row_of(season, columns, 1), row_of(season, columns, 0));
    window = loess_window_of(season->span, n, n - 1);
    loess_window_look(&window, season->span, n, (double)window.count);
    fit_row(season, columns, &window, row_of(season, columns, n), row_of(season, columns, n + 1));
}

static void smooth_columns(const struct season *season, const struct columns *columns)
{
    size_t n = columns->length, jump = least(season->jump, n - 1), hit = 0;
    struct loess_window window = {0};
    assert(n >= 2); /* there are two seasons at least */
    for (size_t i = 0; i < n; i += jump) {
        window = loess_window_of(season->span, n, i);
        fit_season(season, columns, i, &window);
        hit = i;
    }
    if (hit < n - 1) { /* from the last window, as in the Fortran */
        loess_window_look(&window, season->span, n, (double)(n - 1 - window.first));
        fit_season(season, columns, n - 1, &window);
    }
    if (columns->robust)
        bridge_columns(season, columns, jump);
    for (size_t i = 0; jump > 1 && i < n - 1; i += jump)
        draw_rows(season, columns, i, least(i + jump, n - 1));
    carry_on(season, columns);
}

/* Each phase is its weighted mean; where nothing has a weight, the mean of what is there. */
static void average_columns(const struct season *season, const struct columns *columns)
{
    for (size_t c = 0; c < columns->count; c++) {
        double weight = 0, sum = 0, known = 0, known_sum = 0;
        for (size_t i = 0; i < columns->length; i++) {
            size_t at = i * season->period + columns->first + c;
            bool there = !isnan(columns->z[at]);
            known += there;
            known_sum += there ? columns->z[at] : 0;
            weight += columns->robust ? columns->robust[at] : there;
            sum += columns->robust ? columns->v[at] : columns->z[at];
        }
        double mean = weight > 0 ? sum / weight : known_sum / known;
        for (size_t row = 0; row < columns->length + 2; row++)
            row_of(season, columns, row)[c] = mean;
    }
}

void season_smooth(const struct season *season, const double *z, size_t n, const double *robust,
                   const double *v, double *ret)
{
    size_t longer = n % season->period, seasons = n / season->period;
    struct columns parts[2] = {{0, longer, seasons + 1, z, robust, v, ret},
                               {longer, season->period - longer, seasons, z, robust, v, ret}};
    for (size_t i = longer > 0 ? 0 : 1; i < 2; i++) {
        if (season->periodic)
            average_columns(season, &parts[i]);
        else
            smooth_columns(season, &parts[i]);
    }
}

static size_t seasons_of(const struct stl_params *params, size_t n_max)
{
    return n_max / params->period + 1;
}

size_t season_doubles(const struct stl_params *params, size_t n_max)
{
    size_t seasons = seasons_of(params, n_max);
    return 3 * least(params->seasonal_span, seasons) + seasons;
}

void season_init(struct season *season, const struct stl_params *params, size_t n_max,
                 double *memory)
{
    size_t seasons = seasons_of(params, n_max), window = least(params->seasonal_span, seasons);
    *season = (struct season){.period = params->period,
                              .span = params->seasonal_span,
                              .jump = params->seasonal_jump,
                              .degree = params->seasonal_degree,
                              .periodic = params->periodic};
    season->weights = (struct loess_weights){memory, memory + window, memory + 2 * window};
    season->column = memory + 3 * window;
}
