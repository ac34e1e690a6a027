/*
 * tests/conf_fixture.h -- one table with every type in it, and a file that is read into it.
 */
#ifndef TESTS_CONF_FIXTURE_H
#define TESTS_CONF_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdlib.h>

#include "base/conf.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *const kinds[] = {"ftrl", "forest", "lstm", NULL};

struct nested {
    const char *host;
    int64_t port;
};
static const struct conf_option nested_options[] = {{.name = "host",
                                                     .type = CONF_TEXT,
                                                     .at = offsetof(struct nested, host),
                                                     .fallback = "localhost",
                                                     .help = "Where it is."},
                                                    {.name = "port",
                                                     .type = CONF_INT,
                                                     .at = offsetof(struct nested, port),
                                                     .fallback = "9092",
                                                     .min = 1,
                                                     .max = 65535,
                                                     .help = "Its port."},
                                                    CONF_END};
static const struct conf_table nested_table = {"listen", "An address.", nested_options,
                                               sizeof(struct nested)};

struct model {
    const char *name;
    int kind;
    int64_t publish;
    struct nested endpoint;
};
static const struct conf_option model_options[] = {{.name = "name",
                                                    .type = CONF_TEXT,
                                                    .at = offsetof(struct model, name),
                                                    .required = true,
                                                    .help = "Name of the model."},
                                                   {.name = "kind",
                                                    .type = CONF_CHOICE,
                                                    .at = offsetof(struct model, kind),
                                                    .choices = kinds,
                                                    .fallback = "forest",
                                                    .help = "What learns."},
                                                   {.name = "publish",
                                                    .type = CONF_DURATION,
                                                    .at = offsetof(struct model, publish),
                                                    .fallback = "1h",
                                                    .min = 1e6,
                                                    .max = 2.592e12,
                                                    .help = "Time between versions."},
                                                   {.name = "endpoint",
                                                    .type = CONF_TABLE,
                                                    .at = offsetof(struct model, endpoint),
                                                    .table = &nested_table,
                                                    .help = "Where it answers."},
                                                   CONF_END};
static const struct conf_table model_table = {"models", "A model.", model_options,
                                              sizeof(struct model)};

struct all {
    bool on;
    int64_t count;
    double rate;
    const char *topic;
    int64_t delay;
    int64_t cache;
    struct conf_texts names;
    struct conf_reals edges;
    struct conf_durations over;
    struct nested listen;
    struct conf_list models;
    struct conf_map properties;
    const struct conf_node *free;
};
#define AT(field) .at = offsetof(struct all, field)
static const struct conf_option all_options[] = {
    {.name = "on", .type = CONF_BOOL, AT(on), .help = "Whether."},
    {.name = "count", .type = CONF_INT, AT(count), .fallback = "3", .min = 1, .help = "How many."},
    {.name = "rate", .type = CONF_REAL, AT(rate), .min = 0, .max = 1, .help = "A share, 0|1."},
    {.name = "topic", .type = CONF_TEXT, AT(topic), .help = "A topic."},
    {.name = "delay",
     .type = CONF_DURATION,
     AT(delay),
     .fallback = "7d",
     .min = 1e6,
     .max = 2.592e12,
     .help = "How late."},
    {.name = "cache",
     .type = CONF_BYTES,
     AT(cache),
     .fallback = "1GiB",
     .min = 1 << 20,
     .max = INFINITY,
     .help = "Memory."},
    {.name = "names", .type = CONF_TEXTS, AT(names), .fallback = "a, b", .help = "Names."},
    {.name = "edges", .type = CONF_REALS, AT(edges), .min = -5, .max = 5, .help = "Edges."},
    {.name = "over",
     .type = CONF_DURATIONS,
     AT(over),
     .fallback = "[1d, 7d,30d]",
     .min = 1,
     .help = "Spans."},
    {.name = "listen", .type = CONF_TABLE, AT(listen), .table = &nested_table, .help = "Address."},
    {.name = "models", .type = CONF_LIST, AT(models), .table = &model_table, .help = "Models."},
    {.name = "properties", .type = CONF_MAP, AT(properties), .help = "Any."},
    {.name = "free", .type = CONF_NODE, AT(free), .help = "Anything."},
    CONF_END};
static const struct conf_table all_table = {"all", "Every type.", all_options, sizeof(struct all)};

/* A file, what was read from it and what was wrong. */
struct run {
    struct conf *conf;
    struct conf_errors errors;
    struct all all;
    enum status st;
};

static inline void run_text(struct run *run, const char *text)
{
    *run = (struct run){0};
    run->st = conf_parse("fraud.yaml", slice_of(text), &run->errors, &run->conf);
    if (run->st == ST_OK)
        run->st = conf_read(conf_root(run->conf), &all_table, &run->errors, &run->all);
    buf_byte(&run->errors.text, '\0');
}

static inline void run_done(struct run *run)
{
    conf_free(run->conf);
    conf_errors_done(&run->errors);
}

static inline void run_good(struct run *run, const char *text)
{
    run_text(run, text);
    cr_assert(eq(int, run->st, ST_OK), "%s", run->errors.text.data);
    cr_assert(eq(sz, run->errors.n, 0));
}

#endif
