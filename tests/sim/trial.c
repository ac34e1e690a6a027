#include "tests/sim/trial.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/sim/life.h"

enum { LIVES_MAX = 12 };

/* The linker brings the trainer's offers here, and the log its lines. */
static struct trial *the_trial;

static void keep_error(void *arg, const char *line, size_t len)
{
    struct trial *trial = arg;
    snprintf(trial->last_error, sizeof trial->last_error, "%.*s", (int)len, line);
}

bool trial_wrong(struct trial *trial, const char *format, ...)
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

/* Two planted faults. */

void __real_commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *point);
void __wrap_commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *point);
void __wrap_commit_offer_trainer(struct commit *commit, const struct trainer_checkpoint *point)
{
    if (the_trial->options.fault == FAULT_CURSOR_AHEAD)
        sim_store_name_checkpoint(the_trial->store, point);
    else
        __real_commit_offer_trainer(commit, point);
}

/* Where labels are few, hardly anything is beyond chance: a challenger takes over for less. */
struct contest_options __real_contest_defaults(void);
struct contest_options __wrap_contest_defaults(void);
struct contest_options __wrap_contest_defaults(void)
{
    struct contest_options options = __real_contest_defaults();
    options.p_max = 0.9;
    options.psi_max = options.alerts_ratio_max = 1e9;
    return options;
}

/* FAULT_ROWS_SENT_EARLY: rows that are about to be written. */
static void send_early(void *arg, struct slice rows)
{
    struct trial *trial = arg;
    struct reader in = reader_of(rows);
    struct outbox_row out;
    while (outbox_next(&in, &out) == ST_OK) {
        const struct head_lane *lane = &trial->service->head.lanes[out.lane];
        out.row.topic = lane->topic;
        out.row.partition = lane->partition;
        broker_arrive(&trial->broker, &out.row);
    }
}

/* The end. */

static void put_model(const struct model *learner, struct buf *ret)
{
    struct tensors *tensors = tensors_create();
    enum status st = tensors ? learner->ops->save(learner, tensors) : ST_ENOMEM;
    if (st == ST_OK)
        st = tensors_write(tensors, DISK_DIR "/outcome");
    if (st < 0)
        abort();
    struct slice file = disk_file(DISK_DIR "/outcome");
    buf_append(ret, file.data, file.len);
    tensors_free(tensors);
}

static void keep_models(struct trial *trial, const struct service *service)
{
    buf_reset(&trial->outcome.model);
    buf_reset(&trial->outcome.others);
    for (size_t i = 0; i < service->n_models; i++)
        put_model(service->models[i].learner,
                  i == 0 ? &trial->outcome.model : &trial->outcome.others);
}

static void count_takeovers(struct trial *trial, const struct service *service)
{
    struct buf all = {0};
    for (size_t i = 0; service->contest && i < service->n_models; i++)
        contest_decisions(service->contest, service->models[i].number, &all);
    for (size_t at = 0; at < all.len; at += sizeof(struct contest_decision)) {
        struct contest_decision made;
        memcpy(&made, all.data + at, sizeof made);
        trial->takeovers += made.decision.verdict == VERDICT_PROMOTED;
    }
    buf_done(&all);
}

static void count_tried(struct trial *trial, const struct service *service)
{
    for (size_t i = 0; i < service->n_models; i++) {
        const struct gate *gate = service->models[i].gate;
        for (size_t j = 0; gate && j < gate_decisions(gate); j++) {
            double verdict = gate_decision(gate, j)->verdict;
            trial->confirmed += verdict == VERDICT_CONFIRMED;
            trial->rolled_back += verdict == VERDICT_ROLLED_BACK;
        }
    }
}

/* Of all that the store holds, where the service has only some of it in memory. */
static bool stored_digest(struct trial *trial, struct key128 *ret)
{
    struct commit_options options = {.store = &trial->store->head};
    struct commit *commit = NULL;
    struct state *state = NULL;
    struct buf head = {0};
    uint64_t epoch;
    if (state_create(&state) < 0 || commit_create(&options, &commit) < 0)
        abort();
    enum status st = commit_recover(commit, state, &head, &epoch);
    if (st == ST_OK)
        *ret = state_digest(state);
    else
        trial_wrong(trial, "what is stored: %s: %s", status_text(st), commit_error(commit));
    buf_done(&head);
    commit_free(commit);
    state_free(state);
    return st == ST_OK;
}

static bool digest_of(struct life *life, struct key128 *ret)
{
    struct state *state = life->service->state;
    if (!state_complete(state))
        return stored_digest(life->trial, ret);
    *ret = state_digest(state);
    return true;
}

static bool keep_outcome(struct life *life)
{
    struct trial *trial = life->trial;
    const struct head *head = &life->service->head;
    trial->world.dies_at = trial->world.fails_at = UINT64_MAX; /* looking is no part of it */
    trial->outcome.events = head->events;
    trial->outcome.examples_n = head->examples_next;
    trial->outcome.clock = head->clock;
    trial->outcome.version = head_version(head);
    trial->outcome.n_dense = plan_vector_schema(life->service->plan)->n_dense;
    keep_models(trial, life->service);
    count_takeovers(trial, life->service);
    count_tried(trial, life->service);
    return digest_of(life, &trial->outcome.digest);
}

/* What is recovered is what was there. */
static bool check_recovered(struct life *life)
{
    struct trial *trial = life->trial;
    trial->world.dies_at = trial->world.fails_at = UINT64_MAX;
    struct key128 digest;
    if (!digest_of(life, &digest))
        return false;
    if (digest.lo != trial->outcome.digest.lo || digest.hi != trial->outcome.digest.hi)
        return trial_wrong(trial, "the state as recovered is not the state as it was left");
    struct buf model = trial->outcome.model, others = trial->outcome.others;
    trial->outcome.model = trial->outcome.others = (struct buf){0};
    keep_models(trial, life->service);
    bool same = slice_eq(buf_slice(&model), buf_slice(&trial->outcome.model)) &&
                slice_eq(buf_slice(&others), buf_slice(&trial->outcome.others));
    buf_done(&model);
    buf_done(&others);
    return same || trial_wrong(trial, "the model as recovered is not the model as it was left");
}

enum ending { ENDED_DEAD, ENDED_FAILED, ENDED_STOPPED, ENDED_ALL, ENDED_WRONG };

static const char *trainer_errors(const struct service *service)
{
    for (size_t i = 0; i < service->n_models; i++)
        if (trainer_status(service->models[i].trainer) < 0)
            return trainer_error(service->models[i].trainer);
    return "";
}

/* What of the life, once opened, came to. */
static enum ending live(struct life *life)
{
    struct trial *trial = life->trial;
    enum status st = trial->options.runs ? life_replay(life) : life_live(life);
    if (trial->world.dead) /* whether it noticed or not */
        return trial->wrong[0] ? ENDED_WRONG : ENDED_DEAD;
    if (st < 0 && !trial->world.failed)
        trial_wrong(trial, "the service failed: %s: %s%s", status_text(st), trial->last_error,
                    trainer_errors(life->service));
    if (trial->wrong[0])
        return ENDED_WRONG;
    if (st < 0)
        return ENDED_FAILED;
    if (!life_read_all(life))
        return ENDED_STOPPED;
    return keep_outcome(life) ? ENDED_ALL : ENDED_WRONG;
}

static enum ending run_life(struct trial *trial, bool last, bool only_look)
{
    struct life life;
    enum ending ending;
    if (!life_open(&life, trial, last))
        ending = trial->wrong[0] ? ENDED_WRONG : trial->world.dead ? ENDED_DEAD : ENDED_FAILED;
    else if (only_look)
        ending = check_recovered(&life) ? ENDED_ALL : ENDED_WRONG;
    else
        ending = live(&life);
    life_close(&life);
    if (trial->broker.wrong[0] || trial->store->wrong[0])
        trial_wrong(trial, "%s%s", trial->broker.wrong, trial->store->wrong);
    return trial->wrong[0] ? ENDED_WRONG : ending;
}

static enum status append_run(void *arg, struct slice key, struct slice value)
{
    (void)key;
    buf_append(arg, value.data, value.len);
    return ST_OK;
}

static enum status note_parked(void *arg, const struct parked_row *parked)
{
    struct trial *trial = arg;
    const struct input_lane *lane = &trial->options.input->lanes[parked->lane];
    struct row row = parked->row;
    row.topic = lane->topic;
    row.partition = lane->partition;
    broker_park(&trial->broker, &row);
    return ST_OK;
}

static void keep_durable(struct trial *trial)
{
    struct outcome *outcome = &trial->outcome;
    enum status st = commit_read_parked(trial->store->inner, note_parked, trial);
    if (st < 0)
        trial_wrong(trial, "parked rows cannot be read");
    memcpy(outcome->arrivals, trial->broker.arrivals, sizeof outcome->arrivals);
    outcome->examples = trial->store->examples;
    trial->store->examples = (struct buf){0};
    st = store_scan_space(trial->store->inner, STORE_RUNS, append_run, &outcome->runs);
    (void)st; /* the twin does not fail */
}

/* Half of the trials; faults of sending are about the other half. */
static bool trial_exactly_once(struct trial *trial)
{
    enum fault fault = trial->options.fault;
    return !trial->options.calm && world_chance(&trial->world, 2) &&
           fault != FAULT_ROWS_ACKED_EARLY && fault != FAULT_ROWS_SENT_EARLY;
}

/* A working set smaller than the state: all is swept and evicted at once. Or one that has room at
 * times, and whose starts leave behind what redo values are about. */
static void make_cold(struct trial *trial)
{
    struct world *world = &trial->world;
    trial->settings.state.cache = 1 + (int64_t)rng_below(&world->rng, 60000);
    if (world_chance(world, 2)) {
        trial->settings.state.cache = 1 << 19;
        trial->store->pages_told = 1 << 19;
        trial->idle_max = (int64_t)rng_below(&world->rng, 40 * SECOND_US);
    }
}

static void begin(struct trial *trial)
{
    const struct trial_options *options = &trial->options;
    struct world *world = &trial->world;
    *world = (struct world){
        .rng = rng_part(options->seed, 2), .clock = SECOND_US, .trace = options->trace};
    the_world = world;
    the_trial = trial;
    log_set_level(LOG_WARN);
    log_set_output(keep_error, trial);
    if (options->runs)
        disk_clear_but(".kept-"); /* what an audit finds in the directory audited */
    else
        disk_clear();
    disk_forget_fsync(options->fault == FAULT_FILE_UNSYNCED);
    broker_init(&trial->broker, options->input, world);
    trial->broker.calm = options->calm;
    trial->broker.timed = options->timed;
    trial->broker.exactly_once = trial_exactly_once(trial);
    trial->broker.acks_early = options->fault == FAULT_ROWS_ACKED_EARLY;
    trial->broker.group_apart = options->fault == FAULT_GROUP_APART;
    if (!options->calm && world_chance(world, 4))
        trial->broker.refuse_one_in = 10;
    trial->idle_max = (int64_t)rng_below(&world->rng, 3 * SECOND_US);
    trial->store = sim_store_create(world, options->fault);
    trial->settings = *options->input->settings;
    trial->settings.state.runs_keep = 36500 * DAY_US; /* they are replayed */
    if (!options->calm && world_chance(world, 2))
        make_cold(trial);
    if (options->fault == FAULT_ROWS_SENT_EARLY) {
        trial->store->on_rows = send_early;
        trial->store->on_rows_arg = trial;
    }
}

bool trial_run(const struct trial_options *options, struct trial *ret)
{
    struct trial *trial = ret;
    *trial = (struct trial){.options = *options};
    begin(trial);
    unsigned lives = options->calm ? 1 : 3 + (unsigned)rng_below(&trial->world.rng, LIVES_MAX - 3);
    enum ending ending = ENDED_DEAD;
    for (unsigned i = 1; i <= lives && ending < ENDED_ALL; i++) {
        ending = run_life(trial, i == lives, false);
        trial->crashes += ending == ENDED_DEAD;
        trial->failures += ending == ENDED_FAILED;
        trial->stops += ending == ENDED_STOPPED;
    }
    if (ending == ENDED_ALL)
        ending = run_life(trial, true, true);
    keep_durable(trial);
    if (trial->broker.wrong[0])
        trial_wrong(trial, "%s", trial->broker.wrong);
    the_world = NULL;
    log_set_output(NULL, NULL);
    return ending == ENDED_ALL && !trial->wrong[0];
}

void trial_done(struct trial *trial)
{
    broker_done(&trial->broker);
    sim_store_free(trial->store);
    buf_done(&trial->outcome.examples);
    buf_done(&trial->outcome.runs);
    buf_done(&trial->outcome.model);
    buf_done(&trial->outcome.others);
}
