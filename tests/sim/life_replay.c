/* The input once more, in the order in which another trial took it. */
#include <math.h>

#include "tests/sim/life.h"

/* Until nothing more comes of what is there. */
static enum status settle(struct service *service)
{
    enum status ingest, state, commit;
    do {
        ingest = service_step_ingest(service);
        state = service_step_state(service);
        commit = service_step_commit(service);
        if (state < 0 && state != ST_EAGAIN)
            return state;
        if (commit < 0 && commit != ST_EAGAIN)
            return commit;
        TRY(commit_produce(service->commit, 0));
    } while (ingest == ST_OK || state == ST_OK || commit == ST_OK);
    return service->ingest_status;
}

static enum status take_tick(struct service *service, int64_t time)
{
    struct batch *batch = service->reading; /* empty: nothing is there to be read */
    batch->events[batch->n++] = (struct event){.kind = EVENT_TICK,
                                               .origin = {UINT32_MAX, 0},
                                               .time = time,
                                               .broker_time = TIME_NONE,
                                               .label = NAN};
    service->reading = NULL;
    ring_push(service->full, batch);
    return settle(service);
}

static enum status take_act(struct service *service, const struct act *act)
{
    world_tell(the_world, "act %d of model %u: version %u, source %u", (int)act->kind, act->model,
               act->version, act->source);
    struct batch *batch = service->reading;
    batch->events[batch->n++] = event_of_act(act);
    service->reading = NULL;
    ring_push(service->full, batch);
    return settle(service);
}

static enum status take_run(struct life *life, const struct run *run)
{
    struct broker *broker = &life->trial->broker;
    broker->gate = run->lane;
    broker->gate_last = run->last;
    TRY(settle(life->service));
    int64_t next = life->service->head.lanes[run->lane].next;
    return next == run->last + 1 ? ST_OK : ST_ECORRUPT;
}

enum status life_replay(struct life *life)
{
    struct reader in = reader_of(buf_slice(life->trial->options.runs));
    struct service *service = life->service;
    struct run run;
    enum status st;
    life->trial->broker.gated = true;
    life->trial->broker.gate_last = -1;
    TRY(settle(service));
    while ((st = runs_next(&in, &run)) == ST_OK)
        TRY(run.tick     ? take_tick(service, run.time)
            : run.is_act ? take_act(service, &run.act)
                         : take_run(life, &run));
    if (st != ST_EEND)
        return st;
    life->trial->stop = 1;
    while ((st = service_step_state(service)) != ST_EEND) {
        if (st == ST_EAGAIN && !life->input_ended)
            life->input_ended = service_step_ingest(service) == ST_EEND;
        if (st < 0 && st != ST_EAGAIN)
            return st;
        st = service_step_commit(service);
        if (st < 0 && st != ST_EAGAIN)
            return st;
    }
    TRY(service_drain_commit(service));
    return life_drain_trainers(service);
}
