/*
 * Tests of base/hash.h.
 *
 * The hashes are part of the state's format: should one of the golden values here change, every
 * state directory is lost. They were computed with another build of xxh3 (Python's xxhash 4.1.0)
 * from the definition: an entity is the 128-bit hash of its id under the 64-bit hash of its kind as
 * seed; a pair, an event id and a category have seeds of their own (the ASCII codes of "ent",
 * "pai", "evt", "cat"), and the top byte of a pair is that of its first. They cover each of xxh3's
 * code paths by length.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>

#include "base/hash.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

#define ALPHABET "abcdefghijklmnopqrstuvwxyz"
#define LONG                                                                                       \
    ALPHABET ALPHABET ALPHABET ALPHABET ALPHABET ALPHABET ALPHABET ALPHABET ALPHABET ALPHABET      \
        ALPHABET ALPHABET

struct entity_case {
    char kind[16], id[320];
    size_t id_len;
    struct key128 key;
    unsigned shard;
};

ParameterizedTestParameters(hash, entities_are_golden)
{
    static struct entity_case cases[] = {
        {"CUSTOMER_ID", "596", 3, {0x6c5ebd72fd15beaf, 0xf2e08ebfa2d024a9}, 242},
        {"TERMINAL_ID", "596", 3, {0x198377ae571271c9, 0xdb23edab97e59342}, 219},
        {"CUSTOMER_ID", "", 0, {0x8b689804148e752f, 0x6327b7309e510ffa}, 99},
        {"", "", 0, {0x45aea2a97dda5e78, 0xe92a99c6e1dde217}, 233},
        {"account", "Z\xc3\xbcrich", 7, {0x704f6847a01c32f6, 0x26faa6035ebc19bc}, 38},
        {"account", "4974123456789", 13, {0x54e6fe8b7cfdf9d9, 0x171bb1d1fe30471d}, 23},
        {"account", LONG, 200, {0xfa2d05f90393494c, 0xc4ae6a4f581693c0}, 196},
        {"account", LONG, 312, {0x59992d4282094810, 0x04379c5b9e346c52}, 4},
    };
    return cr_make_param_array(struct entity_case, cases, LEN(cases));
}

ParameterizedTest(struct entity_case *c, hash, entities_are_golden)
{
    struct key128 key = hash_entity(slice_of(c->kind), (struct slice){c->id, c->id_len});
    cr_expect(eq(u64, key.lo, c->key.lo), "%s %.20s", c->kind, c->id);
    cr_expect(eq(u64, key.hi, c->key.hi), "%s %.20s", c->kind, c->id);
    cr_expect(eq(uint, hash_shard(key), c->shard), "%s %.20s", c->kind, c->id);
}

Test(hash, pairs_are_golden)
{
    struct key128 customer = hash_entity(slice_of("CUSTOMER_ID"), slice_of("596"));
    struct key128 terminal = hash_entity(slice_of("TERMINAL_ID"), slice_of("3156"));
    struct key128 there = hash_pair(customer, terminal), back = hash_pair(terminal, customer);
    cr_expect(key_eq(there, (struct key128){0x3d1aef73fdaf4c3f, 0xf25ef321ac3b9ab6}));
    cr_expect(eq(uint, hash_shard(there), hash_shard(customer)), "in the shard of its first");
    cr_expect(eq(uint, hash_shard(back), hash_shard(terminal)));
    cr_expect(key_eq(back, (struct key128){0x9aaf5626cabd748f, 0xee7f996f1440c75e}));
}

struct text_case {
    char text[320];
    struct key128 event;
    uint64_t category;
};

ParameterizedTestParameters(hash, events_are_golden)
{
    static struct text_case cases[] = {
        {"0", {0xbe9e08eb3c9c9de2, 0x4ab9b9bba4f701cd}, 0},
        {"1000", {0xbe911e39cea5f7a4, 0xe0d40b3c13b0cff5}, 0},
        {"", {0xde2c64302ca4170b, 0xf986542a1fd21700}, 0xa3183d0974596880},
        {LONG, {0x123a786cae82592e, 0x0cf53b9459dc7914}, 0x9bc3f67e01f1062d},
        {"web", {0, 0}, 0x94939bcb162dfe90},
        {"Web", {0, 0}, 0x23dffc3d484b05ab},
    };
    return cr_make_param_array(struct text_case, cases, LEN(cases));
}

ParameterizedTest(struct text_case *c, hash, events_are_golden)
{
    struct key128 key = hash_event_id(slice_of(c->text));
    if (!key_is_none(c->event))
        cr_expect(key_eq(key, c->event), "%.20s: %#lx %#lx", c->text, key.lo, key.hi);
    if (c->category != 0)
        cr_expect(eq(u64, hash_category(slice_of(c->text)), c->category), "%.20s", c->text);
}

/* Laws. */

Test(hash, a_missing_part_makes_no_pair)
{
    struct key128 none = {0}, some = hash_event_id(slice_of("x"));
    cr_expect(key_is_none(hash_pair(none, some)));
    cr_expect(key_is_none(hash_pair(some, none)));
    cr_expect(not(key_is_none(hash_pair(some, some))));
    cr_expect(not(key_eq(hash_pair(some, some), some)));
}

Test(hash, nothing_and_the_empty_text_are_the_same)
{
    cr_expect(key_eq(hash_event_id((struct slice){0}), hash_event_id(slice_of(""))));
    cr_expect(eq(u64, hash_category((struct slice){0}), hash_category(slice_of(""))));
}

/* 256,000 entities: each shard should hold about 1,000, whose standard deviation is 32. */
Test(hash, shards_are_even)
{
    size_t counts[256] = {0};
    for (int i = 0; i < 256000; i++) {
        char id[16];
        int len = snprintf(id, sizeof id, "%d", i);
        unsigned shard = hash_shard(hash_entity(slice_of("user"), (struct slice){id, (size_t)len}));
        cr_assert(lt(uint, shard, 256));
        counts[shard]++;
    }
    for (int i = 0; i < 256; i++)
        cr_expect(counts[i] > 1000 - 6 * 32 && counts[i] < 1000 + 6 * 32, "shard %d: %zu", i,
                  counts[i]);
}
