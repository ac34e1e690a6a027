/*
 * What an `ftrl` is made of: its options, its columns and crosses by name, and its block.
 */
#include "models/ftrl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Room in front of a range that is worked on in whole vectors. */
static size_t whole(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* A well-mixed hash of a name; part of the keys in files. */
static uint64_t salt_of(const char *name)
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
            ftrl->field_salt[i] = salt_of(schema->sparse[i]);
        ftrl->field_names[i] = strdup(schema->sparse[i]);
        if (!ftrl->field_names[i])
            return ST_ENOMEM;
    }
    ftrl->width = whole(ftrl->n_numbers);
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
    cross->salt = salt_of(cross->name);
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

/* The block. */

static struct ftrl_range take(size_t *at, size_t n)
{
    struct ftrl_range range = {*at, n};
    *at += whole(n);
    return range;
}

static void lay_out_weights(struct ftrl *ftrl)
{
    size_t at = 0;
    take(&at, 1); /* the bias */
    ftrl->linear = take(&at, ftrl->width);
    ftrl->log = take(&at, ftrl->width);
    ftrl->bins = take(&at, ftrl->n_numbers * ftrl->bin_cells);
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        ftrl->crosses[i].at = take(&at, ftrl->crosses[i].cells).at;
    ftrl->n_weights = at;
}

static enum status make_block(struct ftrl *ftrl)
{
    ftrl->edges_size = bins_edges_size((size_t)ftrl->options.bins);
    ftrl->coarse_edges_size = bins_edges_size((size_t)ftrl->options.cross_bins);
    ftrl->bin_cells = (size_t)ftrl->options.bins + 1;
    lay_out_weights(ftrl);
    size_t n_edges = ftrl->n_numbers * ftrl->edges_size;
    size_t n_coarse_edges = ftrl->n_coarse * ftrl->coarse_edges_size;
    ftrl->n_front =
        whole(ftrl->n_weights + n_edges + n_coarse_edges + STANDARDISE_FRONT * ftrl->width);
    size_t n_back = 2 * ftrl->n_weights + STANDARDISE_BACK * ftrl->width;
    ftrl->sketch_size = whole(quantile_size(FTRL_SKETCH_K));
    ftrl->block_size = ftrl->n_front * sizeof(float) + n_back * sizeof(double) +
                       ftrl->n_numbers * ftrl->sketch_size;
    ftrl->block_size = (ftrl->block_size + 63) & ~(size_t)63;
    ftrl->block = aligned_alloc(64, ftrl->block_size);
    if (!ftrl->block)
        return ST_ENOMEM;
    ftrl->w = ftrl->block;
    ftrl->edges = ftrl->w + ftrl->n_weights;
    ftrl->coarse_edges = ftrl->edges + n_edges;
    ftrl->z = (double *)(void *)(ftrl->w + ftrl->n_front);
    ftrl->root = ftrl->z + ftrl->n_weights;
    ftrl->scale = standardise_view(ftrl->width, ftrl->coarse_edges + n_coarse_edges,
                                   ftrl->root + ftrl->n_weights);
    ftrl->sketches = (struct quantile *)(void *)(ftrl->z + n_back);
    return ST_OK;
}

void ftrl_clear(struct ftrl *ftrl)
{
    memset(ftrl->block, 0, ftrl->block_size);
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        bins_clear(ftrl->edges + i * ftrl->edges_size, (size_t)ftrl->options.bins);
        quantile_init(ftrl_sketch(ftrl, i), FTRL_SKETCH_K, salt_of(ftrl->number_names[i]));
        ftrl->next_bins[i] = FTRL_BINS_FIRST;
    }
    for (size_t i = 0; i < ftrl->n_coarse; i++)
        bins_clear(ftrl->coarse_edges + i * ftrl->coarse_edges_size,
                   (size_t)ftrl->options.cross_bins);
    ftrl->learnt = ftrl->scaled_at = 0;
    ftrl->newest = INT64_MIN;
}

static enum status make_scratch(struct ftrl *ftrl)
{
    size_t cells = ftrl->bin_cells, width = ftrl->bin_cells;
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        cells = ftrl->crosses[i].cells > cells ? ftrl->crosses[i].cells : cells;
    if ((size_t)ftrl->options.cross_bins + 1 > width)
        width = (size_t)ftrl->options.cross_bins + 1;
    ftrl->row = calloc(1, sizeof *ftrl->row);
    ftrl->points = calloc(quantile_size(FTRL_SKETCH_K) / sizeof(float), sizeof *ftrl->points);
    ftrl->carried = calloc(4 * cells, sizeof(double));
    ftrl->overlap = calloc(width * width, sizeof(double));
    ftrl->next_bins = calloc(ftrl->n_numbers + 1, sizeof *ftrl->next_bins);
    bool ok = ftrl->row && ftrl->points && ftrl->carried && ftrl->overlap && ftrl->next_bins;
    return ok ? ST_OK : ST_ENOMEM;
}

static void free_ftrl(struct model *model)
{
    struct ftrl *ftrl = (struct ftrl *)(void *)model;
    if (!ftrl)
        return;
    for (size_t i = 0; ftrl->number_names && i < ftrl->n_numbers; i++)
        free(ftrl->number_names[i]);
    for (size_t i = 0; ftrl->field_names && i < ftrl->n_fields; i++)
        free(ftrl->field_names[i]);
    for (size_t i = 0; i < ftrl->n_crosses; i++)
        free(ftrl->crosses[i].name);
    for (size_t i = 0; i < ftrl->n_key_crosses; i++)
        free(ftrl->key_crosses[i].name);
    sparse_table_done(&ftrl->table);
    admission_done(&ftrl->admission);
    free(ftrl->number);
    free(ftrl->number_names);
    free(ftrl->field_salt);
    free(ftrl->field_names);
    free(ftrl->block);
    free(ftrl->row);
    free(ftrl->points);
    free(ftrl->carried);
    free(ftrl->overlap);
    free(ftrl->next_bins);
    free(ftrl);
}

static enum status make_memory(struct ftrl *ftrl)
{
    TRY(make_block(ftrl));
    TRY(make_scratch(ftrl));
    ftrl_clear(ftrl);
    TRY(sparse_table_init(&ftrl->table, (size_t)ftrl->options.table));
    bool categories = ftrl->n_fields > 0;
    return admission_init(&ftrl->admission, categories ? (unsigned)ftrl->options.admit : 1,
                          (size_t)ftrl->options.table);
}

static enum status create(const void *options, const struct vector_schema *schema,
                          const struct conf_node *node, struct conf_errors *errors,
                          struct model **ret)
{
    struct ftrl *ftrl = calloc(1, sizeof *ftrl);
    if (!ftrl)
        return ST_ENOMEM;
    ftrl->head.ops = &ftrl_ops;
    ftrl->options = *(const struct ftrl_options *)options;
    size_t errors_before = errors->n;
    check_listed(&ftrl->options.columns, schema, conf_get(node, "columns"), errors);
    check_listed(&ftrl->options.exclude, schema, conf_get(node, "exclude"), errors);
    enum status st = select_columns(ftrl, schema);
    if (st == ST_OK)
        read_crosses(ftrl, schema, ftrl->options.crosses, errors);
    if (st == ST_OK && errors->n > errors_before)
        st = ST_EINVAL;
    /* Texts and nodes of the configuration may be gone after this. */
    ftrl->options.columns = ftrl->options.exclude = (struct conf_texts){0};
    ftrl->options.crosses = NULL;
    if (st == ST_OK)
        st = make_memory(ftrl);
    if (st < 0) {
        free_ftrl(&ftrl->head);
        return st;
    }
    *ret = &ftrl->head;
    return ST_OK;
}

static void publish(struct model *from, struct model *to)
{
    struct ftrl *learner = (struct ftrl *)(void *)from, *copy = (struct ftrl *)(void *)to;
    assert(from->ops == &ftrl_ops && to->ops == &ftrl_ops && learner->n_front == copy->n_front);
    memcpy(copy->w, learner->w, learner->n_front * sizeof(float));
    sparse_table_publish(&learner->table, &copy->table);
}

static void copy(struct model *from, struct model *to)
{
    struct ftrl *one = (struct ftrl *)(void *)from, *other = (struct ftrl *)(void *)to;
    assert(from->ops == &ftrl_ops && to->ops == &ftrl_ops && one->block_size == other->block_size);
    memcpy(other->block, one->block, one->block_size);
    memcpy(other->next_bins, one->next_bins, one->n_numbers * sizeof *one->next_bins);
    other->learnt = one->learnt;
    other->scaled_at = one->scaled_at;
    other->newest = one->newest;
    sparse_table_copy(&one->table, &other->table);
    admission_copy(&one->admission, &other->admission);
}

static void describe(const struct model *model, struct buf *ret)
{
    const struct ftrl *ftrl = (const struct ftrl *)(const void *)model;
    size_t used = 0;
    for (size_t i = 0; i < ftrl->n_weights; i++)
        used += ftrl->w[i] != 0;
    buf_printf(ret,
               "%llu rows learnt; %zu numbers in %zu weights, of which %zu are not 0; "
               "%zu categories and crosses of them",
               (unsigned long long)ftrl->learnt, ftrl->n_numbers, ftrl->n_weights, used,
               ftrl->table.n);
}

#define AT(field) offsetof(struct ftrl_options, field)

static const struct conf_option options[] = {
    {.name = "alpha",
     .type = CONF_REAL,
     .at = AT(alpha),
     .fallback = "0.3",
     .min = 1e-6,
     .max = 100,
     .help = "Learning rate: how far a weight moves at first."},
    {.name = "beta",
     .type = CONF_REAL,
     .at = AT(beta),
     .fallback = "1",
     .min = 0,
     .max = 1e6,
     .help = "How many gradients it takes before a weight's learning rate falls."},
    {.name = "l1",
     .type = CONF_REAL,
     .at = AT(l1),
     .fallback = "0",
     .min = 0,
     .max = 1e6,
     .help = "Sum of gradients below which a weight stays 0."},
    {.name = "l2",
     .type = CONF_REAL,
     .at = AT(l2),
     .fallback = "3",
     .min = 0,
     .max = 1e6,
     .help = "Pull of all weights but the bias towards 0: one over the variance that weights are "
             "expected to have."},
    {.name = "bins",
     .type = CONF_INT,
     .at = AT(bins),
     .fallback = "16",
     .min = 1,
     .max = BINS_MAX,
     .help = "Quantile bins of each number, beside the number itself; 1: none."},
    {.name = "cross_bins",
     .type = CONF_INT,
     .at = AT(cross_bins),
     .fallback = "10",
     .min = 2,
     .max = 64,
     .help = "Quantile bins of a number in a cross."},
    {.name = "crosses",
     .type = CONF_NODE,
     .at = AT(crosses),
     .help = "Columns that matter together: a list of lists of 2 or 3 columns, numbers (by their "
             "bins) or categories."},
    {.name = "columns",
     .type = CONF_TEXTS,
     .at = AT(columns),
     .help = "The only columns to learn from; all, unless given."},
    {.name = "exclude",
     .type = CONF_TEXTS,
     .at = AT(exclude),
     .help = "Columns not to learn from. Categories among them may still be crossed."},
    {.name = "admit",
     .type = CONF_INT,
     .at = AT(admit),
     .fallback = "3",
     .min = 1,
     .max = ADMISSION_MAX,
     .help = "Occurrences of a category before it gets a weight."},
    {.name = "expire",
     .type = CONF_DURATION,
     .at = AT(expire),
     .fallback = "90d",
     .min = 1e6,
     .max = 3650 * 86400e6,
     .help = "Event time after which a category that was not seen is forgotten."},
    {.name = "table",
     .type = CONF_INT,
     .at = AT(table),
     .fallback = "1000000",
     .min = 16,
     .max = 100000000,
     .help = "The most categories, and crosses of them, that have a weight; then the stalest make "
             "room. 40 to 80 bytes each while learning, 16 to 48 in each copy that scores."},
    CONF_END,
};

static const struct conf_table table = {
    "ftrl",
    "Logistic regression learnt online: FTRL-Proximal with a learning rate for each weight, over "
    "standardised numbers, their logarithms and quantile bins, hashed categories, and crosses.",
    options, sizeof(struct ftrl_options)};

const struct model_ops ftrl_ops = {
    .name = "ftrl",
    .help = "Logistic regression over numbers, bins, categories and crosses, learnt online.",
    .options = &table,
    .create = create,
    .free = free_ftrl,
    .score = ftrl_score,
    .learn = ftrl_learn,
    .publish = publish,
    .save = ftrl_save,
    .load = ftrl_load,
    .copy = copy,
    .describe = describe,
    .explain = ftrl_explain,
    .explained_by =
        "exactly: the terms that the logit is the sum of, with the bias. A number's are "
        "its own, its logarithm's and its bin's, a category's those of its field.",
};
