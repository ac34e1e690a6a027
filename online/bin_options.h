/*
 * online/bin_options.h -- the options of `freshet bin`.
 */
#ifndef ONLINE_BIN_OPTIONS_H
#define ONLINE_BIN_OPTIONS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "models/binning.h"

struct bin_options {
    const char *input, *target;
    const char *columns; /* names with commas between; NULL: all that are numbers */
    bool csv, summary;
    size_t prebins;
    size_t n_edges; /* given; 0: quantiles */
    double edges[BINNING_PREBINS_MAX];
    struct binning_options binning;
};

/* 0, or the status to exit with, having said what is wrong. */
int bin_options_read(int argc, char **argv, struct bin_options *ret);

#endif
