#include "online/service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "online/checkpoint.h"

int64_t service_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* What a feature looks at is as in the state, or it is said what is not. */

static void tell_added(void *arg, const char *name, int64_t warm)
{
    char text[40] = "";
    (void)arg;
    time_format(warm, text);
    log_info("feature.added", "name=\"%s\" known_from=%s", name, text);
}

static void tell_removed(void *arg, const char *name)
{
    (void)arg;
    log_warn("feature.removed", "name=\"%s\" hint=\"what the state holds of it is dropped\"", name);
}

static enum status make_plan(struct service *service)
{
    static const struct plan_watch watch = {tell_added, tell_removed, NULL};
    const struct settings *settings = service->settings;
    struct conf_errors errors = {0};
    enum status st =
        plan_create_at(&settings->schema, settings->features_node, settings->time.lateness,
                       service->state, service->head.clock, &watch, &errors, &service->plan);
    conf_errors_print(&errors, stderr);
    if (st == ST_EVERSION)
        log_error("state.changed",
                  "dir=\"%s\" why=\"features mean something else than the state "
                  "holds\"",
                  service->options.dir);
    conf_errors_done(&errors);
    return st;
}

static enum status make_layouts(struct service *service)
{
    enum status st = layouts_open(service->state, plan_vector_schema(service->plan),
                                  plan_label_key_names(service->plan),
                                  plan_n_label_keys(service->plan), &service->layouts);
    if (st < 0)
        log_error("state.layouts", "dir=\"%s\" why=\"%s\"", service->options.dir,
                  st == ST_EINVAL ? "its features have changed 255 times; rebuild it by replay"
                                  : status_text(st));
    return st;
}

static enum status make_join(struct service *service)
{
    struct join_options options = {
        .labels = service->settings->schema.labels,
        .n_dense = plan_vector_schema(service->plan)->n_dense,
        .n_keys = plan_n_label_keys(service->plan),
        .layouts = service->layouts,
    };
    enum status st = join_create(&options, service->state, &service->join);
    if (st == ST_OK)
        st = join_recover(service->join);
    if (st < 0)
        log_error("state.recover", "dir=\"%s\" why=\"waiting events: %s\"", service->options.dir,
                  status_text(st));
    return st;
}

enum status service_make_model(void *arg, struct model **ret)
{
    const struct service_model *model = arg;
    const struct model_settings *settings = model->settings;
    struct conf_errors errors = {0};
    enum status st = settings->ops->create(
        settings->options, plan_vector_schema(model->service->plan), settings->node, &errors, ret);
    conf_errors_print(&errors, stderr);
    conf_errors_done(&errors);
    return st;
}

static enum status make_gate(struct service_model *model)
{
    struct model *champion = NULL;
    if (!model->settings->gate)
        return ST_OK;
    TRY(service_make_model(model, &champion));
    TRY(service_make_gate(model, champion));
    gate_set_make(model->gate, service_make_model, model);
    return service_make_contender(model);
}

/* A replay is decided by its input alone. */
static bool is_beside(const struct service_model *model)
{
    return model->settings->publish_at == PUBLISH_AT_READY && !model->service->options.replay;
}

/* Which examples are kept and drawn; any would do, and it never changes. */
#define REPLAY_SEED 6148914691236517205u

static enum status make_reservoir(struct service_model *model)
{
    const struct model_settings *settings = model->settings;
    const struct vector_schema *schema = plan_vector_schema(model->service->plan);
    if (settings->replay == 0)
        return ST_OK;
    return reservoir_create(&(struct reservoir_options){.n_dense = schema->n_dense,
                                                        .columns = schema->id,
                                                        .rows = (size_t)settings->replay_rows / 2,
                                                        .share = settings->replay,
                                                        .half_life = settings->replay_half_life,
                                                        .seed = REPLAY_SEED},
                            &model->reservoir);
}

/* Without a share to set aside it gives back what an earlier start did. */
static enum status make_noise(struct service_model *model)
{
    const struct model_settings *settings = model->settings;
    if (settings->ops->unlabelled)
        return ST_OK;
    return noise_create(&(struct noise_options){.schema = plan_vector_schema(model->service->plan),
                                                .share = settings->noise,
                                                .rows = (size_t)settings->noise_rows,
                                                .window = (size_t)settings->noise_window,
                                                .recalls = settings->ops->recall != NULL},
                        &model->noise);
}

static bool is_recorded(const struct service *service)
{
    return service->options.recorded || service->options.merge.next_run;
}

static enum status make_registry(struct service *service, struct service_model *model)
{
    TRY(registry_create(service_make_model, model, &model->registry));
    if (is_recorded(service))
        registry_keep_staged(model->registry);
    return ST_OK;
}

/* One that ended while the model was not configured, so that its trainer never heard of it. */
static void find_lost_trial(struct service *service, struct service_model *model)
{
    struct canary *canary = &service->head.models[model->number].canary;
    uint32_t stable, version = 0;
    if (!model->gate || canary->expected || !gate_stable(model->gate, &stable))
        return;
    gate_champion(model->gate, &version);
    canary_condemn(canary, version, stable);
}

static enum status make_trainer(struct service *service, struct service_model *model)
{
    uint64_t from = service->head.models[model->number].examples_from;
    TRY(service_make_model(model, &model->learner));
    TRY(make_registry(service, model));
    TRY(make_gate(model));
    TRY(make_reservoir(model));
    TRY(make_noise(model));
    commit_keep_examples(service->commit, model->number, from);
    struct trainer_options options = {
        .model = model->learner,
        .gate = model->gate,
        .reservoir = model->reservoir,
        .noise = model->noise,
        .cpu = model->settings->cpu,
        .cpu_burst = 10 * SECOND_US,
        .contest = service->contest,
        .on_decision = service_tell_decision,
        .on_decision_arg = model,
        .n_dense = plan_vector_schema(service->plan)->n_dense,
        .layouts = service->layouts,
        .registry = model->registry,
        .commit = service->commit,
        .dir = service->model_dir,
        .name = model->settings->name,
        .number = model->number,
        .from = from,
        .beside = is_beside(model),
        .may_lag = is_beside(model) || is_recorded(service),
        .accepted = service->head.models[model->number].accepted,
        .judge = service->n_models > 1,
        .checkpoint_every = 10 * SECOND_US,
        .files_kept = 48,
    };
    TRY(trainer_create(&options, &model->trainer));
    enum status st = trainer_recover(model->trainer, service->store, service->head.examples_next);
    if (st < 0)
        log_error("model.recover", "model=\"%s\" why=\"%s\"", model->settings->name,
                  trainer_error(model->trainer));
    else
        find_lost_trial(service, model);
    return st;
}

static enum status make_models(struct service *service)
{
    const struct settings *settings = service->settings;
    const char *names[MODELS_MAX] = {NULL};
    uint32_t numbers[MODELS_MAX];
    service->n_models = settings->n_models;
    for (size_t i = 0; i < service->n_models; i++)
        names[i] = settings->models[i]->name;
    enum status st = head_set_models(&service->head, names, service->n_models, numbers);
    if (st < 0)
        log_error("state.models",
                  "dir=\"%s\" why=\"there have been %d models; rebuild it by replay\"",
                  service->options.dir, HEAD_MODELS_MAX);
    for (size_t i = 0; st == ST_OK && i < service->n_models; i++) {
        struct service_model *model = &service->models[i];
        model->service = service;
        model->settings = settings->models[i];
        model->number = numbers[i];
        model->canary = settings_canary_share(settings, model->settings);
    }
    if (st == ST_OK)
        st = service_make_contest(service);
    for (size_t i = 0; st == ST_OK && i < service->n_models; i++)
        st = make_trainer(service, &service->models[i]);
    return st;
}

static enum status make_pipeline(struct service *service)
{
    TRY(service_drift_make(service));
    const struct settings *settings = service->settings;
    struct pipeline_options options = {
        .schema = &settings->schema,
        .state = service->state,
        .plan = service->plan,
        .join = service->join,
        .n_models = service->n_models,
        .contest = service->contest,
        .head = &service->head,
        .rows = {.format = service->options.format,
                 .model = settings->model ? settings->model->name : settings->name,
                 .scores = service->options.rows_scores,
                 .features = service->options.rows_features,
                 .reasons = settings->model ? settings->scores.reasons : 0},
        .lateness = settings->time.lateness,
        .layout = layouts_current(service->layouts),
        .recorded = is_recorded(service),
        .drift = service->drift,
        .replay = service->options.replay,
        .on_score = service->options.on_score,
        .on_score_arg = service->options.on_score_arg,
    };
    for (size_t i = 0; i < service->n_models; i++) {
        const struct service_model *model = &service->models[i];
        options.models[i] =
            (struct pipeline_model){model->registry,       model->trainer,
                                    model->number,         model->settings->publish,
                                    model->settings->name, is_beside(model),
                                    &model->canary,        model->settings->takeover != 0};
    }
    return pipeline_create(&options, &service->pipeline);
}

static enum status make_rings(struct service *service)
{
    TRY(ring_create(BATCHES, &service->state_bell, NULL, &service->full));
    TRY(ring_create(BATCHES, NULL, NULL, &service->empty));
    TRY(ring_create(EPOCHS, &service->commit_bell, NULL, &service->to_commit));
    TRY(ring_create(EPOCHS, &service->state_bell, NULL, &service->committed));
    for (size_t i = 0; i < BATCHES; i++) {
        TRY(batch_create(BATCH_EVENTS, &service->batches[i]));
        ring_push(service->empty, service->batches[i]);
    }
    for (size_t i = 0; i < EPOCHS; i++)
        ring_push(service->committed, &service->epochs[i]);
    return ST_OK;
}

static enum status open_all(struct service *service)
{
    TRY(service_open_state(service));
    TRY(make_plan(service));
    TRY(make_layouts(service));
    TRY(make_join(service));
    TRY(make_models(service));
    TRY(service_open_lanes(service));
    TRY(service_resume(service));
    TRY(make_pipeline(service));
    TRY(make_rings(service));
    TRY(catch_up_create(service->store, service->state, &service->state_bell, &service->catch_up));
    return staging_create(service->store, service->state, service->pipeline, &service->state_bell,
                          &service->staging);
}

enum status service_open(const struct service_options *options, struct service **ret)
{
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return ST_ENOMEM;
    service->options = *options;
    service->settings = options->settings;
    snprintf(service->model_dir, sizeof service->model_dir, "%s/models", options->dir);
    head_init(&service->head);
    pthread_mutex_init(&service->act_lock, NULL);
    enum status st = open_all(service);
    if (st < 0) {
        service_free(service);
        return st;
    }
    service_metrics_init(service);
    *ret = service;
    return ST_OK;
}

static void free_model(struct service_model *model)
{
    registry_free(model->registry);
    if (model->learner)
        model->learner->ops->free(model->learner);
    gate_free(model->gate);
    reservoir_free(model->reservoir);
    noise_free(model->noise);
}

void service_free(struct service *service)
{
    if (!service)
        return;
    service_metrics_done(service);
    requests_free(service->requests);
    for (size_t i = 0; i < service->n_models; i++)
        trainer_free(service->models[i].trainer); /* first: they use most of the others */
    staging_free(service->staging);
    catch_up_free(service->catch_up);
    pipeline_free(service->pipeline);
    drift_free(service->drift);
    merge_free(service->merge);
    join_free(service->join);
    layouts_free(service->layouts);
    plan_free(service->plan);
    for (size_t i = 0; i < service->n_models; i++)
        free_model(&service->models[i]);
    contest_free(service->contest);
    commit_free(service->commit);
    if (!service->options.store)
        store_free(service->store);
    state_free(service->state);
    for (size_t i = 0; i < BATCHES; i++)
        batch_free(service->batches[i]);
    for (size_t i = 0; i < EPOCHS; i++)
        epoch_done(&service->epochs[i].epoch);
    ring_free(service->full);
    ring_free(service->empty);
    ring_free(service->to_commit);
    ring_free(service->committed);
    head_done(&service->head);
    pthread_mutex_destroy(&service->act_lock);
    free(service->lane_of);
    free(service);
}

enum status service_open_requests(struct service *service, const struct requests_options *options)
{
    struct requests_options filled = *options;
    filled.plan = service->plan;
    filled.state = service->state;
    filled.store = service->store;
    filled.bell = &service->state_bell;
    return requests_create(&filled, &service->requests);
}

enum status service_checkpoint(struct service *service, const char *to, struct buf *error)
{
    return checkpoint_copy(service->store, service->options.dir, to, error);
}

struct service_parts service_parts(struct service *service)
{
    struct service_parts parts = {.state = service->state,
                                  .plan = service->plan,
                                  .join = service->join,
                                  .pipeline = service->pipeline,
                                  .n_models = service->n_models,
                                  .champion = pipeline_champion(service->pipeline),
                                  .contest = service->contest,
                                  .head = &service->head,
                                  .commit = service->commit,
                                  .settings = service->settings,
                                  .requests = service->requests,
                                  .evicted = service->evicted};
    parts.fetched = staging_figures(service->staging).fetched;
    for (size_t i = 0; i < service->n_models; i++) {
        const struct service_model *model = &service->models[i];
        parts.models[i] = (struct service_learner){model->settings,
                                                   model->registry,
                                                   model->trainer,
                                                   model->learner,
                                                   service->head.models[model->number].version,
                                                   model->number,
                                                   &model->canary};
    }
    return parts;
}

struct service_cpu service_cpu(const struct service *service)
{
    struct service_cpu cpu = {service->ingest_cpu, service->state_cpu, 0, service->commit_cpu};
    for (size_t i = 0; i < service->n_models; i++)
        cpu.trainer += trainer_figures(service->models[i].trainer).busy_us;
    return cpu;
}
