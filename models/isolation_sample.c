#include "models/isolation_sample.h"

#include <stdlib.h>
#include <string.h>

enum status isolation_sample_init(struct isolation_sample *sample, size_t max)
{
    sample->n_seen = 2;
    while (sample->n_seen < 2 * max)
        sample->n_seen *= 2;
    sample->rows = calloc(max, sizeof *sample->rows);
    sample->seen = calloc(sample->n_seen, sizeof *sample->seen);
    sample->keys = calloc(max, sizeof *sample->keys);
    return sample->rows && sample->seen && sample->keys ? ST_OK : ST_ENOMEM;
}

void isolation_sample_done(struct isolation_sample *sample)
{
    free(sample->rows);
    free(sample->seen);
    free(sample->keys);
}

/* False if it was in the set already. */
static bool note(struct isolation_sample *sample, uint32_t row)
{
    size_t mask = sample->n_seen - 1, at = row * UINT32_C(0x9e3779b1) & mask;
    while (sample->seen[at] != 0 && sample->seen[at] != row + 1)
        at = (at + 1) & mask;
    if (sample->seen[at] == row + 1)
        return false;
    sample->seen[at] = row + 1;
    return true;
}

/* Each step lets in one of the first j + 1, or, if that one is in, the last of them. */
static void draw_even(struct isolation_sample *sample, size_t of, size_t n, struct rng *rng)
{
    memset(sample->seen, 0, sample->n_seen * sizeof *sample->seen);
    for (size_t i = 0; i < n; i++) {
        uint32_t last = (uint32_t)(of - n + i), row = (uint32_t)rng_below(rng, last + UINT64_C(1));
        if (!note(sample, row)) {
            row = last;
            (void)note(sample, row);
        }
        sample->rows[i] = row;
    }
}

static void put(struct isolation_sample *sample, size_t at, double key, uint32_t row)
{
    sample->keys[at] = key;
    sample->rows[at] = row;
}

/* From the end upwards, to below the first that is smaller. */
static void heap_push(struct isolation_sample *sample, size_t n, double key, uint32_t row)
{
    size_t at = n;
    while (at > 0 && sample->keys[(at - 1) / 2] > key) {
        put(sample, at, sample->keys[(at - 1) / 2], sample->rows[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(sample, at, key, row);
}

/* Instead of the least, downwards, to above the first that is larger. */
static void heap_replace(struct isolation_sample *sample, size_t n, double key, uint32_t row)
{
    size_t at = 0;
    for (size_t below; (below = 2 * at + 1) < n; at = below) {
        below += below + 1 < n && sample->keys[below + 1] < sample->keys[below];
        if (sample->keys[below] >= key)
            break;
        put(sample, at, sample->keys[below], sample->rows[below]);
    }
    put(sample, at, key, row);
}

static void draw_weighted(struct isolation_sample *sample, const struct isolation_rows *rows,
                          size_t n, struct rng *rng)
{
    for (size_t i = 0; i < rows->n; i++) {
        double key = rng_log(1 - rng_uniform(rng)) / (double)rows->weights[i];
        if (i < n)
            heap_push(sample, i, key, (uint32_t)i);
        else if (key > sample->keys[0])
            heap_replace(sample, n, key, (uint32_t)i);
    }
}

static float heaviest(const struct isolation_rows *rows)
{
    float most = 0;
    for (size_t i = 0; rows->weights && i < rows->n; i++)
        most = rows->weights[i] > most ? rows->weights[i] : most;
    return most;
}

/* A row stays drawn with a chance in proportion to its weight. */
static void draw_again(struct isolation_sample *sample, const struct isolation_rows *rows, size_t n,
                       struct rng *rng)
{
    double most = (double)heaviest(rows);
    for (size_t i = 0; i < n;) {
        uint32_t row = (uint32_t)rng_below(rng, rows->n);
        if (!rows->weights || rng_uniform(rng) * most < (double)rows->weights[row])
            sample->rows[i++] = row;
    }
}

const uint32_t *isolation_sample_draw(struct isolation_sample *sample,
                                      const struct isolation_rows *rows, size_t n, bool again,
                                      struct rng *rng)
{
    if (again)
        draw_again(sample, rows, n, rng);
    else if (rows->weights && n < rows->n)
        draw_weighted(sample, rows, n, rng);
    else
        draw_even(sample, rows->n, n, rng);
    return sample->rows;
}
