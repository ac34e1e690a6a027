#include "ingest/schema_read.h"

#include <math.h>
#include <stdlib.h>

#include "ingest/schema_options.h"

static const int64_t horizon_least = 60 * DAY_US;

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
    for (int i = 0; schema_field_types[i]; i++) {
        if (strcmp(schema_field_types[i], type) == 0) {
            ret->type = (enum field_type)i;
            return;
        }
    }
    const char *nearest = conf_nearest(type, schema_field_types);
    conf_complain(errors, node,
                  "unknown type \"%s\": expected entity, number, category or text%s%s%s", type,
                  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static void read_field_table(const struct conf_node *node, struct conf_errors *errors,
                             struct field *ret)
{
    struct field_options options;
    if (conf_read(node, &schema_field_table, errors, &options) < 0)
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
                           .format = schema_formats[options.format],
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
    if (conf_read(node, &schema_absent_table, errors, &options) < 0)
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
