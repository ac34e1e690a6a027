/* The columns of an `ftrl`, found by name, and its crosses. */
#include "models/ftrl.h"

#include <stdlib.h>

/* A well-mixed hash of a name; part of the keys in files. */
uint64_t ftrl_salt_of(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return ftrl_mix(h);
}

/* Names. */

static bool is_listed(const struct conf_texts *texts, const char *name)
{
    for (size_t i = 0; i < texts->n; i++)
        if (strcmp(texts->items[i], name) == 0)
            return true;
    return false;
}

static bool is_selected(const struct ftrl_options *options, const char *name)
{
    return (options->columns.n == 0 || is_listed(&options->columns, name)) &&
           !is_listed(&options->exclude, name);
}

static size_t index_of(const char *const *names, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static void complain_of_name(const struct vector_schema *schema, const struct conf_node *node,
                             struct conf_errors *errors, const char *name)
{
    const char **names = calloc(schema->n_dense + schema->n_sparse + 1, sizeof *names);
    for (size_t i = 0; names && i < schema->n_dense; i++)
        names[i] = schema->dense[i];
    for (size_t i = 0; names && i < schema->n_sparse; i++)
        names[schema->n_dense + i] = schema->sparse[i];
    const char *nearest = names ? conf_nearest(name, names) : NULL;
    conf_complain(errors, node, "\"%s\" is none of the features' columns%s%s%s", name,
                  nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    free(names);
}

static void check_listed(const struct conf_texts *texts, const struct vector_schema *schema,
                         const struct conf_node *node, struct conf_errors *errors)
{
    for (size_t i = 0; i < texts->n; i++)
        if (index_of(schema->dense, schema->n_dense, texts->items[i]) == schema->n_dense &&
            index_of(schema->sparse, schema->n_sparse, texts->items[i]) == schema->n_sparse)
            complain_of_name(schema, node, errors, texts->items[i]);
}

/* Columns. */

static enum status select_columns(struct ftrl *ftrl, const struct vector_schema *schema)
{
    ftrl->number = calloc(schema->n_dense + 1, sizeof *ftrl->number);
    ftrl->number_names = calloc(schema->n_dense + 1, sizeof *ftrl->number_names);
    ftrl->field_salt = calloc(schema->n_sparse + 1, sizeof *ftrl->field_salt);
    ftrl->field_names = calloc(schema->n_sparse + 1, sizeof *ftrl->field_names);
    if (!ftrl->number || !ftrl->number_names || !ftrl->field_salt || !ftrl->field_names)
        return ST_ENOMEM;
    for (size_t i = 0; i < schema->n_dense; i++) {
        if (!is_selected(&ftrl->options, schema->dense[i]))
            continue;
        ftrl->number[ftrl->n_numbers] = (uint32_t)i;
        ftrl->number_names[ftrl->n_numbers] = strdup(schema->dense[i]);
        if (!ftrl->number_names[ftrl->n_numbers++])
            return ST_ENOMEM;
    }
    ftrl->n_fields = schema->n_sparse;
    for (size_t i = 0; i < schema->n_sparse; i++) {
        if (is_selected(&ftrl->options, schema->sparse[i]))
            ftrl->field_salt[i] = ftrl_salt_of(schema->sparse[i]);
        ftrl->field_names[i] = strdup(schema->sparse[i]);
        if (!ftrl->field_names[i])
            return ST_ENOMEM;
    }
    ftrl->width = (ftrl->n_numbers + 7) & ~(size_t)7;
    return ST_OK;
}

/* Crosses. */

struct cross_reader {
    struct ftrl *ftrl;
    const struct vector_schema *schema;
    struct conf_errors *errors;
};

static size_t coarse_of(struct ftrl *ftrl, size_t number)
{
    size_t k = 0;
    while (k < ftrl->n_coarse && ftrl->coarse[k] != number)
        k++;
    if (k == ftrl->n_coarse)
        ftrl->coarse[ftrl->n_coarse++] = (uint32_t)number;
    return k;
}

static bool read_part(struct cross_reader *reader, const struct conf_node *node,
                      struct ftrl_cross *cross)
{
    struct ftrl *ftrl = reader->ftrl;
    const char *name = conf_text(node);
    if (!name) {
        conf_complain(reader->errors, node, "expected the name of a column");
        return false;
    }
    size_t number = index_of((const char *const *)ftrl->number_names, ftrl->n_numbers, name);
    size_t field = index_of(reader->schema->sparse, reader->schema->n_sparse, name);
    if (number < ftrl->n_numbers) {
        cross->part[cross->n_parts++] = (uint32_t)coarse_of(ftrl, number);
        return true;
    }
    if (field < reader->schema->n_sparse) {
        cross->is_field[cross->n_parts] = true;
        cross->part[cross->n_parts++] = (uint32_t)field;
        return true;
    }
    if (index_of(reader->schema->dense, reader->schema->n_dense, name) < reader->schema->n_dense)
        conf_complain(reader->errors, node, "\"%s\" is excluded; a cross needs it", name);
    else
        complain_of_name(reader->schema, node, reader->errors, name);
    return false;
}

static bool is_repeated(const struct ftrl *ftrl, const char *name)
{
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        if (strcmp(ftrl->crosses[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < ftrl->n_key_crosses; i++)
        if (strcmp(ftrl->key_crosses[i].name, name) == 0)
            return true;
    return false;
}

static void keep_cross(struct cross_reader *reader, const struct conf_node *node,
                       struct ftrl_cross *cross)
{
    struct ftrl *ftrl = reader->ftrl;
    bool has_field = cross->is_field[0] || cross->is_field[1] || cross->is_field[2];
    size_t *n = has_field ? &ftrl->n_key_crosses : &ftrl->n_crosses;
    const char *why = *n == FTRL_CROSSES_MAX                ? "too many crosses"
                      : is_repeated(ftrl, cross->name)      ? "this cross is there twice"
                      : strlen(cross->name) > FTRL_NAME_MAX ? "the names are too long"
                                                            : NULL;
    if (why) {
        conf_complain(reader->errors, node, "%s", why);
        free(cross->name);
        return;
    }
    cross->salt = ftrl_salt_of(cross->name);
    cross->cells = 1;
    for (size_t i = 0; i < cross->n_parts; i++)
        cross->cells *= (size_t)ftrl->options.cross_bins + 1;
    *(has_field ? &ftrl->key_crosses[*n] : &ftrl->crosses[*n]) = *cross;
    (*n)++;
}

static void read_cross(struct cross_reader *reader, const struct conf_node *node)
{
    struct ftrl_cross cross = {0};
    struct buf name = {0};
    size_t n = conf_count(node);
    bool ok = conf_node_type(node) == CONF_NODE_SEQUENCE && n >= 2 && n <= FTRL_PARTS_MAX;
    if (!ok)
        conf_complain(reader->errors, node, "expected a list of 2 or 3 columns");
    for (size_t i = 0; ok && i < n; i++) {
        ok = read_part(reader, conf_item(node, i), &cross);
        buf_printf(&name, "%s%s", i > 0 ? "*" : "", ok ? conf_text(conf_item(node, i)) : "");
    }
    if (ok) {
        buf_byte(&name, 0);
        cross.name = name.data; /* handed over */
        keep_cross(reader, node, &cross);
    } else {
        buf_done(&name);
    }
}

static void read_crosses(struct ftrl *ftrl, const struct vector_schema *schema,
                         const struct conf_node *crosses, struct conf_errors *errors)
{
    struct cross_reader reader = {ftrl, schema, errors};
    if (crosses && conf_node_type(crosses) != CONF_NODE_SEQUENCE)
        conf_complain(errors, crosses, "expected a list of crosses, each a list of columns");
    else
        for (size_t i = 0; i < conf_count(crosses); i++)
            read_cross(&reader, conf_item(crosses, i));
}

enum status ftrl_bind_columns(struct ftrl *ftrl, const struct vector_schema *schema,
                              const struct conf_node *node, struct conf_errors *errors)
{
    size_t errors_before = errors->n;
    check_listed(&ftrl->options.columns, schema, conf_get(node, "columns"), errors);
    check_listed(&ftrl->options.exclude, schema, conf_get(node, "exclude"), errors);
    TRY(select_columns(ftrl, schema));
    read_crosses(ftrl, schema, ftrl->options.crosses, errors);
    return errors->n > errors_before ? ST_EINVAL : ST_OK;
}
