#include <stdlib.h>

#include "base/rng.h"
#include "online/reservoir_internal.h"

static enum status init_heap(struct reservoir_heap *heap, const struct reservoir_options *options)
{
    heap->rows = calloc(options->rows, sizeof *heap->rows);
    heap->dense = calloc(options->rows * options->n_dense + 1, sizeof *heap->dense);
    if (!heap->rows || !heap->dense)
        return ST_ENOMEM;
    for (size_t i = 0; i < options->rows; i++)
        heap->rows[i].kept.vector.dense = heap->dense + i * options->n_dense;
    return ST_OK;
}

enum status reservoir_create(const struct reservoir_options *options, struct reservoir **ret)
{
    struct reservoir *reservoir = calloc(1, sizeof *reservoir);
    if (!reservoir)
        return ST_ENOMEM;
    reservoir->options = *options;
    reservoir_clear(reservoir);
    for (unsigned label = 0; label < 2; label++) {
        enum status st = init_heap(&reservoir->heaps[label], options);
        if (st < 0) {
            reservoir_free(reservoir);
            return st;
        }
    }
    *ret = reservoir;
    return ST_OK;
}

void reservoir_free(struct reservoir *reservoir)
{
    if (!reservoir)
        return;
    for (unsigned label = 0; label < 2; label++) {
        struct reservoir_heap *heap = &reservoir->heaps[label];
        for (size_t i = 0; heap->rows && i < reservoir->options.rows; i++)
            kept_vector_done(&heap->rows[i].kept);
        free(heap->rows);
        free(heap->dense);
    }
    free(reservoir);
}

void reservoir_clear(struct reservoir *reservoir)
{
    reservoir->heaps[0].n = reservoir->heaps[1].n = 0;
    reservoir->sums = reservoir->settled = (struct reservoir_sums){.time = INT64_MIN};
    reservoir->fresh_from = 0;
}

size_t reservoir_count(const struct reservoir *reservoir, unsigned label)
{
    return reservoir->heaps[label].n;
}

/* What is drawn. */

/* Of a row of that label, so that all that is drawn adds up as the stream does. */
static double weight_of(const struct reservoir *reservoir, unsigned label)
{
    const struct reservoir_sums *sums = &reservoir->sums;
    bool both = reservoir->heaps[0].n > 0 && reservoir->heaps[1].n > 0;
    return (both ? 2 : 1) * sums->weight[label] / sums->n;
}

bool reservoir_draw(const struct reservoir *reservoir, uint64_t item, struct example *ret)
{
    const struct reservoir_heap *heaps = reservoir->heaps;
    struct rng rng = rng_part(reservoir->options.seed, item);
    if (rng_uniform(&rng) >= reservoir->options.share || heaps[0].n + heaps[1].n == 0)
        return false;
    unsigned label = rng_next(&rng) >> 63;
    if (heaps[label].n == 0)
        label = !label;
    const struct reservoir_row *row = &heaps[label].rows[rng_below(&rng, heaps[label].n)];
    *ret = (struct example){.vector = row->kept.vector,
                            .label = (float)label,
                            .weight = (float)weight_of(reservoir, label),
                            .time = row->time,
                            .item = row->item};
    return true;
}

/* What is kept. */

static void swap_rows(struct reservoir_row *a, struct reservoir_row *b)
{
    struct reservoir_row kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(struct reservoir_heap *heap, size_t at)
{
    for (; at > 0 && heap->rows[at].key > heap->rows[(at - 1) / 2].key; at = (at - 1) / 2)
        swap_rows(&heap->rows[at], &heap->rows[(at - 1) / 2]);
}

static void sift_down(struct reservoir_heap *heap, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->n)
            return;
        if (child + 1 < heap->n && heap->rows[child + 1].key > heap->rows[child].key)
            child++;
        if (heap->rows[child].key <= heap->rows[at].key)
            return;
        swap_rows(&heap->rows[at], &heap->rows[child]);
        at = child;
    }
}

static void drop_top(struct reservoir_heap *heap)
{
    swap_rows(&heap->rows[0], &heap->rows[--heap->n]);
    sift_down(heap, 0);
}

struct reservoir_row *reservoir_push(struct reservoir *reservoir, unsigned label, double key,
                                     const struct vector *vector)
{
    struct reservoir_heap *heap = &reservoir->heaps[label];
    struct reservoir_row *row = &heap->rows[heap->n++];
    kept_vector_set(&row->kept, vector, reservoir->options.n_dense);
    row->key = key;
    return row;
}

/* The logarithm of -ln(u) / weight, where the weight halves with age: older is larger. */
static double key_of(const struct reservoir *reservoir, const struct example *example)
{
    struct rng rng = rng_part(~reservoir->options.seed, example->item);
    double u = 1 - rng_uniform(&rng), drawn = u < 1 ? -rng_log(u) : 0x1p-54;
    return rng_log(drawn / (double)example->weight) / 0.69314718055994531 -
           (double)example->time / (double)reservoir->options.half_life;
}

static double faded(double age, int64_t half_life)
{
    double halves = age / (double)half_life;
    return halves > 1000 ? 0 : rng_exp(-0.69314718055994531 * halves);
}

static void count(struct reservoir *reservoir, const struct example *example, unsigned label)
{
    struct reservoir_sums *sums = &reservoir->sums;
    double age = (double)example->time - (double)sums->time, share = 1;
    if (sums->n == 0 || age > 0) {
        double kept = sums->n > 0 ? faded(age, reservoir->options.half_life) : 0;
        sums->n *= kept;
        sums->weight[0] *= kept;
        sums->weight[1] *= kept;
        sums->time = example->time;
    } else {
        share = faded(-age, reservoir->options.half_life);
    }
    sums->n += share;
    sums->weight[label] += share * (double)example->weight;
}

void reservoir_add(struct reservoir *reservoir, const struct example *example)
{
    unsigned label = example->label >= 0.5f;
    struct reservoir_heap *heap = &reservoir->heaps[label];
    if (!(example->weight > 0))
        return;
    count(reservoir, example, label);
    double key = key_of(reservoir, example);
    if (heap->n == reservoir->options.rows) {
        if (key >= heap->rows[0].key)
            return;
        drop_top(heap);
    }
    struct reservoir_row *row = reservoir_push(reservoir, label, key, &example->vector);
    row->time = example->time;
    row->item = example->item;
    sift_up(heap, heap->n - 1);
}

/* What comes to nothing. */

void reservoir_settle(struct reservoir *reservoir, uint64_t item)
{
    reservoir->settled = reservoir->sums;
    reservoir->fresh_from = item;
}

static void forget_from(struct reservoir_heap *heap, uint64_t item)
{
    size_t n = 0;
    for (size_t i = 0; i < heap->n; i++)
        if (heap->rows[i].item < item) {
            if (n < i)
                swap_rows(&heap->rows[n], &heap->rows[i]);
            n++;
        }
    heap->n = n;
    for (size_t i = n / 2; i-- > 0;)
        sift_down(heap, i);
}

void reservoir_forget(struct reservoir *reservoir, uint64_t item)
{
    forget_from(&reservoir->heaps[0], item);
    forget_from(&reservoir->heaps[1], item);
}

void reservoir_forget_fresh(struct reservoir *reservoir)
{
    reservoir_forget(reservoir, reservoir->fresh_from);
    reservoir->sums = reservoir->settled;
}
