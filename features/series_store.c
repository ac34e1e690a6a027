/* How a series moves in its record: growing, dropping, making room, inserting. */
#include "features/series_layout.h"

static void touch(struct state *state, struct record *rec, const void *at, size_t len)
{
    state_touch(state, rec, (size_t)((const char *)at - rec->data), len);
}

void series_put(struct state *state, struct record *rec, const struct view *view, struct slot *to,
                const void *slot)
{
    memcpy(to, slot, view->slot_bytes);
    touch(state, rec, to, view->slot_bytes);
}

void series_add_last(struct state *state, struct record *rec, const struct view *view,
                     const void *slot)
{
    series_put(state, rec, view, slot_at(view, view->newest, view->n), slot);
    rec->hint = hint_of(view->newest, view->n + 1);
}

size_t series_short_size(enum form form, size_t slots)
{
    return sizeof(struct head) + 8 + slots * slot_bytes_of(form);
}

size_t series_collect(const struct series *series, const struct view *view, uint64_t limit)
{
    struct buf *out = &series->scratch->entries;
    buf_reset(out);
    uint32_t oldest = view->newest, chunks = 1;
    while (chunk_older(view, &oldest))
        chunks++;
    for (uint32_t c = oldest; chunks > 0; chunks--, c = c + 1 == view->room ? 0 : c + 1)
        buf_append(out, slot_at(view, c, 0),
                   (c == view->newest ? view->n : CHUNK) * (size_t)view->slot_bytes);
    size_t n = out->len / view->slot_bytes, drop = 0;
    while (drop + 1 < n &&
           ((struct slot *)(void *)(out->data + (drop + 1) * view->slot_bytes))->at <= limit)
        drop++;
    memmove(out->data, out->data + drop * view->slot_bytes, (n - drop) * view->slot_bytes);
    return n - drop;
}

static struct record *lay_out_short(struct state *state, struct record *rec, enum form form,
                                    unsigned level, size_t slots)
{
    rec = state_resize(state, rec, series_short_size(form, slots));
    memset(rec->data, 0, rec->size);
    *(struct head *)record_data(rec) =
        (struct head){.form = (uint8_t)form, .level = (uint8_t)level};
    return rec;
}

static struct record *lay_out_ring(const struct series *series, struct state *state,
                                   struct record *rec, enum form form, unsigned level, size_t used)
{
    size_t room = used + used / 2 + 1, stride = series->stride[form];
    rec = state_resize(state, rec, sizeof(struct head) + room * stride);
    memset(rec->data, 0, rec->size);
    *(struct head *)record_data(rec) =
        (struct head){.room = (uint32_t)room, .form = (uint8_t)form, .level = (uint8_t)level};
    for (size_t c = 0; c < used; c++)
        *(uint64_t *)(void *)(rec->data + sizeof(struct head) + c * stride) = c + 1;
    return rec;
}

static void put_aggregate(const struct series *series, const struct view *view, uint32_t chunk)
{
    if (series->entry != SERIES_HASH)
        *chunk_aggregate(view, chunk) = chunk_sum(series, view, chunk);
}

void series_refresh(const struct series *series, struct state *state, struct record *rec,
                    const struct view *view, uint32_t chunk)
{
    if (series->entry == SERIES_HASH || chunk == view->newest)
        return;
    put_aggregate(series, view, chunk);
    touch(state, rec, chunk_aggregate(view, chunk), sizeof(struct aggregate));
}

/* There is room for half as many more, so that n more entries come before the next time. */
struct record *series_lay_out(const struct series *series, struct state *state, struct record *rec,
                              enum form form, unsigned level, size_t n)
{
    size_t want = n + n / 2 + 1, bytes = slot_bytes_of(form);
    size_t slots = want <= SLOTS_FIRST ? SLOTS_FIRST : want <= 8 ? 8 : CHUNK;
    if (want <= CHUNK)
        rec = lay_out_short(state, rec, form, level, slots);
    else
        rec = lay_out_ring(series, state, rec, form, level, n / CHUNK + 1);
    rec->hint = 0;
    struct view view = view_of(series, rec);
    const char *from = series->scratch->entries.data;
    for (size_t i = 0; i < n; i += CHUNK, from += CHUNK * bytes) {
        uint32_t chunk = (uint32_t)(i / CHUNK);
        memcpy(slot_at(&view, chunk, 0), from, (n - i < CHUNK ? n - i : CHUNK) * bytes);
        if (n - i >= CHUNK)
            put_aggregate(series, &view, chunk);
    }
    rec->hint = 0;
    state_touch(state, rec, 0, rec->size);
    return rec;
}

static struct record *rebuild(const struct series *series, struct state *state, struct record *rec,
                              const struct view *view, uint64_t limit)
{
    enum form form = view->form;
    unsigned level = view->level;
    size_t n = series_collect(series, view, limit);
    if (series->entry == SERIES_HASH)
        n = hash_compact(series, n, &level);
    else if (form == FORM_TILES)
        n = tiles_compact(series, n);
    else if (series->tiled || n >= series->entries_max) {
        form = FORM_TILES;
        n = tiles_convert(series, n);
    }
    return series_lay_out(series, state, rec, form, level, n);
}

static uint32_t chunk_after(const struct view *view, uint32_t chunk, uint32_t steps)
{
    return (chunk + steps) % view->room;
}

/* Whether nothing in a chunk other than the newest can be seen. The chunk behind it must hold
 * nothing but what is older than the limit too, down to its first: one such entry is kept. */
static bool chunk_idle(const struct view *view, uint32_t chunk, uint64_t limit)
{
    return *chunk_seq(view, chunk) == 0 ||
           slot_at(view, chunk_after(view, chunk, 1), 0)->at <= limit;
}

/* A ring of which three quarters are idle is better laid out anew. */
static bool mostly_idle(const struct view *view, uint64_t limit)
{
    uint32_t far = chunk_after(view, view->newest, 1 + view->room / 4 * 3);
    return view->room >= 8 && chunk_idle(view, far, limit);
}

struct record *series_make_room(const struct series *series, struct state *state,
                                struct record *rec, uint64_t limit)
{
    struct view view = view_of(series, rec);
    if (view.n < view.slots)
        return rec;
    if (view.room < 2)
        return rebuild(series, state, rec, &view, limit);
    uint32_t next = chunk_after(&view, view.newest, 1);
    if (!chunk_idle(&view, next, limit) || mostly_idle(&view, limit))
        return rebuild(series, state, rec, &view, limit);
    uint32_t full = view.newest;
    view.newest = next;
    *chunk_seq(&view, next) = *chunk_seq(&view, full) + 1;
    slot_at(&view, next, 0)->at = 0;
    rec->hint = 0;
    touch(state, rec, chunk_seq(&view, next), 8 + sizeof(uint64_t));
    series_refresh(series, state, rec, &view, full);
    return rec;
}

/* The slot before the one at (chunk, i), or false if that is the oldest. */
static bool slot_older(const struct view *view, uint32_t *chunk, uint32_t *i)
{
    if (*i > 0) {
        --*i;
        return true;
    }
    *i = CHUNK - 1;
    return chunk_older(view, chunk);
}

void series_insert(const struct series *series, struct state *state, struct record *rec,
                   const void *slot)
{
    struct view view = view_of(series, rec);
    uint64_t at = ((const struct slot *)slot)->at;
    uint32_t chunk = view.newest, i = view.n, older = chunk, j = i;
    while (slot_older(&view, &older, &j) && slot_at(&view, older, j)->at > at) {
        series_put(state, rec, &view, slot_at(&view, chunk, i), slot_at(&view, older, j));
        if (i == 0)
            series_refresh(series, state, rec, &view, chunk);
        chunk = older;
        i = j;
    }
    series_put(state, rec, &view, slot_at(&view, chunk, i), slot);
    series_refresh(series, state, rec, &view, chunk);
    rec->hint = hint_of(view.newest, view.n + 1);
}
