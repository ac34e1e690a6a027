/* The two forms in which records leave memory: redo values (byte ranges of one epoch) and pages. */
#include <assert.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ingest/state_internal.h"

static void put_identity(struct buf *buf, uint16_t family, struct key128 id)
{
    buf_u16(buf, family);
    buf_u64(buf, id.lo);
    buf_u64(buf, id.hi);
}

static struct key128 read_identity(struct reader *in, uint16_t *ret_family)
{
    *ret_family = read_u16(in);
    uint64_t lo = read_u64(in);
    return (struct key128){lo, read_u64(in)};
}

/* Redo value: varint drops, {identity}*, then {identity, varint size, from, len, bytes}*. Drops
 * come first: a record dropped and made again within an epoch is wholly dirty. */
void state_seal(struct state *state, struct buf *ret_redo)
{
    buf_varint(ret_redo, state->n_drops);
    buf_append(ret_redo, state->drops.data, state->drops.len);
    buf_reset(&state->drops);
    state->n_drops = 0;
    for (size_t i = 0; i < state->changes.n; i++) {
        struct record *rec = state->changes.items[i];
        if (!rec)
            continue;
        put_identity(ret_redo, rec->family, rec->id);
        buf_varint(ret_redo, rec->size);
        buf_varint(ret_redo, rec->dirty_from);
        buf_slice_put(ret_redo,
                      (struct slice){rec->data + rec->dirty_from, rec->dirty_to - rec->dirty_from});
        rec->change = 0;
    }
    state->changes.n = 0;
}

static enum status apply_drops(struct state *state, struct reader *in)
{
    uint64_t n = read_varint(in);
    for (uint64_t i = 0; i < n && !in->bad; i++) {
        uint16_t family;
        struct key128 id = read_identity(in, &family);
        struct record *rec = in->bad ? NULL : state_find(state, family, id);
        if (rec)
            state_drop(state, rec);
    }
    return in->bad ? ST_ECORRUPT : ST_OK;
}

static enum status apply_patch(struct state *state, struct reader *in)
{
    uint16_t family;
    struct key128 id = read_identity(in, &family);
    uint64_t size = read_varint(in), from = read_varint(in);
    struct slice bytes = read_slice(in);
    if (in->bad || size > UINT32_MAX || from > size || bytes.len > size - from)
        return ST_ECORRUPT;
    struct record *rec = state_obtain(state, family, id, size);
    if (rec->size != size)
        rec = state_resize(state, rec, size);
    if (bytes.len > 0)
        memcpy(rec->data + from, bytes.data, bytes.len);
    state_touch(state, rec, from, bytes.len);
    return ST_OK;
}

enum status state_apply_redo(struct state *state, struct slice redo)
{
    struct reader in = reader_of(redo);
    TRY(apply_drops(state, &in));
    while (reader_left(&in) > 0)
        TRY(apply_patch(state, &in));
    return ST_OK;
}

static void put_page_key(struct buf *buf, uint16_t family, struct key128 id, uint32_t page)
{
    unsigned char *at = (unsigned char *)buf_reserve(buf, STATE_PAGE_KEY);
    at[0] = (unsigned char)hash_shard(id);
    at[1] = (unsigned char)(family >> 8);
    at[2] = (unsigned char)family;
    memcpy(at + 3, &id.hi, 8);
    memcpy(at + 11, &id.lo, 8);
    for (int i = 0; i < 4; i++)
        at[19 + i] = (unsigned char)(page >> (24 - 8 * i));
    buf->len += STATE_PAGE_KEY;
}

static uint32_t pages_of(const struct record *rec)
{
    return rec->size ? (rec->size + STATE_PAGE - 1) / STATE_PAGE : 1;
}

void state_note_drop(struct state *state, const struct record *rec)
{
    put_identity(&state->drops, rec->family, rec->id);
    state->n_drops++;
    for (uint32_t page = 0; page < pages_of(rec); page++) {
        put_page_key(&state->dropped_pages, rec->family, rec->id, page);
        buf_u32(&state->dropped_pages, 0);
    }
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

static void put_dirty_pages(struct buf *buf, struct record *rec)
{
    uint32_t n = pages_of(rec);
    for (uint32_t page = 0; page < n; page++)
        if (rec->dirty_pages >> (page < 63 ? page : 63) & 1)
            put_page(buf, rec, page);
    rec->dirty_pages = 0;
    rec->stale = 0;
    rec->flags &= (uint16_t)~RECORD_IN_SWEEP;
}

bool state_sweep_some(struct state *state, size_t bytes_max, struct buf *ret_pages)
{
    size_t until = ret_pages->len + bytes_max;
    for (; state->swept < state->sweep.n && ret_pages->len < until; state->swept++)
        if (state->sweep.items[state->swept])
            put_dirty_pages(ret_pages, state->sweep.items[state->swept]);
    if (state->swept < state->sweep.n)
        return true;
    state->sweep.n = 0;
    return false;
}

size_t state_sweep_left(const struct state *state)
{
    return state->sweep.n - state->swept;
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

static uint32_t page_number(const unsigned char *key)
{
    return (uint32_t)key[19] << 24 | (uint32_t)key[20] << 16 | (uint32_t)key[21] << 8 | key[22];
}

/* Page 0 was written whenever the size changed, so its size is the record's. */
enum status state_load_page(struct state *state, struct slice key, struct slice value)
{
    if (key.len != STATE_PAGE_KEY || value.len < 4)
        return ST_ECORRUPT;
    const unsigned char *at = (const unsigned char *)key.data;
    uint16_t family = (uint16_t)(at[1] << 8 | at[2]);
    struct key128 id;
    memcpy(&id.hi, at + 3, 8);
    memcpy(&id.lo, at + 11, 8);
    uint32_t page = page_number(at), size;
    memcpy(&size, value.data, 4);
    struct record *rec = state_find(state, family, id);
    if (!rec && page > 0)
        return ST_ECORRUPT;
    if (!rec)
        rec = state_obtain(state, family, id, size);
    uint64_t from = (uint64_t)page * STATE_PAGE;
    if (page > 0 && from >= rec->size)
        return ST_OK; /* left over from when the record was longer */
    size_t len = rec->size - from < STATE_PAGE ? rec->size - (size_t)from : STATE_PAGE;
    if (value.len - 4 < len)
        len = value.len - 4; /* the tail was touched later: it is in a redo value */
    memcpy(rec->data + from, value.data + 4, len);
    return ST_OK;
}

/* What was loaded is clean: nothing of it needs to be logged or written again. */
void state_loaded(struct state *state)
{
    for (size_t i = 0; i < state->changes.n; i++)
        if (state->changes.items[i])
            state->changes.items[i]->change = 0;
    state->changes.n = 0;
    for (size_t i = 0; i < state->stale.n; i++)
        if (state->stale.items[i]) {
            state->stale.items[i]->stale = 0;
            state->stale.items[i]->dirty_pages = 0;
        }
    state->stale.n = 0;
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
