/*
 * online/stl_options_table.h -- the options of `freshet stl`, one row each: parser, bounds and
 * help.
 */
#ifndef ONLINE_STL_OPTIONS_TABLE_H
#define ONLINE_STL_OPTIONS_TABLE_H

enum stl_option_kind {
    FLAG,   /* bool */
    COUNT,  /* size_t, between bounds */
    LIST,   /* struct stl_list, numbers between bounds; given again: more of them */
    TEXT,   /* const char * */
    BOXCOX, /* boxcox and lambda */
};

#define COUNT_MAX 1000000000

/* name, what follows it, kind, field of struct stl_options, least, most, help. */
#define STL_OPTIONS(X)                                                                             \
    X("period", " N[,N...]", LIST, periods, 2, COUNT_MAX,                                          \
      "samples in a season, or in each of several; again for more (found by\n        "             \
      "autocorrelation, unless given)")                                                            \
    X("seasonal", " N[,N...]", LIST, seasonal, 7, COUNT_MAX,                                       \
      "span of the seasonal loess, in seasons, odd (7; several seasons: 11, 15, ...)")             \
    X("seasonal-deg", " 0|1", COUNT, seasonal_degree, 0, 1, "its degree (1)")                      \
    X("seasonal-jump", " N", COUNT, seasonal_jump, 1, COUNT_MAX,                                   \
      "it is fitted at each N-th point, with lines between (1)")                                   \
    X("trend", " N[,N...]", LIST, trend, 3, COUNT_MAX,                                             \
      "span of the trend loess, odd (the least odd >= 1.5 period / (1 - 1.5 / seasonal))")         \
    X("trend-deg", " 0|1", COUNT, trend_degree, 0, 1, "its degree (1)")                            \
    X("trend-jump", " N", COUNT, trend_jump, 1, COUNT_MAX, "as --seasonal-jump (1)")               \
    X("low-pass", " N[,N...]", LIST, low_pass, 3, COUNT_MAX,                                       \
      "span of the low-pass loess, odd (the least odd > period)")                                  \
    X("low-pass-deg", " 0|1", COUNT, low_pass_degree, 0, 1, "its degree (1)")                      \
    X("low-pass-jump", " N", COUNT, low_pass_jump, 1, COUNT_MAX, "as --seasonal-jump (1)")         \
    X("inner", " N", COUNT, inner, 1, 10000, "passes between reweightings (5; robust 2)")          \
    X("outer", " N", COUNT, outer, 0, 10000, "reweightings against outliers (0; robust 15)")       \
    X("robust", "", FLAG, robust, 0, 1, "outliers weigh little")                                   \
    X("periodic", "", FLAG, periodic, 0, 1, "seasons never change shape")                          \
    X("iterate", " N", COUNT, iterate, 1, 10000, "how often several seasons are gone through (2)") \
    X("gaps", "", FLAG, gaps, 0, 1,                                                                \
      "an empty cell, NA, NaN or null is a value that is not known, not a mistake")                \
    X("box-cox", " auto|guerrero|L", BOXCOX, boxcox, 0, 0,                                         \
      "decompose the Box-Cox transform of y, with the most likely lambda, Guerrero's,\n        "   \
      "or L; parts then add up to the transform, forecasts are of y itself")                       \
    X("forecast", " H", COUNT, forecast, 0, 100000,                                                \
      "adds f1..fH to the last line: the next H values. Seasons repeat; the slope of\n        "    \
      "the trend over the last season goes on and halves with each season")                        \
    X("online", "", FLAG, online, 0, 1,                                                            \
      "point by point: a line out for each line in, at once, with `forecast` (of y, made\n       " \
      " "                                                                                          \
      "before it) and `score` (anomaly); only with --period (one), --init, --gaps,\n        "      \
      "--forecast, --column, --with-time; f1..fH are then in each line")                           \
    X("init", " N", COUNT, init, 1, COUNT_MAX,                                                     \
      "points that --online collects first (4 periods); their parts are empty")                    \
    X("column", " NAME", TEXT, column, 0, 0, "the column of values, where there are many")         \
    X("with-time", "", FLAG, with_time, 0, 1, "put the times before y")                            \
    X("plot", " F.svg", TEXT, plot, 0, 0, "also draw the series and its parts")                    \
    X("output", " F.csv", TEXT, output, 0, 0, "where the parts go (standard output)")              \
    X("summary", "", FLAG, summary, 0, 1, "say on stderr how strong trend and seasons are")

#define STL_OPTION_HELP(name, words, kind, field, least, most, help)                               \
    "  --" name words "\n        " help "\n"
#define STL_OPTIONS_HELP STL_OPTIONS(STL_OPTION_HELP)

#endif
