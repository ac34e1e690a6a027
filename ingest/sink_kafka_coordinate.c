/* Transactions: the thread that waits for the coordinator, so that nobody else does. */
#include "ingest/sink_kafka_internal.h"

enum status txn_outcome_of(struct sink_kafka *self, rd_kafka_error_t *error, bool *ret_again)
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
        enum status st = txn_outcome_of(self, call(self), &again);
        if (!again || told_to_quit(self))
            return st;
        pause_for(TXN_AGAIN_US);
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

/* Each call purges what is queued. librdkafka 2.0.2 queues again what is answered with an error
 * after that, and would wait for it until it expires with the transaction: so it is called again.
 */
static rd_kafka_error_t *abort_it(struct sink_kafka *self)
{
    enum { AGAIN_MS = 300 };
    return rd_kafka_abort_transaction(self->client, AGAIN_MS);
}

/* Why the transaction in hand can only be aborted; none if it can be committed. To ask for it as if
 * it was not open is refused with that, and changes nothing. */
static rd_kafka_resp_err_t broken_by(struct sink_kafka *self)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(self->client);
    bool broken = error && rd_kafka_error_txn_requires_abort(error);
    rd_kafka_resp_err_t code = broken ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error)
        rd_kafka_error_destroy(error);
    return code;
}

/* Until all rows are there, or it is known that they never will be. */
static rd_kafka_resp_err_t probe(struct sink_kafka *self)
{
    enum { PROBE_MS = 100 };
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    while (!code && !told_to_quit(self) && rd_kafka_flush(self->client, PROBE_MS) != 0)
        code = broken_by(self);
    return code ? code : broken_by(self);
}

static rd_kafka_error_t *take_over(struct sink_kafka *self)
{
    enum { AGAIN_MS = 1000 };
    return rd_kafka_init_transactions(self->client, AGAIN_MS);
}

static enum status give_up(struct sink_kafka *self)
{
    if (until_decided(self, abort_it) == ST_OK)
        return ST_OK;
    if (!txn_had_nothing_to_abort(self))
        return ST_EIO;
    TRY(txn_renew(self));
    return until_decided(self, take_over);
}

static enum status do_job(struct sink_kafka *self, enum txn_job job)
{
    enum status st = ST_EAGAIN;
    self->txn.code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (job == JOB_COMMIT) {
        st = until_decided(self, send_offsets);
        if (st == ST_OK)
            st = until_decided(self, commit);
    } else {
        self->txn.code = job == JOB_PROBE ? probe(self) : broken_by(self);
    }
    rd_kafka_resp_err_t code = self->txn.code;
    if (st == ST_EAGAIN && give_up(self) < 0)
        return ST_EIO;
    self->txn.code = code;
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

void txn_give_job(struct sink_kafka *self, enum txn_job job)
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
    row_set_done(&txn->refused);
    row_set_done(&txn->to_report);
    row_set_done(&txn->suspects);
}

enum status sink_kafka_fence(struct sink *sink, int timeout_ms)
{
    struct sink_kafka *self = (struct sink_kafka *)(void *)sink;
    int64_t until = txn_now_us() + timeout_ms * INT64_C(1000);
    if (!self->txn.on)
        return ST_OK;
    for (;;) {
        bool again;
        int64_t left_ms = (until - txn_now_us()) / 1000;
        enum status st = txn_outcome_of(
            self, rd_kafka_init_transactions(self->client, left_ms > 0 ? (int)left_ms : 0), &again);
        if (st == ST_OK || !again || txn_now_us() >= until)
            return st < 0 ? sink_kafka_fail(self, self->error) : ST_OK;
        pause_for(TXN_AGAIN_US);
    }
}
