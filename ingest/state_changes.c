/* Which bytes of which records changed since the last seal. */
#include <assert.h>
#include <stdlib.h>

#include "ingest/state_internal.h"

/* More ranges than this of one record run into each other. */
enum { MORE_MAX = 62 };

static void *grown(void *items, size_t *cap, size_t item_bytes)
{
    *cap = *cap ? *cap * 2 : 256;
    items = realloc(items, *cap * item_bytes);
    if (!items)
        abort();
    return items;
}

static struct change *change_add(struct change_list *list, struct record *rec)
{
    if (list->n == list->cap)
        list->items = grown(list->items, &list->cap, sizeof *list->items);
    struct change *change = &list->items[list->n++];
    *change = (struct change){.rec = rec};
    rec->change = (uint32_t)list->n;
    return change;
}

static void more_add(struct change_list *list, struct change *change, struct byte_range range)
{
    if (list->n_more == list->cap_more)
        list->more = grown(list->more, &list->cap_more, sizeof *list->more);
    list->more[list->n_more++] = (struct more_range){range, change->more};
    change->more = (uint32_t)list->n_more;
    change->n_more++;
}

static uint32_t growth(const struct byte_range *range, struct byte_range by)
{
    return (by.from < range->from ? range->from - by.from : 0) +
           (by.to > range->to ? by.to - range->to : 0);
}

static void widen(struct byte_range *range, struct byte_range by)
{
    range->from = by.from < range->from ? by.from : range->from;
    range->to = by.to > range->to ? by.to : range->to;
}

/* A range of its own is only for what lies well apart: each costs a few bytes. */
static bool joins(struct byte_range *range, struct byte_range by)
{
    enum { APART = 32 };
    if (range->from == range->to)
        *range = by;
    else if (growth(range, by) <= by.to - by.from + APART)
        widen(range, by);
    else
        return false;
    return true;
}

/* Bytes in two ranges are written twice, both times as they are at the seal. So it is enough to
 * look at the few newest: what changes again and again is among them, or runs into them at last. */
static void note_range(struct change_list *list, struct change *change, struct byte_range by)
{
    enum { NEWEST = 4 };
    if (joins(&change->first[0], by) || joins(&change->first[1], by))
        return;
    uint32_t at = change->more;
    for (int i = 0; i < NEWEST && at > 0; i++, at = list->more[at - 1].before)
        if (joins(&list->more[at - 1].range, by))
            return;
    if (change->n_more < MORE_MAX)
        more_add(list, change, by);
    else
        widen(&list->more[change->more - 1].range, by);
}

static uint64_t page_bits(size_t from, size_t to)
{
    size_t first = from / STATE_PAGE, last = to / STATE_PAGE;
    first = first > 63 ? 63 : first;
    last = last > 63 ? 63 : last;
    return (~UINT64_C(0) >> (63 - (last - first))) << first;
}

void state_touch(struct state *state, struct record *rec, size_t from, size_t len)
{
    assert(from + len <= rec->size);
    struct change_list *list = &state->changes;
    struct change *change = rec->change ? &list->items[rec->change - 1] : change_add(list, rec);
    if (!rec->stale)
        record_list_add(&state->stale, rec, &rec->stale);
    if (len > 0)
        note_range(list, change, (struct byte_range){(uint32_t)from, (uint32_t)(from + len)});
    rec->dirty_pages |= page_bits(from, from + (len ? len - 1 : 0));
}

void state_prefetch_change(const struct state *state, const struct record *rec)
{
    if (rec->change)
        __builtin_prefetch(&state->changes.items[rec->change - 1], 1);
}

void changes_move(struct state *state, uint32_t change, struct record *rec)
{
    state->changes.items[change - 1].rec = rec;
}

static void cut(struct byte_range *range, uint32_t size)
{
    range->to = range->to < size ? range->to : size;
    range->from = range->from < range->to ? range->from : range->to;
}

void changes_cut(struct state *state, const struct record *rec)
{
    if (!rec->change)
        return;
    struct change *change = &state->changes.items[rec->change - 1];
    cut(&change->first[0], rec->size);
    cut(&change->first[1], rec->size);
    for (uint32_t at = change->more; at > 0; at = state->changes.more[at - 1].before)
        cut(&state->changes.more[at - 1].range, rec->size);
}

void changes_forget(struct state *state)
{
    struct change_list *list = &state->changes;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].rec)
            list->items[i].rec->change = 0;
    list->n = list->n_more = 0;
    buf_reset(&state->drops);
    state->n_drops = 0;
}
