/*
 * tests/redo.h -- what a redo value is about (see ingest/state_redo.c), for who looks at it, spoils
 * it or measures it without applying it:
 *
 *     redo_skip_drops(&in);
 *     while (redo_next_record(&in, &record))
 *         while (redo_next_range(&in, &record, &from, &bytes))
 *             ...                                     // or redo_skip_ranges()
 */
#ifndef TESTS_REDO_H
#define TESTS_REDO_H

#include "base/bytes.h"
#include "base/hash.h"

enum { REDO_RANGES_TOLD = 0x8000 };

struct redo_record {
    uint16_t family;
    struct key128 id;
    uint64_t size;
    uint64_t ranges; /* still to come */
};

static inline void redo_skip_drops(struct reader *in)
{
    uint64_t drops = read_varint(in);
    for (; drops > 0 && !in->bad; drops--)
        read_bytes(in, 18);
}

/* False at the end, or at what is no patch. */
static inline bool redo_next_record(struct reader *in, struct redo_record *ret)
{
    if (in->bad || reader_left(in) == 0)
        return false;
    uint16_t family = read_u16(in);
    ret->id.lo = read_u64(in);
    ret->id.hi = read_u64(in);
    ret->size = read_varint(in);
    ret->ranges = family & REDO_RANGES_TOLD ? read_varint(in) : 2;
    ret->family = family & (uint16_t)~REDO_RANGES_TOLD;
    return true;
}

static inline bool redo_next_range(struct reader *in, struct redo_record *record,
                                   uint64_t *ret_from, struct slice *ret_bytes)
{
    if (record->ranges == 0 || in->bad)
        return false;
    record->ranges--;
    *ret_from = read_varint(in);
    *ret_bytes = read_slice(in);
    return !in->bad;
}

static inline void redo_skip_ranges(struct reader *in, struct redo_record *record)
{
    uint64_t from;
    struct slice bytes;
    while (redo_next_range(in, record, &from, &bytes))
        continue;
}

#endif
