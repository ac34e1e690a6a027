#include "features/ledger.h"

#include <stdio.h>
#include <stdlib.h>

/* FORMAT of an entry; SERIES: the fingerprint of all families that the ledger answers for. */
enum { FORMAT = 1, FINGERPRINT = 1, SERIES = 2 };

struct window {
    int64_t over;
    int64_t from; /* entries after this instant are all there, as far as the window can see */
};

/* What is stored of a family. Slices are borrowed. */
struct entry {
    struct slice name, shape;
    int64_t since; /* when it was added */
    int64_t keep;  /* entries younger than the newest by less than this are kept */
    size_t n;
    struct window windows[SERIES_WINDOWS_MAX];
};

struct ledger {
    struct state *state;
    int64_t now;
    uint16_t family;
    size_t n;
    struct key128 *claimed;
};

enum status ledger_open(struct state *state, int64_t now, struct ledger **ret)
{
    uint16_t family;
    TRY(state_family(state, LEDGER_FAMILY, FINGERPRINT, &family));
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return ST_ENOMEM;
    *ledger = (struct ledger){.state = state, .now = now, .family = family};
    *ret = ledger;
    return ST_OK;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    free(ledger->claimed);
    free(ledger);
}

static struct key128 id_of(struct slice name)
{
    return hash_entity(slice_of(LEDGER_FAMILY), name);
}

/* Entries. */

static void encode(const struct entry *entry, struct buf *ret)
{
    buf_byte(ret, FORMAT);
    buf_slice_put(ret, entry->name);
    buf_slice_put(ret, entry->shape);
    buf_u64(ret, (uint64_t)entry->since);
    buf_u64(ret, (uint64_t)entry->keep);
    buf_varint(ret, entry->n);
    for (size_t i = 0; i < entry->n; i++) {
        buf_u64(ret, (uint64_t)entry->windows[i].over);
        buf_u64(ret, (uint64_t)entry->windows[i].from);
    }
}

static enum status decode(const struct record *rec, struct entry *ret)
{
    struct reader in = reader_of((struct slice){rec->data, rec->size});
    struct entry entry = {0};
    uint8_t format = read_byte(&in);
    if (format > FORMAT)
        return ST_EVERSION;
    entry.name = read_slice(&in);
    entry.shape = read_slice(&in);
    entry.since = (int64_t)read_u64(&in);
    entry.keep = (int64_t)read_u64(&in);
    entry.n = read_varint(&in);
    if (in.bad || format == 0 || entry.n > SERIES_WINDOWS_MAX)
        return ST_ECORRUPT;
    for (size_t i = 0; i < entry.n; i++) {
        entry.windows[i].over = (int64_t)read_u64(&in);
        entry.windows[i].from = (int64_t)read_u64(&in);
    }
    if (!reader_done(&in))
        return ST_ECORRUPT;
    *ret = entry;
    return ST_OK;
}

/* What is as it was is not written again. */
static void store(struct ledger *ledger, const struct entry *entry)
{
    struct buf bytes = {0};
    encode(entry, &bytes);
    struct record *rec = state_obtain(ledger->state, ledger->family, id_of(entry->name), 0);
    if (rec->size != bytes.len || memcmp(rec->data, bytes.data, bytes.len) != 0) {
        rec = state_resize(ledger->state, rec, bytes.len);
        memcpy(rec->data, bytes.data, bytes.len);
        state_touch(ledger->state, rec, 0, bytes.len);
    }
    buf_done(&bytes);
}

/* The first line of the stored shape that the other one lacks. */
static void name_difference(struct slice stored, const char *shape, char *ret, size_t size)
{
    for (const char *at = stored.data, *end = at + stored.len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        if (!memmem(shape, strlen(shape), at, len + (stop ? 1 : 0))) {
            snprintf(ret, size, "%.*s", (int)len, at);
            return;
        }
        at += len + 1;
    }
    snprintf(ret, size, "less");
}

/* Windows. */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t before(int64_t time, int64_t span)
{
    return time < INT64_MIN + span ? INT64_MIN : time - span;
}

static int64_t after(int64_t time, int64_t span)
{
    return time > INT64_MAX - span ? INT64_MAX : time + span;
}

/* A window that is new looks at what the family has kept for the others. Tiles were cut for those,
 * too coarse for it. */
static int64_t from_of(const struct ledger *ledger, const struct entry *entry,
                       const struct series *series, int64_t over)
{
    for (size_t i = 0; i < entry->n; i++)
        if (entry->windows[i].over == over)
            return entry->windows[i].from;
    if (entry->n == 0)
        return entry->since; /* the whole family is new */
    if (series->tiled)
        return ledger->now;
    return later(entry->since, before(ledger->now, entry->keep));
}

/* The first time at which a window reaches back no further than `from`. */
static int64_t warm_at(const struct series *series, int64_t over, int64_t from)
{
    if (from == INT64_MIN)
        return INT64_MIN;
    if (!series->tumbling)
        return after(from, series->delay + over);
    int64_t into = from % over;
    return after(before(from, into < 0 ? into + over : into), over + series->delay);
}

static bool is_known(const struct entry *entry, int64_t over)
{
    for (size_t i = 0; i < entry->n; i++)
        if (entry->windows[i].over == over)
            return true;
    return false;
}

/* The entry as it is from now on. */
static struct entry fit(const struct ledger *ledger, const struct entry *old, const char *shape,
                        const struct series *series, struct ledger_claim *claim)
{
    struct entry entry = {old->name,    slice_of(shape),   old->since,
                          series->keep, series->n_windows, {{0}}};
    for (size_t i = 0; i < series->n_windows; i++) {
        int64_t over = series->over[i], from = from_of(ledger, old, series, over);
        entry.windows[i] = (struct window){over, from};
        claim->warm[i] = warm_at(series, over, from);
        claim->is_new = claim->is_new || (from != INT64_MIN && !is_known(old, over));
    }
    return entry;
}

/* A family without an entry is new, or one that an older freshet kept without a ledger: then
 * nothing may have changed since, and it has been there from the beginning. */
static enum status adopt(struct ledger *ledger, const char *name, const struct series *series,
                         struct entry *ret, struct ledger_claim *claim)
{
    uint64_t stored;
    enum status st = state_family_stored(ledger->state, name, &claim->family, &stored);
    if (st == ST_ENOTFOUND)
        return state_family(ledger->state, name, SERIES, &claim->family);
    TRY(st);
    if (stored != series_fingerprint(series)) {
        snprintf(claim->stored, sizeof claim->stored, "other windows or options");
        return ST_EVERSION;
    }
    ret->since = INT64_MIN;
    state_family_refit(ledger->state, claim->family, SERIES);
    return ST_OK;
}

/* What the state has under that name, in old; new: how it begins. */
static enum status look_up(struct ledger *ledger, const char *name, const char *shape,
                           const struct series *series, struct entry *old,
                           struct ledger_claim *claim)
{
    const struct record *rec = state_find(ledger->state, ledger->family, id_of(slice_of(name)));
    *old = (struct entry){.since = ledger->now};
    if (!rec)
        return adopt(ledger, name, series, old, claim);
    TRY(decode(rec, old));
    if (!slice_eq(old->shape, slice_of(shape))) {
        name_difference(old->shape, shape, claim->stored, sizeof claim->stored);
        return ST_EVERSION;
    }
    return state_family(ledger->state, name, SERIES, &claim->family);
}

static void note_claimed(struct ledger *ledger, struct key128 id)
{
    ledger->claimed = realloc(ledger->claimed, (ledger->n + 1) * sizeof *ledger->claimed);
    if (!ledger->claimed)
        abort();
    ledger->claimed[ledger->n++] = id;
}

enum status ledger_claim(struct ledger *ledger, const char *name, const char *shape,
                         const struct series *series, struct ledger_claim *ret)
{
    struct entry old;
    *ret = (struct ledger_claim){0};
    TRY(look_up(ledger, name, shape, series, &old, ret));
    old.name = slice_of(name); /* not in the record that is about to be written */
    struct entry entry = fit(ledger, &old, shape, series, ret);
    store(ledger, &entry);
    note_claimed(ledger, id_of(entry.name));
    return ST_OK;
}

/* What is left over. */

struct leftover {
    const struct ledger *ledger;
    size_t n;
    struct key128 *ids;
};

static void collect(void *arg, struct record *rec)
{
    struct leftover *left = arg;
    for (size_t i = 0; i < left->ledger->n; i++)
        if (key_eq(left->ledger->claimed[i], rec->id))
            return;
    left->ids = realloc(left->ids, (left->n + 1) * sizeof *left->ids);
    if (!left->ids)
        abort();
    left->ids[left->n++] = rec->id;
}

static void retire(struct ledger *ledger, struct key128 id,
                   void (*fn)(void *arg, struct slice name), void *arg)
{
    struct record *rec = state_find(ledger->state, ledger->family, id);
    struct entry entry;
    struct buf name = {0};
    uint16_t family;
    uint64_t fingerprint;
    if (decode(rec, &entry) == ST_OK) {
        buf_append(&name, entry.name.data, entry.name.len);
        buf_byte(&name, '\0');
        if (state_family_stored(ledger->state, name.data, &family, &fingerprint) == ST_OK)
            state_family_retire(ledger->state, family);
        fn(arg, slice_of(name.data));
    }
    state_drop(ledger->state, rec);
    buf_done(&name);
}

void ledger_close(struct ledger *ledger, void (*fn)(void *arg, struct slice name), void *arg)
{
    struct leftover left = {.ledger = ledger};
    state_each(ledger->state, ledger->family, collect, &left);
    for (size_t i = 0; i < left.n; i++)
        retire(ledger, left.ids[i], fn, arg);
    free(left.ids);
    ledger_free(ledger);
}
