#include "base/hll.h"

#include <math.h>
#include <string.h>

enum { PLACE_BITS = 26, RANK_BITS = 64 - PLACE_BITS, COUPONS_FIRST = 4 };

/* Coupons: never 0. */

static uint32_t coupon_of(uint64_t hash)
{
    uint64_t rest = hash << PLACE_BITS;
    uint32_t rank = rest ? (uint32_t)__builtin_clzll(rest) + 1 : RANK_BITS + 1;
    return (uint32_t)(hash >> RANK_BITS) << 6 | rank;
}

static unsigned precision_of(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

/* Which register, and what it is at least. */
static unsigned place_of(uint32_t coupon, unsigned precision, uint8_t *ret_rank)
{
    uint32_t place = coupon >> 6, below = PLACE_BITS - precision;
    uint32_t rest = place & ((UINT32_C(1) << below) - 1), rank = coupon & 63;
    rank = rank > RANK_BITS + 1 ? RANK_BITS + 1 : rank; /* of a spoilt one */
    *ret_rank = (uint8_t)(rest ? (unsigned)__builtin_clz(rest) - (32 - below) + 1 : below + rank);
    return place >> below;
}

/* The sketch: a list of coupons that ends with 0 or is full; from `size` bytes on, registers. */

static size_t hll_bytes_first(unsigned size)
{
    (void)size;
    return COUPONS_FIRST * sizeof(uint32_t);
}

static size_t hll_bytes_next(unsigned size, const void *data, size_t bytes)
{
    const uint32_t *coupons = data;
    if (bytes >= size || coupons[bytes / sizeof *coupons - 1] == 0)
        return bytes;
    return 2 * bytes < size ? 2 * bytes : size;
}

static void to_register(uint8_t *registers, unsigned precision, uint32_t coupon)
{
    uint8_t rank;
    unsigned place = place_of(coupon, precision, &rank);
    if (registers[place] < rank)
        registers[place] = rank;
}

static void hll_grow(unsigned size, void *data, size_t from, size_t to)
{
    uint32_t coupons[HLL_SIZE_MAX / sizeof(uint32_t)];
    if (to < size || from >= size)
        return;
    memcpy(coupons, data, from);
    memset(data, 0, from);
    for (size_t i = 0; i < from / sizeof *coupons && coupons[i]; i++)
        to_register(data, precision_of(size), coupons[i]);
}

static void add_coupon(uint32_t *coupons, size_t max, uint32_t coupon, struct sketch_change *change)
{
    size_t i = 0;
    while (i < max && coupons[i] && coupons[i] != coupon)
        i++;
    if (i == max || coupons[i] == coupon)
        return;
    coupons[i] = coupon;
    sketch_changed(change, i * sizeof *coupons, sizeof *coupons);
}

static void hll_add(unsigned size, void *data, size_t bytes, union sketch_value value,
                    struct sketch_change *change)
{
    uint32_t coupon = coupon_of(value.hash);
    uint8_t *registers = data, rank;
    if (bytes < size) {
        add_coupon(data, bytes / sizeof coupon, coupon, change);
        return;
    }
    unsigned place = place_of(coupon, precision_of(size), &rank);
    if (registers[place] >= rank)
        return;
    registers[place] = rank;
    sketch_changed(change, place, 1);
}

static bool hll_valid(unsigned size, const void *data, size_t bytes)
{
    if (bytes < hll_bytes_first(size) || bytes > size || (bytes & (bytes - 1)) != 0)
        return false;
    const uint8_t *registers = data;
    for (size_t i = 0; bytes == size && i < bytes; i++)
        if (registers[i] > 65 - precision_of(size))
            return false;
    return true;
}

/* Merging. */

void hll_union_begin(struct hll_union *all, unsigned size)
{
    all->size = size;
    all->n = 0;
    all->dense = false;
}

static void make_dense(struct hll_union *all)
{
    all->dense = true;
    memset(all->registers, 0, all->size);
    for (size_t i = 0; i < all->n; i++)
        to_register(all->registers, precision_of(all->size), all->coupons[i]);
}

static void union_coupon(struct hll_union *all, uint32_t coupon)
{
    for (size_t i = 0; !all->dense && i < all->n; i++)
        if (all->coupons[i] == coupon)
            return;
    if (!all->dense && all->n == HLL_EXACT)
        make_dense(all);
    if (all->dense)
        to_register(all->registers, precision_of(all->size), coupon);
    else
        all->coupons[all->n++] = coupon;
}

void hll_union_merge(struct hll_union *all, const void *data, size_t bytes)
{
    const uint32_t *coupons = data;
    const uint8_t *registers = data;
    if (bytes < all->size) {
        for (size_t i = 0; i < bytes / sizeof *coupons && coupons[i]; i++)
            union_coupon(all, coupons[i]);
        return;
    }
    if (!all->dense)
        make_dense(all);
    for (size_t i = 0; i < all->size; i++)
        all->registers[i] = all->registers[i] > registers[i] ? all->registers[i] : registers[i];
}

void hll_union_add(struct hll_union *all, uint64_t hash)
{
    union_coupon(all, coupon_of(hash));
}

/* Ertl's estimator. */

static double sigma(double x)
{
    double y = 1, z = x, before;
    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z < before);
    return z / 3;
}

double hll_union_estimate(const struct hll_union *all)
{
    static const double alpha = 0.72134752044448170; /* 1 / (2 ln 2) */
    uint32_t counts[66] = {0};
    if (!all->dense)
        return (double)all->n;
    for (size_t i = 0; i < all->size; i++)
        counts[all->registers[i]]++;
    double m = all->size;
    unsigned last = 64 - precision_of(all->size); /* ranks are at most one more */
    double z = m * tau(1 - counts[last + 1] / m);
    for (unsigned rank = last; rank > 0; rank--)
        z = 0.5 * (z + counts[rank]);
    return alpha * m * m / (z + m * sigma(counts[0] / m));
}

const struct sketch_type sketch_hll = {.name = "hll",
                                       .size_min = 32,
                                       .size_default = 256,
                                       .size_max = HLL_SIZE_MAX,
                                       .power_of_two = true,
                                       .bytes_first = hll_bytes_first,
                                       .bytes_next = hll_bytes_next,
                                       .grow = hll_grow,
                                       .add = hll_add,
                                       .valid = hll_valid};
