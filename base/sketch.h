/*
 * base/sketch.h -- what the sketches have in common: summaries of a stream in little memory, which
 * can be merged, and which lie as flat bytes wherever their owner wants them.
 *
 * Zeroed bytes are an empty sketch. It begins small and is given more room as it fills: whoever
 * keeps it asks before each addition how many bytes that needs.
 *
 *     size_t need = type->bytes_next(size, data, bytes);       // multiples of 8
 *     if (need > bytes) { ... zeroed bytes behind it ...; type->grow(size, data, bytes, need); }
 *     type->add(size, data, need, value, &change);             // what it wrote, for logging
 *
 * Types: hll.h (how many different values), kll.h (quantiles), space_saving.h (the most frequent
 * values), count_min.h (how often a value came). Nothing here allocates, and all is deterministic.
 */
#ifndef BASE_SKETCH_H
#define BASE_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SKETCH_RANGES_MAX = 4 };

/* Bytes that an addition wrote. */
struct sketch_change {
    size_t n;
    struct {
        uint32_t at, len;
    } ranges[SKETCH_RANGES_MAX];
};

static inline void sketch_changed(struct sketch_change *change, size_t at, size_t len)
{
    change->ranges[change->n].at = (uint32_t)at;
    change->ranges[change->n++].len = (uint32_t)len;
}

/* What is added: a number, or the hash of a value (well mixed, as hash_category() is). */
union sketch_value {
    double number;
    uint64_t hash;
};

struct sketch_type {
    const char *name;
    bool numbers; /* of numbers; else of hashes */
    /* What a user may choose: more is more exact. */
    unsigned size_min, size_default, size_max;
    bool power_of_two;
    size_t (*bytes_first)(unsigned size);
    /* That another addition needs; `bytes` or more. */
    size_t (*bytes_next)(unsigned size, const void *data, size_t bytes);
    /* After `to - from` zero bytes were put behind it. NULL: nothing to do. */
    void (*grow)(unsigned size, void *data, size_t from, size_t to);
    void (*add)(unsigned size, void *data, size_t bytes, union sketch_value value,
                struct sketch_change *change);
    /* Whether these bytes may be a sketch: all else here may then be called and does not read or
     * write beyond them. */
    bool (*valid)(unsigned size, const void *data, size_t bytes);
};

extern const struct sketch_type sketch_hll, sketch_kll, sketch_space_saving, sketch_count_min;

#endif
