#include "online/settings_model.h"

#include <stdlib.h>

/* Keys that every model has; a kind's own keys come behind them in one table, so that an unknown
 * key is told apart from both. */
enum {
    MODEL_KIND = 1,
    MODEL_PUBLISH = 3,
    MODEL_PUBLISH_AT = 4,
    MODEL_COMMON = 21,
    MODEL_OPTIONS_MAX = 64
};

static const char *const roles[] = {"champion", "challenger", "shadow", NULL};
static const char *const moments[] = {"boundary", "ready", NULL};
static const char *const off_or_on[] = {"off", "on", NULL};

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
     .help = "What learns."},
    {.name = "role",
     .type = CONF_CHOICE,
     .at = offsetof(struct model_settings, role),
     .fallback = "challenger",
     .choices = roles,
     .help = "The `champion` scores what is sent, and is the first of the list unless another says "
             "so. A `challenger` learns and is judged beside it and may take over; a `shadow` is "
             "only judged."},
    {.name = "publish",
     .type = CONF_DURATION,
     .at = offsetof(struct model_settings, publish),
     .fallback = "1h",
     .min = 1e6,
     .max = 365 * (double)DAY_US,
     .help = "Event time between published versions."},
    {.name = "publish_at",
     .type = CONF_CHOICE,
     .at = offsetof(struct model_settings, publish_at),
     .fallback = "boundary",
     .choices = moments,
     .help = "Whether a version serves from its `boundary` in event time on, for which scores wait "
             "while it is made; or once it is `ready`, and until then the one before it does. A "
             "replay of files always takes the boundary."},
    {.name = "cpu",
     .type = CONF_REAL,
     .at = offsetof(struct model_settings, cpu),
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help = "Share of a processor that learning may use on average, with `publish_at: ready`; 0: "
             "all that nobody else wants."},
    {.name = "gate",
     .type = CONF_CHOICE,
     .at = offsetof(struct model_settings, gate),
     .fallback = "on",
     .choices = off_or_on,
     .help = "Whether a version is judged before it serves, and kept back if it is worse; see "
             "docs/gate.md."},
    {.name = "judged_on",
     .type = CONF_INT,
     .at = offsetof(struct model_settings, judged_on),
     .fallback = "500",
     .min = 50,
     .max = 100000,
     .help = "The newest positives that it is judged on, with some of the negatives among them."},
    {.name = "worse_max",
     .type = CONF_REAL,
     .at = offsetof(struct model_settings, worse_max),
     .fallback = "0.005",
     .min = 0,
     .max = 1,
     .help = "How much AUC a version may have lost, at the lower end of a 95 % interval, and still "
             "serve."},
    {.name = "replay",
     .type = CONF_REAL,
     .at = offsetof(struct model_settings, replay),
     .fallback = "0",
     .min = 0,
     .max = 1,
     .help =
         "How often an example of old is learnt again behind a new one, against forgetting: 0.1 "
         "is behind one in ten. Only for kinds that learn example by example."},
    {.name = "replay_rows",
     .type = CONF_INT,
     .at = offsetof(struct model_settings, replay_rows),
     .fallback = "10000",
     .min = 2,
     .max = 1000000,
     .help = "Examples of old that are kept for it, half of them positives; each model file has "
             "them."},
    {.name = "replay_half_life",
     .type = CONF_DURATION,
     .at = offsetof(struct model_settings, replay_half_life),
     .fallback = "30d",
     .min = 60e6,
     .max = 36500 * (double)DAY_US,
     .help = "An example this much older than another is half as likely to be kept."},
    {.name = "noise",
     .type = CONF_REAL,
     .at = offsetof(struct model_settings, noise),
     .fallback = "0",
     .min = 0,
     .max = 0.5,
     .help = "Share of the negatives that is set aside and not learnt: those farthest out; see "
             "docs/outliers.md. 0: what an earlier start set aside is learnt after all."},
    {.name = "noise_rows",
     .type = CONF_INT,
     .at = offsetof(struct model_settings, noise_rows),
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .help = "The newest of these that are kept, to be looked at or learnt after all; each model "
             "file has them."},
    {.name = "noise_window",
     .type = CONF_INT,
     .at = offsetof(struct model_settings, noise_window),
     .fallback = "250",
     .min = 2,
     .max = 1000000,
     .help = "Examples by which the next ones are told far out or not."},
    {.name = "takeover",
     .type = CONF_CHOICE,
     .at = offsetof(struct model_settings, takeover),
     .fallback = "off",
     .choices = off_or_on,
     .help = "Whether the model takes over, at one of its publications, from a champion that it is "
             "better than beyond chance; see docs/gate.md."},
    {.name = "canary",
     .type = CONF_REAL,
     .at = offsetof(struct model_settings, canary),
     .fallback = "0",
     .min = 0,
     .max = 0.9,
     .help = "Share of the entities whose events a promoted version scores alone at first; it is "
             "rolled back if its scores go wrong there, else it scores all. Needs `publish_at: "
             "boundary`; see docs/canary.md."},
    {.name = "canary_by",
     .type = CONF_TEXT,
     .at = offsetof(struct model_settings, canary_by),
     .help = "Kind of these entities; that of the first entity of the first stream that is scored "
             "by default."},
    {.name = "canary_for",
     .type = CONF_DURATION,
     .at = offsetof(struct model_settings, canary_for),
     .fallback = "0s",
     .min = 0,
     .max = 365 * (double)DAY_US,
     .help =
         "Event time that a trial lasts; 0: up to the next boundary. A boundary that falls into "
         "a trial publishes nothing."},
    {.name = "canary_rows",
     .type = CONF_INT,
     .at = offsetof(struct model_settings, canary_rows),
     .fallback = "200",
     .min = 1,
     .max = 1e9,
     .help = "Events that a trial's version must have scored for the share of alerts and the place "
             "of scores to be judged; of labels a tenth of that."},
    {.name = "canary_psi",
     .type = CONF_REAL,
     .at = offsetof(struct model_settings, canary_psi),
     .fallback = "0",
     .min = 0,
     .max = 100,
     .help =
         "How far its scores may lie from those of the version before on the same events (PSI), "
         "where the gate allowed it more; 0: what the gate allowed."},
};

#define COMMON_SIZE ((sizeof(struct model_settings) + 15) & ~(size_t)15)

struct model_table {
    struct conf_option options[MODEL_OPTIONS_MAX];
    struct conf_table table;
};

static void merge_tables(const struct model_ops *ops, struct model_table *ret)
{
    size_t n = 0;
    const struct conf_table *kind = ops->options;
    for (; n < MODEL_COMMON; n++)
        ret->options[n] = model_common[n];
    if (ops->publish_every)
        ret->options[MODEL_PUBLISH].fallback = ops->publish_every;
    if (ops->fit)
        ret->options[MODEL_PUBLISH_AT].fallback = "ready";
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

static void check_together(const struct model_settings *model, struct conf_errors *errors)
{
    if (model->ops->fit && model->replay > 0)
        conf_complain(errors, conf_get(model->node, "replay"),
                      "%s is made anew from many examples, and has nothing to learn again",
                      model->ops->name);
    if (model->ops->unlabelled && model->noise > 0)
        conf_complain(errors, conf_get(model->node, "noise"),
                      "%s looks at no labels: there are no negatives to set aside",
                      model->ops->name);
    if (model->cpu > 0 && model->publish_at != PUBLISH_AT_READY)
        conf_complain(errors, conf_get(model->node, "cpu"),
                      "with `publish_at: boundary` scores wait for each version, and would wait "
                      "longer: a share of the processor needs `publish_at: ready`");
}

static void read_model(struct settings *settings, const struct conf_node *node,
                       struct conf_errors *errors)
{
    const struct model_ops *ops = find_kind(node, errors);
    if (!ops)
        return;
    struct model_table merged;
    merge_tables(ops, &merged);
    struct model_settings *model = calloc(1, merged.table.size);
    if (!model)
        abort();
    settings->models[settings->n_models++] = model;
    conf_read(node, &merged.table, errors, model);
    model->ops = ops;
    model->options = (const char *)model + COMMON_SIZE;
    model->node = node;
    check_together(model, errors);
}

static void check_names(const struct settings *settings, struct conf_errors *errors)
{
    for (size_t i = 1; i < settings->n_models; i++)
        for (size_t j = 0; j < i; j++) {
            const char *a = settings->models[i]->name, *b = settings->models[j]->name;
            if (a && b && strcmp(a, b) == 0)
                conf_complain(errors, settings->models[i]->node,
                              "there are two models of the name \"%s\"", a);
        }
}

static bool says_role(const struct model_settings *model)
{
    return conf_get(model->node, "role") != NULL;
}

/* The one that says so; else the first that says nothing. */
static size_t find_champion(const struct settings *settings, struct conf_errors *errors)
{
    size_t none = settings->n_models, champion = none, silent = none;
    for (size_t i = 0; i < settings->n_models; i++) {
        const struct model_settings *model = settings->models[i];
        if (says_role(model) && model->role == ROLE_CHAMPION && champion != none)
            conf_complain(errors, conf_get(settings->models[champion]->node, "role"),
                          "there are two champions, this one and \"%s\"", model->name);
        if (says_role(model) && model->role == ROLE_CHAMPION)
            champion = i;
        if (!says_role(model) && silent == none)
            silent = i;
    }
    champion = champion == none ? silent : champion;
    if (champion == none)
        conf_complain(errors, settings->models_node,
                      "none of the models is the champion, which scores: give one that role");
    return champion;
}

static void put_champion_first(struct settings *settings, struct conf_errors *errors)
{
    size_t at = find_champion(settings, errors);
    if (at == settings->n_models)
        return;
    struct model_settings *champion = settings->models[at];
    for (; at > 0; at--)
        settings->models[at] = settings->models[at - 1];
    settings->models[0] = champion;
    champion->role = ROLE_CHAMPION;
    settings->model = champion;
}

void settings_read_models(struct settings *settings, struct conf_errors *errors)
{
    const struct conf_node *node = settings->models_node;
    if (!node)
        return;
    if (conf_node_type(node) != CONF_NODE_SEQUENCE) {
        conf_complain(errors, node, "expected a list of models");
        return;
    }
    size_t n = conf_count(node), mistakes = errors->n;
    if (n > MODELS_MAX)
        conf_complain(errors, conf_item(node, MODELS_MAX), "at most %d models", MODELS_MAX);
    for (size_t i = 0; i < n && i < MODELS_MAX; i++)
        read_model(settings, conf_item(node, i), errors);
    if (n == 0 || errors->n > mistakes)
        return;
    check_names(settings, errors);
    put_champion_first(settings, errors);
}

static void check_takeover(const struct settings *settings, const struct model_settings *model,
                           struct conf_errors *errors)
{
    const struct conf_node *node = conf_get(model->node, "takeover");
    if (model->role == ROLE_SHADOW)
        conf_complain(errors, node,
                      "a shadow is only looked at: make it a challenger, or leave "
                      "`takeover` out");
    for (size_t i = 0; i < settings->n_models; i++)
        if (!settings->models[i]->gate && settings->models[i]->role != ROLE_SHADOW)
            conf_complain(errors, conf_get(settings->models[i]->node, "gate"),
                          "\"%s\" may take over, for which all models but shadows need a gate",
                          model->name);
}

void settings_check_takeovers(const struct settings *settings, struct conf_errors *errors)
{
    for (size_t i = 0; i < settings->n_models; i++)
        if (settings->models[i]->takeover)
            check_takeover(settings, settings->models[i], errors);
}

/* The keys of one kind, its name being the only one that `kind` takes. */
static void describe_kind(const struct model_ops *ops, const char *const *name,
                          struct model_table *ret)
{
    merge_tables(ops, ret);
    ret->options[MODEL_KIND].type = CONF_CHOICE;
    ret->options[MODEL_KIND].choices = name;
    ret->table.name = ops->name;
    ret->table.help = ops->help;
}

void settings_write_models_doc(struct buf *ret)
{
    for (size_t i = 0; model_kinds[i]; i++) {
        const char *name[] = {model_kinds[i]->name, NULL};
        struct model_table merged;
        describe_kind(model_kinds[i], name, &merged);
        conf_write_doc(&merged.table, ret);
        if (model_kinds[i]->explain)
            buf_printf(ret, "\nIts reasons (`scores: {include: [reasons]}`) are told %s\n",
                       model_kinds[i]->explained_by);
    }
}

void settings_write_models_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"array\", \"maxItems\": 8, \"items\": {\"anyOf\": [");
    for (size_t i = 0; model_kinds[i]; i++) {
        const char *name[] = {model_kinds[i]->name, NULL};
        struct model_table merged;
        describe_kind(model_kinds[i], name, &merged);
        buf_text(ret, i > 0 ? ", " : "");
        conf_write_schema(&merged.table, ret);
    }
    buf_text(ret, "]}}");
}
