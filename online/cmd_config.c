/* freshet config: is a file right, and what may stand in one. */
#include <stdio.h>

#include "features/plan.h"
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

static enum status check_model(const struct settings *settings, const struct vector_schema *schema,
                               struct conf_errors *errors)
{
    if (!settings->model)
        return ST_OK;
    struct model *model = NULL;
    const struct model_settings *wanted = settings->model;
    enum status st = wanted->ops->create(wanted->options, schema, wanted->node, errors, &model);
    if (st == ST_OK) {
        printf("model %s (%s)\n", wanted->name, wanted->ops->name);
        model->ops->free(model);
    }
    return st;
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
        st = check_model(settings, plan_vector_schema(plan), &errors);
    }
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
