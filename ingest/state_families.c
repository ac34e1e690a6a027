/* The families of a state: their names, numbers and fingerprints; those that are retired go. */
#include <assert.h>

#include "ingest/state_internal.h"

/* Family 0 belongs to the state itself: the names and fingerprints of all others, in the order of
 * their numbers. */
enum { FAMILY_DIRECTORY = 0, RETIRED = '~' };
static const struct key128 directory_id = {1, 0};

struct entry {
    struct slice name;
    uint64_t fingerprint;
};

/* The next entry of the directory; false at its end, or where it is corrupt (in->bad). */
static bool next_entry(struct reader *in, struct entry *ret)
{
    if (in->bad || reader_left(in) == 0)
        return false;
    ret->name = read_slice(in);
    ret->fingerprint = read_u64(in);
    return !in->bad;
}

static struct reader read_directory(struct state *state)
{
    struct record *rec = state_find(state, FAMILY_DIRECTORY, directory_id);
    return reader_of(rec ? (struct slice){rec->data, rec->size} : (struct slice){0});
}

static void put_entry(struct buf *buf, struct slice name, uint64_t fingerprint)
{
    buf_slice_put(buf, name);
    buf_u64(buf, fingerprint);
}

static void write_directory(struct state *state, const struct buf *entries)
{
    struct record *rec = state_obtain(state, FAMILY_DIRECTORY, directory_id, 0);
    rec = state_resize(state, rec, entries->len);
    if (entries->len > 0)
        memcpy(rec->data, entries->data, entries->len);
    state_touch(state, rec, 0, entries->len);
}

/* Writes the directory anew with another entry of that number: one that is there, or the next. */
static void set_entry(struct state *state, uint16_t family, struct slice name, uint64_t fingerprint)
{
    struct buf entries = {0};
    struct reader in = read_directory(state);
    struct entry entry;
    uint16_t i = 1;
    for (; next_entry(&in, &entry); i++) {
        bool other = i != family;
        put_entry(&entries, other ? entry.name : name, other ? entry.fingerprint : fingerprint);
    }
    if (i == family)
        put_entry(&entries, name, fingerprint);
    write_directory(state, &entries);
    buf_done(&entries);
}

static bool find_entry(struct state *state, uint16_t family, struct entry *ret)
{
    struct reader in = read_directory(state);
    for (uint16_t i = 1; next_entry(&in, ret); i++)
        if (i == family)
            return true;
    return false;
}

enum status state_family_stored(struct state *state, const char *name, uint16_t *ret_family,
                                uint64_t *ret_fingerprint)
{
    struct reader in = read_directory(state);
    struct entry entry;
    for (uint16_t i = 1; next_entry(&in, &entry); i++) {
        if (!slice_eq(entry.name, slice_of(name)))
            continue;
        *ret_family = i;
        *ret_fingerprint = entry.fingerprint;
        return ST_OK;
    }
    return in.bad ? ST_ECORRUPT : ST_ENOTFOUND;
}

/* The lowest number that nobody has. */
static uint16_t free_number(struct state *state)
{
    struct reader in = read_directory(state);
    struct entry entry;
    uint16_t i = 1;
    while (next_entry(&in, &entry) && entry.name.len > 0)
        i++;
    return i;
}

enum status state_family(struct state *state, const char *name, uint64_t fingerprint, uint16_t *ret)
{
    uint64_t stored;
    enum status st = state_family_stored(state, name, ret, &stored);
    if (st == ST_OK)
        return stored == fingerprint ? ST_OK : ST_EVERSION;
    if (st != ST_ENOTFOUND)
        return st;
    uint16_t family = free_number(state);
    if (family >= FAMILIES_MAX)
        return ST_EINVAL;
    set_entry(state, family, slice_of(name), fingerprint);
    *ret = family;
    return ST_OK;
}

const char *state_family_name(struct state *state, uint16_t family, size_t *ret_len)
{
    struct entry entry;
    if (!find_entry(state, family, &entry))
        return NULL;
    *ret_len = entry.name.len;
    return entry.name.data;
}

void state_family_refit(struct state *state, uint16_t family, uint64_t fingerprint)
{
    struct entry entry;
    bool there = find_entry(state, family, &entry);
    assert(there);
    (void)there;
    set_entry(state, family, entry.name, fingerprint);
}

/* Retired families. */

static void note_retired(struct state *state, uint16_t family)
{
    assert(family < FAMILIES_MAX);
    state->retired[family / 64] |= UINT64_C(1) << family % 64;
    state->expiring = true;
    state->expire_met = false;
    state->expire_at = 0;
}

void state_family_retire(struct state *state, uint16_t family)
{
    struct entry entry;
    struct buf name = {0};
    if (!find_entry(state, family, &entry))
        return;
    buf_byte(&name, RETIRED);
    buf_append(&name, entry.name.data, entry.name.len);
    set_entry(state, family, buf_slice(&name), entry.fingerprint);
    buf_done(&name);
    note_retired(state, family);
}

static bool is_retired(const struct state *state, uint16_t family)
{
    return family < FAMILIES_MAX && state->retired[family / 64] >> family % 64 & 1;
}

/* Dropping a record may move others to where this pass has been already: it takes passes until one
 * meets none, and even then the last word is state_families_settle()'s at the next start. */
bool state_expire_some(struct state *state, size_t places_max)
{
    for (size_t n = 0; state->expiring && n < places_max; n++) {
        if (state->expire_at >= state->n_slots) {
            state->expiring = state->expire_met;
            state->expire_met = false;
            state->expire_at = 0;
            continue;
        }
        struct record *rec = state->slots[state->expire_at].rec;
        if (rec && is_retired(state, rec->family)) {
            state_drop(state, rec);
            state->expire_met = true;
        } else {
            state->expire_at++;
        }
    }
    return state->expiring;
}

static void count_record(void *arg, struct record *rec)
{
    (void)rec;
    ++*(size_t *)arg;
}

void state_families_settle(struct state *state, struct buf *ret_gone)
{
    struct entry entry;
    for (uint16_t family = 1; find_entry(state, family, &entry); family++) {
        size_t left = 0;
        if (entry.name.len == 0 || entry.name.data[0] != RETIRED)
            continue;
        state_each(state, family, count_record, &left);
        if (left > 0 || held_any(state, family)) {
            note_retired(state, family);
            continue;
        }
        set_entry(state, family, (struct slice){0}, 0);
        buf_u16(ret_gone, family);
    }
}
