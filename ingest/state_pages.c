/* Pages: the form in which records are kept on disk. */
#include <assert.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ingest/state_internal.h"

void state_page_key(uint16_t family, struct key128 id, uint32_t page, char *ret)
{
    unsigned char *at = (unsigned char *)ret;
    at[0] = (unsigned char)hash_shard(id);
    at[1] = (unsigned char)(family >> 8);
    at[2] = (unsigned char)family;
    memcpy(at + 3, &id.hi, 8);
    memcpy(at + 11, &id.lo, 8);
    for (int i = 0; i < 4; i++)
        at[19 + i] = (unsigned char)(page >> (24 - 8 * i));
}

static void put_page_key(struct buf *buf, uint16_t family, struct key128 id, uint32_t page)
{
    state_page_key(family, id, page, buf_reserve(buf, STATE_PAGE_KEY));
    buf->len += STATE_PAGE_KEY;
}

static uint32_t pages_of(size_t size)
{
    return size ? (uint32_t)((size + STATE_PAGE - 1) / STATE_PAGE) : 1;
}

static void note_dropped_pages(struct state *state, const struct record *rec, uint32_t from)
{
    for (uint32_t page = from; page < pages_of(rec->size); page++) {
        put_page_key(&state->dropped_pages, rec->family, rec->id, page);
        buf_u32(&state->dropped_pages, 0);
    }
}

void state_note_drop(struct state *state, const struct record *rec)
{
    changes_drop(state, rec);
    note_dropped_pages(state, rec, 0);
}

void state_note_shrunk(struct state *state, const struct record *rec, size_t size)
{
    note_dropped_pages(state, rec, pages_of(size));
}

void state_take_drops(struct state *state, struct buf *ret_pages)
{
    buf_append(ret_pages, state->dropped_pages.data, state->dropped_pages.len);
    buf_reset(&state->dropped_pages);
}

void state_sweep_begin(struct state *state)
{
    assert(state->sweep.n == 0);
    struct record_list empty = state->sweep;
    state->sweep = state->stale;
    state->stale = empty;
    state->swept = 0;
    for (size_t i = 0; i < state->sweep.n; i++)
        if (state->sweep.items[i])
            state->sweep.items[i]->flags |= RECORD_IN_SWEEP;
}

/* Each page begins with the record's size, so that one of any age tells how much is valid. */
static void put_page(struct buf *buf, const struct record *rec, uint32_t page)
{
    size_t from = (size_t)page * STATE_PAGE;
    size_t len = rec->size - from < STATE_PAGE ? rec->size - from : STATE_PAGE;
    put_page_key(buf, rec->family, rec->id, page);
    buf_u32(buf, (uint32_t)(len + 4));
    buf_u32(buf, rec->size);
    buf_append(buf, rec->data + from, len);
}

static void put_dirty_pages(struct state *state, struct buf *buf, struct record *rec)
{
    uint32_t n = pages_of(rec->size);
    for (uint32_t page = 0; page < n; page++)
        if (rec->dirty_pages >> (page < 63 ? page : 63) & 1)
            put_page(buf, rec, page);
    rec->dirty_pages = 0;
    rec->stale = 0;
    rec->seen = state->turn;
    rec->flags &= (uint16_t)~RECORD_IN_SWEEP;
}

bool state_sweep_some(struct state *state, size_t bytes_max, struct buf *ret_pages)
{
    assert(state->changes.n == 0 && state->dropped_pages.len == 0);
    size_t until = ret_pages->len + bytes_max;
    for (; state->swept < state->sweep.n && ret_pages->len < until; state->swept++)
        if (state->sweep.items[state->swept])
            put_dirty_pages(state, ret_pages, state->sweep.items[state->swept]);
    if (state->swept < state->sweep.n)
        return true;
    state->sweep.n = state->swept = 0;
    return false;
}

size_t state_sweep_left(const struct state *state)
{
    return state->sweep.n - state->swept;
}

size_t state_unswept(const struct state *state)
{
    return state_sweep_left(state) + state->stale.n;
}

bool state_next_page(struct reader *in, struct slice *ret_key, struct slice *ret_value)
{
    if (reader_left(in) == 0)
        return false;
    const char *key = read_bytes(in, STATE_PAGE_KEY);
    uint32_t len = read_u32(in);
    const char *value = read_bytes(in, len);
    assert(!in->bad);
    *ret_key = (struct slice){key, STATE_PAGE_KEY};
    *ret_value = (struct slice){value, len};
    return true;
}

uint32_t state_pages(struct slice first_page)
{
    uint32_t size;
    if (first_page.len < sizeof size)
        return 0;
    memcpy(&size, first_page.data, sizeof size);
    return size > STATE_RECORD_MAX ? 0 : pages_of(size);
}

uint32_t state_read_page_key(struct slice key, uint16_t *ret_family, struct key128 *ret_id)
{
    const unsigned char *at = (const unsigned char *)key.data;
    *ret_family = (uint16_t)(at[1] << 8 | at[2]);
    memcpy(&ret_id->hi, at + 3, 8);
    memcpy(&ret_id->lo, at + 11, 8);
    return (uint32_t)at[19] << 24 | (uint32_t)at[20] << 16 | (uint32_t)at[21] << 8 | at[22];
}

/* All changed pages of a record are written at once, its first among them if its size changed, and
 * pages past its end are dropped when it shrinks: the first page tells the size of the whole. The
 * page that a record now ends in may be left over from when it was longer. */
enum status state_load_page(struct state *state, struct slice key, struct slice value)
{
    if (key.len != STATE_PAGE_KEY || value.len < 4 || value.len > STATE_PAGE + 4)
        return ST_ECORRUPT;
    uint16_t family;
    struct key128 id;
    uint32_t page = state_read_page_key(key, &family, &id), size;
    memcpy(&size, value.data, 4);
    struct record *rec = state_find(state, family, id);
    if ((unsigned char)key.data[0] != hash_shard(id) || size > STATE_RECORD_MAX ||
        (rec != NULL) != (page > 0))
        return ST_ECORRUPT;
    if (!rec)
        rec = state_insert(state, family, id, size);
    uint64_t from = (uint64_t)page * STATE_PAGE;
    if (page > 0 && from >= rec->size)
        return ST_ECORRUPT;
    size_t len = rec->size - from < STATE_PAGE ? rec->size - (size_t)from : STATE_PAGE;
    if (value.len - 4 < len)
        return ST_ECORRUPT;
    rec->hint = 0;
    memcpy(rec->data + from, value.data + 4, len);
    return ST_OK;
}

/* The pages of what was dropped went in the write that the drop was logged in. */
void state_redone(struct state *state)
{
    changes_forget(state);
    buf_reset(&state->dropped_pages);
    held_recovered(state);
}

struct key128 state_digest(const struct state *state)
{
    struct key128 sum = {0};
    for (size_t i = 0; i < state->n_slots; i++) {
        const struct record *rec = state->slots[i].rec;
        if (!rec)
            continue;
        XXH128_hash_t h =
            XXH3_128bits_withSeed(rec->data, rec->size, state_slot_hash(rec->family, rec->id));
        sum.lo += h.low64;
        sum.hi += h.high64;
    }
    return sum;
}
