/* freshet config: is a file right, and what may stand in one. */
#include <stdio.h>
#include <string.h>

#include "features/plan.h"
#include "ingest/sink_kafka.h"
#include "ingest/source_kafka.h"
#include "online/command.h"
#include "online/settings.h"

static void print_columns(const struct vector_schema *schema)
{
    printf("%zu columns\n", schema->n_dense);
    for (size_t i = 0; i < schema->n_dense; i++)
        printf("  %s\n", schema->dense[i]);
    if (schema->n_sparse > 0)
        printf("%zu hashed fields\n", schema->n_sparse);
    for (size_t i = 0; i < schema->n_sparse; i++)
        printf("  %s\n", schema->sparse[i]);
}

static enum status check_models(const struct settings *settings, const struct vector_schema *schema,
                                struct conf_errors *errors)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < settings->n_models; i++) {
        struct model *model = NULL;
        const struct model_settings *wanted = settings->models[i];
        st = wanted->ops->create(wanted->options, schema, wanted->node, errors, &model);
        if (st < 0)
            continue;
        printf("model %s (%s%s)\n", wanted->name, wanted->ops->name,
               wanted->role == ROLE_CHALLENGER ? ", challenger"
               : wanted->role == ROLE_SHADOW   ? ", shadow"
                                               : "");
        model->ops->free(model);
    }
    return st;
}

typedef enum status (*kafka_check_fn)(const struct conf_map *properties, struct buf *error);

/* A property that is refused is named in the error: its line is where the mistake is. */
static void check_properties(const struct settings *settings, kafka_check_fn check,
                             struct conf_errors *errors)
{
    const struct conf_map *properties = &settings->kafka.properties;
    struct buf error = {0}, quoted = {0};
    if (check(properties, &error) < 0) {
        const struct conf_node *at = conf_get(conf_root(settings->conf), "kafka");
        const struct conf_node *all = conf_get(at, "properties");
        for (size_t i = 0; i < properties->n; i++) {
            buf_reset(&quoted);
            buf_printf(&quoted, "`%s`", properties->keys[i]);
            if (memmem(error.data, error.len, quoted.data, quoted.len))
                at = conf_get(all, properties->keys[i]);
        }
        conf_complain(errors, at, "%.*s", (int)error.len, (const char *)error.data);
    }
    buf_done(&quoted);
    buf_done(&error);
}

/* The producer and the consumer take different settings; one that neither takes is said once. */
static void check_kafka(const struct settings *settings, struct conf_errors *errors)
{
    check_properties(settings, source_kafka_check, errors);
    if (errors->n == 0)
        check_properties(settings,
                         settings->delivery == EXACTLY_ONCE ? sink_kafka_check_transactions
                                                            : sink_kafka_check,
                         errors);
}

static int check(const char *path)
{
    struct settings *settings = NULL;
    if (settings_load(path, stderr, &settings) < 0)
        return 1;
    struct conf_errors errors = {0};
    struct plan *plan = NULL;
    enum status st = plan_create(&settings->schema, settings->features_node,
                                 settings->time.lateness, NULL, &errors, &plan);
    if (st == ST_OK) {
        print_columns(plan_vector_schema(plan));
        st = check_models(settings, plan_vector_schema(plan), &errors);
    }
    check_kafka(settings, &errors);
    if (errors.n > 0)
        st = ST_EINVAL;
    conf_errors_print(&errors, stderr);
    conf_errors_done(&errors);
    plan_free(plan);
    settings_free(settings);
    return st < 0 ? 1 : 0;
}

static int print_written(void (*write)(struct buf *ret))
{
    struct buf text = {0};
    write(&text);
    fwrite(text.data, 1, text.len, stdout);
    buf_done(&text);
    return 0;
}

static int run(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "doc") == 0)
        return print_written(settings_write_doc);
    if (strcmp(what, "schema") == 0)
        return print_written(settings_write_schema);
    if (strcmp(what, "check") == 0 && argc == 3)
        return check(argv[2]);
    return command_misused(&cmd_config, "check FILE, doc or schema?");
}

const struct command cmd_config = {
    "config",
    "check FILE | doc | schema",
    "checks a config and shows its columns; prints the manual or the JSON schema\n"
    "\n"
    "  check FILE  says every mistake with its line, or the vector's columns if there is none\n"
    "  doc         the manual of the file, as Markdown\n"
    "  schema      its JSON schema, for editors\n",
    run,
};
