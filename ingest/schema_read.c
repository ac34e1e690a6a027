#include "ingest/schema_read.h"

#include <math.h>
#include <stdlib.h>

#define AGES_US (4e3 * 86400e6) /* no delay or horizon is longer than eleven years */

static const int64_t horizon_least = 60 * DAY_US;

struct time_options {
    const char *field;
    const char *format;
    const char *zone;
};

static const struct conf_option time_options[] = {
    {.name = "field",
     .type = CONF_TEXT,
     .at = offsetof(struct time_options, field),
     .help = "The field that holds the time; without it the record's timestamp in its topic is "
             "the time."},
    {.name = "format",
     .type = CONF_TEXT,
     .at = offsetof(struct time_options, format),
     .fallback = "rfc3339",
     .help =
         "How it is written: `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, or a pattern such as "
         "`%Y-%m-%d %H:%M:%S`."},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct time_options, zone),
     .help = "Time zone of times that carry no offset, such as `Europe/Berlin`; UTC by default."},
    CONF_END};

static const struct conf_table time_table = {"time", "When it happened.", time_options,
                                             sizeof(struct time_options)};

static void write_fields_schema(struct buf *ret);
static void write_absent_schema(struct buf *ret);

struct stream_options {
    const char *name;
    const char *topic;
    int format;
    const char *id;
    struct time_options time;
    const struct conf_node *fields;
    bool score;
};

static const char *const formats[] = {"json", "csv", NULL};

static const struct conf_option stream_options[] = {
    {.name = "name",
     .type = CONF_TEXT,
     .at = offsetof(struct stream_options, name),
     .required = true,
     .help = "What the stream is called in the rest of the config."},
    {.name = "topic",
     .type = CONF_TEXT,
     .at = offsetof(struct stream_options, topic),
     .help = "The topic it is read from; its name, unless said otherwise."},
    {.name = "format",
     .type = CONF_CHOICE,
     .at = offsetof(struct stream_options, format),
     .fallback = "json",
     .choices = formats,
     .help = "How a record is written. A file says by its ending what it is."},
    {.name = "id",
     .type = CONF_TEXT,
     .at = offsetof(struct stream_options, id),
     .help = "The field that identifies an event: labels name it, repeats are known by it. Without "
             "it an event is known by topic, partition and offset, or by its row number."},
    {.name = "time",
     .type = CONF_TABLE,
     .at = offsetof(struct stream_options, time),
     .table = &time_table,
     .help = "When the event happened."},
    {.name = "fields",
     .type = CONF_NODE,
     .write_schema = write_fields_schema,
     .at = offsetof(struct stream_options, fields),
     .help = "Name and type of each field that is used: `entity`, `number`, `category` or `text`; "
             "`{entity: KIND}` is an entity that shares the state of others of that kind. `a.b` is "
             "the key b of the object under a."},
    {.name = "score",
     .type = CONF_BOOL,
     .at = offsetof(struct stream_options, score),
     .help = "Are its events scored? By default those of the first stream are."},
    CONF_END};

const struct conf_table schema_stream_table = {"streams", "A stream of events.", stream_options,
                                               sizeof(struct stream_options)};

struct label_options {
    const char *topic;
    const char *id;
    const char *value;
    struct time_options time;
    int64_t delay;
    int64_t horizon;
    const struct conf_node *absent;
    double keep_negatives;
};

static const struct conf_option label_options[] = {
    {.name = "topic",
     .type = CONF_TEXT,
     .at = offsetof(struct label_options, topic),
     .help = "The topic that labels come on. A file of events carries its own."},
    {.name = "id",
     .type = CONF_TEXT,
     .at = offsetof(struct label_options, id),
     .help = "The field that names the event; by default called as the first stream's `id`."},
    {.name = "value",
     .type = CONF_TEXT,
     .at = offsetof(struct label_options, value),
     .required = true,
     .help = "The field that holds the label: 0, 1, true, false or another number. In a file of "
             "events: its column."},
    {.name = "time",
     .type = CONF_TABLE,
     .at = offsetof(struct label_options, time),
     .table = &time_table,
     .help = "When the label became known; without a field: the record's timestamp."},
    {.name = "delay",
     .type = CONF_DURATION,
     .at = offsetof(struct label_options, delay),
     .fallback = "0s",
     .min = 0,
     .max = AGES_US,
     .help =
         "How long after the event its label is taken for known: examples are learnt from then, "
         "windows over labels look back from there."},
    {.name = "horizon",
     .type = CONF_DURATION,
     .at = offsetof(struct label_options, horizon),
     .min = 0,
     .max = AGES_US,
     .help = "How long an event waits for its label or a correction; by default 60 days or twice "
             "the delay, whichever is longer."},
    {.name = "absent",
     .type = CONF_NODE,
     .write_schema = write_absent_schema,
     .at = offsetof(struct label_options, absent),
     .help =
         "What an event without a label counts as: `{is: 0, after: 7d}`, by default 0 after the "
         "delay; `none`: it is never learnt from."},
    {.name = "keep_negatives",
     .type = CONF_REAL,
     .at = offsetof(struct label_options, keep_negatives),
     .fallback = "1",
     .min = 1e-6,
     .max = 1,
     .help = "The share of examples with label 0 that are learnt from; each then weighs one over "
             "this."},
    CONF_END};

const struct conf_table schema_label_table = {"labels", "What events turned out to be.",
                                              label_options, sizeof(struct label_options)};

struct absent_options {
    double is;
    int64_t after;
};

static const struct conf_option absent_options[] = {
    {.name = "is",
     .type = CONF_REAL,
     .at = offsetof(struct absent_options, is),
     .fallback = "0",
     .help = "The label it counts as."},
    {.name = "after",
     .type = CONF_DURATION,
     .at = offsetof(struct absent_options, after),
     .min = 0,
     .max = AGES_US,
     .help = "How long after the event; by default the delay."},
    CONF_END};

static const struct conf_table absent_table = {"labels.absent", "A label that never came.",
                                               absent_options, sizeof(struct absent_options)};

struct field_options {
    int type;
    const char *entity;
};

static const char *const field_types[] = {[FIELD_NUMBER] = "number",
                                          [FIELD_ENTITY] = "entity",
                                          [FIELD_CATEGORY] = "category",
                                          [FIELD_TEXT] = "text",
                                          NULL};

static const struct conf_option field_options[] = {
    {.name = "type",
     .type = CONF_CHOICE,
     .at = offsetof(struct field_options, type),
     .fallback = "number",
     .choices = field_types,
     .help = "What the field holds."},
    {.name = "entity",
     .type = CONF_TEXT,
     .at = offsetof(struct field_options, entity),
     .help = "It is an entity of this kind: fields of one kind share their state."},
    CONF_END};

static const struct conf_table field_table = {
    "streams[].fields", "One field, at length: `NAME: {type: number}` is `NAME: number`.",
    field_options, sizeof(struct field_options)};

/* Times. */

static void read_time(const struct time_options *options, const struct conf_node *node,
                      struct conf_errors *errors, const char **ret_field, struct timefmt *ret)
{
    const struct zone *zone = NULL;
    *ret_field = options->field;
    if (options->zone && zone_find(options->zone, &zone) < 0)
        conf_complain(errors, conf_get(node, "zone"), "there is no time zone \"%s\"",
                      options->zone);
    if (options->format && timefmt_compile(slice_of(options->format), zone, ret) < 0)
        conf_complain(
            errors, conf_get(node, "format"),
            "\"%s\" is no form of time: expected rfc3339, epoch_s, epoch_ms, epoch_us, or "
            "a pattern such as %%Y-%%m-%%d %%H:%%M:%%S",
            options->format);
    if (node && !options->field && conf_get(node, "format"))
        conf_complain(errors, node, "expected `field`, the field that holds the time");
}

/* Fields. */

static void read_field_type(const struct conf_node *node, const char *type,
                            struct conf_errors *errors, struct field *ret)
{
    for (int i = 0; field_types[i]; i++) {
        if (strcmp(field_types[i], type) == 0) {
            ret->type = (enum field_type)i;
            return;
        }
    }
    const char *nearest = conf_nearest(type, field_types);
    conf_complain(errors, node,
                  "unknown type \"%s\": expected entity, number, category or text%s%s%s", type,
                  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static void read_field_table(const struct conf_node *node, struct conf_errors *errors,
                             struct field *ret)
{
    struct field_options options;
    if (conf_read(node, &field_table, errors, &options) < 0)
        return;
    if (!options.entity && !conf_get(node, "type"))
        conf_complain(errors, node, "expected `type` or `entity`");
    ret->type = options.entity ? FIELD_ENTITY : (enum field_type)options.type;
    if (options.entity && conf_get(node, "type") && options.type != FIELD_ENTITY)
        conf_complain(errors, node, "a field of a kind of entity is an entity");
    ret->entity_kind = options.entity;
}

static void read_field(const char *name, const struct conf_node *node, struct conf_errors *errors,
                       struct field *ret)
{
    *ret = (struct field){.name = name};
    if (conf_text(node))
        read_field_type(node, conf_text(node), errors, ret);
    else if (conf_node_type(node) == CONF_NODE_MAPPING)
        read_field_table(node, errors, ret);
    else
        conf_complain(errors, node, "expected entity, number, category, text or {entity: KIND}");
    if (ret->type == FIELD_ENTITY && !ret->entity_kind)
        ret->entity_kind = name;
}

static void read_fields(const struct conf_node *node, struct conf_errors *errors,
                        struct stream *ret)
{
    if (!node)
        return;
    if (conf_node_type(node) != CONF_NODE_MAPPING) {
        conf_complain(errors, node, "expected a mapping of field names to types");
        return;
    }
    size_t n = conf_count(node);
    struct field *fields = calloc(n + 1, sizeof *fields);
    if (!fields)
        abort();
    for (size_t i = 0; i < n; i++)
        read_field(conf_key(node, i), conf_item(node, i), errors, &fields[i]);
    ret->fields = fields;
    ret->n_fields = n;
}

/* Streams. */

static void read_stream(const struct conf_node *node, bool is_first, struct conf_errors *errors,
                        struct stream *ret)
{
    struct stream_options options;
    if (conf_read(node, &schema_stream_table, errors, &options) < 0)
        return;
    *ret = (struct stream){.name = options.name,
                           .topic = options.topic ? options.topic : options.name,
                           .format = formats[options.format],
                           .id_field = options.id,
                           .score = conf_get(node, "score") ? options.score : is_first};
    read_time(&options.time, conf_get(node, "time"), errors, &ret->time_field, &ret->time_format);
    read_fields(options.fields, errors, ret);
}

static void check_names(const struct conf_node *node, const struct stream *streams, size_t n,
                        struct conf_errors *errors)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (streams[i].name && streams[j].name && strcmp(streams[i].name, streams[j].name) == 0)
                conf_complain(errors, conf_item(node, i), "there is a stream %s already",
                              streams[i].name);
}

static void read_streams(const struct conf_node *node, struct conf_errors *errors,
                         struct schema *ret)
{
    bool is_list = node && conf_node_type(node) == CONF_NODE_SEQUENCE;
    size_t n = is_list ? conf_count(node) : 0;
    if (n == 0 || n >= LABEL_STREAM) {
        conf_complain(errors, node, "expected a list of at least one stream under `streams:`");
        return;
    }
    struct stream *streams = calloc(n, sizeof *streams);
    if (!streams)
        abort();
    ret->streams = streams;
    ret->n_streams = n;
    for (size_t i = 0; i < n; i++)
        read_stream(conf_item(node, i), i == 0, errors, &streams[i]);
    check_names(node, streams, n, errors);
}

/* Labels. */

static void read_absent(const struct conf_node *node, struct conf_errors *errors,
                        struct label_schema *ret)
{
    const char *text = conf_text(node);
    ret->absent = (struct absent){.is = 0, .after = ret->delay};
    if (!node)
        return;
    if (text && strcmp(text, "none") == 0) {
        ret->absent.is = NAN;
        return;
    }
    if (conf_node_type(node) != CONF_NODE_MAPPING) {
        conf_complain(errors, node, "expected {is: 0, after: 7d} or none");
        return;
    }
    struct absent_options options;
    if (conf_read(node, &absent_table, errors, &options) < 0)
        return;
    ret->absent.is = options.is;
    if (conf_get(node, "after"))
        ret->absent.after = options.after;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void check_horizon(const struct conf_node *node, const struct label_schema *labels,
                          struct conf_errors *errors)
{
    int64_t least = longer(labels->delay, labels->absent.after);
    if (labels->horizon >= least)
        return;
    char text[48];
    duration_format(least, text);
    const struct conf_node *horizon = conf_get(node, "horizon");
    conf_complain(errors, horizon ? horizon : node,
                  "the horizon must be at least %s, the longer of `delay` and `absent.after`",
                  text);
}

static void read_labels(const struct conf_node *node, const char *id, struct conf_errors *errors,
                        struct label_schema *ret)
{
    *ret = (struct label_schema){.horizon = horizon_least, .keep_negatives = 1};
    struct label_options options;
    if (!node || conf_read(node, &schema_label_table, errors, &options) < 0)
        return;
    *ret = (struct label_schema){.present = true,
                                 .topic = options.topic,
                                 .id_field = options.id ? options.id : id,
                                 .value_field = options.value,
                                 .delay = options.delay,
                                 .horizon = options.horizon,
                                 .keep_negatives = options.keep_negatives};
    if (!conf_get(node, "horizon"))
        ret->horizon = longer(horizon_least, 2 * options.delay);
    if (!ret->id_field)
        conf_complain(errors, node, "expected `id`, the field that names the event");
    read_time(&options.time, conf_get(node, "time"), errors, &ret->time_field, &ret->time_format);
    read_absent(options.absent, errors, ret);
    check_horizon(node, ret, errors);
}

enum status schema_read(const struct conf_node *streams, const struct conf_node *labels,
                        struct conf_errors *errors, struct schema *ret)
{
    size_t before = errors->n;
    *ret = (struct schema){0};
    read_streams(streams, errors, ret);
    read_labels(labels, ret->n_streams > 0 ? ret->streams[0].id_field : NULL, errors, &ret->labels);
    return errors->n == before ? ST_OK : ST_EINVAL;
}

void schema_done(struct schema *schema)
{
    for (size_t i = 0; i < schema->n_streams; i++)
        free((void *)(uintptr_t)schema->streams[i].fields);
    free((void *)(uintptr_t)schema->streams);
    *schema = (struct schema){0};
}

static void write_fields_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"object\", \"additionalProperties\": {\"anyOf\": [{\"enum\": [");
    for (size_t i = 0; field_types[i]; i++)
        buf_printf(ret, "%s\"%s\"", i > 0 ? ", " : "", field_types[i]);
    buf_text(ret, "]}, {\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}, ");
    conf_write_schema(&field_table, ret);
    buf_text(ret, "]}}");
}

static void write_absent_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"string\", \"pattern\": \"^none$|\\\\$\\\\{\"}, ");
    conf_write_schema(&absent_table, ret);
}

void schema_write_streams_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"array\", \"minItems\": 1, \"items\": ");
    conf_write_schema(&schema_stream_table, ret);
    buf_byte(ret, '}');
}

void schema_write_labels_schema(struct buf *ret)
{
    conf_write_schema(&schema_label_table, ret);
}

void schema_write_doc(struct buf *ret)
{
    conf_write_doc(&schema_stream_table, ret);
    conf_write_doc(&field_table, ret);
    conf_write_doc(&schema_label_table, ret);
    conf_write_doc(&absent_table, ret);
}
