/* Rows in transactions: see sink_kafka.h for what comes of it. */
#include "ingest/sink_kafka_internal.h"

enum {
    BARE_EVERY_US = 1000 * 1000, /* a transaction of offsets alone, for lag tools */
    AGAIN_MAX_US = 2000 * 1000,  /* after TXN_AGAIN_US has doubled often enough */
    VAIN_MAX = 3,                /* rounds through the topics that find nothing */
};

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
    if (txn_now_us() < txn->retry_at)
        return ST_EAGAIN;
    bool again;
    enum status st = txn_outcome_of(self, rd_kafka_begin_transaction(self->client), &again);
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

/* Its report comes now: the mark behind it must wait until it is stored. */
static enum status refuse_now(struct sink_kafka *self, uint64_t row, rd_kafka_resp_err_t err)
{
    refuse(self, row, err);
    report_refused(self);
    return leave_out(self);
}

/* Of a transaction that will be aborted, not all rows need be sent. */
static enum status pass_over(struct sink_kafka *self)
{
    ack_window_mark(&self->window, ack_window_send(&self->window), false);
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
    if (txn->topics.probing && row->channel != txn_topics_probed(&txn->topics))
        return pass_over(self);
    if (txn_topics_refused(&txn->topics, row->channel, txn_now_us()))
        return refuse_now(self, number, txn->topics.why[row->channel]);
    bool alone = row_set_has(&txn->suspects, number);
    if (alone && self->in_flight > 0)
        return ST_EAGAIN;
    TRY(begin(self));
    rd_kafka_resp_err_t err;
    TRY(sink_kafka_produce(self, row, number, &err));
    enum fate fate = sink_kafka_fate(err);
    if (fate == FATE_REFUSED || fate == FATE_AT_FAULT)
        return refuse_now(self, number, err);
    if (err) { /* librdkafka has found the transaction broken */
        txn->must_abort = true;
        return ST_EAGAIN;
    }
    ack_window_send(&self->window);
    self->in_flight++;
    txn->topics.used |= 1u << row->channel;
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
    return txn->open || txn_now_us() - txn->committed_at >= BARE_EVERY_US;
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
    txn_give_job(self, txn->topics.probing ? JOB_PROBE : JOB_COMMIT);
    return ST_OK;
}

static void take_committed(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    txn->safe = self->window.acked;
    txn->safe_refused = self->window.refused;
    txn->committed_at = txn_now_us();
    txn->tries = txn->topics.in_vain = 0;
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
    int64_t wait = TXN_AGAIN_US << (txn->tries < 10 ? txn->tries : 10);
    ack_window_rewind(&self->window, txn->safe, txn->safe_refused);
    sink_kafka_mark_done(&txn->mark);
    txn->retry_at = txn->tries > 0 ? txn_now_us() + (wait < AGAIN_MAX_US ? wait : AGAIN_MAX_US) : 0;
    txn->tries++;
    txn->aborted++;
}

/* ST_EAGAIN: aborted. */
static enum status take_outcome(struct sink_kafka *self)
{
    struct sink_kafka_txn *txn = &self->txn;
    txn->busy = txn->open = txn->must_abort = txn->alone = false;
    sink_kafka_mark_done(&txn->job_mark);
    if (txn->outcome == ST_EAGAIN)
        txn_topics_learn(txn, txn_now_us());
    txn->topics.used = 0;
    if (txn->outcome == ST_OK)
        take_committed(self);
    else if (txn->outcome == ST_EAGAIN && txn->topics.in_vain < VAIN_MAX)
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
        txn_give_job(self, JOB_ABORT);
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
