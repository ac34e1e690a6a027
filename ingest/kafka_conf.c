#include "ingest/kafka_conf.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES_MAX = 512 };

static void drop_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

static const char *setting_find(const struct kafka_setting *settings, const char *name)
{
    for (; settings && settings->name; settings++)
        if (strcmp(settings->name, name) == 0)
            return settings->value ? settings->value : "not set";
    return NULL;
}

/* Cuts librdkafka's manual, a table with a name at the start of each line, into those names. */
static void cut_names(char *manual, const char **ret, size_t max)
{
    size_t n = 0;
    char *rest = manual;
    for (char *line; n < max && (line = strsep(&rest, "\n"));) {
        line[strcspn(line, " ")] = 0;
        if (strchr(line, '.'))
            ret[n++] = line;
    }
}

/* Of the names that librdkafka knows, aliases included, the nearest. */
static void suggest(const char *name, struct buf *error)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    char *manual = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&manual, &len);
    if (!stream)
        return;
    rd_kafka_conf_properties_show(stream);
    if (fclose(stream) == 0) {
        cut_names(manual, names, NAMES_MAX);
        const char *nearest = conf_nearest(name, names);
        if (nearest)
            buf_printf(error, "; did you mean `%s`?", nearest);
    }
    free(manual);
}

static enum status set(rd_kafka_conf_t *conf, const char *name, const char *value,
                       struct buf *error)
{
    char text[512];
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, name, value, text, sizeof text);
    if (res == RD_KAFKA_CONF_OK)
        return ST_OK;
    buf_printf(error, "kafka property `%s`: %s", name, text);
    if (res == RD_KAFKA_CONF_UNKNOWN)
        suggest(name, error);
    return ST_EINVAL;
}

static enum status set_all(rd_kafka_conf_t *conf, const struct kafka_setting *settings,
                           struct buf *error)
{
    for (; settings && settings->name; settings++)
        if (settings->value)
            TRY(set(conf, settings->name, settings->value, error));
    return ST_OK;
}

static enum status set_users(rd_kafka_conf_t *conf, const struct kafka_conf_spec *spec,
                             struct buf *error)
{
    for (size_t i = 0; spec->properties && i < spec->properties->n; i++) {
        const char *name = spec->properties->keys[i];
        const char *ours = setting_find(spec->fixed, name);
        if (strcmp(name, "bootstrap.servers") == 0 || strcmp(name, "metadata.broker.list") == 0)
            ours = spec->brokers;
        if (ours) {
            buf_printf(error, "kafka property `%s`: cannot be changed here, it is %s", name, ours);
            return ST_EINVAL;
        }
        TRY(set(conf, name, spec->properties->values[i], error));
        if (strcmp(name, "debug") == 0)
            rd_kafka_conf_set_log_cb(conf, rd_kafka_log_print);
    }
    return ST_OK;
}

static enum status fill(rd_kafka_conf_t *conf, const struct kafka_conf_spec *spec,
                        struct buf *error)
{
    rd_kafka_conf_set_log_cb(conf, drop_log);
    TRY(set(conf, "client.id", "freshet", error));
    TRY(set(conf, "client.software.name", "freshet", error));
    TRY(set_all(conf, spec->defaults, error));
    TRY(set_users(conf, spec, error));
    TRY(set_all(conf, spec->fixed, error));
    return set(conf, "bootstrap.servers", spec->brokers, error);
}

enum status kafka_conf_create(const struct kafka_conf_spec *spec, struct buf *error,
                              rd_kafka_conf_t **ret)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum status st = fill(conf, spec, error);
    if (st < 0)
        rd_kafka_conf_destroy(conf);
    else
        *ret = conf;
    return st;
}

enum status kafka_client_create(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct buf *error,
                                rd_kafka_t **ret)
{
    char text[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    if (!client) {
        rd_kafka_conf_destroy(conf); /* rd_kafka_new() takes it only on success */
        buf_printf(error, "kafka: %s", text);
        return ST_EINVAL;
    }
    *ret = client;
    return ST_OK;
}

enum status kafka_client_check(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct buf *error)
{
    rd_kafka_t *client = NULL;
    TRY(kafka_client_create(type, conf, error, &client));
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return ST_OK;
}
