/*
 * models/binning.h -- supervised bins: pre-bins of a number merged so that they tell as much as
 * they can of an event, under constraints that keep them readable and steady.
 *
 * A number is first cut into many pre-bins (quantiles, bins.h), in each of which events and
 * non-events are counted. Neighbouring pre-bins are then merged into at most `bins_max` bins, each
 * with a least share of all rows, a least number of events and of non-events, and with a rate of
 * events that only rises, only falls, or turns once. Of all ways to merge them the one with the
 * highest information value is taken, exactly: a dynamic programme over (number of bins, last bin).
 *
 *     weight of evidence   WoE = ln((non-events here / all non-events) / (events here / all
 * events)) information value    IV  = sum of (share of non-events - share of events) * WoE
 *
 * The sign is that of credit scoring and of PyPI's optbinning: below 0 where events are more common
 * than on the whole. IV is the symmetric divergence of the two distributions over bins (Kullback &
 * Leibler 1951; Jeffreys 1946): never below 0, and never raised by merging. The problem is
 * Navas-Palencia's, "Optimal binning: mathematical programming formulation" (2020), whose objective
 * optbinning gives to a solver; on the same pre-bins the answers agree (tests/data/binning).
 *
 *     struct binning *binning = NULL;
 *     TRY(binning_create(50, 8, &binning));                     // pre-bins, bins at most
 *     struct binning_options options = binning_defaults();
 *     struct binning_table table;
 *     TRY(binning_merge(binning, &options, counts, n, &missing, &table));
 *
 * Pure arithmetic: nothing is allocated after create, the same counts give the same bins.
 */
#ifndef MODELS_BINNING_H
#define MODELS_BINNING_H

#include <stddef.h>

#include "base/status.h"

enum { BINNING_PREBINS_MAX = 256, BINNING_BINS_MAX = 64 };

/* Of the rate of events, from bin to bin; neighbours may be equal. */
enum binning_trend {
    BINNING_NONE, /* any */
    BINNING_ASCENDING,
    BINNING_DESCENDING,
    BINNING_PEAK,   /* up, then down; either part may be empty */
    BINNING_VALLEY, /* down, then up */
    BINNING_AUTO,   /* ascending or descending, whichever has the higher IV; ascending if equal */
};

struct binning_options {
    enum binning_trend trend;
    size_t bins_max;      /* 1 to what create was told; missing numbers' bin is beside them */
    double share_min;     /* of all rows, those with missing numbers among them; 0 to 1 */
    double events_min;    /* of each bin; at 0 a bin may be without */
    double nonevents_min; /* likewise */
};

/* Auto, 10 bins, 5 % of the rows, 1 event, 1 non-event. */
struct binning_options binning_defaults(void);

/* Rows, or their weight: finite and not below 0. */
struct binning_counts {
    double nonevents, events;
};

struct binning_bin {
    size_t last; /* its last pre-bin; the first follows the last of the bin before */
    struct binning_counts counts;
    double woe, iv;
};

struct binning_table {
    enum binning_trend trend; /* what AUTO chose, or what was asked */
    size_t n;
    struct binning_bin bins[BINNING_BINS_MAX];
    struct binning_bin missing; /* all 0 if nothing was */
    struct binning_counts all;
    double iv; /* of all bins, missing numbers' among them */
};

/* Scratch memory for up to so many pre-bins and bins; one thread at a time may use it. */
struct binning;

/* Returns ST_EINVAL if a size is 0 or above its limit, ST_ENOMEM. Takes about prebins^2 * (bins * 4
 * + 40) bytes. */
STATUS_CHECKED enum status binning_create(size_t prebins_max, size_t bins_max,
                                          struct binning **ret);
void binning_free(struct binning *binning);

/* counts: of n pre-bins, by rising value. missing: of rows whose number is missing; NULL: none.
 *
 * Among the rows whose number is known the highest IV is sought (as optbinning does); WoE and IV of
 * the table are of all rows. A pre-bin with events alone, or without, is merged with neighbours.
 * Where no way of cutting keeps the constraints, there is one bin. Missing numbers' bin may lack
 * one class: its WoE is then as if one row of average make-up more were in it, and 0 if it is
 * empty.
 *
 * Returns ST_EINVAL if n is 0 or above prebins_max, an option or a count out of bounds, or if there
 * are no events or no non-events at all. Cost: about n^2 * (bins_max + 10) * 3 ns,
 * twice that with AUTO. */
STATUS_CHECKED enum status binning_merge(struct binning *binning,
                                         const struct binning_options *options,
                                         const struct binning_counts *counts, size_t n,
                                         const struct binning_counts *missing,
                                         struct binning_table *ret);

/* Of a bin, given what there is in all; both classes there in all. Where the
 * bin lacks one: as said of missing numbers' bin. */
double binning_woe(struct binning_counts bin, struct binning_counts all);
/* What the bin adds to IV; never below 0. */
double binning_iv(struct binning_counts bin, struct binning_counts all);
double binning_rate(struct binning_counts bin); /* of events; NaN of no rows */

/* "ascending"; of enum binning_trend. */
extern const char *const binning_trend_names[];

#endif
