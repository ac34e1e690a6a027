/*
 * ingest/row_set.h -- a few numbers of rows, in order.
 *
 *     struct row_set set = {0};
 *     row_set_add(&set, 7);
 *     row_set_done(&set);
 */
#ifndef INGEST_ROW_SET_H
#define INGEST_ROW_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row_set {
    uint64_t *rows;
    size_t n, cap;
};

bool row_set_has(const struct row_set *set, uint64_t row);
/* Once, however often it is added. */
void row_set_add(struct row_set *set, uint64_t row);
void row_set_drop(struct row_set *set, uint64_t row);
void row_set_drop_below(struct row_set *set, uint64_t row);
void row_set_done(struct row_set *set);

#endif
