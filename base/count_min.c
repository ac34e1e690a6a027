#include "base/count_min.h"

/* Rows take different bits of a hash that is mixed again for each: multiplied by an odd number. */
static size_t counter_of(unsigned size, uint64_t hash, unsigned row)
{
    static const uint64_t odd[COUNT_MIN_ROWS] = {
        UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f), UINT64_C(0x165667b19e3779f9),
        UINT64_C(0xd6e8feb86659fd93)};
    uint64_t mixed = (hash ^ hash >> 32) * odd[row];
    return row * (size_t)size + (size_t)(mixed >> (64 - __builtin_ctz(size)));
}

static size_t count_min_bytes(unsigned size)
{
    return COUNT_MIN_ROWS * (size_t)size * sizeof(uint32_t);
}

static size_t count_min_bytes_next(unsigned size, const void *data, size_t bytes)
{
    (void)size, (void)data;
    return bytes;
}

static void count_min_add(unsigned size, void *data, size_t bytes, union sketch_value value,
                          struct sketch_change *change)
{
    uint32_t *counters = data;
    (void)bytes;
    for (unsigned row = 0; row < COUNT_MIN_ROWS; row++) {
        size_t at = counter_of(size, value.hash, row);
        counters[at] += counters[at] < UINT32_MAX;
        sketch_changed(change, at * sizeof *counters, sizeof *counters);
    }
}

static bool count_min_valid(unsigned size, const void *data, size_t bytes)
{
    (void)data;
    return bytes == count_min_bytes(size);
}

void count_min_query_add(struct count_min_query *query, unsigned size, const void *data)
{
    const uint32_t *counters = data;
    for (unsigned row = 0; row < COUNT_MIN_ROWS; row++)
        query->rows[row] += counters[counter_of(size, query->hash, row)];
}

double count_min_query_count(const struct count_min_query *query)
{
    double least = query->rows[0];
    for (unsigned row = 1; row < COUNT_MIN_ROWS; row++)
        least = query->rows[row] < least ? query->rows[row] : least;
    return least;
}

const struct sketch_type sketch_count_min = {.name = "count_min",
                                             .size_min = 16,
                                             .size_default = 64,
                                             .size_max = COUNT_MIN_SIZE_MAX,
                                             .power_of_two = true,
                                             .bytes_first = count_min_bytes,
                                             .bytes_next = count_min_bytes_next,
                                             .add = count_min_add,
                                             .valid = count_min_valid};
