/*
 * features/plan.h -- the features of a pipeline, laid out: which numbers a vector holds and which
 * state they read.
 *
 * The plan is made from the `features:` list of the config. Each item is of the kind that one of
 * its keys names ({window: ...}, {calendar: ...}, {value: ...}); kinds are rows of one table
 * (kind.h). It has two verbs. `extract` reads state and the event and writes numbers; `observe`
 * lets the event change state. An event is extracted, then observed; a request is only extracted.
 *
 *     TRY(plan_create(&schema, conf_get(root, "features"), state, &errors, &plan));
 *     plan_extract(plan, state, event, dense, sparse, &n_sparse);
 *     plan_observe(plan, state, event, dense);
 *
 * Deterministic: what is written depends on the state, the event and nothing else. Nothing is
 * allocated per event except records of state.
 */
#ifndef FEATURES_PLAN_H
#define FEATURES_PLAN_H

#include "base/conf.h"
#include "base/vector.h"
#include "ingest/schema.h"
#include "ingest/state.h"

struct plan;

/* Items that do not fit the schema (an unknown field, a window over text) are complained of in
 * errors at their lines. lateness: us that an event may be late and still be observed; windows keep
 * their entries that much longer. state may be NULL (config check only; no verbs then). features
 * NULL or empty: every number field as a value. Returns ST_EINVAL (see errors), ST_EVERSION (the
 * state holds a feature that means something else; errors say which and what can be done). */
STATUS_CHECKED enum status plan_create(const struct schema *schema,
                                       const struct conf_node *features, int64_t lateness,
                                       struct state *state, struct conf_errors *errors,
                                       struct plan **ret);
/* Told of what is not as it was when the state was last opened. */
struct plan_watch {
    /* Events before warm do not know it yet. */
    void (*added)(void *arg, const char *name, int64_t warm);
    /* What the state holds of it goes by and by. */
    void (*removed)(void *arg, const char *name);
    void *arg;
};
/* The same over a state that may have been kept for another config; now: the stream's time as the
 * state has it, INT64_MIN if it has taken nothing yet. Features that are new to it are NaN until
 * what they look at lies behind now. watch may be NULL. */
STATUS_CHECKED enum status plan_create_at(const struct schema *schema,
                                          const struct conf_node *features, int64_t lateness,
                                          struct state *state, int64_t now,
                                          const struct plan_watch *watch,
                                          struct conf_errors *errors, struct plan **ret);
void plan_free(struct plan *plan);

/* Column names, in the order of the config. Lives as long as the plan. */
const struct vector_schema *plan_vector_schema(const struct plan *plan);
/* Whether a dense column follows from when an event happens, and from nothing else. */
bool plan_is_of_clock(const struct plan *plan, size_t column);

/* Writes n_dense doubles, and at most VECTOR_SPARSE_MAX sparse entries. The event itself counts as
 * one more entry of each window that it would enter. Features of other streams than the event's are
 * NaN where they need a field that it lacks. */
void plan_extract(struct plan *plan, struct state *state, const struct event *event, double *dense,
                  struct sparse *sparse, size_t *ret_n_sparse);
/* dense: what plan_extract() has just written of it; NULL: nothing, it is not scored. */
void plan_observe(struct plan *plan, struct state *state, const struct event *event,
                  const double *dense);

/* Label windows: where an observed event's label must go once it is known. plan_label_keys() writes
 * plan_n_label_keys() entity keys (none where the event did not enter that window). The join
 * stores them with the pending event, and hands them back with the label. */
size_t plan_n_label_keys(const struct plan *plan);
/* What each is for; plan_n_label_keys() of them. Lives as long as the plan. */
const char *const *plan_label_key_names(const struct plan *plan);
void plan_label_keys(const struct plan *plan, const struct event *event, struct key128 *ret);
/* Sets the label of the entry that the event left in each window (again, if it is corrected).
 * tag: the low 32 bits of the event's id_key.lo; tells events of one instant apart. An entry that
 * has expired is passed over. */
void plan_label(struct plan *plan, struct state *state, const struct key128 *keys,
                int64_t event_time, uint32_t tag, double label);

/* Starts loading what extract and observe will read of this event, in stages that are some events
 * apart, because each reads what the one before it loaded. */
/* PLAN_NEEDS: names the records to state_need() instead. */
enum plan_prefetch { PLAN_SLOTS, PLAN_RECORDS, PLAN_ENTRIES, PLAN_NEEDS };
void plan_prefetch(const struct plan *plan, struct state *state, const struct event *event,
                   enum plan_prefetch stage);
/* The same for a label that is about to come; keys as in plan_label(). */
void plan_prefetch_label(const struct plan *plan, struct state *state, const struct key128 *keys,
                         enum plan_prefetch stage);

/* Describes what the record of an entity holds, as one JSON object (state get). rec may be of any
 * family of this plan. Returns ST_ENOTFOUND for another's. */
STATUS_CHECKED enum status plan_describe(const struct plan *plan, struct record *rec,
                                         struct buf *ret);

/* Help of all kinds, for `freshet config doc|schema`. */
void plan_write_doc(struct buf *ret);
void plan_write_schema(struct buf *ret);

#endif
