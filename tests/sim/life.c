#include "tests/sim/life.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "online/model_files.h"

enum { STEPS_MAX = 400000 };

/* Opening. */

static struct service_options service_options(struct life *life)
{
    struct trial *trial = life->trial;
    const struct settings *settings = &trial->settings;
    return (struct service_options){
        .settings = settings,
        .dir = DISK_DIR,
        .store = &trial->store->head,
        .recorded = trial->options.runs != NULL,
        .merge = {.idle_max = trial->options.timed ? trial->idle_max : INT64_MAX / 4,
                  .tick_every = trial->options.timed ? SECOND_US : 0,
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
        .resume = broker_resume,
        .resume_arg = &trial->broker,
    };
}

/* What was told to be committed is. */
static bool check_offsets(struct trial *trial, const struct service *service)
{
    for (size_t i = 0; i < trial->options.input->n_lanes; i++) {
        int64_t next = service->head.lanes[service->lane_of[i]].next;
        if (trial->broker.group[i].next > next)
            return trial_wrong(trial,
                               "the stored offset of lane %zu is %" PRId64 ", the group's %" PRId64,
                               i, next, trial->broker.group[i].next);
    }
    return true;
}

/* How this life will end: most by a crash, before much is done. */
static void plan(struct life *life, bool last)
{
    struct trial *trial = life->trial;
    struct world *world = &trial->world;
    static const unsigned weights[] = {1, 1, 3, 8, 20};
    uint64_t dies_at = UINT64_MAX, fails_at = UINT64_MAX,
             most = 15 + trial->options.input->n_records / 3;
    life->stop_at = UINT64_MAX;
    if (!last && !world_chance(world, 10))
        dies_at = 1 + rng_below(&world->rng, world_chance(world, 3) ? 15 : most);
    if (!last && world_chance(world, 8))
        life->stop_at = rng_below(&world->rng, 200);
    if (!last && world_chance(world, 6))
        fails_at = 1 + rng_below(&world->rng, most);
    for (unsigned i = 0; i < LIFE_ACTORS; i++)
        life->weights[i] = weights[rng_below(&world->rng, 5)];
    world->slow = !trial->options.timed && world_chance(world, 3);
    trial->stop = 0;
    world_begin_life(world, dies_at, fails_at);
}

/* For whoever waits for what comes of a contest. */
static bool step_trainers(void *arg)
{
    struct service *service = arg;
    bool worked = false;
    for (size_t i = 0; i < service->n_models; i++)
        worked = trainer_step(service->models[i].trainer) || worked;
    return worked;
}

bool life_open(struct life *life, struct trial *trial, bool last)
{
    *life = (struct life){.trial = trial,
                          .source = broker_source(&trial->broker),
                          .sink = broker_sink(&trial->broker)};
    plan(life, last);
    struct service_options options = service_options(life);
    enum status st = service_open(&options, &life->service);
    if (st < 0 && !trial->world.dead && !trial->world.failed)
        return trial_wrong(trial, "the service does not start: %s: %s", status_text(st),
                           trial->last_error);
    if (st < 0)
        return false;
    struct service *service = life->service;
    trial->service = service;
    trial->store->state = service->state;
    world_tell(&trial->world, "recovered: epoch %" PRIu64 ", %" PRIu64 " events, item %" PRIu64,
               service->head.epoch, service->head.events, service->head.examples_next);
    for (size_t i = 0; i < service->n_models; i++)
        registry_set_work(service->models[i].registry, trainer_step, service->models[i].trainer);
    if (service->contest)
        contest_set_work(service->contest, step_trainers, service);
    service_begin(service);
    return check_offsets(trial, service);
}

/* Steps. */

static enum life_actor pick(struct life *life)
{
    unsigned sum = 0, actor = 0;
    for (unsigned i = 0; i < LIFE_ACTORS; i++)
        sum += life->weights[i];
    unsigned at = (unsigned)rng_below(&life->trial->world.rng, sum);
    while (at >= life->weights[actor])
        at -= life->weights[actor++];
    return (enum life_actor)actor;
}

/* A person asks for an earlier version of a model, if there is a file of it. */
static bool ask_version(struct service *service, const struct service_model *model, size_t i,
                        struct act *ret)
{
    char part[MODEL_FILE_MAX];
    unsigned version;
    snprintf(part, sizeof part, "/%s-", model->settings->name);
    const char *path = disk_find(part, i);
    if (!path || sscanf(strstr(path, part) + strlen(part), "%u", &version) != 1 ||
        !strstr(path, ".safetensors") || strstr(path, ".tmp") ||
        model_files_keep(service->model_dir, model->settings->name, version) < 0)
        return false;
    *ret = (struct act){ACT_PUBLISH, model->number, 0, version};
    return true;
}

/* Between two steps of the state thread, which does it at its next. */
static void ask_for_act(struct life *life)
{
    struct world *world = &life->trial->world;
    struct service *service = life->service;
    struct service_model *model = &service->models[rng_below(&world->rng, service->n_models)];
    struct act act = {.kind = world_chance(world, 3) ? ACT_CHAMPION : ACT_ROLL_BACK,
                      .model = model->number};
    if (!world_chance(world, 3) &&
        !ask_version(service, model, (size_t)rng_below(&world->rng, 20), &act))
        return;
    world_tell(world, "asked: %s %u of %s",
               act.kind == ACT_PUBLISH     ? "version"
               : act.kind == ACT_ROLL_BACK ? "rollback"
                                           : "champion",
               act.source, model->settings->name);
    service_post_act(service, &act);
    life->trial->acts++;
}

/* A step of the state thread, and what came of it. */
static enum status act_state(struct life *life)
{
    struct service *service = life->service;
    uint64_t filling = service->filling->epoch.number, taken = service->head.events;
    if (life->trial->options.acts && world_chance(&life->trial->world, 20))
        ask_for_act(life);
    enum status st = service_step_state(service);
    if (service->head.events > taken)
        world_tell(&life->trial->world, "state: %" PRIu64 " taken in epoch %" PRIu64,
                   service->head.events - taken, filling);
    if (service->filling->epoch.number > filling)
        world_tell(&life->trial->world, "state: epoch %" PRIu64 " sealed", filling);
    return st;
}

/* Each at its own pace. */
static enum status act_trainers(struct life *life)
{
    struct service *service = life->service;
    size_t i = (size_t)rng_below(&life->trial->world.rng, service->n_models);
    trainer_step(service->models[i].trainer);
    return trainer_status(service->models[i].trainer);
}

enum status life_drain_trainers(struct service *service)
{
    for (size_t i = 0; i < service->n_models; i++) {
        trainer_drain(service->models[i].trainer);
        TRY(trainer_status(service->models[i].trainer));
    }
    return ST_OK;
}

/* What is read behind the work takes its time. */
static enum status step_reading(struct life *life)
{
    enum status st = staging_step(life->service->staging);
    bool slow = st != ST_EAGAIN || !world_chance(&life->trial->world, 8);
    return slow ? st : catch_up_step(life->service->catch_up);
}

static enum status act(struct life *life, enum life_actor actor)
{
    struct service *service = life->service;
    enum status st = ST_OK;
    switch (actor) {
    case LIFE_INGEST:
        if (!life->input_ended)
            st = service_step_ingest(service);
        life->input_ended = life->input_ended || st == ST_EEND;
        return st;
    case LIFE_STATE:
        if (!life->state_ended)
            st = act_state(life);
        life->state_ended = life->state_ended || st == ST_EEND;
        return st;
    case LIFE_COMMIT:
        return service_step_commit(service);
    case LIFE_PRODUCE:
        return commit_produce(service->commit, 0);
    case LIFE_FETCH:
        return step_reading(life);
    default:
        return act_trainers(life);
    }
}

bool life_read_all(const struct life *life)
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
    return life_drain_trainers(service);
}

/* ST_OK once it came to an orderly end. */
enum status life_live(struct life *life)
{
    struct trial *trial = life->trial;
    struct world *world = &trial->world;
    while (!life->state_ended) {
        if (++world->steps > STEPS_MAX) {
            trial_wrong(trial, "stuck");
            return ST_ESTOPPED;
        }
        world_pass_time(world);
        trial->stop = trial->stop || world->steps >= life->stop_at || life_read_all(life);
        enum status st = act(life, pick(life));
        if (st < 0 && st != ST_EAGAIN && st != ST_EEND)
            return st;
    }
    TRY(finish(life));
    return life->service->ingest_status; /* the source failed: all before that was committed */
}

void life_close(struct life *life)
{
    if (life->service)
        life->trial->evicted += life->service->evicted;
    service_free(life->service);
    life->source->ops->free(life->source);
    life->sink->ops->free(life->sink);
    sim_store_crash(life->trial->store);
    disk_crash(&life->trial->world);
}
