#include <stdlib.h>

#include "models/gbdt.h"
#include "online/noise_internal.h"

enum { TREES = 25, DEPTH = 10 };

static enum status make_forest(struct noise *noise)
{
    const struct noise_options *options = &noise->options;
    struct half_space_options forest = {
        .trees = TREES, .depth = DEPTH, .window = options->window, .seed = 1};
    size_t n = options->schema->n_dense;
    noise->row = calloc(3 * (n + 1), sizeof *noise->row);
    if (!noise->row)
        return ST_ENOMEM;
    noise->unit_row = noise->row + n + 1;
    return n > 0 ? half_space_create(&forest, n, &noise->forest) : ST_OK;
}

enum status noise_resize(struct noise *noise, size_t rows)
{
    for (size_t i = 0; i < noise->cap; i++)
        kept_vector_done(&noise->rows[i].kept);
    free(noise->rows);
    free(noise->dense);
    noise->first = noise->n = noise->cap = 0;
    size_t n_dense = noise->options.schema->n_dense;
    noise->rows = calloc(rows + 1, sizeof *noise->rows);
    noise->dense = calloc(rows * n_dense + 1, sizeof *noise->dense);
    if (!noise->rows || !noise->dense)
        return ST_ENOMEM;
    noise->cap = rows;
    for (size_t i = 0; i < rows; i++)
        noise->rows[i].kept.vector.dense = noise->dense + i * n_dense;
    return ST_OK;
}

enum status noise_create(const struct noise_options *options, struct noise **ret)
{
    struct noise *noise = calloc(1, sizeof *noise);
    if (!noise)
        return ST_ENOMEM;
    noise->options = *options;
    noise->line = NOISE_NO_LINE;
    enum status st = noise_resize(noise, options->share > 0 ? options->rows : 0);
    if (st == ST_OK && options->share > 0)
        st = make_forest(noise);
    if (st < 0) {
        noise_free(noise);
        return st;
    }
    *ret = noise;
    return ST_OK;
}

void noise_free(struct noise *noise)
{
    if (!noise)
        return;
    for (size_t i = 0; i < noise->cap; i++)
        kept_vector_done(&noise->rows[i].kept);
    half_space_free(noise->forest);
    free(noise->rows);
    free(noise->dense);
    free(noise->items);
    free(noise->row);
    free(noise);
}

void noise_clear(struct noise *noise)
{
    if (noise->forest)
        half_space_reset(noise->forest);
    noise->window = (struct noise_window){0};
    noise->line = NOISE_NO_LINE;
    noise->first = noise->n = noise->n_items = 0;
    noise->fresh_from = 0;
}

/* Where the line lies. */

static void sift_down(struct noise_window *window)
{
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child >= window->n)
            return;
        if (child + 1 < window->n && window->highest[child + 1] < window->highest[child])
            child++;
        if (window->highest[child] >= window->highest[at])
            return;
        float moved = window->highest[at];
        window->highest[at] = window->highest[child];
        window->highest[child] = moved;
        at = child;
    }
}

/* While there is room the lowest goes in front by itself: it is put there. */
static void add_highest(struct noise_window *window, float score)
{
    if (window->n < NOISE_LINE_ROWS) {
        size_t at = window->n++;
        for (; at > 0 && window->highest[(at - 1) / 2] > score; at = (at - 1) / 2)
            window->highest[at] = window->highest[(at - 1) / 2];
        window->highest[at] = score;
    } else if (score > window->highest[0]) {
        window->highest[0] = score;
        sift_down(window);
    }
}

static void move_line(struct noise *noise, float score)
{
    struct noise_window *window = &noise->window;
    add_highest(window, score);
    if ((double)++window->seen * noise->options.share < NOISE_LINE_ROWS)
        return;
    noise->line = window->highest[0];
    *window = (struct noise_window){0};
}

/* What lies beyond it. */

static void look(struct noise *noise, const struct vector *vector)
{
    for (size_t i = 0; i < noise->options.schema->n_dense; i++)
        noise->row[i] = gbdt_finite(vector->dense[i]);
}

/* In widths of what the forest takes for a column's range. */
static uint32_t farthest_column(const struct noise *noise)
{
    uint32_t farthest = UINT32_MAX;
    double most = 0;
    for (size_t i = 0; i < noise->options.schema->n_dense; i++) {
        const struct half_space_range *range = &noise->forest->reference_ranges[i];
        double v = (double)noise->row[i], width = range->high - range->low;
        double out = v > range->high ? v - range->high : v < range->low ? range->low - v : 0;
        if (range->low > range->high || !(out > 0))
            continue;
        out = width > 0 ? out / width : 1e300;
        if (out > most) {
            most = out;
            farthest = (uint32_t)i;
        }
    }
    return farthest;
}

struct noise_row *noise_push(struct noise *noise, const struct vector *vector)
{
    if (noise->n == noise->cap)
        noise->first = (noise->first + 1) % noise->cap;
    else
        noise->n++;
    struct noise_row *row = noise_at(noise, noise->n - 1);
    kept_vector_set(&row->kept, vector, noise->options.schema->n_dense);
    return row;
}

void noise_add_item(struct noise *noise, uint64_t item)
{
    if (noise->n_items == noise->cap_items) {
        noise->cap_items = noise->cap_items ? 2 * noise->cap_items : 64;
        noise->items = realloc(noise->items, noise->cap_items * sizeof *noise->items);
        if (!noise->items)
            abort();
    }
    noise->items[noise->n_items++] = item;
}

static void set_aside(struct noise *noise, const struct example *example, float score)
{
    struct noise_row *row = noise_push(noise, &example->vector);
    row->item = example->item;
    row->time = example->time;
    row->weight = example->weight;
    row->score = score;
    row->line = noise->line;
    row->column = farthest_column(noise);
    if (noise->options.recalls)
        noise_add_item(noise, example->item);
    noise->set_aside++;
}

/* A correction is an example that was looked at before: only its label is another. */
bool noise_look(struct noise *noise, const struct example *example)
{
    enum { WARM = 2 }; /* windows of the forest */
    if (!noise->forest || example->correction || !(example->weight > 0))
        return false;
    look(noise, &example->vector);
    bool aside = false;
    if (example->label < 0.5f && noise->forest->windows >= WARM) {
        float score = half_space_score(noise->forest, noise->row, noise->unit_row);
        aside = score > noise->line;
        if (aside)
            set_aside(noise, example, score);
        move_line(noise, score);
    }
    half_space_learn(noise->forest, noise->row, example->weight);
    return aside;
}

uint64_t noise_set_aside(const struct noise *noise)
{
    return noise->set_aside;
}

/* What is recalled. */

static size_t items_before(const struct noise *noise, uint64_t item)
{
    size_t low = 0, high = noise->n_items;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (noise->items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool noise_recalls(const struct noise *noise, uint64_t item)
{
    size_t at = items_before(noise, item);
    return at < noise->n_items && noise->items[at] == item;
}

void noise_forget_recalled(struct noise *noise, uint64_t item)
{
    size_t gone = items_before(noise, item);
    noise->n_items -= gone;
    if (gone > 0)
        memmove(noise->items, noise->items + gone, noise->n_items * sizeof *noise->items);
}

/* What comes to nothing, or back. */

void noise_settle(struct noise *noise, uint64_t item)
{
    noise->fresh_from = item;
}

void noise_forget(struct noise *noise, uint64_t item)
{
    while (noise->n > 0 && noise_at(noise, noise->n - 1)->item >= item)
        noise->n--;
}

void noise_forget_fresh(struct noise *noise)
{
    noise_forget(noise, noise->fresh_from);
}

size_t noise_give_back(struct noise *noise, struct model *model)
{
    size_t n = noise->options.share > 0 || noise->options.recalls ? 0 : noise->n;
    for (size_t i = 0; i < n; i++) {
        const struct noise_row *row = noise_at(noise, i);
        struct example example = {.vector = row->kept.vector,
                                  .weight = row->weight,
                                  .time = row->time,
                                  .item = row->item};
        model->ops->learn(model, &example, 1);
    }
    if (noise->options.share == 0)
        noise->first = noise->n = 0;
    return n;
}
