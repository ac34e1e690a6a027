#include "online/settings.h"

#include <stdlib.h>

#include "base/log.h"
#include "features/plan.h"
#include "ingest/schema_read.h"

static const char *const log_levels[] = {"debug", "info", "warn", "error", "off", NULL};

static const struct conf_option state_options[] = {
    {.name = "dir",
     .type = CONF_TEXT,
     .at = offsetof(struct state_settings, dir),
     .fallback = "./state",
     .help = "Folder of all state. One process at a time may use it."},
    {.name = "cache",
     .type = CONF_BYTES,
     .at = offsetof(struct state_settings, cache),
     .fallback = "1GiB",
     .min = 1 << 20,
     .max = 1e15,
     .help = "Memory for decoded state; a warning is logged past it."},
    CONF_END};
static const struct conf_table state_table = {"state", "Where state lives.", state_options,
                                              sizeof(struct state_settings)};

static const struct conf_option kafka_options[] = {
    {.name = "brokers",
     .type = CONF_TEXT,
     .at = offsetof(struct kafka_settings, brokers),
     .fallback = "embedded",
     .help = "`host:port,...`, or `embedded` for a broker inside the process that ends with it."},
    {.name = "group",
     .type = CONF_TEXT,
     .at = offsetof(struct kafka_settings, group),
     .help = "Group whose offsets show progress to lag tools; the pipeline's name by default."},
    {.name = "partitions",
     .type = CONF_INT,
     .at = offsetof(struct kafka_settings, partitions),
     .fallback = "1",
     .min = 1,
     .max = 1024,
     .help = "Partitions of topics that freshet makes."},
    {.name = "replication",
     .type = CONF_INT,
     .at = offsetof(struct kafka_settings, replication),
     .fallback = "1",
     .min = 1,
     .max = 16,
     .help = "Replicas of topics that freshet makes."},
    {.name = "properties",
     .type = CONF_MAP,
     .at = offsetof(struct kafka_settings, properties),
     .help = "Any setting of librdkafka, TLS and SASL included."},
    CONF_END};
static const struct conf_table kafka_table = {"kafka", "How to reach the broker.", kafka_options,
                                              sizeof(struct kafka_settings)};

static const struct conf_option scores_options[] = {
    {.name = "topic",
     .type = CONF_TEXT,
     .at = offsetof(struct scores_settings, topic),
     .fallback = "scores",
     .help = "Topic that scores go to."},
    {.name = "dead_letters",
     .type = CONF_TEXT,
     .at = offsetof(struct scores_settings, dead_letters),
     .fallback = "scores.dead",
     .help = "Topic of records that cannot be decoded, with the reason in a header."},
    {.name = "include",
     .type = CONF_TEXTS,
     .at = offsetof(struct scores_settings, include),
     .help = "What a score carries beside itself: `features` is the vector by name."},
    CONF_END};
static const struct conf_table scores_table = {"scores", "Where scores go.", scores_options,
                                               sizeof(struct scores_settings)};

static const struct conf_option time_options[] = {
    {.name = "idle_max",
     .type = CONF_DURATION,
     .at = offsetof(struct time_settings, idle_max),
     .fallback = "1s",
     .min = 0,
     .max = 6e8,
     .help = "How long the merge waits for a partition that is silent but not at its end."},
    {.name = "ahead_max",
     .type = CONF_DURATION,
     .at = offsetof(struct time_settings, ahead_max),
     .fallback = "1h",
     .min = 0,
     .max = 3.2e15,
     .help = "An event dated this much after its broker timestamp is a dead letter."},
    {.name = "lateness",
     .type = CONF_DURATION,
     .at = offsetof(struct time_settings, lateness),
     .fallback = "1h",
     .min = 0,
     .max = 3.2e13,
     .help = "An event this much behind the stream's time is scored but not observed."},
    {.name = "tick",
     .type = CONF_DURATION,
     .at = offsetof(struct time_settings, tick),
     .fallback = "1s",
     .min = 0,
     .max = 3.6e9,
     .help = "How often time goes on while all topics are silent; 0s: never."},
    CONF_END};
static const struct conf_table time_table = {"time", "How time goes on.", time_options,
                                             sizeof(struct time_settings)};

static const struct conf_option metrics_options[] = {
    {.name = "listen",
     .type = CONF_TEXT,
     .at = offsetof(struct metrics_settings, listen),
     .help = "`host:port` of /metrics and /health; none by default."},
    CONF_END};
static const struct conf_table metrics_table = {"metrics", "Figures for machines.", metrics_options,
                                                sizeof(struct metrics_settings)};

static const struct conf_option root_options[] = {
    {.name = "name",
     .type = CONF_TEXT,
     .at = offsetof(struct settings, name),
     .required = true,
     .help = "Name of the pipeline."},
    {.name = "state",
     .type = CONF_TABLE,
     .at = offsetof(struct settings, state),
     .table = &state_table,
     .help = "Where state lives."},
    {.name = "kafka",
     .type = CONF_TABLE,
     .at = offsetof(struct settings, kafka),
     .table = &kafka_table,
     .help = "How to reach the broker."},
    {.name = "streams",
     .type = CONF_NODE,
     .at = offsetof(struct settings, streams_node),
     .required = true,
     .help = "The streams of events and their fields."},
    {.name = "labels",
     .type = CONF_NODE,
     .at = offsetof(struct settings, labels_node),
     .help = "What the events turned out to be, and when that is known."},
    {.name = "features",
     .type = CONF_NODE,
     .at = offsetof(struct settings, features_node),
     .help = "The numbers and categories that models see."},
    {.name = "models",
     .type = CONF_NODE,
     .at = offsetof(struct settings, models_node),
     .help = "The models that learn and score."},
    {.name = "scores",
     .type = CONF_TABLE,
     .at = offsetof(struct settings, scores),
     .table = &scores_table,
     .help = "Where scores go."},
    {.name = "time",
     .type = CONF_TABLE,
     .at = offsetof(struct settings, time),
     .table = &time_table,
     .help = "How time goes on."},
    {.name = "metrics",
     .type = CONF_TABLE,
     .at = offsetof(struct settings, metrics),
     .table = &metrics_table,
     .help = "Figures for machines."},
    {.name = "log",
     .type = CONF_CHOICE,
     .at = offsetof(struct settings, log),
     .fallback = "info",
     .choices = log_levels,
     .help = "Least level that is logged."},
    CONF_END};
static const struct conf_table root_table = {"freshet", "The whole file.", root_options,
                                             sizeof(struct settings)};

/* Keys that every model has; a kind's own keys come behind them in one table, so that an unknown
 * key is told apart from both. */
enum { MODEL_COMMON = 3, MODEL_OPTIONS_MAX = 64 };

static const struct conf_option model_common[MODEL_COMMON] = {
    {.name = "name",
     .type = CONF_TEXT,
     .at = offsetof(struct model_settings, name),
     .required = true,
     .help = "Name of the model, told with each score."},
    {.name = "kind",
     .type = CONF_TEXT,
     .at = offsetof(struct model_settings, node),
     .required = true,
     .help = "What learns: `ftrl`."},
    {.name = "publish",
     .type = CONF_DURATION,
     .at = offsetof(struct model_settings, publish),
     .fallback = "1h",
     .min = 1e6,
     .max = 3.2e13,
     .help = "Event time between published versions."},
};

#define COMMON_SIZE ((sizeof(struct model_settings) + 15) & ~(size_t)15)

struct model_table {
    struct conf_option options[MODEL_OPTIONS_MAX];
    struct conf_table table;
};

static void merge_tables(const struct conf_table *kind, struct model_table *ret)
{
    size_t n = 0;
    for (; n < MODEL_COMMON; n++)
        ret->options[n] = model_common[n];
    for (size_t i = 0; kind && kind->options[i].name && n < MODEL_OPTIONS_MAX - 1; i++) {
        ret->options[n] = kind->options[i];
        ret->options[n++].at += COMMON_SIZE;
    }
    ret->options[n] = (struct conf_option)CONF_END;
    ret->table = (struct conf_table){"models", "A model that learns and scores.", ret->options,
                                     COMMON_SIZE + (kind ? kind->size : 0)};
}

static const struct model_ops *find_kind(const struct conf_node *node, struct conf_errors *errors)
{
    const char *name = conf_text(conf_get(node, "kind"));
    const struct model_ops *ops = name ? model_find_kind(name) : NULL;
    if (ops)
        return ops;
    const char *names[32] = {NULL};
    for (size_t i = 0; model_kinds[i] && i < 31; i++)
        names[i] = model_kinds[i]->name;
    const char *nearest = name ? conf_nearest(name, names) : NULL;
    if (!name)
        conf_complain(errors, node, "a model needs a `kind`, such as %s", names[0]);
    else
        conf_complain(errors, conf_get(node, "kind"), "unknown kind \"%s\"%s%s%s", name,
                      nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                      nearest ? "\"?" : "");
    return NULL;
}

static void read_model(struct settings *settings, const struct conf_node *node,
                       struct conf_errors *errors)
{
    const struct model_ops *ops = find_kind(node, errors);
    if (!ops)
        return;
    struct model_table merged;
    merge_tables(ops->options, &merged);
    struct model_settings *model = calloc(1, merged.table.size);
    if (!model)
        abort();
    settings->model = model;
    conf_read(node, &merged.table, errors, model);
    model->ops = ops;
    model->options = (const char *)model + COMMON_SIZE;
    model->node = node;
}

static void read_models(struct settings *settings, struct conf_errors *errors)
{
    const struct conf_node *node = settings->models_node;
    if (!node)
        return;
    if (conf_node_type(node) != CONF_NODE_SEQUENCE)
        conf_complain(errors, node, "expected a list of models");
    else if (conf_count(node) > 1)
        conf_complain(errors, conf_item(node, 1),
                      "one model is served at a time; remove the others");
    else if (conf_count(node) == 1)
        read_model(settings, conf_item(node, 0), errors);
}

static void check_includes(struct settings *settings, struct conf_errors *errors)
{
    for (size_t i = 0; i < settings->scores.include.n; i++) {
        if (strcmp(settings->scores.include.items[i], "features") == 0)
            settings->scores.features = true;
        else
            conf_complain(errors,
                          conf_get(conf_get(conf_root(settings->conf), "scores"), "include"),
                          "unknown part \"%s\"; a score can include \"features\"",
                          settings->scores.include.items[i]);
    }
}

static enum status read_all(struct settings *settings, struct conf_errors *errors)
{
    struct conf *conf = settings->conf;
    conf_read(conf_root(conf), &root_table, errors, settings);
    settings->conf = conf;
    settings->model = NULL;
    if (!settings->kafka.group)
        settings->kafka.group = settings->name;
    check_includes(settings, errors);
    schema_read(settings->streams_node, settings->labels_node, errors, &settings->schema);
    read_models(settings, errors);
    return errors->n ? ST_EINVAL : ST_OK;
}

/* Takes over what conf_load() or conf_parse() came to. */
static enum status finish(enum status st, struct settings *settings, struct conf_errors *errors,
                          FILE *errors_to, struct settings **ret)
{
    if (st == ST_OK)
        st = read_all(settings, errors);
    conf_errors_print(errors, errors_to);
    conf_errors_done(errors);
    if (st < 0)
        settings_free(settings);
    else
        *ret = settings;
    return st;
}

enum status settings_load(const char *path, FILE *errors_to, struct settings **ret)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings)
        return ST_ENOMEM;
    struct conf_errors errors = {0};
    enum status st = conf_load(path, &errors, &settings->conf);
    return finish(st, settings, &errors, errors_to, ret);
}

enum status settings_parse(const char *name, struct slice text, FILE *errors_to,
                           struct settings **ret)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings)
        return ST_ENOMEM;
    struct conf_errors errors = {0};
    enum status st = conf_parse(name, text, &errors, &settings->conf);
    return finish(st, settings, &errors, errors_to, ret);
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    schema_done(&settings->schema);
    free((void *)(uintptr_t)settings->model);
    conf_free(settings->conf);
    free(settings);
}

void settings_write_doc(struct buf *ret)
{
    buf_text(ret, "# Configuration\n\nGenerated by `freshet config doc` from the tables that read "
                  "the file. Do not edit.\n\n");
    conf_write_doc(&root_table, ret);
    schema_write_doc(ret);
    plan_write_doc(ret);
    buf_text(ret, "\n## models\n\nA list; each item has the keys of its kind.\n\n");
    for (size_t i = 0; model_kinds[i]; i++) {
        struct model_table merged;
        merge_tables(model_kinds[i]->options, &merged);
        merged.table.name = model_kinds[i]->name;
        merged.table.help = model_kinds[i]->help;
        conf_write_doc(&merged.table, ret);
    }
}

void settings_write_schema(struct buf *ret)
{
    conf_write_schema(&root_table, ret);
}
