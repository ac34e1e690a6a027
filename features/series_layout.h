/*
 * features/series_layout.h -- how a series lies in its record. For series*.c alone.
 *
 *     short:  {head}{seq, slots[4, 8 or 16]}
 *     ring:   {head}{seq, slots[16], aggregate} x room
 *
 * A ring is filled chunk after chunk, round and round: each chunk carries a number one higher than
 * the one before it, and the newest is the one with the highest. Only the newest is not full; its
 * aggregate is worked out when it is left for the next. A slot is filled if it is not older than
 * the first of its chunk: what the last round left behind is, because a chunk is begun again only
 * once nothing in it can be seen.
 *
 * So nothing but the new slot changes when an entry is added: no count, no position. All that
 * changes is logged to disk.
 */
#ifndef FEATURES_SERIES_LAYOUT_H
#define FEATURES_SERIES_LAYOUT_H

#include <assert.h>

#include "features/series.h"

enum { CHUNK = 16, SLOTS_FIRST = 4, LEVEL_MAX = 31, HINT_SHIFT = 5 };
enum form { FORM_EXACT, FORM_TILES };

struct head {
    uint32_t room; /* chunks of the ring; 0: short */
    uint8_t form;
    uint8_t level;
    uint16_t zero;
};

/* Entries that became one; begins as a struct slot does. */
struct tile {
    uint64_t at; /* of its last entry */
    uint64_t first;
    struct aggregate all;
};

struct view {
    char *data;
    enum form form;
    unsigned level;
    uint32_t room;  /* chunks; 1 if short, 0 if there is no record */
    uint32_t slots; /* in a chunk */
    uint32_t newest;
    uint32_t n; /* filled slots of the newest; 0: there are no entries at all */
    uint32_t slot_bytes;
    uint32_t stride;
};

static inline uint32_t slot_bytes_of(enum form form)
{
    return form == FORM_TILES ? sizeof(struct tile) : sizeof(struct slot);
}

static inline uint64_t *chunk_seq(const struct view *view, uint32_t chunk)
{
    return (uint64_t *)(void *)(view->data + sizeof(struct head) + (size_t)chunk * view->stride);
}

static inline struct slot *slot_at(const struct view *view, uint32_t chunk, uint32_t i)
{
    return (struct slot *)(void *)((char *)chunk_seq(view, chunk) + 8 +
                                   (size_t)i * view->slot_bytes);
}

static inline struct aggregate *chunk_aggregate(const struct view *view, uint32_t chunk)
{
    return (struct aggregate *)(void *)slot_at(view, chunk, CHUNK);
}

/* The newest chunk of a ring: numbers rise up to it and are lower behind it. */
static inline uint32_t newest_chunk(const struct view *view)
{
    uint64_t first = view->room > 1 ? *chunk_seq(view, 0) : 0;
    uint32_t low = 0, high = view->room;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (*chunk_seq(view, middle) >= first)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* What a read looks at: (lower, upper] for each window, those that begin last first. window: which
 * of the series' it is. */
struct bounds {
    uint64_t upper;
    size_t n;
    uint64_t lower[SERIES_WINDOWS_MAX];
    uint8_t window[SERIES_WINDOWS_MAX];
};

/* Of a read at `time`. */
void series_bounds(const struct series *series, int64_t time, struct bounds *ret);

/* Filled slots come first in a chunk. */
static inline uint32_t filled(const struct view *view, uint32_t chunk)
{
    if (view->slots == 0)
        return 0;
    uint64_t first = slot_at(view, chunk, 0)->at;
    if (first == 0)
        return 0;
    uint32_t n = 0;
    for (uint32_t step = view->slots / 2; step > 0; step /= 2)
        if (slot_at(view, chunk, n + step - 1)->at >= first)
            n += step;
    return n + (slot_at(view, chunk, n)->at >= first);
}

/* Where the newest entry is takes a search over many cache lines: it is remembered with the record,
 * in the part that is not stored. */
static inline uint32_t hint_of(uint32_t newest, uint32_t n)
{
    return n > 0 ? newest << HINT_SHIFT | n : 0;
}

/* A record that does not hold what its head says is read as empty. */
static inline struct view view_of(const struct series *series, struct record *rec)
{
    const struct head none = {0};
    const struct head *head = rec->size < 16 ? &none : record_data(rec);
    struct view view = {
        .data = rec->data, .form = head->form & 1, .level = head->level & LEVEL_MAX};
    view.slot_bytes = slot_bytes_of(view.form);
    view.stride = series->stride[view.form];
    if (head->room > 0 && sizeof *head + head->room * (uint64_t)view.stride <= rec->size) {
        view.room = head->room;
        view.slots = CHUNK;
    } else {
        view.room = 1;
        size_t slots = rec->size < 16 ? 0 : (rec->size - 16) / view.slot_bytes;
        view.slots = slots > CHUNK ? CHUNK : (uint32_t)slots;
    }
    if (rec->hint == 0) {
        view.newest = newest_chunk(&view);
        view.n = filled(&view, view.newest);
        rec->hint = hint_of(view.newest, view.n);
    } else {
        view.newest = rec->hint >> HINT_SHIFT;
        view.n = rec->hint & ((1 << HINT_SHIFT) - 1);
    }
    return view;
}

/* Steps to the chunk filled before this one; false if there is none (left). */
static inline bool chunk_older(const struct view *view, uint32_t *chunk)
{
    if (view->room < 2)
        return false;
    uint32_t before = *chunk > 0 ? *chunk - 1 : view->room - 1;
    uint64_t seq = *chunk_seq(view, before);
    if (seq == 0 || seq + 1 != *chunk_seq(view, *chunk))
        return false;
    *chunk = before;
    return true;
}

/* The newest entry, or NULL. The newest chunk may be empty. */
static inline struct slot *last_slot(const struct view *view)
{
    uint32_t chunk = view->newest;
    if (view->n > 0)
        return slot_at(view, chunk, view->n - 1);
    return chunk_older(view, &chunk) ? slot_at(view, chunk, CHUNK - 1) : NULL;
}

/* Where an entry counts: a tile, at its middle. */
static inline uint64_t slot_place(enum form form, const struct slot *slot)
{
    if (form == FORM_EXACT)
        return slot->at;
    const struct tile *tile = (const struct tile *)(const void *)slot;
    return tile->first + (tile->at - tile->first) / 2;
}

static inline uint64_t instant_before(uint64_t at, int64_t span)
{
    return at > (uint64_t)span ? at - (uint64_t)span : 0;
}

/* Entries at or before this are seen by no window once the newest is at `newest`. */
static inline uint64_t keep_limit(const struct series *series, uint64_t newest)
{
    return instant_before(newest, series->keep);
}

/* Of 2^level hashes one is kept. */
static inline bool hash_at_level(uint64_t hash, unsigned level)
{
    return level == 0 || hash >> (64 - level) == 0;
}

/* The aggregate of a full chunk. */
struct aggregate chunk_sum(const struct series *series, const struct view *view, uint32_t chunk);

/* Copies what can still be seen into the scratch memory, from old to new: slots of form view->form.
 * One entry more than that is kept, for `previous`. Returns how many. */
size_t series_collect(const struct series *series, const struct view *view, uint64_t limit);
/* Lays slots of the scratch memory out anew, with room for more. */
struct record *series_lay_out(const struct series *series, struct state *state, struct record *rec,
                              enum form form, unsigned level, size_t n);
/* Makes room for at least one more slot, by dropping, merging or growing. */
struct record *series_make_room(const struct series *series, struct state *state,
                                struct record *rec, uint64_t limit);
/* Puts a slot where it belongs by its time, and others out of its way. There must be room. */
void series_insert(const struct series *series, struct state *state, struct record *rec,
                   const void *slot);

size_t series_short_size(enum form form, size_t slots);
/* Writes one slot over another. */
void series_put(struct state *state, struct record *rec, const struct view *view, struct slot *to,
                const void *slot);
/* Writes a slot behind the newest, where one is free. */
void series_add_last(struct state *state, struct record *rec, const struct view *view,
                     const void *slot);
/* A slot of a chunk changed: works its aggregate out again, unless it is the newest. */
void series_refresh(const struct series *series, struct state *state, struct record *rec,
                    const struct view *view, uint32_t chunk);

/* series_tiles.c */
void tiles_observe(const struct series *series, struct state *state, struct record *rec,
                   const struct slot *entry, uint64_t limit);
/* Turns n exact slots of the scratch memory into tiles. Returns how many. */
size_t tiles_convert(const struct series *series, size_t n);
/* Merges tiles of the scratch memory where nobody will tell them apart. */
size_t tiles_compact(const struct series *series, size_t n);
void tiles_label(const struct series *series, struct state *state, struct record *rec, uint64_t at,
                 double label);

/* series_hash.c */
uint64_t hash_read(const struct series *series, const struct view *view,
                   const struct bounds *bounds, const struct slot *self, struct aggregate *ret);
/* Drops repeats from n slots of the scratch memory, and samples if too many remain. */
size_t hash_compact(const struct series *series, size_t n, unsigned *level);

#endif
