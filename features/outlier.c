#include "features/outlier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Then come three ranges a column: seen in this window, the latest's, the reference's; and the rows
 * that went left at each node, of one window and of the other, in bytes where these are large
 * enough. Zeroed memory has seen nothing. */
struct content {
    uint64_t windows; /* full ones, the first included */
    uint64_t rows;    /* of this window */
    struct half_space_range ranges[];
};

enum { SEEN, LATEST, REFERENCE, RANGES };

/* Layout. */

static size_t inner_of(const struct outlier *outlier)
{
    return ((size_t)1 << outlier->depth) - 1;
}

static bool is_wide(const struct outlier *outlier)
{
    return outlier->window > UINT8_MAX;
}

/* Of one window's counts. */
static size_t lefts_bytes(const struct outlier *outlier)
{
    return outlier->trees * inner_of(outlier) * (is_wide(outlier) ? 2 : 1);
}

static size_t lefts_at(const struct outlier *outlier, uint64_t window)
{
    return sizeof(struct content) + RANGES * outlier->n_columns * sizeof(struct half_space_range) +
           (size_t)(window & 1) * lefts_bytes(outlier);
}

static size_t bytes_of(const struct outlier *outlier)
{
    return lefts_at(outlier, 1) + lefts_bytes(outlier);
}

static const struct content *content_of(const struct outlier *outlier, const struct record *rec)
{
    return rec && rec->size == bytes_of(outlier) ? (const void *)rec->data : NULL;
}

static inline uint32_t left_at(const void *lefts, bool wide, size_t i)
{
    return wide ? ((const uint16_t *)lefts)[i] : ((const uint8_t *)lefts)[i];
}

static inline void left_add(void *lefts, bool wide, size_t i, uint32_t n)
{
    if (wide)
        ((uint16_t *)lefts)[i] = (uint16_t)(((uint16_t *)lefts)[i] + n);
    else
        ((uint8_t *)lefts)[i] = (uint8_t)(((uint8_t *)lefts)[i] + n);
}

enum status outlier_ready(struct outlier *outlier, uint64_t seed)
{
    size_t inner = inner_of(outlier);
    outlier->nodes = calloc(outlier->trees * inner, sizeof *outlier->nodes);
    if (!outlier->nodes)
        return ST_ENOMEM;
    for (size_t tree = 0; tree < outlier->trees; tree++)
        half_space_tree_draw(seed, tree, outlier->n_columns, inner, outlier->nodes + tree * inner);
    return ST_OK;
}

void outlier_done(struct outlier *outlier)
{
    free(outlier->nodes);
    outlier->nodes = NULL;
}

/* Where a row stands in each tree, and the rows of the reference there. */
struct descent {
    uint32_t at[OUTLIER_TREES_MAX], mass[OUTLIER_TREES_MAX], depth[OUTLIER_TREES_MAX];
};

/* One question of each tree: what one waits for in a tree, it does in the next. A tree that has
 * come to a stop stays there. */
static inline void descend(const struct outlier *outlier, const void *lefts, bool wide,
                           const float *unit_row, struct descent *descent)
{
    size_t inner = inner_of(outlier), from = 0;
    uint32_t window = (uint32_t)outlier->window;
    for (size_t tree = 0; tree < outlier->trees; tree++, from += inner) {
        uint32_t at = descent->at[tree], mass = descent->mass[tree];
        uint32_t left = left_at(lefts, wide, from + at);
        uint32_t child = (uint32_t)half_space_step(&outlier->nodes[from + at], at, unit_row);
        bool goes_on = mass * HALF_SPACE_FEW > window;
        left = left < mass ? left : mass;
        left = child % 2 == 1 ? left : mass - left;
        descent->mass[tree] = goes_on ? left : mass;
        descent->at[tree] = goes_on ? child : at;
        descent->depth[tree] += goes_on;
    }
}

double outlier_read(const struct outlier *outlier, const struct record *rec, const float *row)
{
    const struct content *content = content_of(outlier, rec);
    if (!content || content->windows < 2)
        return NAN;
    const void *lefts = (const char *)content + lefts_at(outlier, content->windows + 1);
    float unit_row[2 * (OUTLIER_COLUMNS_MAX + 1)];
    struct descent descent;
    uint64_t sum = 0;
    half_space_to_unit(content->ranges + REFERENCE * outlier->n_columns, outlier->n_columns, row,
                       unit_row);
    for (size_t tree = 0; tree < outlier->trees; tree++) {
        descent.at[tree] = descent.depth[tree] = 0;
        descent.mass[tree] = (uint32_t)outlier->window;
    }
    for (size_t i = 0; i < outlier->depth; i++)
        descend(outlier, lefts, is_wide(outlier), unit_row, &descent);
    for (size_t tree = 0; tree < outlier->trees; tree++)
        sum += (uint64_t)descent.mass[tree] << descent.depth[tree];
    return 1 / (1 + (double)sum / (double)(outlier->trees * outlier->window));
}

/* Observing. */

static inline void count(const struct outlier *outlier, void *lefts, bool wide,
                         const float *unit_row)
{
    size_t inner = inner_of(outlier);
    uint32_t at[OUTLIER_TREES_MAX] = {0};
    for (size_t i = 0; i < outlier->depth; i++)
        for (size_t tree = 0, from = 0; tree < outlier->trees; tree++, from += inner) {
            size_t child = half_space_step(&outlier->nodes[from + at[tree]], at[tree], unit_row);
            left_add(lefts, wide, from + at[tree], child % 2);
            at[tree] = (uint32_t)child;
        }
}

static void begin_window(const struct outlier *outlier, struct content *content)
{
    size_t n = outlier->n_columns, bytes = n * sizeof *content->ranges;
    struct half_space_range *ranges = content->ranges;
    memcpy(ranges + REFERENCE * n, ranges + LATEST * n, bytes);
    half_space_follow(ranges + LATEST * n, ranges + SEEN * n, n);
    half_space_forget(ranges + SEEN * n, n);
    content->windows++;
    content->rows = 0;
    memset((char *)content + lefts_at(outlier, content->windows), 0, lefts_bytes(outlier));
}

static struct record *obtain(const struct outlier *outlier, struct state *state, struct key128 id)
{
    size_t bytes = bytes_of(outlier);
    struct record *rec = state_obtain(state, outlier->family, id, bytes);
    if (rec->size != bytes)
        rec = state_resize(state, state_resize(state, rec, 0), bytes);
    struct content *content = record_data(rec);
    if (content->windows == 0 && content->rows == 0) {
        half_space_forget(content->ranges, RANGES * outlier->n_columns);
        state_touch(state, rec, 0, bytes);
    }
    return rec;
}

/* The row is counted by the ranges of the windows before, so it may first widen this one's. */
void outlier_observe(const struct outlier *outlier, struct state *state, struct key128 id,
                     const float *row)
{
    struct record *rec = obtain(outlier, state, id);
    struct content *content = record_data(rec);
    size_t n = outlier->n_columns;
    const struct half_space_range *latest = content->ranges + LATEST * n;
    bool wider = half_space_see(latest, content->ranges, n, row);
    state_touch(state, rec, 0, wider ? sizeof *content + n * sizeof *latest : sizeof *content);
    if (content->windows > 0) {
        float unit_row[2 * (OUTLIER_COLUMNS_MAX + 1)];
        size_t at = lefts_at(outlier, content->windows);
        half_space_to_unit(latest, n, row, unit_row);
        count(outlier, rec->data + at, is_wide(outlier), unit_row);
        state_touch(state, rec, at, lefts_bytes(outlier));
    }
    if (++content->rows >= outlier->window) {
        begin_window(outlier, content);
        state_touch(state, rec, 0, rec->size);
    }
}

bool outlier_describe(const struct outlier *outlier, const struct record *rec,
                      uint64_t *ret_windows, uint64_t *ret_rows)
{
    const struct content *content = content_of(outlier, rec);
    if (!content)
        return false;
    *ret_windows = content->windows;
    *ret_rows = content->rows;
    return true;
}
