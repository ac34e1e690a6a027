/* The gaps between an entity's entries: one walk from the newest back to the oldest in a window. */
#include "features/series_layout.h"

/* n gaps of `gap` seconds each; the spread is merged as in aggregate.h. */
static void add_gaps(struct series_gaps *into, double gap, double n)
{
    double count = into->count + n, apart = gap - into->mean;
    into->mean += apart * (n / count);
    into->m2 += apart * apart * (into->count * n / count);
    into->count = count;
}

static double seconds(uint64_t from, uint64_t to)
{
    return (double)(to - from) / (double)SECOND_US;
}

/* What was walked so far: gaps back to `oldest`, which is 0 before the first entry. */
struct walk {
    struct series_gaps all;
    uint64_t oldest;
};

static void walk_entry(struct walk *walk, uint64_t first, uint64_t last, double n)
{
    if (walk->oldest > 0)
        add_gaps(&walk->all, seconds(last, walk->oldest), 1);
    if (n > 1)
        add_gaps(&walk->all, seconds(first, last) / (n - 1), n - 1);
    walk->oldest = first;
}

static void walk_slot(struct walk *walk, enum form form, const struct slot *slot)
{
    const struct tile *tile = (const struct tile *)(const void *)slot;
    if (form == FORM_TILES)
        walk_entry(walk, tile->first, tile->at, tile->all.count);
    else
        walk_entry(walk, slot->at, slot->at, 1);
}

/* Windows that begin at or after `place` are complete; i of them were before. */
static size_t finish(const struct bounds *bounds, size_t i, uint64_t place, const struct walk *walk,
                     struct series_gaps *ret)
{
    for (; i < bounds->n && place <= bounds->lower[i]; i++)
        ret[bounds->window[i]] = walk->all;
    return i;
}

void series_read_gaps(const struct series *series, struct record *rec, int64_t time,
                      const struct slot *self, struct series_gaps *ret)
{
    struct bounds bounds;
    series_bounds(series, time, &bounds);
    struct view view = rec ? view_of(series, rec) : (struct view){0};
    struct walk walk = {0};
    if (self)
        walk.oldest = self->at;
    uint32_t chunk = view.newest, n = view.n;
    size_t i = 0;
    do {
        for (; n > 0 && i < bounds.n; n--) {
            const struct slot *slot = slot_at(&view, chunk, n - 1);
            uint64_t place = slot_place(view.form, slot);
            if (place > bounds.upper)
                continue;
            i = finish(&bounds, i, place, &walk, ret);
            if (i < bounds.n)
                walk_slot(&walk, view.form, slot);
        }
        n = CHUNK;
    } while (i < bounds.n && chunk_older(&view, &chunk));
    finish(&bounds, i, 0, &walk, ret);
}
