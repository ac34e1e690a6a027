#include "ingest/crc32c.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#include <string.h>

uint32_t crc32c_extend(uint32_t crc, const char *data, size_t len)
{
    uint64_t sum = ~crc;
    for (; len >= 8; data += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        sum = _mm_crc32_u64(sum, word);
    }
    for (; len > 0; data++, len--)
        sum = _mm_crc32_u8((uint32_t)sum, (unsigned char)*data);
    return ~(uint32_t)sum;
}
#else
typedef int crc32c_is_left_to_the_library;
#endif
