/* Tiles: what a series' entries become when there are too many of them. */
#include "features/series_layout.h"

static struct tile *tile_at(const struct view *view, uint32_t chunk, uint32_t i)
{
    return (struct tile *)(void *)slot_at(view, chunk, i);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool same_cell(uint64_t a, uint64_t b, int64_t width)
{
    return floor_div(instant_time(a), width) == floor_div(instant_time(b), width);
}

/* Whether what happened at a and b may be told as one, once the newest entry is at `newest`:
 * no window that can still see them needs them apart. */
static bool mergeable(const struct series *series, uint64_t a, uint64_t b, uint64_t newest)
{
    int64_t age = (int64_t)(newest - b) - series->settle;
    size_t i = 0;
    while (i < series->n_windows && series->over[i] < age)
        i++;
    if (i < series->n_windows && !same_cell(a, b, series->width[i]))
        return false;
    for (; series->tumbling && i < series->n_windows; i++)
        if (!same_cell(a, b, series->over[i]))
            return false;
    return true;
}

static void tile_merge(struct tile *into, const struct tile *x)
{
    into->at = x->at > into->at ? x->at : into->at;
    into->first = x->first < into->first ? x->first : into->first;
    aggregate_merge(&into->all, &x->all, true);
}

static struct tile tile_of(const struct series *series, const struct slot *slot)
{
    struct tile tile = {.at = slot->at, .first = slot->at, .all = aggregate_none()};
    double v = series->entry == SERIES_LABEL ? slot->label : slot->value;
    if (!isnan(v))
        tile.all = aggregate_one(v);
    return tile;
}

size_t tiles_compact(const struct series *series, size_t n)
{
    struct tile *tiles = (struct tile *)(void *)series->scratch->entries.data;
    size_t kept = 0;
    for (size_t i = 1; i < n; i++) {
        if (mergeable(series, tiles[kept].first, tiles[i].at, tiles[n - 1].at))
            tile_merge(&tiles[kept], &tiles[i]);
        else
            tiles[++kept] = tiles[i];
    }
    return n > 0 ? kept + 1 : 0;
}

/* In place, from the back: a tile is longer than a slot. */
size_t tiles_convert(const struct series *series, size_t n)
{
    struct buf *entries = &series->scratch->entries;
    buf_reserve(entries, n * (sizeof(struct tile) - sizeof(struct slot)));
    for (size_t i = n; i-- > 0;) {
        struct slot slot;
        memcpy(&slot, entries->data + i * sizeof slot, sizeof slot);
        struct tile tile = tile_of(series, &slot);
        memcpy(entries->data + i * sizeof tile, &tile, sizeof tile);
    }
    return tiles_compact(series, n);
}

/* The newest tile that begins at or before an instant; NULL if all begin later. */
static struct tile *tile_before(const struct view *view, uint64_t at, uint32_t *ret_chunk)
{
    uint32_t chunk = view->newest, n = view->n;
    do {
        for (uint32_t i = n; i-- > 0;)
            if (tile_at(view, chunk, i)->first <= at) {
                *ret_chunk = chunk;
                return tile_at(view, chunk, i);
            }
        n = CHUNK;
    } while (chunk_older(view, &chunk));
    return NULL;
}

static void tile_changed(const struct series *series, struct state *state, struct record *rec,
                         const struct view *view, uint32_t chunk, const struct tile *tile)
{
    state_touch(state, rec, (size_t)((const char *)tile - rec->data), sizeof *tile);
    series_refresh(series, state, rec, view, chunk);
}

void tiles_observe(const struct series *series, struct state *state, struct record *rec,
                   const struct slot *entry, uint64_t limit)
{
    struct view view = view_of(series, rec);
    struct tile one = tile_of(series, entry);
    uint32_t chunk;
    struct tile *tile = tile_before(&view, entry->at, &chunk);
    if (tile && (entry->at <= tile->at || same_cell(tile->first, entry->at, series->width[0]))) {
        tile_merge(tile, &one);
        tile_changed(series, state, rec, &view, chunk, tile);
        return;
    }
    rec = series_make_room(series, state, rec, limit);
    series_insert(series, state, rec, &one);
}

void tiles_label(const struct series *series, struct state *state, struct record *rec, uint64_t at,
                 double label)
{
    struct view view = view_of(series, rec);
    uint32_t chunk;
    struct tile *tile = tile_before(&view, at, &chunk);
    if (!tile || tile->at < at || (float)label == (float)series->absent)
        return;
    if (isnan(series->absent)) {
        struct aggregate one = aggregate_one(label);
        aggregate_merge(&tile->all, &one, true);
    } else if (tile->all.count > 0) {
        aggregate_replace(&tile->all, series->absent, label);
    }
    tile_changed(series, state, rec, &view, chunk, tile);
}
