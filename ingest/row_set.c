#include "ingest/row_set.h"

#include <stdlib.h>
#include <string.h>

/* The place of the first row that is not below this one: a set is in order. */
static size_t row_set_find(const struct row_set *set, uint64_t row)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->rows[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool row_set_has(const struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    return at < set->n && set->rows[at] == row;
}

void row_set_add(struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    if (at < set->n && set->rows[at] == row)
        return;
    if (set->n == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 16;
        set->rows = realloc(set->rows, set->cap * sizeof *set->rows);
        if (!set->rows)
            abort();
    }
    memmove(set->rows + at + 1, set->rows + at, (set->n - at) * sizeof *set->rows);
    set->rows[at] = row;
    set->n++;
}

void row_set_drop(struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    if (at == set->n || set->rows[at] != row)
        return;
    set->n--;
    memmove(set->rows + at, set->rows + at + 1, (set->n - at) * sizeof *set->rows);
}

void row_set_drop_below(struct row_set *set, uint64_t row)
{
    size_t at = row_set_find(set, row);
    if (at == 0)
        return;
    set->n -= at;
    memmove(set->rows, set->rows + at, set->n * sizeof *set->rows);
}

void row_set_done(struct row_set *set)
{
    free(set->rows);
}
