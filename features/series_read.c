/* Reading windows: one walk from the newest entry to the oldest that any window sees. */
#include "features/series_layout.h"

/* What a read is about, known when its code is compiled: the walk below is compiled once for each
 * mode, without the branches and sums that the mode has no use for. */
struct mode {
    enum form form;
    bool labels;
    bool all; /* m2 and extremes, not count and sum alone */
};

#define INLINE static inline __attribute__((always_inline))

/* Runs of slots of one chunk. The mean is known before the deviations from it are summed. */

INLINE double slot_value(struct mode mode, const struct slot *slot)
{
    return mode.labels ? (double)slot->label : slot->value;
}

INLINE void add_deviations(struct mode mode, const struct slot *slots, uint32_t n,
                           struct aggregate *run)
{
    double mean = run->sum / run->count;
    for (uint32_t i = 0; i < n; i++) {
        double v = slot_value(mode, &slots[i]);
        if (isnan(v))
            continue;
        run->m2 += (v - mean) * (v - mean);
        run->min = v < run->min ? v : run->min;
        run->max = v > run->max ? v : run->max;
    }
}

INLINE struct aggregate run_of_entries(struct mode mode, const struct slot *slots, uint32_t n)
{
    struct aggregate run = aggregate_none();
    for (uint32_t i = 0; i < n; i++) {
        double v = slot_value(mode, &slots[i]);
        bool counts = !mode.labels || !isnan(v);
        run.count += counts;
        run.sum += counts ? v : 0;
    }
    if (mode.all)
        add_deviations(mode, slots, n, &run);
    return run;
}

INLINE struct aggregate run_of_tiles(struct mode mode, const struct tile *tiles, uint32_t n)
{
    struct aggregate run = aggregate_none();
    for (uint32_t i = 0; i < n; i++)
        aggregate_merge(&run, &tiles[i].all, mode.all);
    return run;
}

INLINE struct aggregate run_of(struct mode mode, const struct view *view, uint32_t chunk,
                               uint32_t from, uint32_t n)
{
    const struct slot *slot = slot_at(view, chunk, from);
    return mode.form == FORM_TILES ? run_of_tiles(mode, (const struct tile *)(const void *)slot, n)
                                   : run_of_entries(mode, slot, n);
}

struct aggregate chunk_sum(const struct series *series, const struct view *view, uint32_t chunk)
{
    if (view->form == FORM_TILES)
        return run_of((struct mode){FORM_TILES, false, true}, view, chunk, 0, CHUNK);
    if (series->entry == SERIES_LABEL)
        return run_of((struct mode){FORM_EXACT, true, true}, view, chunk, 0, CHUNK);
    return run_of((struct mode){FORM_EXACT, false, true}, view, chunk, 0, CHUNK);
}

/* The walk: slots [0, n) of a chunk are still to come. */
struct walk {
    const struct view *view;
    uint32_t chunk;
    uint32_t n;
    bool whole; /* all 16 of a chunk whose aggregate is known */
    struct aggregate sum;
};

INLINE uint64_t place_at(struct mode mode, const struct walk *walk, uint32_t i)
{
    return slot_place(mode.form, slot_at(walk->view, walk->chunk, i));
}

INLINE void walk_add(struct mode mode, struct walk *walk, const struct aggregate *run)
{
    if (mode.all) {
        aggregate_merge(&walk->sum, run, true);
    } else {
        walk->sum.count += run->count;
        walk->sum.sum += run->sum;
    }
}

INLINE bool walk_older(struct walk *walk)
{
    walk->n = CHUNK;
    walk->whole = true;
    return chunk_older(walk->view, &walk->chunk);
}

/* Passes over what comes after `upper`. False if nothing is left. */
INLINE bool walk_to(struct mode mode, struct walk *walk, uint64_t upper)
{
    while (walk->n == 0 || place_at(mode, walk, 0) > upper)
        if (!walk_older(walk))
            return false;
    while (place_at(mode, walk, walk->n - 1) > upper) {
        walk->n--;
        walk->whole = false;
    }
    return true;
}

/* Adds slots [from, n). */
INLINE void walk_take(struct mode mode, struct walk *walk, uint32_t from)
{
    struct aggregate run = run_of(mode, walk->view, walk->chunk, from, walk->n - from);
    walk_add(mode, walk, &run);
    walk->n = from;
    walk->whole = false;
}

/* The same in one pass, for count and sum: slots of the chunk after `lower`. */
INLINE void walk_take_after(struct mode mode, struct walk *walk, uint64_t lower)
{
    const struct slot *first = slot_at(walk->view, walk->chunk, 0), *slot = first + walk->n;
    double sum = 0, count = 0;
    for (; slot > first && slot[-1].at > lower; slot--) {
        double v = slot_value(mode, &slot[-1]);
        bool counts = !mode.labels || !isnan(v);
        sum += counts ? v : 0;
        count += mode.labels ? counts : 0;
    }
    uint32_t left = (uint32_t)(slot - first);
    walk->sum.sum += sum;
    walk->sum.count += mode.labels ? count : (double)(walk->n - left);
    walk->n = left;
    walk->whole = false;
}

/* Adds what is left of the chunk after `lower`. True if the window begins within it. */
INLINE bool walk_window(struct mode mode, struct walk *walk, uint64_t lower)
{
    if (place_at(mode, walk, 0) > lower)
        return false;
    if (mode.form == FORM_EXACT && !mode.all) {
        walk_take_after(mode, walk, lower);
        return true;
    }
    uint32_t from = walk->n;
    while (from > 0 && place_at(mode, walk, from - 1) > lower)
        from--;
    walk_take(mode, walk, from);
    return true;
}

INLINE void put_sum(struct mode mode, const struct walk *walk, struct aggregate *ret)
{
    ret->count = walk->sum.count;
    ret->sum = walk->sum.sum;
    if (mode.all) {
        ret->m2 = walk->sum.m2;
        ret->min = walk->sum.min;
        ret->max = walk->sum.max;
    }
}

INLINE void walk_windows(struct mode mode, struct walk *walk, const struct bounds *bounds,
                         struct aggregate *ret)
{
    size_t i = 0;
    do {
        for (; i < bounds->n && walk_window(mode, walk, bounds->lower[i]); i++)
            put_sum(mode, walk, &ret[bounds->window[i]]);
        if (i == bounds->n)
            return;
        if (walk->whole)
            walk_add(mode, walk, chunk_aggregate(walk->view, walk->chunk));
        else if (mode.form == FORM_EXACT && !mode.all)
            walk_take_after(mode, walk, 0);
        else
            walk_take(mode, walk, 0);
    } while (walk_older(walk));
    for (; i < bounds->n; i++)
        put_sum(mode, walk, &ret[bounds->window[i]]);
}

INLINE uint64_t walk_read(struct mode mode, const struct view *view, const struct bounds *bounds,
                          const struct aggregate *self, struct aggregate *ret)
{
    struct walk walk = {.view = view, .chunk = view->newest, .n = view->n, .sum = *self};
    if (walk_to(mode, &walk, bounds->upper)) {
        uint64_t previous = slot_at(view, walk.chunk, walk.n - 1)->at;
        walk_windows(mode, &walk, bounds, ret);
        return previous;
    }
    for (size_t i = 0; i < bounds->n; i++)
        put_sum(mode, &walk, &ret[i]);
    return 0;
}

static uint64_t read_values(const struct view *view, const struct bounds *bounds,
                            const struct aggregate *self, struct aggregate *ret)
{
    return walk_read((struct mode){FORM_EXACT, false, false}, view, bounds, self, ret);
}

static uint64_t read_labels(const struct view *view, const struct bounds *bounds,
                            const struct aggregate *self, struct aggregate *ret)
{
    return walk_read((struct mode){FORM_EXACT, true, false}, view, bounds, self, ret);
}

static uint64_t read_all_of_values(const struct view *view, const struct bounds *bounds,
                                   const struct aggregate *self, struct aggregate *ret)
{
    return walk_read((struct mode){FORM_EXACT, false, true}, view, bounds, self, ret);
}

static uint64_t read_all_of_labels(const struct view *view, const struct bounds *bounds,
                                   const struct aggregate *self, struct aggregate *ret)
{
    return walk_read((struct mode){FORM_EXACT, true, true}, view, bounds, self, ret);
}

static uint64_t read_tiles(const struct view *view, const struct bounds *bounds,
                           const struct aggregate *self, struct aggregate *ret)
{
    return walk_read((struct mode){FORM_TILES, false, true}, view, bounds, self, ret);
}

/* The instant before a tumbling window's first. */
static uint64_t tumbling_lower(uint64_t upper, int64_t over)
{
    int64_t into = instant_time(upper) % over;
    return instant_before(upper, (into < 0 ? into + over : into) + 1);
}

/* Of tumbling windows a longer one may have begun later than a shorter. */
static void set_tumbling_bounds(const struct series *series, struct bounds *ret)
{
    for (size_t i = 0; i < ret->n; i++) {
        uint64_t lower = tumbling_lower(ret->upper, series->over[i]);
        size_t to = i;
        for (; to > 0 && ret->lower[to - 1] < lower; to--) {
            ret->lower[to] = ret->lower[to - 1];
            ret->window[to] = ret->window[to - 1];
        }
        ret->lower[to] = lower;
        ret->window[to] = (uint8_t)i;
    }
}

void series_bounds(const struct series *series, int64_t time, struct bounds *ret)
{
    ret->upper = instant_before(instant_of(time), series->delay);
    ret->n = series->n_windows;
    if (series->tumbling) {
        set_tumbling_bounds(series, ret);
        return;
    }
    for (size_t i = 0; i < ret->n; i++) {
        ret->lower[i] = instant_before(ret->upper, series->over[i]);
        ret->window[i] = (uint8_t)i;
    }
}

static struct aggregate self_aggregate(const struct series *series, const struct slot *self)
{
    if (!self)
        return aggregate_none();
    if (series->entry == SERIES_VALUE)
        return aggregate_one(self->value);
    return isnan(self->label) ? aggregate_none() : aggregate_one(self->label);
}

static uint64_t read_entries(const struct series *series, const struct view *view,
                             const struct bounds *bounds, const struct slot *self,
                             struct aggregate *ret)
{
    struct aggregate own = self_aggregate(series, self);
    bool all = series->spread || series->extremes;
    if (view->form == FORM_TILES)
        return read_tiles(view, bounds, &own, ret);
    if (series->entry == SERIES_LABEL)
        return all ? read_all_of_labels(view, bounds, &own, ret)
                   : read_labels(view, bounds, &own, ret);
    return all ? read_all_of_values(view, bounds, &own, ret) : read_values(view, bounds, &own, ret);
}

void series_read(const struct series *series, struct record *rec, int64_t time,
                 const struct slot *self, struct aggregate *ret, int64_t *ret_previous)
{
    struct bounds bounds;
    series_bounds(series, time, &bounds);
    struct view view = rec ? view_of(series, rec) : (struct view){0};
    uint64_t previous = series->entry == SERIES_HASH
                            ? hash_read(series, &view, &bounds, self, ret)
                            : read_entries(series, &view, &bounds, self, ret);
    *ret_previous = previous ? instant_time(previous) : TIME_NONE;
}

static void prefetch_lines(const char *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(from + i);
}

/* The newest chunk and those before it: windows begin within them, and of what lies between their
 * beginnings the ends are read, a chunk's first time and its aggregate. */
void series_prefetch(const struct series *series, struct record *rec)
{
    enum { WHOLE = 2, CHUNKS = 6 };
    const struct head *head = rec ? record_data(rec) : NULL;
    if (!rec || rec->hint == 0)
        return;
    if (head->room == 0) {
        prefetch_lines(rec->data + 64, rec->size);
        return;
    }
    uint32_t stride = series->stride[head->form & 1], newest = rec->hint >> HINT_SHIFT;
    const char *first = rec->data + sizeof *head, *at = first + (size_t)newest * stride;
    prefetch_lines(at, stride);
    for (uint32_t i = 0; i < CHUNKS && i < head->room; i++) {
        at = at > first ? at - stride : at + (size_t)(head->room - 1) * stride;
        if (i < WHOLE) {
            prefetch_lines(at, stride);
        } else {
            __builtin_prefetch(at);
            __builtin_prefetch(at + stride - 8);
        }
    }
}

struct series_figures series_figures(const struct series *series, struct record *rec)
{
    struct view view = view_of(series, rec);
    struct series_figures ret = {.first = TIME_NONE, .last = TIME_NONE};
    ret.tiles = view.form == FORM_TILES;
    ret.level = view.level;
    const struct slot *last = last_slot(&view);
    if (!last)
        return ret;
    ret.last = instant_time(last->at);
    uint32_t chunk = view.newest;
    ret.slots = view.n;
    for (; chunk_older(&view, &chunk); ret.slots += CHUNK)
        continue;
    const struct slot *first = slot_at(&view, chunk, 0);
    ret.first =
        instant_time(ret.tiles ? ((const struct tile *)(const void *)first)->first : first->at);
    return ret;
}
