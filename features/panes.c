#include "features/panes.h"

#include <string.h>

enum { VERSION = 1 };

struct head {
    uint32_t version;
    uint32_t n; /* panes that follow, in no order */
};

struct pane_head {
    int64_t index; /* the pane is [index width, (index + 1) width) */
    uint32_t bytes;
    uint32_t zero;
};

static int64_t index_of(const struct panes *panes, int64_t time)
{
    return time / panes->width - (time % panes->width < 0);
}

/* Walking: offsets into the record, because it may move. */

static struct pane_head *head_at(const struct record *rec, size_t at)
{
    return (struct pane_head *)(void *)((char *)(uintptr_t)rec->data + at);
}

static void *sketch_at(const struct record *rec, size_t at)
{
    return head_at(rec, at) + 1;
}

static size_t behind(const struct record *rec, size_t at)
{
    return at + sizeof(struct pane_head) + head_at(rec, at)->bytes;
}

static bool look_through(const struct panes *panes, const struct record *rec)
{
    const struct head *head = (const void *)rec->data;
    if (rec->size < sizeof *head || head->version != VERSION || head->n > PANES_MAX)
        return false;
    size_t at = sizeof *head;
    for (uint32_t i = 0; i < head->n; i++) {
        if (rec->size - at < sizeof(struct pane_head))
            return false;
        const struct pane_head *pane = head_at(rec, at);
        if (pane->bytes % 8 != 0 || pane->bytes > rec->size - at - sizeof *pane ||
            !panes->type->valid(panes->size, pane + 1, pane->bytes))
            return false;
        at = behind(rec, at);
    }
    return at == rec->size;
}

/* A spoilt record counts as none. Only one that comes from the store is looked through. */
static bool is_valid(const struct panes *panes, struct record *rec)
{
    if (rec->hint == 0 && look_through(panes, rec))
        rec->hint = 1;
    return rec->hint != 0;
}

/* Whether one pane lies less than a window before another: indices may be anything. */
static bool is_within(const struct panes *panes, int64_t index, int64_t newest)
{
    return index <= newest && (uint64_t)newest - (uint64_t)index < (uint64_t)panes->panes;
}

/* The newest pane, not before `least`. */
static int64_t newest_of(const struct record *rec, int64_t least)
{
    const struct head *head = (const void *)rec->data;
    int64_t newest = least;
    size_t at = sizeof *head;
    for (uint32_t i = 0; i < head->n; i++, at = behind(rec, at))
        if (head_at(rec, at)->index > newest)
            newest = head_at(rec, at)->index;
    return newest;
}

/* A late event does not see what was let go of, even where it still lies there. */
size_t panes_find(const struct panes *panes, struct record *rec, int64_t time, struct pane *ret)
{
    size_t n = 0, at = sizeof(struct head);
    if (!rec || !is_valid(panes, rec))
        return 0;
    const struct head *head = (const void *)rec->data;
    int64_t index = index_of(panes, time), newest = newest_of(rec, index);
    for (uint32_t i = 0; i < head->n; i++, at = behind(rec, at)) {
        const struct pane_head *pane = head_at(rec, at);
        if (is_within(panes, pane->index, index) && is_within(panes, pane->index, newest))
            ret[n++] = (struct pane){pane + 1, pane->bytes};
    }
    return n;
}

bool panes_describe(const struct panes *panes, struct record *rec, size_t *ret_n, int64_t *ret_from,
                    int64_t *ret_to)
{
    const struct head *head = (const void *)rec->data;
    if (!is_valid(panes, rec) || head->n == 0)
        return false;
    int64_t first = INT64_MAX, last = INT64_MIN;
    size_t at = sizeof *head;
    for (uint32_t i = 0; i < head->n; i++, at = behind(rec, at)) {
        int64_t index = head_at(rec, at)->index;
        first = index < first ? index : first;
        last = index > last ? index : last;
    }
    *ret_n = head->n;
    if (__builtin_mul_overflow(first, panes->width, ret_from) || last == INT64_MAX ||
        __builtin_mul_overflow(last + 1, panes->width, ret_to))
        return false;
    return true;
}

/* Writing. */

static struct record *obtain(const struct panes *panes, struct state *state, struct key128 id)
{
    struct record *rec = state_find(state, panes->family, id);
    if (rec && is_valid(panes, rec))
        return rec;
    if (!rec)
        rec = state_obtain(state, panes->family, id, sizeof(struct head));
    rec = state_resize(state, rec, sizeof(struct head));
    *(struct head *)record_data(rec) = (struct head){VERSION, 0};
    state_touch(state, rec, 0, sizeof(struct head));
    return rec;
}

/* Where the event's pane lies, or else one that can be let go of for it; 0: there is none. The
 * newest pane of all, the event's included, in *ret_newest. */
static size_t find_place(const struct panes *panes, const struct record *rec, int64_t index,
                         int64_t *ret_newest)
{
    const struct head *head = (const void *)rec->data;
    size_t at = sizeof *head, gone = 0;
    *ret_newest = newest_of(rec, index);
    for (uint32_t i = 0; i < head->n; i++, at = behind(rec, at)) {
        if (head_at(rec, at)->index == index)
            return at;
        if (!is_within(panes, head_at(rec, at)->index, *ret_newest))
            gone = gone ? gone : at;
    }
    return gone;
}

static struct record *append(const struct panes *panes, struct state *state, struct record *rec,
                             size_t *ret_at)
{
    size_t at = rec->size, bytes = panes->type->bytes_first(panes->size);
    rec = state_resize(state, rec, at + sizeof(struct pane_head) + bytes);
    head_at(rec, at)->bytes = (uint32_t)bytes;
    ((struct head *)record_data(rec))->n++;
    state_touch(state, rec, offsetof(struct head, n), sizeof(uint32_t));
    *ret_at = at;
    return rec;
}

static void begin(struct state *state, struct record *rec, size_t at, int64_t index)
{
    struct pane_head *pane = head_at(rec, at);
    pane->index = index;
    memset(pane + 1, 0, pane->bytes);
    state_touch(state, rec, at, sizeof *pane + pane->bytes);
}

/* More room for a pane: what lies behind it moves. */
static struct record *widen(const struct panes *panes, struct state *state, struct record *rec,
                            size_t at, size_t need)
{
    size_t size = rec->size, end = behind(rec, at), had = head_at(rec, at)->bytes;
    rec = state_resize(state, rec, size + need - had);
    char *data = record_data(rec);
    memmove(data + end + need - had, data + end, size - end);
    memset(data + end, 0, need - had);
    head_at(rec, at)->bytes = (uint32_t)need;
    if (panes->type->grow)
        panes->type->grow(panes->size, sketch_at(rec, at), had, need);
    state_touch(state, rec, at, rec->size - at);
    return rec;
}

static void add(const struct panes *panes, struct state *state, struct record *rec, size_t at,
                union sketch_value value)
{
    struct sketch_change change = {0};
    size_t from = at + sizeof(struct pane_head);
    panes->type->add(panes->size, sketch_at(rec, at), head_at(rec, at)->bytes, value, &change);
    for (size_t i = 0; i < change.n; i++)
        state_touch(state, rec, from + change.ranges[i].at, change.ranges[i].len);
}

void panes_observe(const struct panes *panes, struct state *state, struct key128 id, int64_t time,
                   union sketch_value value)
{
    struct record *rec = obtain(panes, state, id);
    int64_t index = index_of(panes, time), newest;
    size_t at = find_place(panes, rec, index, &newest);
    if (!is_within(panes, index, newest))
        return;
    bool is_new = at == 0 || head_at(rec, at)->index != index;
    if (at == 0 && ((const struct head *)record_data(rec))->n < PANES_MAX)
        rec = append(panes, state, rec, &at);
    if (at == 0)
        return; /* a spoilt record alone holds so many that are near */
    if (is_new)
        begin(state, rec, at, index);
    size_t bytes = head_at(rec, at)->bytes;
    size_t need = panes->type->bytes_next(panes->size, sketch_at(rec, at), bytes);
    if (need > bytes)
        rec = widen(panes, state, rec, at, need);
    add(panes, state, rec, at, value);
}
