#include "online/bin_options.h"

#include <getopt.h>
#include <string.h>

#include "base/conf.h"
#include "base/number.h"
#include "online/command.h"

static const struct option known[] = {
    {"target", required_argument, NULL, 't'}, {"column", required_argument, NULL, 'c'},
    {"bins", required_argument, NULL, 'b'},   {"prebins", required_argument, NULL, 'p'},
    {"trend", required_argument, NULL, 'd'},  {"share", required_argument, NULL, 's'},
    {"events", required_argument, NULL, 'e'}, {"nonevents", required_argument, NULL, 'n'},
    {"edges", required_argument, NULL, 'x'},  {"csv", no_argument, NULL, 'v'},
    {"summary", no_argument, NULL, 'm'},      {0},
};

static int take_count(const char *name, const char *text, int64_t most, size_t *ret)
{
    int64_t v;
    if (number_to_int(slice_of(text), &v) < 0 || v < 1 || v > most)
        return command_misused(&cmd_bin, "--%s wants a whole number from 1 to %lld, not \"%s\"",
                               name, (long long)most, text);
    *ret = (size_t)v;
    return 0;
}

static int take_real(const char *name, const char *text, double most, double *ret)
{
    double v;
    if (number_to_double(slice_of(text), &v) < 0 || v < 0 || v > most)
        return command_misused(&cmd_bin, "--%s wants a number from 0 to %g, not \"%s\"", name, most,
                               text);
    *ret = v;
    return 0;
}

static int take_trend(const char *text, enum binning_trend *ret)
{
    size_t i = 0;
    while (binning_trend_names[i] && strcmp(binning_trend_names[i], text) != 0)
        i++;
    if (!binning_trend_names[i]) {
        const char *nearest = conf_nearest(text, binning_trend_names);
        return command_misused(&cmd_bin,
                               "--trend is auto, ascending, descending, peak, valley or none, not "
                               "\"%s\"%s%s%s",
                               text, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                               nearest ? "\"?" : "");
    }
    *ret = (enum binning_trend)i;
    return 0;
}

static int take_edges(const char *text, struct bin_options *ret)
{
    for (const char *at = text;;) {
        struct slice word = {at, strcspn(at, ",")};
        double *edge = &ret->edges[ret->n_edges];
        if (ret->n_edges == BINNING_PREBINS_MAX - 1)
            return command_misused(&cmd_bin, "--edges are %d at most", BINNING_PREBINS_MAX - 1);
        if (number_to_double(word, edge) < 0 || (ret->n_edges > 0 && !(*edge > edge[-1])))
            return command_misused(
                &cmd_bin, "--edges wants numbers that rise, as in 10,20,50, not \"%s\"", text);
        ret->n_edges++;
        if (at[word.len] == '\0')
            return 0;
        at += word.len + 1;
    }
}

static int take(int option, struct bin_options *ret)
{
    switch (option) {
    case 't':
        ret->target = optarg;
        return 0;
    case 'c':
        ret->columns = optarg;
        return 0;
    case 'b':
        return take_count("bins", optarg, BINNING_BINS_MAX, &ret->binning.bins_max);
    case 'p':
        return take_count("prebins", optarg, BINNING_PREBINS_MAX, &ret->prebins);
    case 'd':
        return take_trend(optarg, &ret->binning.trend);
    case 's':
        return take_real("share", optarg, 1, &ret->binning.share_min);
    case 'e':
        return take_real("events", optarg, 1e15, &ret->binning.events_min);
    case 'n':
        return take_real("nonevents", optarg, 1e15, &ret->binning.nonevents_min);
    case 'x':
        return take_edges(optarg, ret);
    case 'v':
        ret->csv = true;
        return 0;
    case 'm':
        ret->summary = true;
        return 0;
    default:
        return 2;
    }
}

int bin_options_read(int argc, char **argv, struct bin_options *ret)
{
    *ret = (struct bin_options){.prebins = 50, .binning = binning_defaults()};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        int misused = take(option, ret);
        if (misused)
            return misused;
    }
    if (optind + 1 != argc)
        return command_misused(&cmd_bin, "which file? one, or - for standard input");
    if (!ret->target)
        return command_misused(&cmd_bin, "which column tells the events? --target NAME");
    if (ret->n_edges >= ret->prebins)
        ret->prebins = ret->n_edges + 1;
    ret->input = argv[optind];
    return 0;
}
