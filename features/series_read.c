/* Reading windows: one walk from the newest entry to the oldest that any window sees. */
#include "features/series_layout.h"

/* Runs of slots of one chunk. The mean is known before the deviations from it are summed. */

static struct aggregate run_of_values(const struct view *view, uint32_t chunk, uint32_t i,
                                      uint32_t n, bool all)
{
    const struct slot *slot = slot_at(view, chunk, i);
    struct aggregate run = aggregate_none();
    for (uint32_t k = 0; k < n; k++)
        run.sum += slot[k].value;
    run.count = n;
    if (!all)
        return run;
    double mean = run.sum / n;
    for (uint32_t k = 0; k < n; k++) {
        double v = slot[k].value;
        run.m2 += (v - mean) * (v - mean);
        run.min = v < run.min ? v : run.min;
        run.max = v > run.max ? v : run.max;
    }
    return run;
}

static struct aggregate run_of_labels(const struct view *view, uint32_t chunk, uint32_t i,
                                      uint32_t n, bool all)
{
    const struct slot *slot = slot_at(view, chunk, i);
    struct aggregate run = aggregate_none();
    for (uint32_t k = 0; k < n; k++) {
        bool counts = !isnan(slot[k].label);
        run.count += counts;
        run.sum += counts ? slot[k].label : 0;
    }
    if (!all)
        return run;
    double mean = run.sum / run.count;
    for (uint32_t k = 0; k < n; k++) {
        double v = slot[k].label;
        run.m2 += isnan(v) ? 0 : (v - mean) * (v - mean);
        run.min = v < run.min ? v : run.min;
        run.max = v > run.max ? v : run.max;
    }
    return run;
}

static struct aggregate run_of_tiles(const struct view *view, uint32_t chunk, uint32_t i,
                                     uint32_t n, bool all)
{
    struct aggregate run = aggregate_none();
    for (uint32_t k = i; k < i + n; k++) {
        const struct tile *tile = (const struct tile *)(void *)slot_at(view, chunk, k);
        aggregate_merge(&run, &tile->all, all);
    }
    return run;
}

struct aggregate run_aggregate(const struct series *series, const struct view *view, uint32_t chunk,
                               uint32_t i, uint32_t n, bool all)
{
    if (view->form == FORM_TILES)
        return run_of_tiles(view, chunk, i, n, all);
    if (series->entry == SERIES_LABEL)
        return run_of_labels(view, chunk, i, n, all);
    return run_of_values(view, chunk, i, n, all);
}

/* Where the walk is: slots [0, n) of a chunk are still to come. */
struct walk {
    const struct series *series;
    const struct view *view;
    uint32_t chunk;
    uint32_t n;
    bool whole; /* all 16 of a chunk whose aggregate is known */
    bool all;
    struct aggregate sum;
};

static bool walk_older(struct walk *walk)
{
    walk->n = CHUNK;
    walk->whole = true;
    return chunk_older(walk->view, &walk->chunk);
}

/* Passes over what comes after `upper`. False if nothing is left. */
static bool walk_to(struct walk *walk, uint64_t upper)
{
    const struct view *view = walk->view;
    while (walk->n == 0 || slot_place(view->form, slot_at(view, walk->chunk, 0)) > upper)
        if (!walk_older(walk))
            return false;
    while (slot_place(view->form, slot_at(view, walk->chunk, walk->n - 1)) > upper) {
        walk->n--;
        walk->whole = false;
    }
    return true;
}

/* Adds slots [from, n). */
static void walk_take(struct walk *walk, uint32_t from)
{
    if (walk->n > from) {
        struct aggregate run =
            run_aggregate(walk->series, walk->view, walk->chunk, from, walk->n - from, walk->all);
        aggregate_merge(&walk->sum, &run, walk->series->spread);
    }
    walk->n = from;
    walk->whole = false;
}

/* Adds what is left of the chunk after `lower`. True if the window begins within it. */
static bool walk_window(struct walk *walk, uint64_t lower)
{
    const struct view *view = walk->view;
    if (slot_place(view->form, slot_at(view, walk->chunk, 0)) > lower)
        return false;
    uint32_t from = walk->n;
    while (from > 0 && slot_place(view->form, slot_at(view, walk->chunk, from - 1)) > lower)
        from--;
    walk_take(walk, from);
    return true;
}

static void walk_windows(struct walk *walk, const struct bounds *bounds, struct aggregate *ret)
{
    size_t i = 0, n_windows = walk->series->n_windows;
    do {
        for (; i < n_windows && walk_window(walk, bounds->lower[i]); i++)
            ret[bounds->window[i]] = walk->sum;
        if (i == n_windows)
            return;
        if (walk->whole)
            aggregate_merge(&walk->sum, chunk_aggregate(walk->view, walk->chunk),
                            walk->series->spread);
        else
            walk_take(walk, 0);
    } while (walk_older(walk));
    for (; i < n_windows; i++)
        ret[bounds->window[i]] = walk->sum;
}

/* The instant before a tumbling window's first. */
static uint64_t tumbling_lower(uint64_t upper, int64_t over)
{
    int64_t into = instant_time(upper) % over;
    return instant_before(upper, (into < 0 ? into + over : into) + 1);
}

/* Sliding windows are nested as they are long; of tumbling ones a longer may have begun later. */
static void set_bounds(const struct series *series, uint64_t upper, struct bounds *ret)
{
    ret->upper = upper;
    for (size_t i = 0; i < series->n_windows; i++) {
        int64_t over = series->over[i];
        uint64_t lower =
            series->tumbling ? tumbling_lower(upper, over) : instant_before(upper, over);
        size_t to = i;
        for (; to > 0 && ret->lower[to - 1] < lower; to--) {
            ret->lower[to] = ret->lower[to - 1];
            ret->window[to] = ret->window[to - 1];
        }
        ret->lower[to] = lower;
        ret->window[to] = (uint8_t)i;
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

static uint64_t walk_read(const struct series *series, const struct view *view,
                          const struct bounds *bounds, const struct slot *self,
                          struct aggregate *ret)
{
    struct walk walk = {.series = series, .view = view, .chunk = view->newest, .n = view->n};
    walk.all = series->spread || series->extremes;
    walk.sum = self_aggregate(series, self);
    if (view->room > 0 && walk_to(&walk, bounds->upper)) {
        uint64_t previous = slot_at(view, walk.chunk, walk.n - 1)->at;
        walk_windows(&walk, bounds, ret);
        return previous;
    }
    for (size_t i = 0; i < series->n_windows; i++)
        ret[i] = walk.sum;
    return 0;
}

void series_read(const struct series *series, struct record *rec, int64_t time,
                 const struct slot *self, struct aggregate *ret, int64_t *ret_previous)
{
    struct bounds bounds;
    set_bounds(series, instant_before(instant_of(time), series->delay), &bounds);
    struct view view = rec ? view_of(series, rec) : (struct view){0};
    uint64_t previous = series->entry == SERIES_HASH ? hash_read(series, &view, &bounds, self, ret)
                                                     : walk_read(series, &view, &bounds, self, ret);
    *ret_previous = previous ? instant_time(previous) : TIME_NONE;
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
