/*
 * ingest/state.h -- the decoded working set: every record the state thread may read or change.
 *
 * A record is a flat run of bytes (no pointers inside: what is in memory is what is stored) named
 * by family and 128-bit id. It may grow; on disk it is split into pages of STATE_PAGE bytes keyed
 * (shard, family, id, page), so that a change costs its pages and not its record. Changed byte
 * ranges are noted with state_touch() and are copied out when an epoch is sealed (see epoch.h).
 *
 *     uint16_t family = ...;                                  // from state_family() at start
 *     struct record *rec = state_obtain(state, family, id, sizeof(struct head));
 *     struct head *head = record_data(rec);
 *     head->count++;
 *     state_touch(state, rec, offsetof(struct head, count), sizeof head->count);
 *
 * One thread owns a state. A record's data moves when that same record is resized, never otherwise.
 *
 * Not all records need be in memory: see "a working set smaller than the state" below.
 */
#ifndef INGEST_STATE_H
#define INGEST_STATE_H

#include "base/hash.h"
#include "base/status.h"

#define STATE_PAGE 4096
/* No record may be larger; what is stored and says so is corrupt. */
#define STATE_RECORD_MAX (UINT32_C(1) << 30)

struct state;

/* The part that stays in memory; data follows it. */
struct record {
    struct key128 id;
    uint16_t family;
    uint16_t flags;  /* from here on all but size is state.c's own */
    uint32_t size;   /* bytes of data in use */
    uint32_t cap;    /* bytes of data there is room for */
    uint32_t change; /* index into this epoch's changes + 1; 0: unchanged */
    uint32_t stale;  /* index into the records that have dirty pages + 1; 0: none */
    /* For whoever owns the family: something worked out from the data, to save doing so again. Not
     * stored; 0 when the data came from the store. */
    uint32_t hint;
    uint32_t seen; /* the turn in which it was last needed, made or swept: see state_turn() */
    /* pages changed since they last went to disk; bit 63: all from there on */
    uint64_t dirty_pages;
    _Alignas(8) char data[]; /* whoever owns the family keeps its structs in here */
};

static inline void *record_data(struct record *rec)
{
    return rec->data;
}

STATUS_CHECKED enum status state_create(struct state **ret);
void state_free(struct state *state);

/* The number of a family by name, given once and kept in the store. fingerprint: hash of all that
 * shapes its bytes; ST_EVERSION if the store has the family with another one. */
STATUS_CHECKED enum status state_family(struct state *state, const char *name, uint64_t fingerprint,
                                        uint16_t *ret);

/* The name of a family (not NUL-terminated), or NULL behind the last. Empty: the number is free; a
 * first '~': retired. */
const char *state_family_name(struct state *state, uint16_t family, size_t *ret_len);
/* What the store has under a name. ST_ENOTFOUND. */
STATUS_CHECKED enum status state_family_stored(struct state *state, const char *name,
                                               uint16_t *ret_family, uint64_t *ret_fingerprint);
/* Gives a family another fingerprint: what it holds has been brought to that shape. */
void state_family_refit(struct state *state, uint16_t family, uint64_t fingerprint);
/* Its name is free at once, its records go by and by (state_expire_some()). Its number is given
 * again once they are gone: after a start at which state_families_settle() finds none. */
void state_family_retire(struct state *state, uint16_t family);
/* Drops records of retired families; looks at so many places of the table at most. Returns whether
 * there is more to do. */
bool state_expire_some(struct state *state, size_t places_max);
/* Once, when everything is recovered: frees the numbers of retired families without records, and
 * appends them (u16) to ret_gone, so that the pages that the store may still have are dropped. */
void state_families_settle(struct state *state, struct buf *ret_gone);

/* NULL if there is none. */
struct record *state_find(struct state *state, uint16_t family, struct key128 id);
/* Finds it, or makes one of `size` zero bytes (all touched). */
struct record *state_obtain(struct state *state, uint16_t family, struct key128 id, size_t size);
/* Changes its size, keeping what fits; new bytes are zero and touched. Returns where it is now;
 * the old pointer is dead. */
struct record *state_resize(struct state *state, struct record *rec, size_t size);
/* Room for cap bytes without moving again; changes nothing that is stored. Returns where it is now.
 */
struct record *state_reserve(struct state *state, struct record *rec, size_t cap);
/* Says that bytes [from, from + len) of its data changed, or are about to within this call chain.
 */
void state_touch(struct state *state, struct record *rec, size_t from, size_t len);
/* Removes it; the pointer is dead. */
void state_drop(struct state *state, struct record *rec);

/* --- for the commit protocol (epoch.h) and recovery --- */

/* Appends what changed since the last seal as one redo value, and forgets it. */
void state_seal(struct state *state, struct buf *ret_redo);
/* Applies a redo value over what is there; applying it again changes nothing. ST_ECORRUPT. Where
 * records are elsewhere: see "a start that does not load all" below. */
STATUS_CHECKED enum status state_apply_redo(struct state *state, struct slice redo);

/* Pages go to disk in sweeps. A sweep takes all records changed since the one before; each call of
 * state_sweep_some() appends pages of about `bytes_max` bytes as they are now, in page format (see
 * state_next_page()), and returns false once the sweep is over. Redo values sealed before
 * state_sweep_begin() are then no longer needed. Right after a seal and in this order:
 *
 *     state_seal(state, &redo);
 *     state_take_drops(state, &pages);      // first: a key dropped may be written again
 *     state_sweep_begin(state);             // unless one is running
 *     more = state_sweep_some(state, bytes_max, &pages);
 */
void state_sweep_begin(struct state *state);
bool state_sweep_some(struct state *state, size_t bytes_max, struct buf *ret_pages);
/* Pages that are no more since the last call (records dropped or grown smaller), as their keys, in
 * page format with empty values. */
void state_take_drops(struct state *state, struct buf *ret_pages);

/* A page's key in the store: shard, family (big-endian), id, page (big-endian). */
#define STATE_PAGE_KEY 23
/* Page format: {key[STATE_PAGE_KEY], u32 len, bytes} repeated. Returns false at the end. */
bool state_next_page(struct reader *in, struct slice *ret_key, struct slice *ret_value);
/* Installs a page read from the store, as unchanged; pages of a record come in order. ST_ECORRUPT.
 */
STATUS_CHECKED enum status state_load_page(struct state *state, struct slice key,
                                           struct slice value);

/* After all redo values are applied: what they changed has still to be swept, but is logged. */
void state_redone(struct state *state);
/* Records that the running sweep has still to write. */
size_t state_sweep_left(const struct state *state);
/* That, and those changed since it began. */
size_t state_unswept(const struct state *state);

/* --- a working set smaller than the state ---
 *
 * A state is complete while all that it holds is in memory. Once records have been evicted it is
 * not, and state_find() of one that is elsewhere says that there is none. So whoever is about to
 * use records first says which (state_need()), reads what is missing from the store, and installs
 * it (state_load_page()); what the store lacks there is none of. Nothing here reads the store.
 *
 * Time is counted in turns (of batches of events): what was needed, made or swept within the last
 * STATE_TURNS_KEPT turns stays, so that needs may be told that many turns ahead of use.
 */
enum { STATE_TURNS_KEPT = 8 };

struct state_missing {
    uint16_t family;
    struct key128 id;
};

bool state_complete(const struct state *state);
/* Records are elsewhere: at a start that does not load them. */
void state_set_incomplete(struct state *state);
/* Notes that a record will soon be used; one that is not here is added to state_missing(). */
void state_need(struct state *state, uint16_t family, struct key128 id);
/* What was missing since the last state_forget_missing(), with repeats. */
const struct state_missing *state_missing(const struct state *state, size_t *ret_n);
void state_forget_missing(struct state *state);

/* A batch of events is over. */
void state_turn(struct state *state);
uint32_t state_turns(const struct state *state);
/* The epoch sealed in that turn is durable, its pages with it. */
void state_durable(struct state *state, uint32_t turn);
/* Lets go of records that are in the store as they are here, those not needed lately first, until
 * no more than `bytes` are taken or it has looked at enough for one call. fn is told of each record
 * of its family before it goes, and may keep it by returning false. Returns how many went. */
size_t state_evict(struct state *state, size_t bytes);
void state_on_evict(struct state *state, uint16_t family, bool (*fn)(void *arg, struct record *rec),
                    void *arg);
/* --- a start that does not load all ---
 *
 * A redo value may be about records that are in the store alone. What it says of them is held until
 * their pages are installed (state_load_page()) and state_release() is called; till then they are
 * elsewhere, as evicted ones are. Redo values applied before a sweep began are needed for as long
 * as any of them is held.
 *
 *     state_set_incomplete(state);
 *     state_set_whole(state, family);                       // all its pages have been installed
 *     TRY(state_apply_redo(state, redo)); ... state_redone(state);
 *     for (size_t at = 0; (n = state_held_next(state, &at, records, MAX)) > 0;)
 *         ...                                               // read their pages, install, release
 */

/* Of this family what is not here is nowhere. */
void state_set_whole(struct state *state, uint16_t family);
/* Records of which something is held; whether this is one. */
size_t state_held(const struct state *state);
bool state_holds(const struct state *state, uint16_t family, struct key128 id);
/* Up to max of them from place *at on (0: the first), in the order of their pages' keys; *at is
 * moved behind them. Returns how many; 0: that was all. */
size_t state_held_next(const struct state *state, size_t *at, struct state_missing *ret,
                       size_t max);
/* Applies what is held of a record, if anything, to what is here of it. */
void state_release(struct state *state, uint16_t family, struct key128 id);

/* The key of a record's page in the store. */
void state_page_key(uint16_t family, struct key128 id, uint32_t page, char *ret);
/* The other way round; returns the page. key is STATE_PAGE_KEY long. */
uint32_t state_read_page_key(struct slice key, uint16_t *ret_family, struct key128 *ret_id);
/* How many pages a record has, by its first. 0: it is corrupt. */
uint32_t state_pages(struct slice first_page);

/* Calls fn for every record of a family that is in memory, in no order; fn must not change the
 * state. */
void state_each(struct state *state, uint16_t family, void (*fn)(void *arg, struct record *rec),
                void *arg);
/* Sum over all records of a hash of (family, id, data): equal for equal states, whatever the order.
 */
struct key128 state_digest(const struct state *state);

/* Hints that id will soon be looked up: starts loading its slot. */
void state_prefetch(const struct state *state, uint16_t family, struct key128 id);
/* The second half of the hint, some time later: starts loading the record itself. */
void state_prefetch_record(const struct state *state, uint16_t family, struct key128 id);
/* Of a record that was loaded: where state_touch() will note its change. */
void state_prefetch_change(const struct state *state, const struct record *rec);

/* Records in memory and the bytes they take, all told. */
size_t state_count(const struct state *state);
size_t state_bytes(const struct state *state);

#endif
