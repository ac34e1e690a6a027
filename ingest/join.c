#include "ingest/join.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "ingest/pack.h"
#include "ingest/pending.h"
#include "ingest/timers.h"

struct join {
    struct join_options options;
    struct pending_store *pending;
    struct timers due;    /* at event time + delay: released if labelled or absent by then */
    struct timers absent; /* at event time + absent.after, where that is later */
    struct buf packed;
    struct key128 *keys; /* of an entry that is laid out otherwise, as today */
};

/* What shapes an entry: its fixed part's version, and where no layouts tell it, the number of keys.
 */
static uint64_t fingerprint(const struct join_options *options)
{
    return options->layouts ? 2u << 16 : 1u << 16 | options->n_keys;
}

/* An older freshet's entries are of the first layout: they fit if their keys are as many as today.
 */
static enum status claim_family(const struct join_options *options, struct state *state,
                                uint16_t *ret)
{
    uint64_t stored;
    bool fits = state_family_stored(state, JOIN_FAMILY, ret, &stored) == ST_OK &&
                options->layouts && stored == (1u << 16 | options->n_keys);
    if (fits && layouts_current(options->layouts) == 0)
        state_family_refit(state, *ret, fingerprint(options));
    return state_family(state, JOIN_FAMILY, fingerprint(options), ret);
}

enum status join_create(const struct join_options *options, struct state *state, struct join **ret)
{
    const struct label_schema *labels = &options->labels;
    if (labels->delay > labels->horizon || labels->absent.after > labels->horizon)
        return ST_EINVAL;
    uint16_t family;
    TRY(claim_family(options, state, &family));
    struct join *join = calloc(1, sizeof *join);
    if (!join)
        return ST_ENOMEM;
    join->options = *options;
    join->keys = calloc(options->n_keys + 1, sizeof *join->keys);
    enum status st = join->keys ? ST_OK : ST_ENOMEM;
    if (st == ST_OK)
        st = pending_create(state, family, options->labels.horizon, &join->pending);
    if (st < 0) {
        join_free(join);
        return st;
    }
    *ret = join;
    return ST_OK;
}

void join_free(struct join *join)
{
    if (!join)
        return;
    pending_free(join->pending);
    timers_done(&join->due);
    timers_done(&join->absent);
    buf_done(&join->packed);
    free(join->keys);
    free(join);
}

static unsigned layout_today(const struct join *join)
{
    return join->options.layouts ? layouts_current(join->options.layouts) : 0;
}

static unsigned layout_of(const struct pending_entry *entry)
{
    return entry->flags >> PENDING_LAYOUT_SHIFT;
}

/* NULL where the event was not observed. */
static const struct key128 *keys_of(struct join *join, const struct pending_entry *entry)
{
    const struct key128 *keys = pending_keys(entry);
    if (layout_of(entry) == layout_today(join))
        return keys;
    if (!(entry->flags & PENDING_OBSERVED))
        return NULL;
    layouts_map_keys(join->options.layouts, layout_of(entry), keys, entry->n_keys, join->keys);
    return join->keys;
}

/* As today's features lay it out. A vector that cannot be read is as good as one of which nothing
 * is known. */
static struct slice packed_of(struct join *join, const struct pending_entry *entry)
{
    struct slice packed = pending_packed(entry);
    if (layout_of(entry) == layout_today(join) || packed.len == 0)
        return packed;
    buf_reset(&join->packed);
    if (layouts_repack(join->options.layouts, layout_of(entry), packed, &join->packed) < 0)
        layouts_pack_unknown(join->options.layouts, &join->packed);
    return buf_slice(&join->packed);
}

static bool learnt_from(const struct join *join, const struct pending_entry *entry)
{
    return join->options.labels.present && (entry->flags & PENDING_EVENT) &&
           (entry->flags & PENDING_SCORED);
}

/* An entry that is not released waits for its delay and, if no label has come by then, for the time
 * at which it counts as absent. */
static void schedule(struct join *join, struct pending_ref ref, const struct pending_entry *entry)
{
    const struct label_schema *labels = &join->options.labels;
    if (!(entry->flags & PENDING_DUE))
        timers_add(&join->due, entry->time + labels->delay, entry->seq, ref);
    else if (!isnan(labels->absent.is))
        timers_add(&join->absent, entry->time + labels->absent.after, entry->seq, ref);
}

static void recover_entry(void *arg, struct pending_ref ref, const struct pending_entry *entry)
{
    struct join *join = arg;
    if (learnt_from(join, entry) && !(entry->flags & PENDING_RELEASED))
        schedule(join, ref, entry);
}

enum status join_recover(struct join *join)
{
    TRY(pending_recover(join->pending, recover_entry, join));
    timers_settle(&join->due);
    timers_settle(&join->absent);
    return ST_OK;
}

static struct pending pending_of(const struct pending_entry *entry)
{
    return (struct pending){entry->time, (entry->flags & PENDING_SCORED) != 0, entry->score,
                            entry->version};
}

struct pending join_get(const struct join *join, struct pending_ref ref)
{
    return pending_of(pending_get(join->pending, ref));
}

bool join_find(struct join *join, struct key128 id, int64_t now, struct pending *ret,
               struct pending_ref *ret_ref)
{
    struct pending_ref ref;
    if (!pending_find(join->pending, id, now, &ref))
        return false;
    const struct pending_entry *entry = pending_get(join->pending, ref);
    if (!(entry->flags & PENDING_EVENT))
        return false;
    *ret = pending_of(entry);
    *ret_ref = ref;
    return true;
}

void join_prefetch(const struct join *join, struct key128 id)
{
    pending_prefetch(join->pending, id);
}

void join_prefetch_add(const struct join *join, struct key128 id)
{
    pending_prefetch(join->pending, id);
    pending_prefetch_append(join->pending, id);
}

void join_prefetch_entry(const struct join *join, struct key128 id)
{
    struct pending_ref ref;
    if (pending_guess(join->pending, id, &ref))
        pending_prefetch_entry(join->pending, ref);
}

const struct key128 *join_guess_keys(const struct join *join, struct key128 id)
{
    struct pending_ref ref;
    if (!pending_guess(join->pending, id, &ref))
        return NULL;
    const struct pending_entry *entry = pending_get(join->pending, ref);
    return layout_of(entry) == layout_today(join) ? pending_keys(entry) : NULL;
}

static struct slice pack(struct join *join, const struct pending_parts *parts)
{
    buf_reset(&join->packed);
    if (parts->scored && join->options.labels.present)
        pack_vector(&join->packed, parts->dense, join->options.n_dense, parts->sparse,
                    parts->n_sparse);
    return buf_slice(&join->packed);
}

/* A label that came before its event; the event's own entry takes its place in the index. */
static bool take_early_label(struct join *join, struct key128 id, int64_t now,
                             struct pending_entry *entry)
{
    struct pending_ref ref;
    if (!pending_find(join->pending, id, now, &ref))
        return false;
    const struct pending_entry *early = pending_get(join->pending, ref);
    if (early->flags & PENDING_EVENT)
        return false;
    entry->label = early->label;
    entry->label_offset = early->label_offset;
    entry->flags |= PENDING_LABELLED;
    return true;
}

bool join_add(struct join *join, const struct pending_parts *parts, int64_t now,
              struct pending_ref *ret, double *ret_label)
{
    struct pending_entry entry = {.id = parts->id, .time = parts->time};
    entry.flags = (PENDING_EVENT | layout_today(join) << PENDING_LAYOUT_SHIFT) & 0xffff;
    if (parts->scored)
        entry.flags |= PENDING_SCORED;
    if (parts->keys && join->options.n_keys > 0) {
        entry.flags |= PENDING_OBSERVED;
        entry.n_keys = (uint16_t)join->options.n_keys;
    }
    bool labelled = take_early_label(join, parts->id, now, &entry);
    *ret = pending_append(join->pending, &entry, parts->keys, pack(join, parts));
    const struct pending_entry *added = pending_get(join->pending, *ret);
    if (learnt_from(join, added))
        schedule(join, *ret, added);
    if (labelled)
        *ret_label = entry.label;
    return labelled;
}

void join_set_score(struct join *join, struct pending_ref ref, float score, uint32_t version)
{
    struct pending_entry *entry = pending_change(join->pending, ref, PENDING_SCORE);
    entry->score = score;
    entry->version = version;
}

/* Thinned negatives are picked by the id's hash: the same ones whenever they come. */
static bool kept(const struct join *join, const struct pending_entry *entry, float label)
{
    double keep = join->options.labels.keep_negatives;
    return label != 0 || keep >= 1 || (double)(entry->id.lo >> 11) * 0x1p-53 < keep;
}

static void release(struct join *join, struct pending_ref ref, int64_t at, join_release_fn fn,
                    void *arg)
{
    struct pending_entry *entry = pending_change(join->pending, ref, PENDING_LABEL);
    bool labelled = entry->flags & PENDING_LABELLED;
    float label = labelled ? entry->label : (float)join->options.labels.absent.is;
    struct released out = {
        .id = entry->id,
        .time = entry->time,
        .released_at = at,
        .label = label,
        .weight = label == 0 ? (float)(1 / join->options.labels.keep_negatives) : 1,
        .correction = (entry->flags & PENDING_RELEASED) != 0,
        .absent = !labelled,
        .kept = kept(join, entry, label),
        .score = entry->score,
        .version = entry->version,
        .packed = packed_of(join, entry),
    };
    entry->flags |= PENDING_RELEASED;
    fn(arg, &out);
}

/* The delay has passed: labelled events go, the others wait on or go as absent now. */
static void fire_due(struct join *join, const struct timer *timer, join_release_fn fn, void *arg)
{
    const struct label_schema *labels = &join->options.labels;
    const struct pending_entry *entry = pending_get(join->pending, timer->ref);
    bool absent_now = !isnan(labels->absent.is) && labels->absent.after <= labels->delay;
    if ((entry->flags & PENDING_LABELLED) || absent_now) {
        release(join, timer->ref, timer->due, fn, arg);
        return;
    }
    pending_change(join->pending, timer->ref, PENDING_LABEL)->flags |= PENDING_DUE;
    schedule(join, timer->ref, entry);
}

static void fire_absent(struct join *join, const struct timer *timer, join_release_fn fn, void *arg)
{
    if (!(pending_get(join->pending, timer->ref)->flags & PENDING_RELEASED))
        release(join, timer->ref, timer->due, fn, arg);
}

int64_t join_next_due(const struct join *join)
{
    int64_t due = timers_next(&join->due), absent = timers_next(&join->absent);
    return due < absent ? due : absent;
}

/* Entries that are due in a moment come from far away: they were written days ago. */
static void prefetch_next(const struct join *join, const struct timers *timers)
{
    enum { AHEAD = 4 };
    const struct timer *timer = timers_ahead(timers, AHEAD);
    if (timer)
        pending_prefetch_entry(join->pending, timer->ref);
}

void join_release(struct join *join, int64_t now, bool inclusive, join_release_fn fn, void *arg)
{
    for (;;) {
        int64_t due = timers_next(&join->due), absent = timers_next(&join->absent);
        int64_t next = due <= absent ? due : absent;
        if (next == INT64_MAX || next > now || (next == now && !inclusive))
            return;
        struct timers *timers = due <= absent ? &join->due : &join->absent;
        struct timer timer = timers_pop(timers);
        prefetch_next(join, timers);
        if (timers == &join->due)
            fire_due(join, &timer, fn, arg);
        else
            fire_absent(join, &timer, fn, arg);
    }
}

static enum label_outcome wait_early(struct join *join, const struct label *label)
{
    struct pending_entry entry = {.id = label->id,
                                  .time = label->now,
                                  .label_offset = label->offset,
                                  .flags = PENDING_LABELLED,
                                  .label = (float)label->value};
    pending_append(join->pending, &entry, NULL, (struct slice){0});
    return LABEL_EARLY;
}

static enum label_outcome set_label(struct join *join, struct pending_ref ref,
                                    const struct label *label)
{
    const struct pending_entry *entry = pending_get(join->pending, ref);
    bool labelled = entry->flags & PENDING_LABELLED;
    if (labelled && entry->label_offset >= label->offset)
        return LABEL_REPEATED;
    bool same = labelled && entry->label == (float)label->value;
    struct pending_entry *change = pending_change(join->pending, ref, PENDING_LABEL);
    change->label = (float)label->value;
    change->label_offset = label->offset;
    change->flags |= PENDING_LABELLED;
    return same ? LABEL_REPEATED : labelled ? LABEL_CORRECTED : LABEL_APPLIED;
}

/* A label behind the event's delay: the example goes out now; again if it was out as something
 * else. One that only confirms `absent` changes nothing. */
static void release_late(struct join *join, struct pending_ref ref, const struct label *label,
                         enum label_outcome outcome, join_release_fn fn, void *arg)
{
    const struct pending_entry *entry = pending_get(join->pending, ref);
    bool released = entry->flags & PENDING_RELEASED;
    if (!learnt_from(join, entry) || (!released && !(entry->flags & PENDING_DUE)))
        return; /* its timer is still to come */
    if (released && outcome == LABEL_APPLIED &&
        entry->label == (float)join->options.labels.absent.is)
        return;
    release(join, ref, label->now, fn, arg);
}

enum label_outcome join_label(struct join *join, const struct label *label, join_release_fn fn,
                              void *arg, struct labelled *ret)
{
    struct pending_ref ref;
    if (!pending_find(join->pending, label->id, label->now, &ref))
        return wait_early(join, label);
    enum label_outcome outcome = set_label(join, ref, label);
    const struct pending_entry *entry = pending_get(join->pending, ref);
    if (outcome == LABEL_REPEATED)
        return outcome;
    if (!(entry->flags & PENDING_EVENT))
        return LABEL_EARLY;
    release_late(join, ref, label, outcome, fn, arg);
    entry = pending_get(join->pending, ref);
    *ret = (struct labelled){entry->time, keys_of(join, entry)};
    return outcome;
}

/* A label that comes before its event is appended too. */
void join_need(struct join *join, struct key128 id, int64_t now)
{
    pending_need_find(join->pending, id);
    pending_need_append(join->pending, id, now);
}

static void need_entry(void *arg, const struct timer *timer)
{
    pending_need_block(arg, timer->ref.block);
}

void join_need_due(struct join *join, int64_t now)
{
    timers_each(&join->due, now, need_entry, join->pending);
    timers_each(&join->absent, now, need_entry, join->pending);
}

const struct key128 *join_peek_keys(struct join *join, struct key128 id)
{
    const struct pending_entry *entry = pending_peek(join->pending, id);
    return entry ? keys_of(join, entry) : NULL;
}

struct join_figures join_figures(const struct join *join)
{
    return (struct join_figures){
        .waiting = pending_count(join->pending) - pending_labels(join->pending),
        .early = pending_labels(join->pending),
        .unreleased = timers_count(&join->due) + timers_count(&join->absent),
        .entry_bytes = pending_entry_bytes(join->pending),
        .index_bytes = pending_index_bytes(join->pending) + timers_bytes(&join->due) +
                       timers_bytes(&join->absent),
    };
}
