/* The records that a redo value is about, for who spoils or measures them. */
#ifndef TESTS_FUZZ_REDO_H
#define TESTS_FUZZ_REDO_H

#include "tests/fuzz/fuzz.h"

enum { REDO_RANGES_TOLD = 0x8000 };

struct redo_record {
    uint16_t family;
    struct key128 id;
    uint64_t size;
};

static inline void redo_skip_drops(struct reader *in)
{
    uint64_t drops = read_varint(in);
    for (uint64_t i = 0; i < drops && !in->bad; i++)
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
    uint64_t ranges = family & REDO_RANGES_TOLD ? read_varint(in) : 2;
    ret->family = family & (uint16_t)~REDO_RANGES_TOLD;
    for (uint64_t i = 0; i < ranges && !in->bad; i++) {
        read_varint(in);
        read_slice(in);
    }
    return true;
}

#endif
