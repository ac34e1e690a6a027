/*
 * ingest/commit.h -- the commit protocol: an epoch becomes durable as a whole, then its rows are
 * sent.
 *
 * Step 1, commit_write(): one fsynced write of everything in the epoch. Redo values that a finished
 * sweep has made needless, rows that were acknowledged and examples that the trainer's durable
 * checkpoint has passed leave in the same write.
 *
 * Step 2, commit_produce(): rows go to the sink in order, and acknowledgements are taken. Rows that
 * the sink refuses for good are parked: stored under their origin, before any group offset passes
 * them.
 *
 * After a crash commit_recover() brings back the state (pages, then redo values over them), the
 * head, and the rows not known to be acknowledged, which are sent again as stored: a score may then
 * appear twice, with the same bytes.
 *
 * One thread uses a commit; only commit_offer_trainer() and the figures are for others.
 */
#ifndef INGEST_COMMIT_H
#define INGEST_COMMIT_H

#include "ingest/epoch.h"
#include "ingest/sink.h"
#include "ingest/state.h"
#include "ingest/store.h"

struct commit;

/* Where a lane of the outbox comes from; asked while rows are sent. */
struct lane_name {
    const char *topic;
    int32_t partition;
};
typedef struct lane_name (*lane_name_fn)(void *arg, uint32_t lane);

struct commit_options {
    struct store *store;
    struct sink *sink; /* NULL: rows stay where they are (tools that only look) */
    lane_name_fn lane_name;
    void *lane_arg;
    uint64_t outbox_rows_max; /* commit_ready() is false while more rows wait */
    /* Where the store's pages take more than this, commit_recover() loads only the records that
     * redo values change and the families named here; 0: all are loaded. */
    uint64_t load_max;
    const char *const *loaded_families; /* NULL-terminated; NULL: none */
    /* Of those records only families named here: what redo values say of the others is held until
     * they are fetched (see state.h), and their redo values have to be kept till then. */
    bool load_later;
};

STATUS_CHECKED enum status commit_create(const struct commit_options *options, struct commit **ret);
void commit_free(struct commit *commit);

/* Loads pages and redo values into an empty state, which is incomplete if not all were loaded.
 * *ret_head: the last head, empty for a fresh store; *ret_epoch: its number, 0 if fresh. Rows
 * waiting in the outbox are queued for sending. ST_ECORRUPT: the store holds something unreadable;
 * commit_error() says what. */
STATUS_CHECKED enum status commit_recover(struct commit *commit, struct state *state,
                                          struct buf *ret_head, uint64_t *ret_epoch);

/* What a start found out about the rows that wait. */
struct commit_resumption {
    uint64_t life;              /* of the state directory; goes with every mark */
    uint64_t sent_epoch;        /* rows of epochs up to this one are known to be out; 0: unknown */
    const int64_t *quiet_below; /* a lane of the head: rows of records below this offset are dropped
                                   now and in later epochs; may be NULL */
    size_t n_quiet;
    struct slice positions; /* where input stands (positions_put) */
};
/* After recovery and before the first commit_produce(). Drops rows that must not be sent (again),
 * durably. Without it all rows are sent. */
STATUS_CHECKED enum status commit_resume(struct commit *commit,
                                         const struct commit_resumption *resumption);

/* Step 1. The epoch's outbox buffer is taken over (an empty one is left). On failure nothing of the
 * epoch may be considered done, and the process must stop. */
STATUS_CHECKED enum status commit_write(struct commit *commit, struct epoch *epoch);
/* Step 2, as far as the sink takes rows; waits for acknowledgements up to timeout_us. */
STATUS_CHECKED enum status commit_produce(struct commit *commit, int64_t timeout_us);
/* May another epoch be written, or are too many rows waiting? */
bool commit_ready(const struct commit *commit);
/* Rows not yet acknowledged. */
uint64_t commit_outbox_depth(const struct commit *commit);
/* Has commit_produce() work although no rows wait (a mark that the group is to be told)? */
bool commit_unsettled(const struct commit *commit);
/* Are there acknowledged rows that the next write, or commit_tidy(), would drop? */
bool commit_untidy(const struct commit *commit);
/* Writes what commit_write() would have cleaned up along the way; for an orderly end, and for when
 * nothing else is to be written. */
STATUS_CHECKED enum status commit_tidy(struct commit *commit);
const char *commit_error(const struct commit *commit);

/* A trainer has {parameters, optimiser, cursor} of its model safe in a file. It is named by the
 * next write that does not leave the durable example log behind the cursor. Thread-safe. */
struct trainer_checkpoint {
    uint64_t cursor;  /* items [0, cursor) are learnt */
    uint32_t version; /* published last */
    char file[128];   /* within the state directory */
    uint32_t model;   /* its number: see head.h of online/ */
    uint64_t again;   /* items before the cursor that the next start reads again */
    uint64_t after;   /* is not named before these items are durable, too; not stored */
};
void commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *checkpoint);
/* The versions of the model whose files a start may need: that which was named last, that before
 * it, while the write that names the last may not be durable, and that which was offered and is yet
 * to be named. 0: none. Thread-safe. */
enum { COMMIT_NEEDED = 3 };
void commit_needed_versions(struct commit *commit, uint32_t model, uint32_t ret[COMMIT_NEEDED]);
/* The log is kept for this model: from item `from` on, and once it has a checkpoint from what that
 * one needs on. For each model that learns; after recovery and before the first write. */
void commit_keep_examples(struct commit *commit, uint32_t model, uint64_t from);
/* Those that were named last, one a model that ever had one. */
enum { TRAINERS_MAX = 64 };
struct trainer_checkpoints {
    size_t n;
    struct trainer_checkpoint points[TRAINERS_MAX];
};
/* None is no failure. ST_ECORRUPT. */
STATUS_CHECKED enum status commit_read_trainers(struct store *store,
                                                struct trainer_checkpoints *ret);
/* NULL if it has none. */
struct trainer_checkpoint *trainer_checkpoint_of(struct trainer_checkpoints *list, uint32_t model);
/* Calls fn with each stored block of examples that reaches past cursor, in order; first: the number
 * of its first item, n: how many items are in it. */
STATUS_CHECKED enum status commit_read_examples(struct store *store, uint64_t cursor,
                                                enum status (*fn)(void *arg, uint64_t first,
                                                                  uint64_t n, struct slice block),
                                                void *arg);

/* A row that Kafka refused for good. */
struct parked_row {
    uint32_t lane; /* of the head */
    struct row row;
    struct slice why;
};
/* Calls fn with each parked row, by lane and offset. ST_ECORRUPT. */
STATUS_CHECKED enum status
commit_read_parked(struct store *store, enum status (*fn)(void *arg, const struct parked_row *row),
                   void *arg);
/* Why the last one was refused; the commit thread's. */
const char *commit_refusal(const struct commit *commit);

struct commit_figures {
    uint64_t rows_sent, rows_acked, rows_refused, bytes_written;
    uint64_t transactions, transactions_aborted;
};
struct commit_figures commit_figures(const struct commit *commit);

#endif
