#include "base/space_saving.h"

#include <string.h>

enum { COUNTERS_FIRST = 2, SPARE = 16 };

/* Those in use come first. */
struct counter {
    uint64_t hash; /* 0: free */
    uint64_t count;
};

static size_t counters_in(size_t bytes)
{
    return bytes / sizeof(struct counter);
}

static size_t space_bytes_first(unsigned size)
{
    (void)size;
    return COUNTERS_FIRST * sizeof(struct counter);
}

static size_t space_bytes_next(unsigned size, const void *data, size_t bytes)
{
    const struct counter *counters = data;
    size_t n = counters_in(bytes);
    if (n >= size || counters[n - 1].hash == 0)
        return bytes;
    return (2 * n < size ? 2 * n : size) * sizeof *counters;
}

/* The counter of a value: its own, a free one, or the least (the first of equals). */
static struct counter *counter_for(struct counter *counters, size_t n, uint64_t hash)
{
    struct counter *least = counters;
    for (struct counter *at = counters; at < counters + n; at++) {
        if (at->hash == hash || at->hash == 0)
            return at;
        if (at->count < least->count)
            least = at;
    }
    return least;
}

static void space_add(unsigned size, void *data, size_t bytes, union sketch_value value,
                      struct sketch_change *change)
{
    struct counter *counters = data;
    (void)size;
    if (value.hash == 0)
        return;
    struct counter *counter = counter_for(counters, counters_in(bytes), value.hash);
    counter->hash = value.hash;
    counter->count++;
    sketch_changed(change, (size_t)(counter - counters) * sizeof *counter, sizeof *counter);
}

static bool space_valid(unsigned size, const void *data, size_t bytes)
{
    (void)data;
    return bytes >= space_bytes_first(size) && bytes % sizeof(struct counter) == 0 &&
           counters_in(bytes) <= size;
}

/* Unions: a table of hashes, which are as good as random, with open addressing. */

static size_t places_of(unsigned size, size_t sketches)
{
    size_t wanted = 2 * (size * sketches + SPARE), n = 1;
    while (n < wanted)
        n *= 2;
    return n;
}

size_t space_union_bytes(unsigned size, size_t sketches)
{
    return places_of(size, sketches) * sizeof(struct space_entry);
}

void space_union_begin(struct space_union *all, void *memory, unsigned size, size_t sketches)
{
    size_t places = places_of(size, sketches);
    *all = (struct space_union){.mask = places - 1, .entries = memory};
    memset(memory, 0, places * sizeof *all->entries);
}

static struct space_entry *entry_of(const struct space_union *all, uint64_t hash)
{
    size_t at = hash & all->mask;
    while (all->entries[at].hash != hash && all->entries[at].hash != 0)
        at = (at + 1) & all->mask;
    return &all->entries[at];
}

static void add_to(struct space_union *all, uint64_t hash, double count)
{
    struct space_entry *entry = entry_of(all, hash);
    entry->hash = hash;
    entry->count += count;
    all->total += count;
    if (entry->count > all->top)
        all->top = entry->count;
}

void space_union_merge(struct space_union *all, const void *data, size_t bytes)
{
    const struct counter *counters = data;
    for (size_t i = 0; i < counters_in(bytes) && counters[i].hash; i++)
        add_to(all, counters[i].hash, (double)counters[i].count);
}

void space_union_add(struct space_union *all, uint64_t hash)
{
    if (hash != 0)
        add_to(all, hash, 1);
}

double space_union_count(const struct space_union *all, uint64_t hash)
{
    return entry_of(all, hash)->count;
}

const struct sketch_type sketch_space_saving = {.name = "space_saving",
                                                .size_min = 2,
                                                .size_default = 16,
                                                .size_max = SPACE_SAVING_SIZE_MAX,
                                                .bytes_first = space_bytes_first,
                                                .bytes_next = space_bytes_next,
                                                .add = space_add,
                                                .valid = space_valid};
