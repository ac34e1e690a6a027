/* The examples that the next trees are made from. */
#include <stdlib.h>

#include "models/gbdt.h"

/* Rows that leave are only counted; once there are this many they make room. */
static size_t slack(const struct gbdt_window *window)
{
    return window->rows_max / 4 + 1024;
}

static void move(struct gbdt_window *window)
{
    size_t first = window->first, n = window->n, columns = window->n_columns;
    memmove(window->values, window->values + first * columns, n * columns * sizeof(float));
    memmove(window->labels, window->labels + first, n * sizeof(float));
    memmove(window->weights, window->weights + first, n * sizeof(float));
    memmove(window->times, window->times + first, n * sizeof(int64_t));
    memmove(window->items, window->items + first, n * sizeof(uint64_t));
    window->first = 0;
}

static void *grown(void *array, size_t n, size_t size)
{
    void *larger = realloc(array, n * size);
    if (!larger)
        abort();
    return larger;
}

static void grow_to(struct gbdt_window *window, size_t cap)
{
    window->cap = cap;
    window->values = grown(window->values, cap * (window->n_columns + 1), sizeof(float));
    window->labels = grown(window->labels, cap, sizeof(float));
    window->weights = grown(window->weights, cap, sizeof(float));
    window->times = grown(window->times, cap, sizeof(int64_t));
    window->items = grown(window->items, cap, sizeof(uint64_t));
}

static void grow(struct gbdt_window *window)
{
    size_t most = window->rows_max + slack(window);
    size_t cap = window->cap ? window->cap * 2 : 1024;
    grow_to(window, cap < most ? cap : most);
}

static void make_room(struct gbdt_window *window)
{
    if (window->n == window->rows_max) {
        window->first++;
        window->n--;
    }
    if (window->first + window->n < window->cap)
        return;
    if (window->first >= slack(window) || window->first > window->n)
        move(window);
    else
        grow(window);
}

void gbdt_window_reserve(struct gbdt_window *window, size_t more)
{
    if (window->first + window->n + more > window->cap)
        grow_to(window, window->first + window->n + more);
}

void gbdt_window_add(struct gbdt_window *window, const float *values, const struct example *row)
{
    make_room(window);
    size_t at = window->first + window->n++;
    memcpy(window->values + at * window->n_columns, values, window->n_columns * sizeof *values);
    window->labels[at] = row->label;
    window->weights[at] = row->weight;
    window->times[at] = row->time;
    window->items[at] = row->item;
}

void gbdt_window_retract(struct gbdt_window *window, const float *values, int64_t time)
{
    size_t size = window->n_columns * sizeof *values;
    for (size_t at = window->first + window->n; at-- > window->first;) {
        if (window->times[at] != time ||
            memcmp(window->values + at * window->n_columns, values, size) != 0)
            continue;
        window->weights[at] = 0;
        return;
    }
}

/* Rows come in the order of their release: late ones may stand behind newer ones, and stay a little
 * longer. */
void gbdt_window_drop_before(struct gbdt_window *window, int64_t time)
{
    while (window->n > 0 && window->times[window->first] < time) {
        window->first++;
        window->n--;
    }
}

void gbdt_window_done(struct gbdt_window *window)
{
    free(window->values);
    free(window->labels);
    free(window->weights);
    free(window->times);
    free(window->items);
}
