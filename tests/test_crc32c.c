/*
 * Tests of ingest/crc32c.h.
 *
 * What is known without running it: the sums that RFC 3720 (B.4) and every description of CRC-32C
 * give, and that a sum of two parts is that of the whole, however it is cut and wherever it lies.
 * Then that RocksDB finds this function, and not its own, under the name that it calls.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/crc32c.h"
#include "ingest/store.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

#ifdef __SSE4_2__

static void fill_ramp(char *bytes, int from, int step)
{
    for (int i = 0; i < 32; i++)
        bytes[i] = (char)(from + step * i);
}

Test(crc32c, published_sums)
{
    char bytes[32];
    cr_assert(eq(u32, crc32c_extend(0, "", 0), 0));
    cr_assert(eq(u32, crc32c_extend(0, "123456789", 9), 0xe3069283));
    fill_ramp(bytes, 0, 0);
    cr_assert(eq(u32, crc32c_extend(0, bytes, 32), 0x8a9136aa));
    fill_ramp(bytes, 0xff, 0);
    cr_assert(eq(u32, crc32c_extend(0, bytes, 32), 0x62a8ab43));
    fill_ramp(bytes, 0, 1);
    cr_assert(eq(u32, crc32c_extend(0, bytes, 32), 0x46dd794e));
    fill_ramp(bytes, 31, -1);
    cr_assert(eq(u32, crc32c_extend(0, bytes, 32), 0x113fdb5c));
}

Test(crc32c, parts_are_the_whole)
{
    char bytes[100];
    for (size_t i = 0; i < LEN(bytes); i++)
        bytes[i] = (char)(i * i + 7);
    for (size_t from = 0; from < 9; from++)
        for (size_t cut = from; cut <= LEN(bytes); cut++) {
            uint32_t first = crc32c_extend(0, bytes + from, cut - from);
            uint32_t both = crc32c_extend(first, bytes + cut, LEN(bytes) - cut);
            cr_assert(eq(u32, both, crc32c_extend(0, bytes + from, LEN(bytes) - from)));
        }
}

/* A store is opened so that RocksDB is in this program. */
Test(crc32c, takes_the_place_of_the_librarys)
{
    struct store *store = NULL;
    char *error = NULL;
    cr_assert(ne(int, store_open_rocks("/dev/null/none", &store, &error), ST_OK));
    free(error);
    uint32_t (*ours)(uint32_t, const char *, size_t) = crc32c_extend;
    void *called = dlsym(RTLD_DEFAULT, CRC32C_OF_ROCKSDB), *expected;
    memcpy(&expected, &ours, sizeof expected);
    cr_assert(eq(ptr, called, expected));
    void *next = dlsym(RTLD_NEXT, CRC32C_OF_ROCKSDB);
    cr_assert(next != NULL && next != called, "RocksDB no longer calls its sum by this name");
}

#else
Test(crc32c, is_left_to_the_library)
{
}
#endif
