#include "online/stl_options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "online/command.h"
#include "online/stl_options_table.h"

struct row {
    const char *name;
    enum stl_option_kind kind;
    size_t offset;
    int64_t least, most;
};

#define AS_ROW(name, words, kind, field, least, most, help)                                        \
    {name, kind, offsetof(struct stl_options, field), least, most},
static const struct row rows[] = {STL_OPTIONS(AS_ROW)};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static bool take_number(struct slice text, const struct row *row, size_t *ret)
{
    int64_t v;
    if (number_to_int(text, &v) < 0 || v < row->least || v > row->most)
        return false;
    *ret = (size_t)v;
    return true;
}

static bool take_list(const char *text, const struct row *row, struct stl_list *ret)
{
    for (;;) {
        struct slice word = {text, strcspn(text, ",")};
        if (ret->n == MSTL_SEASONS_MAX || !take_number(word, row, &ret->values[ret->n]))
            return false;
        ret->n++;
        if (text[word.len] == '\0')
            return true;
        text += word.len + 1;
    }
}

static bool take_boxcox(const char *text, struct stl_options *ret)
{
    bool likelihood = strcmp(text, "auto") == 0, guerrero = strcmp(text, "guerrero") == 0;
    ret->boxcox = likelihood ? STL_BOXCOX_LIKELIHOOD
                  : guerrero ? STL_BOXCOX_GUERRERO
                             : STL_BOXCOX_GIVEN;
    return likelihood || guerrero ||
           (number_to_double(slice_of(text), &ret->lambda) == ST_OK && ret->lambda >= -5 &&
            ret->lambda <= 5);
}

static bool take(const struct row *row, const char *text, struct stl_options *ret)
{
    void *field = (char *)ret + row->offset;
    switch (row->kind) {
    case FLAG:
        *(bool *)field = true;
        return true;
    case COUNT:
        return take_number(slice_of(text), row, field);
    case LIST:
        return take_list(text, row, field);
    case TEXT:
        *(const char **)field = text;
        return true;
    default:
        return take_boxcox(text, ret);
    }
}

static int misfit(const struct row *row, const char *text)
{
    if (row->kind == BOXCOX)
        return command_misused(&cmd_stl,
                               "--%s is auto, guerrero or a number from -5 to 5, not \"%s\"",
                               row->name, text);
    return command_misused(&cmd_stl, "--%s wants %s from %lld to %lld, not \"%s\"", row->name,
                           row->kind == LIST ? "one to eight whole numbers" : "a whole number",
                           (long long)row->least, (long long)row->most, text);
}

static int take_words(int argc, char **argv, struct stl_options *ret)
{
    struct option known[N_ROWS + 1] = {{0}};
    for (size_t i = 0; i < N_ROWS; i++)
        known[i] =
            (struct option){rows[i].name, rows[i].kind == FLAG ? no_argument : required_argument,
                            NULL, 256 + (int)i};
    int option;
    while ((option = getopt_long(argc, argv, "o:", known, NULL)) != -1) {
        if (option == '?')
            return 2;
        if (option == 'o')
            ret->output = optarg;
        else if (!take(&rows[option - 256], optarg, ret))
            return misfit(&rows[option - 256], optarg);
    }
    if (optind + 1 != argc)
        return command_misused(&cmd_stl, "which file? one, or - for standard input");
    ret->input = argv[optind];
    return 0;
}

static void swap(struct stl_list *list, size_t i)
{
    size_t value = list->values[i];
    list->values[i] = list->values[i - 1];
    list->values[i - 1] = value;
}

/* Seasons by their periods, and what was listed for each with it. */
static int put_in_order(struct stl_options *options)
{
    struct stl_list *lists[] = {&options->periods, &options->seasonal, &options->trend,
                                &options->low_pass};
    size_t n = options->periods.n;
    for (size_t k = 1; k < 4; k++)
        if (lists[k]->n > 1 && lists[k]->n != n)
            return command_misused(&cmd_stl,
                                   "%zu periods, but %zu spans: one for all, or one for each", n,
                                   lists[k]->n);
    for (size_t from = 1; from < n; from++)
        for (size_t i = from; i > 0 && options->periods.values[i - 1] > options->periods.values[i];
             i--)
            for (size_t k = 0; k < 4; k++)
                swap(lists[k], i);
    for (size_t i = 1; i < n; i++)
        if (options->periods.values[i] == options->periods.values[i - 1])
            return command_misused(&cmd_stl, "period %zu is there twice",
                                   options->periods.values[i]);
    return 0;
}

static size_t of_season(const struct stl_list *list, size_t season, size_t otherwise)
{
    return list->n == 0 ? otherwise : list->values[list->n == 1 ? 0 : season];
}

int stl_options_read(int argc, char **argv, struct stl_options *ret)
{
    *ret = (struct stl_options){.seasonal_degree = 1,
                                .trend_degree = 1,
                                .low_pass_degree = 1,
                                .seasonal_jump = 1,
                                .trend_jump = 1,
                                .low_pass_jump = 1,
                                .inner = SIZE_MAX,
                                .outer = SIZE_MAX,
                                .iterate = 2,
                                .output = "-"};
    int misused = take_words(argc, argv, ret);
    if (misused)
        return misused;
    if (ret->inner == SIZE_MAX)
        ret->inner = ret->robust ? 2 : 5;
    if (ret->outer == SIZE_MAX)
        ret->outer = ret->robust ? 15 : 0;
    return put_in_order(ret);
}

static struct stl_params season_params(const struct stl_options *options, size_t season)
{
    size_t period = options->periods.values[season];
    size_t seasonal = options->periods.n == 1 ? 7 : 11 + 4 * season;
    seasonal = of_season(&options->seasonal, season, seasonal);
    size_t trend = stl_trend_span_default(period, options->periodic ? 0 : seasonal);
    return (struct stl_params){
        .period = period,
        .seasonal_span = seasonal,
        .trend_span = of_season(&options->trend, season, trend),
        .low_pass_span = of_season(&options->low_pass, season, (period + 1) | 1),
        .inner_loops = (unsigned)options->inner,
        .robust_loops = (unsigned)options->outer,
        .seasonal_degree = (unsigned)options->seasonal_degree,
        .trend_degree = (unsigned)options->trend_degree,
        .low_pass_degree = (unsigned)options->low_pass_degree,
        .seasonal_jump = options->seasonal_jump,
        .trend_jump = options->trend_jump,
        .low_pass_jump = options->low_pass_jump,
        .periodic = options->periodic,
        .gaps = options->gaps,
    };
}

struct mstl_params stl_options_params(const struct stl_options *options)
{
    struct mstl_params params = {.n_seasons = options->periods.n,
                                 .iterations = (unsigned)options->iterate};
    for (size_t i = 0; i < params.n_seasons; i++)
        params.seasons[i] = season_params(options, i);
    return params;
}
