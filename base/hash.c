#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    SEED_ENTITY = 0x656e74,
    SEED_PAIR = 0x706169,
    SEED_EVENT = 0x657674,
    SEED_CATEGORY = 0x636174
};

static struct key128 key_of(XXH128_hash_t h)
{
    return (struct key128){h.low64 | (h.low64 == 0 && h.high64 == 0), h.high64};
}

uint64_t hash_entity_kind(struct slice kind)
{
    return XXH3_64bits_withSeed(kind.data, kind.len, SEED_ENTITY);
}

struct key128 hash_entity_of(uint64_t kind, struct slice id)
{
    return key_of(XXH3_128bits_withSeed(id.data, id.len, kind));
}

struct key128 hash_entity(struct slice kind, struct slice id)
{
    return hash_entity_of(hash_entity_kind(kind), id);
}

struct key128 hash_pair(struct key128 a, struct key128 b)
{
    if (key_is_none(a) || key_is_none(b))
        return (struct key128){0};
    struct key128 both[2] = {a, b};
    struct key128 pair = key_of(XXH3_128bits_withSeed(both, sizeof both, SEED_PAIR));
    const uint64_t shard_bits = UINT64_C(0xff) << 56;
    pair.hi = (pair.hi & ~shard_bits) | (a.hi & shard_bits); /* it lives in its first's shard */
    return pair;
}

struct key128 hash_event_id(struct slice id)
{
    return key_of(XXH3_128bits_withSeed(id.data, id.len, SEED_EVENT));
}

uint64_t hash_category(struct slice text)
{
    uint64_t h = XXH3_64bits_withSeed(text.data, text.len, SEED_CATEGORY);
    return h ? h : 1;
}

unsigned hash_shard(struct key128 entity)
{
    return (unsigned)(entity.hi >> 56);
}
