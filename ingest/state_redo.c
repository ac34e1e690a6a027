/* Redo values: what changed of which records between two seals. */
#include <stdlib.h>

#include "ingest/state_internal.h"

/* Redo value: varint drops, {identity}*, then a patch of each record: {identity, varint size,
 * varint n, {varint from, len, bytes} x n}. Drops come first: a record dropped and made again
 * within an epoch is wholly dirty. RANGES_TOLD is set in the family; in the first format it was
 * not, there was no n, and two ranges always. */
enum { RANGES_TOLD = 0x8000 };
_Static_assert((int)FAMILIES_MAX <= (int)RANGES_TOLD, "a family's number leaves that bit alone");

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

void changes_drop(struct state *state, const struct record *rec)
{
    put_identity(&state->drops, rec->family, rec->id);
    state->n_drops++;
}

static void put_range(struct buf *buf, const struct record *rec, struct byte_range range)
{
    if (range.from == range.to)
        return;
    buf_varint(buf, range.from);
    buf_slice_put(buf, (struct slice){rec->data + range.from, range.to - range.from});
}

static unsigned is_some(struct byte_range range)
{
    return range.from < range.to;
}

static uint64_t count_ranges(const struct change_list *list, const struct change *change)
{
    uint64_t n = is_some(change->first[0]) + is_some(change->first[1]);
    for (uint32_t at = change->more; at > 0; at = list->more[at - 1].before)
        n += is_some(list->more[at - 1].range);
    return n;
}

static void put_patch(struct buf *buf, const struct change_list *list, const struct change *change)
{
    const struct record *rec = change->rec;
    put_identity(buf, rec->family | RANGES_TOLD, rec->id);
    buf_varint(buf, rec->size);
    buf_varint(buf, count_ranges(list, change));
    put_range(buf, rec, change->first[0]);
    put_range(buf, rec, change->first[1]);
    for (uint32_t at = change->more; at > 0; at = list->more[at - 1].before)
        put_range(buf, rec, list->more[at - 1].range);
}

static void prefetch_range(const struct record *rec, struct byte_range range)
{
    enum { LINE = 64 };
    for (uint32_t at = range.from; at < range.to; at += LINE)
        __builtin_prefetch(rec->data + at);
}

/* What changed is all over memory, and most of it long ago: it is loaded ahead. */
static void prefetch_changes(const struct change_list *list, size_t i)
{
    enum { AHEAD = 10 };
    if (i + AHEAD >= list->n || !list->items[i + AHEAD].rec)
        return;
    const struct change *change = &list->items[i + AHEAD];
    __builtin_prefetch(change->rec);
    prefetch_range(change->rec, change->first[0]);
    prefetch_range(change->rec, change->first[1]);
}

void state_seal(struct state *state, struct buf *ret_redo)
{
    const struct change_list *list = &state->changes;
    buf_varint(ret_redo, state->n_drops);
    buf_append(ret_redo, state->drops.data, state->drops.len);
    for (size_t i = 0; i < list->n; i++) {
        prefetch_changes(list, i);
        if (list->items[i].rec)
            put_patch(ret_redo, list, &list->items[i]);
    }
    changes_forget(state);
}

/* Of a family that was loaded whole what is not here is nowhere. */
static bool is_elsewhere(struct state *state, uint16_t family, struct key128 id)
{
    bool whole = family < FAMILIES_MAX && state->whole[family / 64] >> family % 64 & 1;
    return state->incomplete && !whole && !state_find(state, family, id);
}

static enum status apply_drops(struct state *state, struct reader *in)
{
    uint64_t n = read_varint(in);
    for (uint64_t i = 0; i < n && !in->bad; i++) {
        uint16_t family;
        struct key128 id = read_identity(in, &family);
        if (in->bad)
            return ST_ECORRUPT;
        struct record *rec = state_find(state, family, id);
        if (rec)
            state_drop(state, rec);
        held_forget(state, family, id);
    }
    return in->bad ? ST_ECORRUPT : ST_OK;
}

struct patch_range {
    uint64_t from;
    struct slice bytes;
};

static bool read_range(struct reader *in, uint64_t size, struct patch_range *ret)
{
    ret->from = read_varint(in);
    ret->bytes = read_slice(in);
    return !in->bad && ret->from <= size && ret->bytes.len <= size - ret->from;
}

/* Whether all of it can be applied, and whether it tells all of the record. Steps over them. */
static bool ranges_fit(struct reader *in, struct patch *patch)
{
    struct patch_range range;
    patch->whole = patch->size == 0;
    for (uint64_t i = 0; i < patch->n; i++) {
        if (!read_range(in, patch->size, &range))
            return false;
        patch->whole = patch->whole || range.bytes.len == patch->size;
    }
    return true;
}

/* ret_ranges: their bytes, which are good. */
static enum status read_patch(struct reader *in, struct patch *ret, struct slice *ret_ranges)
{
    ret->id = read_identity(in, &ret->family);
    ret->size = read_varint(in);
    ret->n = ret->family & RANGES_TOLD ? read_varint(in) : 2;
    ret->family &= (uint16_t)~RANGES_TOLD;
    ret_ranges->data = in->at;
    if (in->bad || ret->size > STATE_RECORD_MAX || !ranges_fit(in, ret))
        return ST_ECORRUPT;
    ret_ranges->len = (size_t)(in->at - ret_ranges->data);
    return ST_OK;
}

void redo_patch(struct state *state, const struct patch *patch, struct reader *in)
{
    struct record *rec = state_obtain(state, patch->family, patch->id, patch->size);
    if (rec->size != patch->size)
        rec = state_resize(state, rec, patch->size);
    rec->hint = 0;
    struct patch_range range;
    for (uint64_t i = 0; i < patch->n && read_range(in, patch->size, &range); i++) {
        if (range.bytes.len == 0)
            continue;
        memcpy(rec->data + range.from, range.bytes.data, range.bytes.len);
        state_touch(state, rec, range.from, range.bytes.len);
    }
}

static enum status apply_patch(struct state *state, struct reader *in)
{
    struct patch patch;
    struct slice ranges;
    TRY(read_patch(in, &patch, &ranges));
    if (!patch.whole && is_elsewhere(state, patch.family, patch.id)) {
        held_put(state, &patch, ranges);
        return ST_OK;
    }
    held_forget(state, patch.family, patch.id);
    struct reader good = reader_of(ranges);
    redo_patch(state, &patch, &good);
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
