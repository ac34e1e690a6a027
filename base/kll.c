#include "base/kll.h"

#include <math.h>
#include <string.h>

enum { LEVELS_MAX = 28, ITEMS_FIRST = 8 };

/* Items lie from the highest level down, so that a new one, of level 0, goes to the end, and what
 * is left of a level that goes up is already where it belongs. */
struct sketch {
    uint16_t levels; /* 0: one, of a sketch that was never full */
    uint16_t sizes[LEVELS_MAX + 1];
    uint16_t zero[2];
    float items[];
};

static unsigned levels_of(const struct sketch *sketch)
{
    return sketch->levels > 0 ? sketch->levels : 1;
}

static size_t count_of(const struct sketch *sketch)
{
    size_t n = 0;
    for (unsigned h = 0; h < levels_of(sketch); h++)
        n += sketch->sizes[h];
    return n;
}

/* Of `size` for the highest and two thirds of the one above for each other, at least 2. */
static size_t level_capacity(unsigned size, unsigned below_top)
{
    double capacity = size;
    for (unsigned i = 0; i < below_top && capacity > 2; i++)
        capacity *= 2.0 / 3;
    return capacity > 2 ? (size_t)ceil(capacity) : 2;
}

static size_t capacity_of(unsigned size, unsigned levels)
{
    size_t n = 0;
    for (unsigned i = 0; i < levels; i++)
        n += level_capacity(size, i);
    return n;
}

static size_t items_max(unsigned size)
{
    size_t n = capacity_of(size, LEVELS_MAX);
    return n + n % 2;
}

static size_t room_of(size_t bytes)
{
    return (bytes - sizeof(struct sketch)) / sizeof(float);
}

static size_t kll_bytes_first(unsigned size)
{
    (void)size;
    return sizeof(struct sketch) + ITEMS_FIRST * sizeof(float);
}

static size_t kll_bytes_next(unsigned size, const void *data, size_t bytes)
{
    size_t room = room_of(bytes);
    if (count_of(data) < room)
        return bytes;
    size_t most = items_max(size);
    if (room >= most)
        return bytes;
    return sizeof(struct sketch) + (2 * room < most ? 2 * room : most) * sizeof(float);
}

/* Shell's sort, with Ciura's gaps: a level is a few hundred at most, and often nearly sorted. */
static void sort(float *items, size_t n)
{
    static const size_t gaps[] = {301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (size_t i = gaps[g]; i < n; i++) {
            float v = items[i];
            size_t to = i;
            for (; to >= gaps[g] && items[to - gaps[g]] > v; to -= gaps[g])
                items[to] = items[to - gaps[g]];
            items[to] = v;
        }
}

static uint64_t total_of(const struct sketch *sketch)
{
    uint64_t total = 0;
    for (unsigned h = 0; h < levels_of(sketch); h++)
        total += (uint64_t)sketch->sizes[h] << h;
    return total;
}

/* One bit, as good as drawn (splitmix64's last steps). */
static unsigned bit_of(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)(x >> 63);
}

/* Every other number of level h goes up; of an odd count the last stays. */
static void compact(struct sketch *sketch, unsigned h)
{
    size_t before = 0, n = sketch->sizes[h], pairs = n / 2, all = count_of(sketch);
    for (unsigned above = levels_of(sketch); above-- > h + 1;)
        before += sketch->sizes[above];
    float *items = sketch->items + before;
    unsigned odd = bit_of(total_of(sketch) + h);
    sort(items, n);
    for (size_t i = 0; i < pairs; i++)
        items[i] = items[2 * i + odd];
    memmove(items + pairs, items + 2 * pairs, (all - before - 2 * pairs) * sizeof *items);
    memset(sketch->items + all - pairs, 0, pairs * sizeof *items);
    sketch->sizes[h + 1] = (uint16_t)(sketch->sizes[h + 1] + pairs);
    sketch->sizes[h] = (uint16_t)(n - 2 * pairs);
    if (h + 1 >= levels_of(sketch))
        sketch->levels = (uint16_t)(h + 2);
}

/* The lowest level that is full. */
static bool make_room(unsigned size, struct sketch *sketch)
{
    unsigned levels = levels_of(sketch);
    for (unsigned h = 0; h < levels; h++)
        if (sketch->sizes[h] >= level_capacity(size, levels - 1 - h) && h + 1 < LEVELS_MAX) {
            compact(sketch, h);
            return true;
        }
    return false;
}

static void kll_add(unsigned size, void *data, size_t bytes, union sketch_value value,
                    struct sketch_change *change)
{
    struct sketch *sketch = data;
    size_t n = count_of(sketch);
    float v = (float)value.number;
    if (!isfinite(v))
        return;
    if (n >= room_of(bytes)) {
        if (!make_room(size, sketch))
            return; /* 2^27 sizes of numbers */
        sketch->items[count_of(sketch)] = v;
        sketch_changed(change, 0, bytes);
    } else {
        sketch->items[n] = v;
        sketch_changed(change, offsetof(struct sketch, sizes), sizeof sketch->sizes[0]);
        sketch_changed(change, offsetof(struct sketch, items) + n * sizeof v, sizeof v);
    }
    sketch->sizes[0]++;
}

static bool kll_valid(unsigned size, const void *data, size_t bytes)
{
    const struct sketch *sketch = data;
    if (bytes < kll_bytes_first(size) || room_of(bytes) > items_max(size) ||
        sketch->levels > LEVELS_MAX || count_of(sketch) > room_of(bytes))
        return false;
    for (unsigned h = levels_of(sketch); h <= LEVELS_MAX; h++)
        if (sketch->sizes[h] > 0)
            return false;
    return true;
}

/* Unions. */

size_t kll_union_bytes(unsigned size, size_t sketches)
{
    return sketches * (items_max(size) + 1) * sizeof(struct kll_item);
}

void kll_union_begin(struct kll_union *all, void *memory)
{
    *all = (struct kll_union){.items = memory};
}

void kll_union_merge(struct kll_union *all, const void *data, size_t bytes)
{
    const struct sketch *sketch = data;
    const float *item = sketch->items;
    (void)bytes;
    for (unsigned h = levels_of(sketch); h-- > 0;) {
        float weight = (float)(UINT32_C(1) << h);
        for (size_t i = 0; i < sketch->sizes[h]; i++)
            all->items[all->n++] = (struct kll_item){*item++, weight};
        all->weight += (double)weight * sketch->sizes[h];
    }
}

void kll_union_add(struct kll_union *all, double v)
{
    all->items[all->n++] = (struct kll_item){(float)v, 1};
    all->weight += 1;
}

static void swap(struct kll_item *items, size_t a, size_t b)
{
    struct kll_item was = items[a];
    items[a] = items[b];
    items[b] = was;
}

static float middle_of(const struct kll_item *items, size_t low, size_t high)
{
    float a = items[low].v, b = items[low + (high - low) / 2].v, c = items[high - 1].v;
    float most = a > b ? a : b, least = a < b ? a : b;
    return c > most ? most : c < least ? least : c;
}

/* Hoare's selection, by weight, in three parts: below the pivot, it, and above. */
double kll_union_quantile(struct kll_union *all, double q)
{
    struct kll_item *items = all->items;
    size_t low = 0, high = all->n;
    double before = 0, wanted = q * all->weight;
    while (high > low) {
        float pivot = middle_of(items, low, high);
        size_t below = low, above = high;
        double less = 0, same = 0;
        for (size_t i = low; i < above;)
            if (items[i].v < pivot) {
                less += (double)items[i].weight;
                swap(items, i++, below++);
            } else if (items[i].v > pivot) {
                swap(items, i, --above);
            } else {
                same += (double)items[i++].weight;
            }
        bool is_below = below > low && before + less >= wanted;
        if (!is_below && (above == high || before + less + same >= wanted))
            return (double)pivot;
        before += is_below ? 0 : less + same;
        low = is_below ? low : above;
        high = is_below ? below : high;
    }
    return NAN;
}

double kll_union_rank(const struct kll_union *all, double v)
{
    double weight = 0;
    for (size_t i = 0; i < all->n; i++)
        weight += all->items[i].v <= (float)v ? (double)all->items[i].weight : 0;
    return all->weight > 0 ? weight / all->weight : NAN;
}

const struct sketch_type sketch_kll = {.name = "kll",
                                       .numbers = true,
                                       .size_min = 8,
                                       .size_default = 64,
                                       .size_max = KLL_SIZE_MAX,
                                       .bytes_first = kll_bytes_first,
                                       .bytes_next = kll_bytes_next,
                                       .add = kll_add,
                                       .valid = kll_valid};
