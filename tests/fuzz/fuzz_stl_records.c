/* Records of {stl: ...} that hold anything: those of a few entities are made, overwritten or cut
 * ({u8 entity, u8 how, u16 from, u8 length, bytes}*), then read and gone on with. What comes out
 * may be nonsense, but it must neither crash nor hang, and a read must change nothing. */
#include <math.h>

#include "features/stl_buckets.h"
#include "tests/fuzz/fuzz.h"

#define HOUR_US (3600 * SECOND_US)

enum { ENTITIES = 4, BEFORE = 60, AFTER = 40 };

static struct key128 id_of(unsigned entity)
{
    return (struct key128){entity + 1, UINT64_C(0x9e3779b97f4a7c15) * (entity + 1)};
}

/* The first begins to decompose, the last still collects. */
static void observe(const struct stl_buckets *buckets, struct state *state, unsigned hour)
{
    for (unsigned e = 0; e < ENTITIES; e++)
        if (hour % (e + 1) == 0 && (e < 3 || hour > BEFORE - 8))
            stl_buckets_observe(buckets, state, id_of(e),
                                (int64_t)hour * HOUR_US + (int64_t)e * SECOND_US,
                                (double)(hour % 3 + (hour % 17 == 0) * 50));
}

static void spoil(const struct stl_buckets *buckets, struct state *state, struct reader *in)
{
    unsigned entity = read_byte(in) % ENTITIES;
    uint8_t how = read_byte(in);
    size_t from = read_u16(in), len = read_byte(in);
    const char *bytes = read_bytes(in, len);
    struct record *rec = state_find(state, buckets->family, id_of(entity));
    if (!rec || !bytes)
        return;
    if (how % 4 == 1)
        rec = state_resize(state, rec, from % 2048);
    from = rec->size > 0 ? from % rec->size : 0;
    len = len < rec->size - from ? len : rec->size - from;
    memcpy(rec->data + from, bytes, len);
}

static void read_all(const struct stl_buckets *buckets, struct state *state, int64_t time)
{
    const double self = 3;
    struct stl_reading reading;
    struct key128 before = state_digest(state);
    for (unsigned e = 0; e < ENTITIES; e++)
        stl_buckets_read(buckets, state_find(state, buckets->family, id_of(e)), time, &self,
                         &reading);
    if (!key_eq(before, state_digest(state)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stl_online_params params = stl_online_params_default(3);
    struct stl_buckets buckets = {.width = HOUR_US, .lateness = 2 * HOUR_US, .zeros = true};
    struct reader in = reader_of(fuzz_slice(data, size));
    struct state *state;
    if (state_create(&state) < 0 || state_family(state, "stl", 1, &buckets.family) < 0 ||
        stl_buckets_ready(&buckets, &params) < 0)
        abort();
    for (unsigned hour = 0; hour < BEFORE; hour++)
        observe(&buckets, state, hour);
    while (reader_left(&in) > 0 && !in.bad)
        spoil(&buckets, state, &in);
    for (unsigned hour = BEFORE; hour < BEFORE + AFTER; hour++) {
        read_all(&buckets, state, (int64_t)hour * HOUR_US + HOUR_US / 2);
        observe(&buckets, state, hour);
    }
    read_all(&buckets, state, INT64_MIN);
    read_all(&buckets, state, INT64_MAX);
    stl_buckets_done(&buckets);
    state_free(state);
    return 0;
}
