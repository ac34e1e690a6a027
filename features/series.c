#include "features/series_layout.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SHAPE_VERSION = 1 };

void series_scratch_done(struct series_scratch *scratch)
{
    buf_done(&scratch->entries);
    buf_done(&scratch->set);
}

bool series_add_window(struct series *series, int64_t over)
{
    size_t i = 0;
    while (i < series->n_windows && series->over[i] < over)
        i++;
    if (i < series->n_windows && series->over[i] == over)
        return true;
    if (series->n_windows == SERIES_WINDOWS_MAX)
        return false;
    memmove(&series->over[i + 1], &series->over[i], (series->n_windows - i) * sizeof over);
    series->over[i] = over;
    series->n_windows++;
    return true;
}

size_t series_window(const struct series *series, int64_t over)
{
    size_t i = 0;
    while (i < series->n_windows && series->over[i] != over)
        i++;
    assert(i < series->n_windows);
    return i;
}

/* Tiles of full fineness that it takes to cover all windows, in shares of `tiles`. */
static double tiles_share(const struct series *series)
{
    double share = (double)(series->settle + series->over[0]) / (double)series->over[0];
    for (size_t i = 1; i < series->n_windows; i++)
        share += 1 - (double)series->over[i - 1] / (double)series->over[i];
    return share;
}

void series_ready(struct series *series, int64_t lateness)
{
    if (series->n_windows == 0)
        series_add_window(series, 1);
    for (enum form form = FORM_EXACT; form <= FORM_TILES; form++)
        series->stride[form] = 8 + CHUNK * slot_bytes_of(form) +
                               (series->entry == SERIES_HASH ? 0 : sizeof(struct aggregate));
    series->settle = series->delay + lateness;
    series->tiled = series->tiled && series->entry != SERIES_HASH;
    series->keep = series->settle + series->over[series->n_windows - 1];
    double most = (double)series->entries_max / 4 / tiles_share(series);
    double tiles = series->tiles < most ? series->tiles : most;
    for (size_t i = 0; i < series->n_windows; i++)
        series->width[i] = (int64_t)ceil((double)series->over[i] / tiles);
}

uint64_t series_fingerprint(const struct series *series)
{
    struct buf shape = {0};
    buf_u32(&shape, SHAPE_VERSION);
    buf_u32(&shape, series->entry);
    buf_byte(&shape, series->tumbling);
    buf_byte(&shape, series->tiled);
    buf_u32(&shape, series->tiles);
    buf_u32(&shape, series->entries_max);
    buf_u64(&shape, (uint64_t)series->delay);
    buf_f64(&shape, series->entry == SERIES_LABEL ? series->absent : 0);
    for (size_t i = 0; i < series->n_windows; i++)
        buf_u64(&shape, (uint64_t)series->over[i]);
    uint64_t hash = XXH3_64bits(shape.data, shape.len);
    buf_done(&shape);
    return hash;
}

/* Nothing in the record can be seen any more: it starts anew as a short one, and exact. */
static struct record *start_over(const struct series *series, struct state *state,
                                 struct record *rec, uint64_t last)
{
    struct slot kept = {.at = last};
    buf_reset(&series->scratch->entries);
    buf_append(&series->scratch->entries, &kept, sizeof kept);
    size_t n = series->tiled ? tiles_convert(series, 1) : 1;
    return series_lay_out(series, state, rec, series->tiled ? FORM_TILES : FORM_EXACT, 0, n);
}

/* A record too short for what each has was spoilt: it holds nothing that could be read. */
static struct record *empty(struct state *state, struct record *rec, size_t size)
{
    rec = state_resize(state, rec, size);
    memset(rec->data, 0, size);
    rec->hint = 0;
    state_touch(state, rec, 0, size);
    return rec;
}

static struct record *obtain(const struct series *series, struct state *state, struct key128 id)
{
    enum form form = series->tiled ? FORM_TILES : FORM_EXACT;
    size_t least = series_short_size(form, SLOTS_FIRST);
    struct record *rec = state_obtain(state, series->family, id, least);
    if (rec->size < least)
        rec = empty(state, rec, least);
    struct head *head = record_data(rec);
    if (head->form != form && series->tiled) {
        head->form = FORM_TILES;
        rec->hint = 0; /* it counted slots of the other form */
        state_touch(state, rec, 0, sizeof *head);
    }
    return rec;
}

static bool sampled(const struct series *series, struct record *rec, uint64_t hash)
{
    const struct head *head = record_data(rec);
    return series->entry != SERIES_HASH || hash_at_level(hash, head->level & LEVEL_MAX);
}

static enum form form_of(struct record *rec)
{
    return ((const struct head *)record_data(rec))->form & 1;
}

static void observe_slowly(const struct series *series, struct state *state, struct record *rec,
                           const struct slot *entry, const struct view *view, uint64_t last)
{
    uint64_t newest = last > entry->at ? last : entry->at, limit = keep_limit(series, newest);
    if (entry->at <= limit)
        return;
    bool plain = view->room == 1 && view->level == 0 && view->form == FORM_EXACT;
    if (last != 0 && last <= limit && !plain)
        rec = start_over(series, state, rec, last);
    if (!sampled(series, rec, entry->hash))
        return;
    if (form_of(rec) == FORM_EXACT)
        rec = series_make_room(series, state, rec, limit);
    if (form_of(rec) == FORM_TILES) /* perhaps only since there was no room */
        tiles_observe(series, state, rec, entry, limit);
    else if (sampled(series, rec, entry->hash))
        series_insert(series, state, rec, entry);
}

/* The common case first: the newest entry of all, with a free slot in its chunk. */
void series_observe(const struct series *series, struct state *state, struct key128 id,
                    const struct slot *entry)
{
    struct record *rec = obtain(series, state, id);
    struct view view = view_of(series, rec);
    const struct slot *last = last_slot(&view);
    if (last && view.n > 0 && view.n < view.slots && entry->at >= last->at &&
        last->at > keep_limit(series, entry->at) && view.form == FORM_EXACT && view.level == 0)
        series_add_last(state, rec, &view, entry);
    else
        observe_slowly(series, state, rec, entry, &view, last ? last->at : 0);
}

/* The entry of that time and tag; NULL if it is gone. */
static struct slot *find_label(const struct view *view, uint64_t at, uint32_t tag,
                               uint32_t *ret_chunk)
{
    uint32_t chunk = view->newest, n = view->n;
    do {
        for (uint32_t i = n; i-- > 0 && slot_at(view, chunk, i)->at >= at;)
            if (slot_at(view, chunk, i)->at == at && slot_at(view, chunk, i)->tag == tag) {
                *ret_chunk = chunk;
                return slot_at(view, chunk, i);
            }
        if (n > 0 && slot_at(view, chunk, 0)->at < at)
            return NULL;
        n = CHUNK;
    } while (chunk_older(view, &chunk));
    return NULL;
}

void series_label(const struct series *series, struct state *state, struct key128 id, int64_t time,
                  uint32_t tag, double label)
{
    struct record *rec = state_find(state, series->family, id);
    if (!rec)
        return;
    struct view view = view_of(series, rec);
    if (view.form == FORM_TILES) {
        tiles_label(series, state, rec, instant_of(time), label);
        return;
    }
    uint32_t chunk;
    struct slot *slot = find_label(&view, instant_of(time), tag, &chunk);
    if (!slot || slot->label == (float)label)
        return;
    slot->label = (float)label;
    state_touch(state, rec, (size_t)((char *)&slot->label - rec->data), sizeof slot->label);
    series_refresh(series, state, rec, &view, chunk);
}
