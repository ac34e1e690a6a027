/*
 * base/conf.h -- configuration: a YAML file read through declarative tables.
 *
 * A table says for each key its name, type, field, bounds, default and help. The reader fills a
 * struct from it and reports every mistake with file, line, what was expected and, for an unknown
 * key or choice, the nearest right name. The manual page and the JSON schema come from the same
 * tables, so they cannot disagree with the parser.
 *
 *     struct metrics_options { const char *listen; int64_t every; };
 *     static const struct conf_option options[] = {
 *         {.name = "listen", .type = CONF_TEXT, .at = offsetof(struct metrics_options, listen),
 *          .help = "address of /metrics and /health, as host:port"},
 *         {.name = "every", .type = CONF_DURATION, .at = offsetof(struct metrics_options, every),
 *          .fallback = "10s", .min = 1e5, .help = "how often a line of figures is logged"},
 *         CONF_END};
 *     const struct conf_table metrics_table = {"metrics", "Figures for people.", options};
 *
 *     struct conf *conf = NULL;                           // owns nodes and all texts read from it
 *     TRY(conf_load("fraud.yaml", &errors, &conf));
 *     struct metrics_options m;
 *     conf_read(conf_get(conf_root(conf), "metrics"), &metrics_table, &errors, &m);
 *     if (errors.n > 0) { conf_errors_print(&errors, stderr); ... }
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/status.h"

/* Type of an option; after the dash the type of the struct's field. */
enum conf_type {
    CONF_BOOL,      /* bool */
    CONF_INT,       /* int64_t */
    CONF_REAL,      /* double */
    CONF_TEXT,      /* const char *, NULL if absent without fallback */
    CONF_CHOICE,    /* int: index into choices */
    CONF_DURATION,  /* int64_t us; min and max in us */
    CONF_BYTES,     /* int64_t; "64MiB", "1GB", "512" */
    CONF_TEXTS,     /* struct conf_texts: a list, or one text as a list of one */
    CONF_REALS,     /* struct conf_reals, likewise */
    CONF_DURATIONS, /* struct conf_durations, likewise */
    CONF_TABLE,     /* the nested table's struct, in place; absent: all its defaults */
    CONF_LIST,      /* struct conf_list: items of a nested table's struct */
    CONF_MAP,       /* struct conf_map: free text keys and values (Kafka properties) */
    CONF_NODE,      /* const struct conf_node *: left to the caller; NULL if absent */
};

struct conf_texts {
    size_t n;
    const char *const *items;
};
struct conf_reals {
    size_t n;
    const double *items;
};
struct conf_durations {
    size_t n;
    const int64_t *items;
};
struct conf_list {
    size_t n;
    const void *items;                    /* n structs of table->size */
    const struct conf_node *const *nodes; /* where each came from, for later complaints */
};
struct conf_map {
    size_t n;
    const char *const *keys;
    const char *const *values;
};

struct conf_table;

struct conf_option {
    const char *name;
    enum conf_type type;
    bool required;
    size_t at;            /* offsetof the field */
    const char *fallback; /* default, as it would be written; NULL: zero, empty, NULL, NaN (REAL) */
    double min, max;      /* bounds where max > min; min > 0 with max 0 means only a lower bound */
    const char *const *choices;            /* CONF_CHOICE: NULL-terminated */
    const struct conf_table *table;        /* CONF_TABLE, CONF_LIST */
    const char *help;                      /* one sentence, for the manual */
    void (*write_schema)(struct buf *ret); /* CONF_NODE: what may stand there; NULL: anything */
};

#define CONF_END                                                                                   \
    {                                                                                              \
        .name = NULL                                                                               \
    }

struct conf_table {
    const char *name;
    const char *help;
    const struct conf_option *options; /* ended by CONF_END */
    size_t size;                       /* sizeof the struct */
};

/* Every mistake found, not only the first. */
struct conf_errors {
    size_t n;
    struct buf text; /* one line each: "fraud.yaml:12: models[0].publsh: unknown key; did you mean
                        `publish`?" */
};
/* Writes the lines as they are. */
void conf_errors_print(const struct conf_errors *errors, FILE *to);
void conf_errors_done(struct conf_errors *errors);

/* A place in the file. Opaque; lives as long as its conf. */
struct conf_node;
enum conf_node_type { CONF_NODE_SCALAR, CONF_NODE_SEQUENCE, CONF_NODE_MAPPING };

struct conf;

/* Reads and parses; anchors, aliases and merge keys are understood, duplicate keys refused.
 * ${NAME} and ${NAME:-default} in scalars are replaced from the environment (for secrets); $${ is
 * ${ itself. A key with nothing, ~ or null behind it counts as absent; an empty file is a mapping
 * without keys.
 * Returns ST_EIO (cannot be read) or ST_EINVAL (not YAML); both leave a line in errors. */
STATUS_CHECKED enum status conf_load(const char *path, struct conf_errors *errors,
                                     struct conf **ret);
/* The same from text; name stands for the file in messages. */
STATUS_CHECKED enum status conf_parse(const char *name, struct slice text,
                                      struct conf_errors *errors, struct conf **ret);
void conf_free(struct conf *conf);

const struct conf_node *conf_root(const struct conf *conf);
enum conf_node_type conf_node_type(const struct conf_node *node);
/* The value under a key of a mapping, or NULL (also if it is null, or node NULL or no mapping). */
const struct conf_node *conf_get(const struct conf_node *node, const char *key);
/* Items of a sequence, or pairs of a mapping; 0 for a scalar or NULL. */
size_t conf_count(const struct conf_node *node);
const struct conf_node *conf_item(const struct conf_node *node, size_t i);
/* The key of pair i of a mapping, and its value through conf_item(). */
const char *conf_key(const struct conf_node *node, size_t i);
/* The text of a scalar; NULL for anything else. */
const char *conf_text(const struct conf_node *node);

/* Adds a mistake at a node: "FILE:LINE: PATH: message". node NULL: without a place. */
__attribute__((format(printf, 3, 4))) void
conf_complain(struct conf_errors *errors, const struct conf_node *node, const char *format, ...);

/* Fills ret (table->size bytes) from a mapping, or with all defaults where node is NULL. Mistakes
 * go to errors; ret is then filled as far as possible and must not be used. Memory that ret points
 * to belongs to the node's conf; defaults stay for ever. Returns ST_EINVAL if this call added a
 * mistake. */
enum status conf_read(const struct conf_node *node, const struct conf_table *table,
                      struct conf_errors *errors, void *ret);

/* Of the names (NULL-terminated) the one within a small edit distance of text, or NULL. */
const char *conf_nearest(const char *text, const char *const *names);

/* The table and those nested in it as Markdown, and as a JSON Schema (draft 7) object. */
void conf_write_doc(const struct conf_table *table, struct buf *ret);
void conf_write_schema(const struct conf_table *table, struct buf *ret);

#endif
