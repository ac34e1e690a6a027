/* freshet stl: a series of numbers taken apart into trend, seasons and remainder. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "features/boxcox.h"
#include "features/stl_period.h"
#include "online/command.h"
#include "online/stl_follow.h"
#include "online/stl_options.h"
#include "online/stl_options_table.h"
#include "online/stl_plot.h"
#include "online/stl_table.h"

struct stl_job {
    struct stl_options options;
    struct stl_table series;
    double *y; /* what is decomposed: the series, or its transform */
    double *memory;
    struct stl_table_parts parts;
};

static enum status detect_period(struct stl_job *job)
{
    const struct stl_table *series = &job->series;
    double strength;
    size_t period;
    enum status st = stl_period_detect(series->y, series->n, 0, &period, &strength);
    if (st < 0) {
        fprintf(stderr,
                "freshet stl: %s: no season is found in %zu values; give one with --period\n",
                job->options.input, series->n);
        return st;
    }
    fprintf(stderr, "freshet stl: the period is %zu, by an autocorrelation of %.2f\n", period,
            strength);
    job->options.periods = (struct stl_list){1, {period}};
    return ST_OK;
}

/* The line that a sample stands in; empty lines at the end apart, a sample is a line. */
static size_t line_of(size_t sample)
{
    return sample + 2;
}

static enum status check_periods(const struct stl_job *job)
{
    size_t n = job->series.n, at;
    const struct mstl_params *params = &job->parts.params;
    const char *wrong = mstl_params_wrong(params, n, &at);
    if (!wrong)
        return ST_OK;
    fprintf(stderr, "freshet stl: %s: %zu values, period %zu: %s\n", job->options.input, n,
            params->seasons[at].period, wrong);
    return ST_EINVAL;
}

static enum status estimate_lambda(struct stl_job *job)
{
    struct stl_options *options = &job->options;
    const struct stl_table *series = &job->series;
    if (options->boxcox == STL_BOXCOX_GIVEN)
        return ST_OK;
    enum status st =
        options->boxcox == STL_BOXCOX_LIKELIHOOD
            ? boxcox_likelihood(series->y, series->n, &options->lambda)
            : boxcox_guerrero(series->y, series->n, options->periods.values[0], &options->lambda);
    if (st < 0)
        fprintf(stderr, "freshet stl: %s: these values tell no lambda; give one with --box-cox\n",
                options->input);
    else
        fprintf(stderr, "freshet stl: lambda is %.6g\n", options->lambda);
    return st;
}

static enum status transform(struct stl_job *job)
{
    const struct stl_table *series = &job->series;
    if (job->options.boxcox == STL_BOXCOX_NONE)
        return ST_OK;
    for (size_t i = 0; i < series->n; i++) {
        if (series->y[i] <= 0) {
            fprintf(stderr, "freshet stl: %s:%zu: --box-cox needs values above 0\n",
                    job->options.input, line_of(i));
            return ST_EINVAL;
        }
    }
    TRY(estimate_lambda(job));
    for (size_t i = 0; i < series->n; i++) {
        job->y[i] = boxcox(series->y[i], job->options.lambda);
        if (fabs(job->y[i]) > STL_Y_MAX) {
            fprintf(stderr, "freshet stl: %s:%zu: its transform is too large\n", job->options.input,
                    line_of(i));
            return ST_EINVAL;
        }
    }
    return ST_OK;
}

/* One block for all arrays that are as long as the series, and the forecasts. */
static enum status lay_out(struct stl_job *job)
{
    size_t n = job->series.n, seasons = job->options.periods.n, h = job->options.forecast;
    struct mstl_parts *parts = &job->parts.parts;
    double *memory = job->memory = calloc((seasons + 3) * n + h + 1, sizeof *memory);
    if (!memory)
        return ST_ENOMEM;
    parts->trend = memory;
    parts->remainder = memory + n;
    for (size_t i = 0; i < seasons; i++)
        parts->seasonal[i] = memory + (2 + i) * n;
    job->y = job->series.y;
    if (job->options.boxcox != STL_BOXCOX_NONE)
        job->y = memory + (2 + seasons) * n;
    job->parts.ahead = memory + (3 + seasons) * n;
    job->parts.n_ahead = h;
    job->parts.params = stl_options_params(&job->options);
    return ST_OK;
}

static enum status decompose(struct stl_job *job)
{
    struct mstl *mstl = NULL;
    TRY(mstl_create(&job->parts.params, job->series.n, &mstl));
    enum status st = mstl_decompose(mstl, job->y, job->series.n, &job->parts.parts);
    mstl_free(mstl);
    if (st == ST_EINVAL)
        fprintf(stderr, "freshet stl: %s: a phase of the season has no value at all\n",
                job->options.input);
    return st;
}

static void forecast(struct stl_job *job)
{
    struct stl_table_parts *parts = &job->parts;
    mstl_forecast(&parts->params, &parts->parts, job->series.n, parts->n_ahead, parts->ahead);
    for (size_t i = 0; i < parts->n_ahead && job->options.boxcox != STL_BOXCOX_NONE; i++)
        parts->ahead[i] = boxcox_inverse(parts->ahead[i], job->options.lambda);
}

static enum status write_table(const struct stl_job *job)
{
    const char *path = job->options.output;
    bool standard = strcmp(path, "-") == 0, timed = job->options.with_time;
    struct buf out = {0};
    enum status st = ST_OK;
    int fd = standard ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        st = ST_EIO;
    stl_table_write_header(&job->series, &job->parts, timed, &out);
    for (size_t i = 0; i < job->series.n && st == ST_OK; i++) {
        stl_table_write_row(&job->series, &job->parts, i, timed, &out);
        if (out.len < 1 << 16 && i + 1 < job->series.n)
            continue;
        st = file_write_all(fd, out.data, out.len);
        buf_reset(&out);
    }
    int cause = errno;
    if (!standard && fd >= 0 && close(fd) < 0 && st == ST_OK) {
        cause = errno;
        st = ST_EIO;
    }
    if (st < 0)
        fprintf(stderr, "freshet stl: %s: %s\n", path, strerror(cause));
    buf_done(&out);
    return st;
}

static enum status write_plot(const struct stl_job *job)
{
    struct buf out = {0};
    if (!job->options.plot)
        return ST_OK;
    stl_plot(&job->series, job->y, &job->parts, &out);
    enum status st = file_write(job->options.plot, buf_slice(&out));
    if (st < 0)
        fprintf(stderr, "freshet stl: %s: %s\n", job->options.plot, strerror(errno));
    buf_done(&out);
    return st;
}

static void summarise(const struct stl_job *job)
{
    const struct mstl_parts *parts = &job->parts.parts;
    struct stl_parts one = {parts->trend, parts->seasonal[0], parts->remainder, NULL};
    size_t n = job->series.n;
    if (!job->options.summary)
        return;
    fprintf(stderr, "%zu values, %zu missing\ntrend strength %.3f\n", n, job->series.missing,
            stl_trend_strength(&one, n));
    for (size_t i = 0; i < job->parts.params.n_seasons; i++) {
        one.seasonal = parts->seasonal[i];
        fprintf(stderr, "seasonal strength %.3f at period %zu\n", stl_seasonal_strength(&one, n),
                job->parts.params.seasons[i].period);
    }
}

static enum status run_job(struct stl_job *job)
{
    const struct stl_options *options = &job->options;
    TRY(stl_table_read(options->input, options->column, options->gaps, stderr, &job->series));
    if (options->periods.n == 0)
        TRY(detect_period(job));
    TRY(lay_out(job));
    TRY(check_periods(job));
    TRY(transform(job));
    TRY(decompose(job));
    forecast(job);
    TRY(write_table(job));
    TRY(write_plot(job));
    summarise(job);
    return ST_OK;
}

static int run(int argc, char **argv)
{
    struct stl_job job = {0};
    int misused = stl_options_read(argc, argv, &job.options);
    if (misused)
        return misused;
    command_catch_signals();
    if (job.options.online)
        return stl_follow(&job.options);
    enum status st = run_job(&job);
    if (st == ST_ENOMEM)
        fprintf(stderr, "freshet stl: %s\n", status_text(st));
    stl_table_done(&job.series);
    free(job.memory);
    return st < 0 ? 1 : 0;
}

const struct command cmd_stl = {
    "stl",
    "[--period N[,N...]] [OPTIONS] FILE.csv",
    "takes a series apart: trend, seasons and what neither explains\n"
    "\n"
    "Reads a CSV file with a header (- is standard input), one column of values or times and\n"
    "values, evenly spaced; writes y,trend,seasonal,remainder as CSV, whose parts add up to y.\n"
    "Several periods make columns such as seasonal_24 and seasonal_168. The defaults are those\n"
    "of statsmodels' STL and MSTL. docs/stl.md explains what the numbers mean.\n"
    "\n" STL_OPTIONS_HELP,
    run,
};
