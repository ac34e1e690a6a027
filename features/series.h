/*
 * features/series.h -- what an entity did lately: the exact store behind all windows.
 *
 * A series is the recent entries (time, value) of each entity, one state record an entity, from
 * which any number of windows are read at once. Windows are exact over (t - delay - over, t -
 * delay]: what left a window is not subtracted, what is in it is added up, chunk by chunk, so a
 * window of 10,000 entries costs about 10,000/16 additions and never drifts.
 *
 *     struct series series = {.entry = SERIES_VALUE, .tiles = 64, .entries_max = 4096};
 *     series_add_window(&series, 7 * DAY_US);
 *     series_ready(&series, lateness);
 *     TRY(state_family(state, "window/AMOUNT/CARD", series_fingerprint(&series), &series.family));
 *
 *     struct slot entry = slot_of_value(time, 12.5);
 *     series_read(&series, series_find(&series, state, card), time, &entry, windows, &previous);
 *     series_observe(&series, state, card, &entry);
 *
 * Late entries take their place. Entries that no window can see any more are dropped as new ones
 * come. Three kinds of entry:
 *
 * - SERIES_VALUE: a number. Past `entries_max` entries (or from the start if `tiled`) neighbours
 * are merged into tiles: one stands for entries that lie within 1/tiles of the shortest window that
 *   can still see them, and counts where its middle lies. A window is then off by at most half a
 *   tile at each end: for 64 tiles it looks back over `over` to within 0.8 %. What is summed in it
 *   is exact. Should more than entries_max/4 tiles be needed, they are made wider.
 * - SERIES_LABEL: a number that is known later; until then it is `absent`. In tiles, a label counts
 *   once it differs from `absent`; a later correction of it is not followed.
 * - SERIES_HASH: a hash, never 0, whose distinct values are counted. Repeats that no window can
 * tell apart are dropped; should more than entries_max remain, only hashes that begin with `level`
 * zero bits are kept and each counts 2^level: a relative standard error of 1/sqrt(entries_max/2).
 */
#ifndef FEATURES_SERIES_H
#define FEATURES_SERIES_H

#include <stdbool.h>

#include "features/aggregate.h"
#include "ingest/event.h"
#include "ingest/state.h"

#define SERIES_WINDOWS_MAX 32

enum series_entry { SERIES_VALUE, SERIES_LABEL, SERIES_HASH };

/* Memory for rebuilding a record and for counting distinct values; shared by any number of series
 * of one thread. {0} is ready, series_scratch_done() frees it. */
struct series_scratch {
    struct buf entries;
    struct buf set;
};
void series_scratch_done(struct series_scratch *scratch);

struct series {
    /* Set by the caller, then series_add_window(), then series_ready(). */
    enum series_entry entry;
    bool tumbling; /* windows begin at multiples of `over` since 1970 instead of sliding */
    bool tiled;
    unsigned tiles;        /* >= 1 */
    uint32_t entries_max;  /* >= 64 */
    int64_t delay;         /* us, >= 0 */
    double absent;         /* SERIES_LABEL: NaN: an entry without label does not count */
    bool spread, extremes; /* whether m2, and min and max, are wanted of series_read() */
    uint16_t family;
    struct series_scratch *scratch;

    /* Derived. */
    size_t n_windows;
    int64_t over[SERIES_WINDOWS_MAX];  /* us, ascending */
    int64_t width[SERIES_WINDOWS_MAX]; /* of the tiles that each needs */
    int64_t settle; /* entries younger than this may still see others come before them, or be read
                       around: delay + lateness */
    uint32_t stride[2]; /* bytes of a chunk, of entries and of tiles */
    int64_t keep;       /* entries older than the newest by more than this are seen by no window */
};

/* Adds a window length (once, if it is there). False if there are SERIES_WINDOWS_MAX already.
 * Positions in over[] are final after the last one is added: series_window() tells them. */
bool series_add_window(struct series *series, int64_t over);
size_t series_window(const struct series *series, int64_t over);
/* Works out the rest. A series without windows serves `previous` alone. */
void series_ready(struct series *series, int64_t lateness);
/* Of all that shapes a record and what it means. Lateness is left out: after a change of it,
 * windows of late events may for a while miss their oldest entries, which is no reason to refuse a
 * state. */
uint64_t series_fingerprint(const struct series *series);

/* An entry. Times are kept as instants, unsigned and never 0, so that zeroed memory holds no
 * entries. */
struct slot {
    uint64_t at;
    union {
        double value;
        uint64_t hash;
        struct {
            uint32_t tag;
            float label;
        };
    };
};

static inline uint64_t instant_of(int64_t time)
{
    return (uint64_t)time ^ (UINT64_C(1) << 63);
}

static inline int64_t instant_time(uint64_t at)
{
    return (int64_t)(at ^ (UINT64_C(1) << 63));
}

static inline struct slot slot_of_value(int64_t time, double value)
{
    return (struct slot){.at = instant_of(time), .value = value};
}

static inline struct slot slot_of_label(int64_t time, uint32_t tag, double label)
{
    return (struct slot){.at = instant_of(time), .tag = tag, .label = (float)label};
}

static inline struct slot slot_of_hash(int64_t time, uint64_t hash)
{
    return (struct slot){.at = instant_of(time), .hash = hash};
}

/* The record of an entity, or NULL. */
static inline struct record *series_find(const struct series *series, struct state *state,
                                         struct key128 id)
{
    return state_find(state, series->family, id);
}

/* Reads all windows as they are at `time`: ret[i] for over[i]; of a SERIES_HASH only count is set.
 * self: one more entry, of the event itself, at `time`; NULL: none. rec NULL: no entries. In
 * *ret_previous the time of the newest entry at or before time - delay, self excluded, else
 * TIME_NONE. Cost: about 20 ns and 2 ns for each 16 entries passed; for hashes 2 ns an entry. */
void series_read(const struct series *series, struct record *rec, int64_t time,
                 const struct slot *self, struct aggregate *ret, int64_t *ret_previous);

/* The gaps between neighbouring entries of a window, in seconds. */
struct series_gaps {
    double count; /* one less than there are entries */
    double mean;
    double m2; /* sum of squared deviations from the mean */
};

/* The gaps of all windows as they are at `time`: ret[i] for over[i]; both entries of a gap lie in
 * the window. rec and self as in series_read(). SERIES_VALUE alone. Exact; once there are tiles,
 * the entries of one count as evenly spread over it. Cost: about 5 ns for each entry of the longest
 * window. */
void series_read_gaps(const struct series *series, struct record *rec, int64_t time,
                      const struct slot *self, struct series_gaps *ret);

/* Starts loading what a read or an observe will look at; rec NULL: nothing. The record's first
 * lines should be there already. */
void series_prefetch(const struct series *series, struct record *rec);

/* Adds an entry in its place. One that no window could see is passed over. Dirties its 16 bytes
 * (once in 16 entries 64), where it is the newest. */
void series_observe(const struct series *series, struct state *state, struct key128 id,
                    const struct slot *entry);

/* SERIES_LABEL: gives the entry of that time and tag its label. Does nothing if it is gone. */
void series_label(const struct series *series, struct state *state, struct key128 id, int64_t time,
                  uint32_t tag, double label);

/* What a record holds, for people. */
struct series_figures {
    uint64_t slots; /* entries, or tiles */
    bool tiles;
    unsigned level;      /* SERIES_HASH: see above */
    int64_t first, last; /* times; TIME_NONE if there are none */
};
struct series_figures series_figures(const struct series *series, struct record *rec);

#endif
