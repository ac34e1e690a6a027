#include "tests/sim/trial.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "online/service_internal.h"

enum { LIVES_MAX = 12, STEPS_MAX = 400000 };

enum actor { INGEST, STATE, COMMIT, PRODUCE, TRAIN, ACTORS };

/* One process. */
struct life {
    struct trial *trial;
    struct service *service;
    struct source *source;
    struct sink *sink;
    unsigned weights[ACTORS]; /* how often each gets its turn */
    uint64_t stop_at;         /* step; UINT64_MAX: not asked to */
    bool input_ended, state_ended;
};

static char last_error[400];

static void keep_error(void *arg, const char *line, size_t len)
{
    (void)arg;
    snprintf(last_error, sizeof last_error, "%.*s", (int)len, line);
}

__attribute__((format(printf, 2, 3))) static bool wrong(struct trial *trial, const char *format,
                                                        ...)
{
    if (trial->wrong[0])
        return false;
    int n = snprintf(trial->wrong, sizeof trial->wrong, "life %u: ", trial->world.life);
    va_list args;
    va_start(args, format);
    vsnprintf(trial->wrong + n, sizeof trial->wrong - (size_t)n, format, args);
    va_end(args);
    world_tell(&trial->world, "WRONG %s", trial->wrong);
    return false;
}

/* The fault that examples count as learnt before they are durable: see the link options. */

static struct trial *the_trial;

void __real_commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *point);
void __wrap_commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *point);
void __wrap_commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *point)
{
    if (the_trial->options.fault == FAULT_CURSOR_AHEAD)
        sim_store_name_checkpoint(the_trial->store, point);
    else
        __real_commit_offer_trainer(commit, point);
}

/* Opening. */

static struct service_options service_options(struct life *life)
{
    struct trial *trial = life->trial;
    const struct settings *settings = trial->options.input->settings;
    return (struct service_options){
        .settings = settings,
        .dir = DISK_DIR,
        .store = &trial->store->head,
        .merge = {.idle_max = INT64_MAX / 4,
                  .ahead_max = settings->time.ahead_max,
                  .until = INT64_MAX,
                  .lane_depth = 16},
        .sources = &life->source,
        .n_sources = 1,
        .sink = life->sink,
        .format = ROWS_JSON,
        .rows_scores = true,
        .rows_features = settings->scores.features,
        .stop = &trial->stop,
    };
}

/* What was told to be committed is. */
static bool check_offsets(struct trial *trial, const struct service *service)
{
    for (size_t i = 0; i < trial->options.input->n_lanes; i++) {
        int64_t next = service->head.lanes[service->lane_of[i]].next;
        if (trial->broker.group[i] > next)
            return wrong(trial,
                         "the stored offset of lane %zu is %" PRId64 ", the group's %" PRId64, i,
                         next, trial->broker.group[i]);
    }
    return true;
}

static bool life_open(struct life *life)
{
    struct trial *trial = life->trial;
    struct service_options options = service_options(life);
    enum status st = service_open(&options, &life->service);
    if (st < 0 && !trial->world.dead)
        return wrong(trial, "the service does not start: %s: %s", status_text(st), last_error);
    if (st < 0)
        return false;
    struct service *service = life->service;
    trial->store->state = service->state;
    world_tell(&trial->world, "recovered: epoch %" PRIu64 ", %" PRIu64 " events, item %" PRIu64,
               service->head.epoch, service->head.events, service->head.examples_next);
    registry_set_work(service->registry, trainer_step, service->trainer);
    service_begin(service);
    return check_offsets(trial, service);
}

/* Steps. */

static enum actor pick(struct life *life)
{
    unsigned sum = 0, actor = 0;
    for (unsigned i = 0; i < ACTORS; i++)
        sum += life->weights[i];
    unsigned at = (unsigned)rng_below(&life->trial->world.rng, sum);
    while (at >= life->weights[actor])
        at -= life->weights[actor++];
    return (enum actor)actor;
}

/* A step of the state thread, and what came of it. */
static enum status act_state(struct life *life)
{
    struct service *service = life->service;
    uint64_t filling = service->filling->epoch.number, taken = service->head.events;
    enum status st = service_step_state(service);
    if (service->head.events > taken)
        world_tell(&life->trial->world, "state: %" PRIu64 " taken in epoch %" PRIu64,
                   service->head.events - taken, filling);
    if (service->filling->epoch.number > filling)
        world_tell(&life->trial->world, "state: epoch %" PRIu64 " sealed", filling);
    return st;
}

static enum status act(struct life *life, enum actor actor)
{
    struct service *service = life->service;
    enum status st = ST_OK;
    switch (actor) {
    case INGEST:
        if (!life->input_ended)
            st = service_step_ingest(service);
        life->input_ended = life->input_ended || st == ST_EEND;
        return service->ingest_status < 0 ? service->ingest_status : st;
    case STATE:
        if (!life->state_ended)
            st = act_state(life);
        life->state_ended = life->state_ended || st == ST_EEND;
        return st;
    case COMMIT:
        return service_step_commit(service);
    case PRODUCE:
        return commit_produce(service->commit, 0);
    default:
        trainer_step(service->trainer);
        return trainer_status(service->trainer);
    }
}

static bool all_read(const struct life *life)
{
    const struct service *service = life->service;
    for (size_t i = 0; i < life->trial->options.input->n_lanes; i++)
        if (service->head.lanes[service->lane_of[i]].next < broker_end(&life->trial->broker, i))
            return false;
    return true;
}

/* What the threads do once the state thread is done. */
static enum status finish(struct life *life)
{
    struct service *service = life->service;
    while (service->commits_running > 0) {
        enum status st = service_step_commit(service);
        if (st == ST_EAGAIN)
            st = commit_produce(service->commit, 0);
        TRY(st);
    }
    TRY(service_drain_commit(service));
    trainer_drain(service->trainer);
    return trainer_status(service->trainer);
}

/* ST_OK once it came to an orderly end. */
static enum status life_live(struct life *life)
{
    struct trial *trial = life->trial;
    struct world *world = &trial->world;
    while (!life->state_ended) {
        if (++world->steps > STEPS_MAX) {
            wrong(trial, "stuck");
            return ST_ESTOPPED;
        }
        world_pass_time(world);
        trial->stop = trial->stop || world->steps >= life->stop_at || all_read(life);
        enum status st = act(life, pick(life));
        if (st < 0 && st != ST_EAGAIN && st != ST_EEND)
            return st;
    }
    return finish(life);
}

static void life_close(struct life *life)
{
    service_free(life->service);
    life->source->ops->free(life->source);
    life->sink->ops->free(life->sink);
    sim_store_crash(life->trial->store);
    disk_crash(&life->trial->world);
}

/* How this life will end: most by a crash, before much is done. */
static void life_plan(struct life *life, bool last)
{
    struct trial *trial = life->trial;
    struct world *world = &trial->world;
    uint64_t dies_at = UINT64_MAX, most = 15 + trial->options.input->n_records / 3;
    life->stop_at = UINT64_MAX;
    if (!last && !world_chance(world, 10))
        dies_at = 1 + rng_below(&world->rng, world_chance(world, 3) ? 15 : most);
    if (!last && world_chance(world, 8))
        life->stop_at = rng_below(&world->rng, 200);
    for (unsigned i = 0; i < ACTORS; i++)
        life->weights[i] = 1 + (unsigned)rng_below(&world->rng, 6);
    trial->stop = 0;
    world_begin_life(world, dies_at);
}

/* The end. */

static void keep_model(struct trial *trial, const struct model *learner)
{
    struct tensors *tensors = tensors_create();
    enum status st = tensors ? learner->ops->save(learner, tensors) : ST_ENOMEM;
    if (st == ST_OK)
        st = tensors_write(tensors, DISK_DIR "/outcome");
    if (st < 0)
        abort();
    struct slice file = disk_file(DISK_DIR "/outcome");
    buf_reset(&trial->outcome.model);
    buf_append(&trial->outcome.model, file.data, file.len);
    tensors_free(tensors);
}

static void keep_outcome(struct life *life)
{
    struct trial *trial = life->trial;
    const struct head *head = &life->service->head;
    trial->world.dies_at = UINT64_MAX; /* looking is no part of it */
    trial->outcome.digest = state_digest(life->service->state);
    trial->outcome.events = head->events;
    trial->outcome.examples_n = head->examples_next;
    trial->outcome.clock = head->clock;
    trial->outcome.version = head->version;
    keep_model(trial, life->service->learner);
}

/* What is recovered is what was there. */
static bool check_recovered(struct life *life)
{
    struct trial *trial = life->trial;
    struct key128 digest = state_digest(life->service->state);
    if (digest.lo != trial->outcome.digest.lo || digest.hi != trial->outcome.digest.hi)
        return wrong(trial, "the state as recovered is not the state as it was left");
    struct buf model = trial->outcome.model;
    trial->outcome.model = (struct buf){0};
    keep_model(trial, life->service->learner);
    bool same = slice_eq(buf_slice(&model), buf_slice(&trial->outcome.model));
    buf_done(&model);
    return same || wrong(trial, "the model as recovered is not the model as it was left");
}

enum ending { ENDED_DEAD, ENDED_STOPPED, ENDED_ALL, ENDED_WRONG };

static enum ending life_run(struct trial *trial, bool last, bool only_look)
{
    struct life life = {.trial = trial,
                        .source = broker_source(&trial->broker),
                        .sink = broker_sink(&trial->broker)};
    life_plan(&life, last);
    bool opened = life_open(&life);
    enum ending ending = trial->world.dead ? ENDED_DEAD : ENDED_WRONG;
    if (opened && only_look) {
        ending = check_recovered(&life) ? ENDED_ALL : ENDED_WRONG;
    } else if (opened) {
        enum status st = life_live(&life);
        if (trial->world.dead) /* whether it noticed or not */
            st = ST_EIO;
        bool all = st == ST_OK && all_read(&life);
        if (all)
            keep_outcome(&life);
        if (st < 0 && !trial->world.dead)
            wrong(trial, "the service failed: %s: %s", status_text(st), last_error);
        ending = trial->wrong[0] ? ENDED_WRONG
                 : st < 0        ? ENDED_DEAD
                 : all           ? ENDED_ALL
                                 : ENDED_STOPPED;
    }
    life_close(&life);
    if (trial->broker.wrong[0] || trial->store->wrong[0])
        wrong(trial, "%s%s", trial->broker.wrong, trial->store->wrong);
    return trial->wrong[0] ? ENDED_WRONG : ending;
}

static void keep_arrivals(struct trial *trial)
{
    struct outcome *outcome = &trial->outcome;
    outcome->n_lanes = trial->options.input->n_lanes;
    memcpy(outcome->arrivals, trial->broker.arrivals, sizeof outcome->arrivals);
    outcome->examples = trial->store->examples;
    trial->store->examples = (struct buf){0};
}

bool trial_run(const struct trial_options *options, struct trial *ret)
{
    struct trial *trial = ret;
    *trial = (struct trial){.options = *options};
    trial->world = (struct world){
        .rng = rng_part(options->seed, 2), .clock = 1000000, .trace = options->trace};
    the_world = &trial->world;
    the_trial = trial;
    last_error[0] = '\0';
    log_set_level(LOG_WARN);
    log_set_output(keep_error, NULL);
    disk_clear();
    disk_forget_fsync(options->fault == FAULT_FILE_UNSYNCED);
    broker_init(&trial->broker, options->input, &trial->world);
    trial->broker.calm = options->calm;
    trial->broker.acks_early = options->fault == FAULT_ROWS_ACKED_EARLY;
    if (!options->calm && world_chance(&trial->world, 4))
        trial->broker.refuse_one_in = 10;
    trial->store = sim_store_create(&trial->world, options->fault);
    unsigned lives = options->calm ? 1 : 3 + (unsigned)rng_below(&trial->world.rng, LIVES_MAX - 3);
    enum ending ending = ENDED_DEAD;
    for (unsigned i = 1; i <= lives && ending < ENDED_ALL; i++) {
        ending = life_run(trial, i == lives, false);
        trial->crashes += ending == ENDED_DEAD;
        trial->stops += ending == ENDED_STOPPED;
    }
    if (ending == ENDED_ALL)
        ending = life_run(trial, true, true);
    keep_arrivals(trial);
    the_world = NULL;
    log_set_output(NULL, NULL);
    return ending == ENDED_ALL;
}

void trial_done(struct trial *trial)
{
    broker_done(&trial->broker);
    sim_store_free(trial->store);
    buf_done(&trial->outcome.examples);
    buf_done(&trial->outcome.model);
}

/* Comparing. */

static bool compare_row(struct trial *trial, const struct input_lane *lane, size_t at,
                        const struct arrival *got, const struct arrival *calm)
{
    const struct input_record *record = &lane->records[at];
    bool scored = lane->stream == 0;
    if (got->times == 0 && !got->refused && (scored || record->malformed))
        return wrong(trial, "%s/%d offset %" PRId64 ": its row never came", lane->topic,
                     (int)lane->partition, record->offset);
    if (got->times > 0 && (got->channel == CHANNEL_DEAD) != record->malformed)
        return wrong(trial, "%s/%d offset %" PRId64 ": %s: %.*s", lane->topic, (int)lane->partition,
                     record->offset, record->malformed ? "was not refused" : "was refused",
                     (int)got->payload.len, got->payload.data);
    if (got->times > 0 && calm && !slice_eq(buf_slice(&got->bytes), buf_slice(&calm->bytes)))
        return wrong(trial, "%s/%d offset %" PRId64 ": %.*s\nwithout a crash: %.*s", lane->topic,
                     (int)lane->partition, record->offset, (int)got->payload.len, got->payload.data,
                     (int)calm->payload.len, calm->payload.data);
    return true;
}

static bool compare_rows(struct trial *trial, const struct trial *calm)
{
    const struct input *input = trial->options.input;
    for (size_t i = 0; i < input->n_lanes; i++)
        for (size_t j = 0; j < input->lanes[i].n; j++)
            if (!compare_row(trial, &input->lanes[i], j, &trial->outcome.arrivals[i][j],
                             calm ? &calm->outcome.arrivals[i][j] : NULL))
                return false;
    return true;
}

bool trial_compare(struct trial *trial, const struct trial *calm)
{
    if (!compare_rows(trial, calm))
        return false;
    if (!calm)
        return true;
    const struct outcome *got = &trial->outcome, *expected = &calm->outcome;
    if (got->events != expected->events || got->clock != expected->clock ||
        got->version != expected->version || got->examples_n != expected->examples_n)
        return wrong(trial,
                     "events %" PRIu64 ", clock %" PRId64 ", version %u, items %" PRIu64
                     "; without a crash: %" PRIu64 ", %" PRId64 ", %u, %" PRIu64,
                     got->events, got->clock, got->version, got->examples_n, expected->events,
                     expected->clock, expected->version, expected->examples_n);
    if (got->digest.lo != expected->digest.lo || got->digest.hi != expected->digest.hi)
        return wrong(trial, "the state is another than without a crash");
    if (!slice_eq(buf_slice(&got->examples), buf_slice(&expected->examples)))
        return wrong(trial, "the examples are others than without a crash");
    if (!slice_eq(buf_slice(&got->model), buf_slice(&expected->model)))
        return wrong(trial, "the model is another than without a crash");
    return true;
}
