/*
 * online/settings.h -- the whole configuration file, read: pipeline, schema and deployment.
 *
 *     struct settings *settings = NULL;
 *     if (settings_load("fraud.yaml", stderr, &settings) < 0)
 *         return 1;                                  // every mistake has been written, with its
 * line
 */
#ifndef ONLINE_SETTINGS_H
#define ONLINE_SETTINGS_H

#include <stdio.h>

#include "base/conf.h"
#include "ingest/schema.h"
#include "models/model.h"
#include "online/canary_share.h"
#include "online/settings_endpoint.h"

struct state_settings {
    const char *dir;
    int64_t cache;        /* bytes */
    int64_t reserve;      /* bytes of disk that are left free */
    int64_t commit_every; /* us */
    int64_t runs_keep;    /* us of the stream's time */
};

struct kafka_settings {
    const char *brokers; /* "embedded", or host:port,... */
    const char *group;
    int64_t partitions; /* of topics that freshet makes */
    int64_t replication;
    const char *transactional_id; /* under exactly_once */
    struct conf_map properties;
};

struct scores_settings {
    const char *topic, *dead_letters;
    struct conf_texts include;
    int64_t reasons_max;
    bool features;  /* include has "features" */
    size_t reasons; /* how many, where include has "reasons"; else 0 */
};

struct time_settings {
    int64_t idle_max, ahead_max, lateness, tick; /* us */
};

struct metrics_settings {
    const char *listen; /* NULL: no endpoint */
};

/* The champion's scores leave; a challenger may take over from it; a shadow is only looked at. */
enum model_role { ROLE_CHAMPION, ROLE_CHALLENGER, ROLE_SHADOW };

/* When a version begins to serve. */
enum publish_at { PUBLISH_AT_BOUNDARY, PUBLISH_AT_READY };

enum { MODELS_MAX = 8 };

struct model_settings {
    const char *name;
    int role;          /* enum model_role */
    int64_t publish;   /* us of event time */
    int publish_at;    /* enum publish_at */
    int gate;          /* 0: off */
    int64_t judged_on; /* newest positives */
    double worse_max;  /* of AUC */
    double cpu;        /* share of a processor; 0: all it can get */
    double replay;     /* examples learnt again for each; 0: none */
    int64_t replay_rows, replay_half_life;
    double noise; /* share of the negatives that is set aside */
    int64_t noise_rows, noise_window;
    int takeover;  /* 1: on */
    double canary; /* share of the entities that a version is tried on; 0: it is not tried */
    const char *canary_by;
    int64_t canary_for; /* us of event time; 0: up to the next boundary */
    int64_t canary_rows;
    double canary_psi; /* 0: what the gate allowed */
    const struct model_ops *ops;
    const void *options; /* of the kind */
    const struct conf_node *node;
};

enum delivery { AT_LEAST_ONCE, EXACTLY_ONCE };

struct settings {
    const char *name;
    int delivery; /* enum delivery */
    struct state_settings state;
    struct kafka_settings kafka;
    struct scores_settings scores;
    struct time_settings time;
    struct metrics_settings metrics;
    struct endpoint_settings endpoint;
    int log; /* enum log_level */
    const struct conf_node *streams_node, *labels_node, *features_node, *models_node;
    size_t n_models;                           /* 0: nothing is scored */
    struct model_settings *models[MODELS_MAX]; /* the champion first */
    const struct model_settings *model;        /* the champion; NULL: there is none */
    struct schema schema;
    struct conf *conf; /* owns all texts above */
};

/* Reads and checks all but the features, which need the schema (plan_create). Mistakes are written
 * to errors_to. Returns ST_EINVAL, ST_EIO. */
STATUS_CHECKED enum status settings_load(const char *path, FILE *errors_to, struct settings **ret);
/* The same from text; name stands for the file in messages. */
STATUS_CHECKED enum status settings_parse(const char *name, struct slice text, FILE *errors_to,
                                          struct settings **ret);
void settings_free(struct settings *settings);

/* The events that a model's versions are tried on; share 0: they are not. */
struct canary_share settings_canary_share(const struct settings *settings,
                                          const struct model_settings *model);

/* The manual and the JSON schema of the whole file, from its tables. */
void settings_write_doc(struct buf *ret);
void settings_write_schema(struct buf *ret);

#endif
