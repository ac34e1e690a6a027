/*
 * online/stl_options.h -- the options of `freshet stl`: one table, which is parser, bounds and
 * help.
 */
#ifndef ONLINE_STL_OPTIONS_H
#define ONLINE_STL_OPTIONS_H

#include "features/mstl.h"

enum stl_boxcox { STL_BOXCOX_NONE, STL_BOXCOX_LIKELIHOOD, STL_BOXCOX_GUERRERO, STL_BOXCOX_GIVEN };

/* One number for each season; or one for all; or none: the default. */
struct stl_list {
    size_t n;
    size_t values[MSTL_SEASONS_MAX];
};

struct stl_options {
    struct stl_list periods; /* rising; none: to be detected */
    struct stl_list seasonal, trend, low_pass;
    size_t seasonal_degree, trend_degree, low_pass_degree;
    size_t seasonal_jump, trend_jump, low_pass_jump;
    size_t inner, outer; /* as robust has it, unless said */
    size_t iterate;
    bool robust, periodic, gaps;
    enum stl_boxcox boxcox;
    double lambda; /* STL_BOXCOX_GIVEN */
    size_t forecast;
    bool with_time, summary;
    bool online;
    size_t init;        /* 0: four periods */
    const char *column; /* NULL: the only one, or the second of two */
    const char *plot;   /* NULL: none */
    const char *output; /* "-": standard output */
    const char *input;  /* "-": standard input */
};

/* Reads the words of the command, argv[0] being its name. Returns 0, or 2 after it has said on
 * stderr what is wrong. */
int stl_options_read(int argc, char **argv, struct stl_options *ret);

/* The parameters that they mean for these seasons (periods.n is at least 1). */
struct mstl_params stl_options_params(const struct stl_options *options);

#endif
