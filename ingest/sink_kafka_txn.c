/* Rows in transactions: see sink_kafka.h for what comes of it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/event.h"
#include "ingest/sink_kafka_internal.h"

enum {
    BARE_EVERY_US = 1000 * 1000, /* a transaction of offsets alone, for lag tools */
    AGAIN_US = 20 * 1000,        /* between tries of what a broker refuses for the moment */
    AGAIN_MAX_US = 2000 * 1000,
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* The place of the first row that is not below this one: a set is in order. */
static size_t row_set_find(const struct row_set *set, uint64_t row)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool row_set_has(const struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    return at < set->n && set->rows[at] == row;
}

static void row_set_add(struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    if (at < set->n && set->rows[at] == row)
        return;
    if (set->n == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 16;
        set->rows = realloc(set->rows, set->cap * sizeof *set->rows);
        if (!set->rows)
            abort();
    }
    memmove(set->rows + at + 1, set->rows + at, (set->n - at) * sizeof *set->rows);
    set->rows[at] = row;
    set->n++;
}

static void row_set_drop(struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    if (at == set->n || set->rows[at] != row)
        return;
    set->n--;
    memmove(set->rows + at, set->rows + at + 1, (set->n - at) * sizeof *set->rows);
}

static void row_set_drop_below(struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    if (at == 0)
        return;
    set->n -= at;
    memmove(set->rows, set->rows + at, set->n * sizeof *set->rows);
}

/* The thread that waits for the coordinator. */

/* ST_OK, ST_EAGAIN (the transaction must be aborted) or ST_EIO (the producer is at its end). May be
 * called again on *ret_again. Takes the error. */
static enum status outcome_of(struct sink_kafka *self, rd_kafka_error_t *error, bool *ret_again)
{
    *ret_again = false;
    if (!error)
        return ST_OK;
    enum status st = ST_EIO;
    self->txn.code = rd_kafka_error_code(error);
    if (rd_kafka_error_txn_requires_abort(error))
        st = ST_EAGAIN;
    else if (!rd_kafka_error_is_fatal(error))
        *ret_again = rd_kafka_error_is_retriable(error);
    if (!rd_kafka_fatal_error(self->client, NULL, 0))
        snprintf(self->error, sizeof self->error, "kafka: %s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return st;
}

static bool told_to_quit(const struct sink_kafka *self)
{
    return self->txn.job == JOB_QUIT;
}

static void pause_for(int64_t us)
{
    struct bell never = {0};
    bell_wait(&never, 0, us);
}

/* -1: as long as the transaction may still last, as librdkafka recommends. */
static enum status until_decided(struct sink_kafka *self,
                                 rd_kafka_error_t *(*call)(struct sink_kafka *self))
{
    for (;;) {
        bool again;
        enum status st = outcome_of(self, call(self), &again);
        if (!again || told_to_quit(self))
            return st;
        pause_for(AGAIN_US);
    }
}

static rd_kafka_error_t *send_offsets(struct sink_kafka *self)
{
    return rd_kafka_send_offsets_to_transaction(self->client, self->txn.job_mark.offsets,
                                                self->txn.group, -1);
}

static rd_kafka_error_t *commit(struct sink_kafka *self)
{
    return rd_kafka_commit_transaction(self->client, -1);
}

static rd_kafka_error_t *abort_it(struct sink_kafka *self)
{
    return rd_kafka_abort_transaction(self->client, -1);
}

static enum status do_job(struct sink_kafka *self, enum txn_job job)
{
    enum status st = ST_EAGAIN;
    self->txn.code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (job == JOB_COMMIT) {
        st = until_decided(self, send_offsets);
        if (st == ST_OK)
            st = until_decided(self, commit);
    }
    if (st == ST_EAGAIN && until_decided(self, abort_it) < 0)
        st = ST_EIO;
    return st;
}

static void *run(void *arg)
{
    struct sink_kafka *self = arg;
    struct sink_kafka_txn *txn = &self->txn;
    pthread_setname_np(pthread_self(), "transactions");
    for (;;) {
        uint32_t seen = bell_seen(&txn->work);
        int job = txn->job;
        if (job == JOB_QUIT)
            return NULL;
        if (job == JOB_NONE) {
            bell_wait(&txn->work, seen, -1);
            continue;
        }
        txn->outcome = do_job(self, (enum txn_job)job);
        atomic_compare_exchange_strong(&txn->job, &job, JOB_NONE);
        bell_ring(&txn->done);
    }
}

static void give_job(struct sink_kafka *self, enum txn_job job)
{
    struct sink_kafka_txn *txn = &self->txn;
    txn->busy = true;
    txn->job = job;
    bell_ring(&txn->work);
}

/* Life. */

enum status txn_init(struct sink_kafka *self, const char *group)
{
    struct sink_kafka_txn *txn = &self->txn;
    txn->on = true;
    txn->group = rd_kafka_consumer_group_metadata_new(group);
    txn->has_thread = pthread_create(&txn->thread, NULL, run, self) == 0;
    return txn->has_thread ? ST_OK : ST_ENOMEM;
}

bool txn_stop(struct sink_kafka *self, int timeout_ms)
{
    struct sink_kafka_txn *txn = &self->txn;
    if (!txn->has_thread)
        return true;
    txn->job = JOB_QUIT;
    bell_ring(&txn->work);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    if (pthread_timedjoin_np(txn->thread, NULL, &until) != 0)
        return false;
    txn->has_thread = false;
    return true;
}

void txn_done(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    if (txn->group)
        rd_kafka_consumer_group_metadata_destroy(txn->group);
    sink_kafka_mark_done(&txn->mark);
    sink_kafka_mark_done(&txn->job_mark);
    free(txn->refused.rows);
    free(txn->to_report.rows);
    free(txn->suspects.rows);
}

enum status sink_kafka_fence(struct sink *sink, int timeout_ms)
{
    struct sink_kafka *self = (struct sink_kafka *)(void *)sink;
    int64_t until = now_us() + timeout_ms * INT64_C(1000);
    if (!self->txn.on)
        return ST_OK;
    for (;;) {
        bool again;
        int64_t left_ms = (until - now_us()) / 1000;
        enum status st = outcome_of(
            self, rd_kafka_init_transactions(self->client, left_ms > 0 ? (int)left_ms : 0), &again);
        if (st == ST_OK || !again || now_us() >= until)
            return st < 0 ? sink_kafka_fail(self, self->error) : ST_OK;
        pause_for(AGAIN_US);
    }
}

/* Rows. */

static void refuse(struct sink_kafka *self, uint64_t row, rd_kafka_resp_err_t err)
{
    row_set_add(&self->txn.refused, row);
    row_set_add(&self->txn.to_report, row);
    self->txn.found_out = true;
    self->txn.why = err;
}

static void suspect(struct sink_kafka *self, uint64_t row)
{
    row_set_add(&self->txn.suspects, row);
    self->txn.found_out = true;
}

void txn_report(struct sink_kafka *self, uint64_t row, enum fate fate, rd_kafka_resp_err_t err)
{
    struct sink_kafka_txn *txn = &self->txn;
    bool alone = txn->alone;
    txn->alone = false;
    if (fate == FATE_WRITTEN) {
        ack_window_mark(&self->window, row, false);
        if (alone)
            row_set_drop(&txn->suspects, row);
        return;
    }
    txn->must_abort = true;
    if (fate == FATE_REFUSED || (fate == FATE_AT_FAULT && alone))
        refuse(self, row, err);
    else if (fate == FATE_AT_FAULT)
        suspect(self, row);
}

static enum status begin(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    if (txn->open)
        return ST_OK;
    if (now_us() < txn->retry_at)
        return ST_EAGAIN;
    bool again;
    enum status st = outcome_of(self, rd_kafka_begin_transaction(self->client), &again);
    if (st < 0)
        return again ? ST_EAGAIN : sink_kafka_fail(self, self->error);
    txn->open = true;
    return ST_OK;
}

/* Once, on the caller's thread. */
static void report_refused(struct sink_kafka *self)
{
    struct row_set *rows = &self->txn.to_report;
    for (size_t i = 0; i < rows->n && self->head.refused; i++)
        self->head.refused(self->head.refused_arg, rows->rows[i], rd_kafka_err2str(self->txn.why));
    rows->n = 0;
}

/* A row that is left out counts as sent and answered. */
static enum status leave_out(struct sink_kafka *self)
{
    ack_window_mark(&self->window, ack_window_send(&self->window), true);
    return ST_OK;
}

enum status txn_send(struct sink_kafka *self, const struct row *row)
{
    struct sink_kafka_txn *txn = &self->txn;
    uint64_t number = self->window.sent;
    if (txn->busy || txn->must_abort || txn->alone || ack_window_full(&self->window))
        return ST_EAGAIN;
    if (row_set_has(&txn->refused, number))
        return leave_out(self);
    bool alone = row_set_has(&txn->suspects, number);
    if (alone && self->in_flight > 0)
        return ST_EAGAIN;
    TRY(begin(self));
    rd_kafka_resp_err_t err;
    TRY(sink_kafka_produce(self, row, number, &err));
    enum fate fate = sink_kafka_fate(err);
    if (fate == FATE_REFUSED || fate == FATE_AT_FAULT) {
        refuse(self, number, err);
        report_refused(self); /* now: the mark behind it must wait until it is stored */
        return leave_out(self);
    }
    if (err) { /* librdkafka has found the transaction broken */
        txn->must_abort = true;
        return ST_EAGAIN;
    }
    ack_window_send(&self->window);
    self->in_flight++;
    txn->alone = alone;
    return ST_OK;
}

void txn_take_mark(struct sink_kafka *self, const struct sink_mark *mark)
{
    sink_kafka_mark_set(&self->txn.mark, mark, self->window.sent);
}

/* Offsets alone are not worth a transaction each. */
static bool is_due(const struct sink_kafka_txn *txn)
{
    return txn->open || now_us() - txn->committed_at >= BARE_EVERY_US;
}

/* librdkafka delivers what is in flight first, without lingering. */
static enum status close_if_due(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    if (!txn->mark.offsets || txn->mark.row != self->window.sent || !is_due(txn))
        return ST_OK;
    enum status st = begin(self);
    if (st < 0)
        return st == ST_EAGAIN ? ST_OK : st;
    txn->job_mark = txn->mark;
    txn->mark = (struct sink_kafka_mark){0};
    give_job(self, JOB_COMMIT);
    return ST_OK;
}

static void take_committed(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    txn->safe = self->window.acked;
    txn->safe_refused = self->window.refused;
    txn->committed_at = now_us();
    txn->tries = 0;
    txn->committed++;
    row_set_drop_below(&txn->refused, txn->safe);
    row_set_drop_below(&txn->suspects, txn->safe);
}

/* The rows come again with the same numbers; at once if it is known what to do otherwise. */
static void take_aborted(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    if (txn->found_out)
        txn->tries = 0;
    txn->found_out = false;
    int64_t wait = AGAIN_US << (txn->tries < 10 ? txn->tries : 10);
    ack_window_rewind(&self->window, txn->safe, txn->safe_refused);
    sink_kafka_mark_done(&txn->mark);
    txn->retry_at = txn->tries > 0 ? now_us() + (wait < AGAIN_MAX_US ? wait : AGAIN_MAX_US) : 0;
    txn->tries++;
    txn->aborted++;
}

/* Before any row of it is sent; which topic and which rows it is, nobody tells. */
static bool topic_is_refused(const struct sink_kafka_txn *txn)
{
    return !txn->found_out && txn->code && sink_kafka_fate(txn->code) == FATE_REFUSED;
}

static const char *topic_refusal(struct sink_kafka *self)
{
    static const char hint[] = "; mend that, or use at_least_once, which parks such rows";
    size_t len = strlen(self->error);
    if (len + sizeof hint <= sizeof self->error)
        memcpy(self->error + len, hint, sizeof hint);
    return self->error;
}

/* ST_EAGAIN: aborted. */
static enum status take_outcome(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    txn->busy = txn->open = txn->must_abort = txn->alone = false;
    sink_kafka_mark_done(&txn->job_mark);
    if (txn->outcome == ST_OK)
        take_committed(self);
    else if (txn->outcome == ST_EAGAIN && topic_is_refused(txn))
        return sink_kafka_fail(self, topic_refusal(self));
    else if (txn->outcome == ST_EAGAIN)
        take_aborted(self);
    else
        return sink_kafka_fail(self, self->error);
    return txn->outcome;
}

static enum status poll_idle(struct sink_kafka *self, int64_t timeout_us)
{
    struct sink_kafka_txn *txn = &self->txn;
    int64_t ms = (timeout_us + 999) / 1000;
    rd_kafka_poll(self->client, ms > INT32_MAX ? INT32_MAX : (int)ms);
    TRY(self->failed);
    if (!txn->must_abort)
        return close_if_due(self);
    if (txn->open)
        give_job(self, JOB_ABORT);
    txn->must_abort = txn->open;
    return ST_OK;
}

enum status txn_poll(struct sink_kafka *self, int64_t timeout_us, uint64_t *ret_acked,
                     uint64_t *ret_refused)
{
    struct sink_kafka_txn *txn = &self->txn;
    uint32_t seen = bell_seen(&txn->done);
    if (!txn->busy) /* else it is the thread's */
        TRY(self->failed);
    if (txn->busy && txn->job != JOB_NONE)
        bell_wait(&txn->done, seen, timeout_us);
    enum status st = ST_OK;
    if (!txn->busy)
        st = poll_idle(self, timeout_us);
    else if (txn->job == JOB_NONE)
        st = take_outcome(self);
    if (!txn->busy)
        report_refused(self);
    TRY(st);
    *ret_acked = txn->safe;
    *ret_refused = txn->safe_refused;
    return ST_OK;
}
