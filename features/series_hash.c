/* Distinct hashes of a series: reading them, and forgetting the repeats. */
#include "features/series_layout.h"

/* An open-addressed set of hashes, made anew for each count. 0 stands for a free place; the hash 0
 * is kept as 1. */
struct set {
    uint64_t *places;
    size_t mask;
    size_t n;
};

static struct set set_for(struct series_scratch *scratch, size_t n_max)
{
    size_t size = 16;
    while (size < 2 * n_max)
        size *= 2;
    buf_reset(&scratch->set);
    struct set set = {(uint64_t *)(void *)buf_reserve(&scratch->set, size * sizeof(uint64_t)),
                      size - 1, 0};
    memset(set.places, 0, size * sizeof(uint64_t));
    return set;
}

/* True if it was not there. The set is at most half full. */
static bool set_add(struct set *set, uint64_t hash)
{
    hash = hash ? hash : 1;
    size_t i = (hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) & set->mask;
    for (; set->places[i]; i = (i + 1) & set->mask)
        if (set->places[i] == hash)
            return false;
    set->places[i] = hash;
    set->n++;
    return true;
}

static size_t count_slots(const struct view *view)
{
    size_t n = view->n;
    uint32_t chunk = view->newest;
    while (chunk_older(view, &chunk))
        n += CHUNK;
    return n;
}

static struct aggregate estimate(const struct set *set, unsigned level)
{
    return (struct aggregate){.count = ldexp((double)set->n, (int)level)};
}

uint64_t hash_read(const struct series *series, const struct view *view,
                   const struct bounds *bounds, const struct slot *self, struct aggregate *ret)
{
    struct set set = set_for(series->scratch, count_slots(view) + 1);
    if (self && hash_at_level(self->hash, view->level))
        set_add(&set, self->hash);
    uint32_t chunk = view->newest, n = view->n;
    uint64_t previous = 0;
    size_t i = 0;
    do {
        for (; n > 0 && i < series->n_windows; n--) {
            const struct slot *slot = slot_at(view, chunk, n - 1);
            if (slot->at > bounds->upper)
                continue;
            previous = previous ? previous : slot->at;
            for (; i < series->n_windows && slot->at <= bounds->lower[i]; i++)
                ret[bounds->window[i]] = estimate(&set, view->level);
            set_add(&set, slot->hash);
        }
        n = CHUNK;
    } while (i < series->n_windows && chunk_older(view, &chunk));
    for (; i < series->n_windows; i++)
        ret[bounds->window[i]] = estimate(&set, view->level);
    return previous;
}

/* Windows end at the newest entry less `settle` or later: of what is older than that only the last
 * of each value matters. From new to old, into the back of the array, then to its front. */
static size_t drop_repeats(const struct series *series, struct slot *slots, size_t n)
{
    uint64_t settled = instant_before(slots[n - 1].at, series->settle);
    struct set set = set_for(series->scratch, n);
    size_t to = n;
    for (size_t i = n; i-- > 0;)
        if (slots[i].at > settled || set_add(&set, slots[i].hash))
            slots[--to] = slots[i];
    memmove(slots, slots + to, (n - to) * sizeof *slots);
    return n - to;
}

static size_t drop_unsampled(struct slot *slots, size_t n, unsigned level)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (hash_at_level(slots[i].hash, level))
            slots[kept++] = slots[i];
    return kept;
}

size_t hash_compact(const struct series *series, size_t n, unsigned *level)
{
    struct slot *slots = (struct slot *)(void *)series->scratch->entries.data;
    if (n == 0)
        return 0;
    n = drop_repeats(series, slots, n);
    while (n >= series->entries_max && *level < LEVEL_MAX)
        n = drop_unsampled(slots, n, ++*level);
    return n;
}
