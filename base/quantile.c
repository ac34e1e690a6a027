#include "base/quantile.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Room of the level that lies `depth` below the highest: k, then two thirds each time. */
static uint32_t room_at(uint32_t k, uint32_t depth)
{
    uint32_t room = k;
    for (uint32_t i = 0; i < depth; i++)
        room = (2 * room + 2) / 3;
    return room;
}

static uint32_t cap_of(uint32_t k)
{
    uint32_t cap = 0;
    for (uint32_t depth = 0; depth < QUANTILE_LEVELS; depth++)
        cap += room_at(k, depth);
    return cap + (cap & 1); /* whole words */
}

size_t quantile_size(uint32_t k)
{
    return sizeof(struct quantile) + cap_of(k) * sizeof(float);
}

void quantile_init(struct quantile *q, uint32_t k, uint64_t seed)
{
    assert(k >= QUANTILE_K_MIN && k <= QUANTILE_K_MAX);
    memset(q, 0, quantile_size(k));
    q->random = seed;
    q->k = k;
    q->cap = cap_of(k);
    q->n_levels = 1;
    q->stride = 1;
    q->min = INFINITY;
    q->max = -INFINITY;
    for (size_t i = 0; i <= QUANTILE_LEVELS; i++)
        q->at[i] = q->cap;
}

static bool is_sorted(const float *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!(v[i - 1] <= v[i]))
            return false;
    return true;
}

bool quantile_is_sound(const struct quantile *q, uint32_t k)
{
    if (q->k != k || q->cap != cap_of(k) || q->n_levels == 0 || q->n_levels > QUANTILE_LEVELS)
        return false;
    if (q->stride == 0 || (q->stride & (q->stride - 1)) != 0 || q->at[q->n_levels] != q->cap)
        return false;
    for (size_t i = 0; i < QUANTILE_LEVELS; i++)
        if (q->at[i] > q->at[i + 1] || q->at[i + 1] > q->cap)
            return false;
    for (uint32_t i = q->at[0]; i < q->at[1]; i++)
        if (isnan(q->items[i]))
            return false;
    for (uint32_t i = 1; i < q->n_levels; i++)
        if (!is_sorted(q->items + q->at[i], q->at[i + 1] - q->at[i]))
            return false;
    return true;
}

/* splitmix64 */
static uint64_t next_random(struct quantile *q)
{
    uint64_t z = q->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void quantile_pick(struct quantile *q)
{
    uint32_t pick = (uint32_t)next_random(q) & (q->stride - 1);
    q->pass = q->rest + pick;
    q->rest = q->stride - 1 - pick;
}

/* Sorting and merging make up the cost of adding, and the order of the numbers is not to be
 * guessed: both are written without a branch on what they compare. */

enum { RUN = 32, SORT_MAX = 3 * QUANTILE_K_MAX };

/* Up to RUN numbers: each goes where as many lie before it as are less. */
static void sort_run(const float *v, size_t n, float *out)
{
    float run[RUN];
    for (size_t i = 0; i < RUN; i++)
        run[i] = i < n ? v[i] : INFINITY;
    for (int i = 0; i < (int)n; i++) {
        float x = run[i];
        int before = 0;
        for (int j = 0; j < RUN; j++)
            before += (run[j] < x) | ((run[j] == x) & (j < i));
        out[before] = x;
    }
}

/* out may be b's own memory from n_a before it on: it is never ahead of what is still to be read.
 */
static void merge(const float *a, size_t n_a, const float *b, size_t n_b, float *out)
{
    size_t i = 0, j = 0;
    while (i < n_a && j < n_b) {
        float x = a[i], y = b[j];
        size_t first = x <= y;
        *out++ = x <= y ? x : y;
        i += first;
        j += 1 - first;
    }
    memmove(out, a + i, (n_a - i) * sizeof *a);
    memmove(out + (n_a - i), b + j, (n_b - j) * sizeof *b);
}

static void sort_floats(float *v, size_t n)
{
    float scratch[SORT_MAX], *from = v, *to = scratch;
    for (size_t i = 0; i < n; i += RUN)
        sort_run(v + i, n - i < RUN ? n - i : RUN, v + i);
    for (size_t len = RUN; len < n; len *= 2) {
        for (size_t i = 0; i < n; i += 2 * len) {
            size_t n_a = n - i < len ? n - i : len, rest = n - i - n_a;
            merge(from + i, n_a, from + i + n_a, rest < len ? rest : len, to + i);
        }
        float *next = from;
        from = to;
        to = next;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}

/* Half of level h moves up; an odd number stays. */
static void compact(struct quantile *q, uint32_t h)
{
    float *items = q->items;
    if (h == 0)
        sort_floats(items + q->at[0], q->at[1] - q->at[0]);
    uint32_t size = q->at[h + 1] - q->at[h], odd = size & 1, half = size / 2;
    float *from = items + q->at[h] + odd;
    uint64_t coin = next_random(q) >> 63;
    for (uint32_t i = 0; i < half; i++)
        from[i] = from[2 * i + coin];
    merge(from, half, items + q->at[h + 1], q->at[h + 2] - q->at[h + 1], from + half);
    /* What was half of this level's room is free: close the gap from below. */
    uint32_t below = q->at[h] + odd - q->at[0];
    memmove(items + q->at[0] + half, items + q->at[0], below * sizeof(float));
    for (uint32_t i = 0; i <= h; i++)
        q->at[i] += half;
    q->at[h + 1] -= half;
}

/* Level 0 is given up: its numbers move to level 1, which takes its place. */
static void raise_stride(struct quantile *q)
{
    if (q->n_levels == 1)
        q->n_levels = 2;
    compact(q, 0);
    if (q->at[0] < q->at[1]) { /* the odd one: kept or not, so that the weights stay fair */
        float odd = q->items[q->at[0]++];
        uint32_t at = q->at[1];
        if (next_random(q) >> 63) {
            q->at[0] = --q->at[1];
            for (; at < q->at[2] && q->items[at] < odd; at++)
                q->items[at - 1] = q->items[at];
            q->items[at - 1] = odd;
        }
    }
    for (uint32_t i = 0; i < QUANTILE_LEVELS; i++)
        q->at[i] = q->at[i + 1];
    q->n_levels--;
    q->stride *= 2;
    q->rest = 0;
    quantile_pick(q);
}

static void open_level_above(struct quantile *q, uint32_t h)
{
    if (h + 1 == q->n_levels)
        q->n_levels++;
}

void quantile_compress(struct quantile *q)
{
    uint32_t h = 0;
    while (q->at[h + 1] - q->at[h] < room_at(q->k, q->n_levels - 1 - h))
        h++;
    if (h + 1 == QUANTILE_LEVELS) {
        raise_stride(q);
        if (q->at[0] > 0)
            return;
        h--;
    }
    open_level_above(q, h);
    compact(q, h);
}

/* Merging: one by one, each at the level of its weight. */

static void insert(struct quantile *q, uint32_t h, float v)
{
    while (q->n_levels <= h)
        q->n_levels++;
    while (q->at[0] == 0)
        quantile_compress(q);
    uint32_t at = q->at[h];
    if (h > 0)
        while (at < q->at[h + 1] && q->items[at] < v)
            at++;
    else
        at = q->at[0];
    memmove(q->items + q->at[0] - 1, q->items + q->at[0], (at - q->at[0]) * sizeof v);
    q->items[at - 1] = v;
    for (uint32_t i = 0; i <= h; i++)
        q->at[i]--;
}

/* weight: a power of two. Light ones are kept by chance, in proportion. */
static void insert_weight(struct quantile *q, float v, uint64_t weight)
{
    while (weight > (uint64_t)q->stride << (QUANTILE_LEVELS - 1))
        raise_stride(q);
    if (weight < q->stride && (next_random(q) & (q->stride / weight - 1)) != 0)
        return;
    uint32_t h = 0;
    while ((uint64_t)q->stride << h < weight)
        h++;
    insert(q, h, v);
}

void quantile_merge(struct quantile *q, const struct quantile *other)
{
    assert(q->k == other->k && q != other);
    for (uint32_t h = other->n_levels; h-- > 0;)
        for (uint32_t i = other->at[h]; i < other->at[h + 1]; i++)
            insert_weight(q, other->items[i], (uint64_t)other->stride << h);
    q->n += other->n;
    q->min = other->min < q->min ? other->min : q->min;
    q->max = other->max > q->max ? other->max : q->max;
}

size_t quantile_points_max(const struct quantile *q)
{
    return q->cap;
}

static int by_value(const void *a, const void *b)
{
    float x = ((const struct quantile_point *)a)->value,
          y = ((const struct quantile_point *)b)->value;
    return (x > y) - (x < y);
}

size_t quantile_points(const struct quantile *q, struct quantile_point *ret)
{
    size_t n = 0, joined = 0;
    for (uint32_t h = 0; h < q->n_levels; h++)
        for (uint32_t i = q->at[h]; i < q->at[h + 1]; i++)
            ret[n++] = (struct quantile_point){q->items[i], 0, (uint64_t)q->stride << h};
    qsort(ret, n, sizeof *ret, by_value);
    for (size_t i = 0; i < n; i++) {
        if (joined > 0 && ret[joined - 1].value == ret[i].value)
            ret[joined - 1].weight += ret[i].weight;
        else
            ret[joined++] = ret[i];
    }
    return joined;
}

float quantile_at(const struct quantile_point *points, size_t n, double p)
{
    double total = 0, below = 0;
    for (size_t i = 0; i < n; i++)
        total += (double)points[i].weight;
    for (size_t i = 0; i + 1 < n; i++) {
        below += (double)points[i].weight;
        if (below >= p * total)
            return points[i].value;
    }
    return points[n - 1].value;
}
