#include "online/settings.h"

#include <stdlib.h>

#include "base/log.h"
#include "features/plan.h"
#include "ingest/event.h"
#include "ingest/schema_read.h"
#include "online/settings_model.h"

static const char *const deliveries[] = {"at_least_once", "exactly_once", NULL};
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
     .max = 0x1p50,
     .help = "Memory for decoded state. Past it, records that were not needed lately are left to "
             "the store."},
    {.name = "reserve",
     .type = CONF_BYTES,
     .at = offsetof(struct state_settings, reserve),
     .fallback = "256MiB",
     .min = 1 << 20,
     .max = 0x1p50,
     .help = "Room to be left on the disk: with less, nothing more is committed until there is "
             "that much again, and no start is made."},
    {.name = "commit_every",
     .type = CONF_DURATION,
     .at = offsetof(struct state_settings, commit_every),
     .fallback = "30ms",
     .min = 1000,
     .max = 1e6,
     .help = "While more input waits, what was taken is made durable and sent no more often than "
             "this: rare commits cost less. Otherwise it is at once."},
    {.name = "runs_keep",
     .type = CONF_DURATION,
     .at = offsetof(struct state_settings, runs_keep),
     .fallback = "1d",
     .min = 0,
     .max = 36500 * (double)DAY_US,
     .help = "For how much of the stream's time the order in which input was taken stays recorded, "
             "for `freshet audit`: up to 5 bytes an event. 0s: not at all."},
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
    {.name = "transactional_id",
     .type = CONF_TEXT,
     .at = offsetof(struct kafka_settings, transactional_id),
     .help = "Name of the transactions of `delivery: exactly_once`, one for each pipeline of a "
             "cluster; the group's name by default."},
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
     .help = "What a score carries beside itself: `features` is the vector by name, `reasons` the "
             "features that contributed most, in log-odds."},
    {.name = "reasons",
     .type = CONF_INT,
     .at = offsetof(struct scores_settings, reasons_max),
     .fallback = "3",
     .min = 1,
     .max = REASONS_MAX,
     .help = "How many reasons a score carries, where `include` has `reasons`."},
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
     .max = 36500 * (double)DAY_US,
     .help = "An event dated this much after its broker timestamp is a dead letter."},
    {.name = "lateness",
     .type = CONF_DURATION,
     .at = offsetof(struct time_settings, lateness),
     .fallback = "1h",
     .min = 0,
     .max = 365 * (double)DAY_US,
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
    {.name = "delivery",
     .type = CONF_CHOICE,
     .at = offsetof(struct settings, delivery),
     .fallback = "at_least_once",
     .choices = deliveries,
     .help = "After a crash a score may appear twice, with the same bytes (`at_least_once`), or "
             "never does to readers of committed records (`exactly_once`: Kafka transactions, "
             "which cost latency)."},
    {.name = "streams",
     .type = CONF_NODE,
     .write_schema = schema_write_streams_schema,
     .at = offsetof(struct settings, streams_node),
     .required = true,
     .help = "The streams of events and their fields."},
    {.name = "labels",
     .type = CONF_NODE,
     .write_schema = schema_write_labels_schema,
     .at = offsetof(struct settings, labels_node),
     .help = "What the events turned out to be, and when that is known."},
    {.name = "features",
     .type = CONF_NODE,
     .write_schema = plan_write_schema,
     .at = offsetof(struct settings, features_node),
     .help = "The numbers and categories that models see."},
    {.name = "models",
     .type = CONF_NODE,
     .write_schema = settings_write_models_schema,
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
    {.name = "endpoint",
     .type = CONF_TABLE,
     .at = offsetof(struct settings, endpoint),
     .table = &settings_endpoint_table,
     .help = "How callers are served."},
    {.name = "log",
     .type = CONF_CHOICE,
     .at = offsetof(struct settings, log),
     .fallback = "info",
     .choices = log_levels,
     .help = "Least level that is logged."},
    CONF_END};
static const struct conf_table root_table = {"freshet", "The top level of the file.", root_options,
                                             sizeof(struct settings)};

static void check_includes(struct settings *settings, struct conf_errors *errors)
{
    struct scores_settings *scores = &settings->scores;
    const struct conf_node *node = conf_get(conf_root(settings->conf), "scores");
    for (size_t i = 0; i < scores->include.n; i++) {
        if (strcmp(scores->include.items[i], "features") == 0)
            scores->features = true;
        else if (strcmp(scores->include.items[i], "reasons") == 0)
            scores->reasons = (size_t)scores->reasons_max;
        else
            conf_complain(errors, conf_get(node, "include"),
                          "unknown part \"%s\"; a score can include \"features\" and \"reasons\"",
                          scores->include.items[i]);
    }
    if (conf_get(node, "reasons") && scores->reasons == 0)
        conf_complain(errors, conf_get(node, "reasons"),
                      "is used with `include: [reasons]` only; remove it or add that");
}

static void check_reasons(const struct settings *settings, struct conf_errors *errors)
{
    const struct model_settings *model = settings->model;
    const struct conf_node *node = conf_get(conf_root(settings->conf), "scores");
    if (settings->scores.reasons > 0 && model && !model->ops->explain)
        conf_complain(errors, conf_get(node, "include"),
                      "a model of kind \"%s\" cannot tell its reasons", model->ops->name);
}

/* What exactly_once needs, and what is of use only there. */
static void check_delivery(struct settings *settings, struct conf_errors *errors)
{
    const struct conf_node *root = conf_root(settings->conf);
    const struct conf_node *id = conf_get(conf_get(root, "kafka"), "transactional_id");
    bool once = settings->delivery == EXACTLY_ONCE;
    const char *brokers = settings->kafka.brokers;
    if (once && brokers && strcmp(brokers, "embedded") == 0)
        conf_complain(errors, conf_get(root, "delivery"),
                      "\"exactly_once\" needs a real broker: the embedded one has no transactions; "
                      "name yours under `kafka.brokers`, or use \"at_least_once\"");
    if (!once && id)
        conf_complain(errors, id,
                      "is used with `delivery: exactly_once` only; remove it or set that");
    if (!settings->kafka.transactional_id)
        settings->kafka.transactional_id = settings->kafka.group;
}

static enum status read_all(struct settings *settings, struct conf_errors *errors)
{
    struct conf *conf = settings->conf;
    conf_read(conf_root(conf), &root_table, errors, settings);
    settings->conf = conf;
    settings->model = NULL;
    settings->n_models = 0;
    if (!settings->kafka.group)
        settings->kafka.group = settings->name;
    check_includes(settings, errors);
    check_delivery(settings, errors);
    schema_read(settings->streams_node, settings->labels_node, errors, &settings->schema);
    settings_read_models(settings, errors);
    check_reasons(settings, errors);
    settings_check_endpoint(&settings->endpoint, conf_get(conf_root(conf), "endpoint"), errors);
    settings_check_takeovers(settings, errors);
    settings_check_canaries(settings, errors);
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
    for (size_t i = 0; i < settings->n_models; i++)
        free(settings->models[i]);
    conf_free(settings->conf);
    free(settings);
}

/* Writes a chapter's parts one level of headings lower than they come. */
static void write_below(void (*write)(struct buf *ret), struct buf *ret)
{
    struct buf text = {0};
    write(&text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '#' && (i == 0 || text.data[i - 1] == '\n'))
            buf_byte(ret, '#');
        buf_byte(ret, text.data[i]);
    }
    buf_done(&text);
}

void settings_write_doc(struct buf *ret)
{
    buf_text(ret, "# Configuration\n\nGenerated by `freshet config doc` from the tables that read "
                  "the file. Do not edit.\n\n");
    conf_write_doc(&root_table, ret);
    schema_write_doc(ret);
    buf_text(ret, "\n## features\n\nA list; an item's kind is the one that one of its keys names. "
                  "Without it, every number of the event is a feature as it is.\n\n");
    write_below(plan_write_doc, ret);
    buf_text(ret, "\n## models\n\nA list of up to 8 models, each with the keys of its kind; "
                  "docs/models.md says which to take when. Without it nothing is scored.\n\n");
    write_below(settings_write_models_doc, ret);
}

void settings_write_schema(struct buf *ret)
{
    struct buf root = {0};
    conf_write_schema(&root_table, &root);
    buf_text(ret, "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", ");
    buf_append(ret, root.data + 1, root.len - 1); /* all but its opening brace */
    buf_byte(ret, '\n');
    buf_done(&root);
}
