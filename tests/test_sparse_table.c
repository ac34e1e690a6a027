/*
 * Tests of models/sparse_table.h and models/admission.h.
 *
 * Known without running it: whatever is added, touched and dropped, the table holds what a plain
 * list of rows would, never more than it may, and loses only the stale; a published copy finds the
 * same weights at any moment, and so does a table that went through a file.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

#include "models/admission.h"
#include "models/sparse_table.h"

static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (h ^ (h >> 33)) | 1;
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

static float weight_of(const struct sparse_table *table, uint64_t key)
{
    size_t at = sparse_table_find(table, key);
    return at == SPARSE_NONE ? -1 : table->cells[at].weight;
}

static void set(struct sparse_table *table, uint64_t key, float weight, uint32_t now)
{
    size_t at = sparse_table_find(table, key);
    if (at == SPARSE_NONE)
        at = sparse_table_add(table, key, now);
    table->cells[at].weight = weight;
    table->states[at].z = (double)weight * 3;
    table->states[at].root = 1;
    sparse_table_touch(table, at, now);
}

Test(sparse_table, an_empty_table_finds_nothing)
{
    struct sparse_table table, copy;
    cr_assert(eq(int, sparse_table_init(&table, 100), ST_OK));
    cr_assert(eq(int, sparse_table_init(&copy, 100), ST_OK));
    cr_expect(eq(sz, sparse_table_find(&table, 5), SPARSE_NONE));
    sparse_table_sweep(&table, 5000, 10, 1);
    sparse_table_publish(&table, &copy);
    cr_expect(eq(sz, sparse_table_find(&copy, 5), SPARSE_NONE));
    sparse_table_done(&table);
    sparse_table_done(&copy);
}

/* All keys ever used, in a plain list. Few different low bits, so that rows crowd each other. */
enum { KEYS = 4000 };

static uint64_t key_at(size_t i)
{
    return (mix(i) & ~UINT64_C(0xff00)) | 1;
}

Test(sparse_table, holds_what_a_list_would)
{
    struct sparse_table table;
    uint64_t seed = 1;
    float *want = calloc(KEYS, sizeof *want);
    uint32_t *seen = calloc(KEYS, sizeof *seen), now = 1000;
    cr_assert(eq(int, sparse_table_init(&table, 100000), ST_OK));
    for (size_t step = 0; step < 60000; step++) {
        size_t i = (size_t)(KEYS * noise(&seed) * noise(&seed));
        now += noise(&seed) < 0.01;
        set(&table, key_at(i), (float)step, now);
        want[i] = (float)step;
        seen[i] = now;
        sparse_table_sweep(&table, 3, now, 40);
    }
    size_t found = 0;
    for (size_t i = 0; i < KEYS; i++) {
        float weight = weight_of(&table, key_at(i));
        found += weight >= 0;
        cr_assert(weight == want[i] || (weight < 0 && (seen[i] == 0 || now - seen[i] > 40)),
                  "key %zu", i);
    }
    cr_expect(eq(sz, found, table.n));
    cr_expect(found < KEYS * 9 / 10, "nothing expired");
    free(want);
    free(seen);
    sparse_table_done(&table);
}

/* One sweep over all places leaves no row that has expired. */
Test(sparse_table, a_whole_sweep_drops_all_that_expired)
{
    struct sparse_table table;
    cr_assert(eq(int, sparse_table_init(&table, 10000), ST_OK));
    for (size_t i = 0; i < 3000; i++)
        set(&table, key_at(i), 1, i % 3 == 0 ? 2000 : 1000);
    sparse_table_sweep(&table, 2 * (table.mask + 1) + 3000, 2500, 600);
    cr_expect(eq(sz, table.n, 1000));
    for (size_t i = 0; i < 3000; i++)
        cr_assert(eq(int, weight_of(&table, key_at(i)) > 0, i % 3 == 0));
    sparse_table_done(&table);
}

Test(sparse_table, never_grows_past_its_limit_and_keeps_the_fresh)
{
    struct sparse_table table;
    enum { LIMIT = 500 };
    cr_assert(eq(int, sparse_table_init(&table, LIMIT), ST_OK));
    for (uint32_t i = 0; i < 20000; i++) {
        set(&table, mix(i), 1, i);
        cr_assert(table.n <= LIMIT);
        if (i % 10 == 0)
            set(&table, mix(1000000), 2, i); /* always fresh */
    }
    cr_expect(eq(sz, table.n, LIMIT));
    cr_expect(table.mask < 4 * LIMIT);
    cr_expect(eq(flt, weight_of(&table, mix(1000000)), 2));
    double age = 0;
    for (size_t at = 0; at <= table.mask; at++)
        age += table.cells[at].key ? 20000.0 - table.states[at].seen : 0;
    cr_expect(age / LIMIT < LIMIT, "rows are %g old on average", age / LIMIT);
    sparse_table_done(&table);
}

static void expect_same(const struct sparse_table *a, const struct sparse_table *b)
{
    cr_assert(eq(sz, a->n, b->n));
    cr_assert(eq(sz, a->mask, b->mask));
    cr_assert(memcmp(a->cells, b->cells, (a->mask + 1) * sizeof *a->cells) == 0);
}

/* Publications to copies in no order, over growth, loss, and logs that ran over. */
Test(sparse_table, copies_hold_what_was_published)
{
    struct sparse_table table, copies[3];
    uint64_t seed = 2;
    cr_assert(eq(int, sparse_table_init(&table, 60000), ST_OK));
    for (size_t i = 0; i < 3; i++)
        cr_assert(eq(int, sparse_table_init(&copies[i], 60000), ST_OK));
    uint32_t now = 0;
    for (size_t round = 0; round < 120; round++) {
        size_t n = round % 40 == 39 ? 80000 : (size_t)(600 * noise(&seed));
        for (size_t i = 0; i < n; i++) {
            set(&table, mix((uint64_t)(100000 * noise(&seed))), (float)i, ++now);
            sparse_table_sweep(&table, 2, now, 50000);
        }
        struct sparse_table *copy = &copies[(size_t)(3 * noise(&seed))];
        sparse_table_publish(&table, copy);
        expect_same(&table, copy);
    }
    cr_expect(table.n > 20000);
    sparse_table_done(&table);
    for (size_t i = 0; i < 3; i++)
        sparse_table_done(&copies[i]);
}

/* The test of the test above: publishing is not simply copying everything. */
Test(sparse_table, publishing_copies_only_what_was_touched)
{
    struct sparse_table table, copy;
    cr_assert(eq(int, sparse_table_init(&table, 1000), ST_OK));
    cr_assert(eq(int, sparse_table_init(&copy, 1000), ST_OK));
    for (size_t i = 0; i < 600; i++)
        set(&table, mix(i), 1, 1);
    sparse_table_publish(&table, &copy);
    size_t untouched = sparse_table_find(&copy, mix(7));
    copy.cells[untouched].weight = 99;
    set(&table, mix(8), 5, 2);
    sparse_table_publish(&table, &copy);
    cr_expect(eq(flt, weight_of(&copy, mix(8)), 5));
    cr_expect(eq(flt, weight_of(&copy, mix(7)), 99));
    sparse_table_done(&table);
    sparse_table_done(&copy);
}

static void fill(struct sparse_table *table, uint64_t seed, size_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        set(table, mix((uint64_t)(3000 * noise(&seed))), (float)i, 1000 + i / 10);
        sparse_table_sweep(table, 2, 1000 + i / 10, 150);
    }
}

Test(sparse_table, goes_on_from_a_file_as_before)
{
    struct sparse_table straight, loaded;
    cr_assert(eq(int, sparse_table_init(&straight, 1500), ST_OK));
    cr_assert(eq(int, sparse_table_init(&loaded, 1500), ST_OK));
    fill(&straight, 3, 5000);
    struct tensors *tensors = tensors_create();
    sparse_table_save(&straight, tensors);
    fill(&loaded, 9, 100); /* must not matter */
    cr_assert(eq(int, sparse_table_load(&loaded, tensors), ST_OK));
    expect_same(&straight, &loaded);
    fill(&straight, 4, 5000);
    fill(&loaded, 4, 5000);
    expect_same(&straight, &loaded);
    tensors_free(tensors);
    sparse_table_done(&straight);
    sparse_table_done(&loaded);
}

Test(sparse_table, a_smaller_table_keeps_what_it_can)
{
    struct sparse_table large, small;
    cr_assert(eq(int, sparse_table_init(&large, 10000), ST_OK));
    cr_assert(eq(int, sparse_table_init(&small, 200), ST_OK));
    for (uint32_t i = 0; i < 5000; i++)
        set(&large, mix(i), (float)i, i);
    struct tensors *tensors = tensors_create();
    sparse_table_save(&large, tensors);
    cr_assert(eq(int, sparse_table_load(&small, tensors), ST_OK));
    cr_expect(eq(sz, small.n, 200));
    for (size_t at = 0; at <= small.mask; at++)
        if (small.cells[at].key)
            cr_expect(eq(flt, small.cells[at].weight, weight_of(&large, small.cells[at].key)));
    tensors_free(tensors);
    sparse_table_done(&large);
    sparse_table_done(&small);
}

/* Files that break one rule each. */
static void expect_refused(uint64_t places, uint64_t hand, uint32_t place, uint64_t key, float w,
                           const char *why)
{
    struct sparse_table table;
    struct tensors *tensors = tensors_create();
    size_t n = 2;
    uint64_t shape[] = {places, hand}, keys[] = {mix(1), key};
    uint32_t at[] = {(uint32_t)(mix(1) & 1023), place}, seen[2] = {0};
    float weights[] = {1, w};
    double z[2] = {0};
    tensors_put(tensors, "table.shape", TENSOR_U64, &n, 1, shape);
    tensors_put(tensors, "table.key", TENSOR_U64, &n, 1, keys);
    tensors_put(tensors, "table.place", TENSOR_U32, &n, 1, at);
    tensors_put(tensors, "table.w", TENSOR_F32, &n, 1, weights);
    tensors_put(tensors, "table.z", TENSOR_F64, &n, 1, z);
    tensors_put(tensors, "table.root", TENSOR_F64, &n, 1, z);
    tensors_put(tensors, "table.seen", TENSOR_U32, &n, 1, seen);
    cr_assert(eq(int, sparse_table_init(&table, 1000), ST_OK));
    enum status st = sparse_table_load(&table, tensors);
    cr_expect(eq(int, st, why ? ST_ECORRUPT : ST_OK), "%s", why ? why : "sound");
    cr_expect(eq(sz, table.n, why ? 0 : 2), "%s", why ? why : "sound");
    tensors_free(tensors);
    sparse_table_done(&table);
}

Test(sparse_table, load_refuses)
{
    uint64_t key = mix(2);
    uint32_t home = (uint32_t)(key & 1023), taken = (uint32_t)(mix(1) & 1023);
    expect_refused(1024, 0, home, key, 1, NULL);
    expect_refused(1000, 0, home, key, 1, "no power of two");
    expect_refused(0, 0, home, key, 1, "no places");
    expect_refused(1024, 1024, home, key, 1, "the hand is outside");
    expect_refused(1024, 0, 1024, key, 1, "a place is outside");
    expect_refused(1024, 0, taken, key, 1, "a place is taken");
    expect_refused(1024, 0, (home + 7) & 1023, key, 1, "not where it would be found");
    expect_refused(1024, 0, home, 0, 1, "no key");
    expect_refused(1024, 0, (home + 1) & 1023, mix(1), 1, "a key twice");
    expect_refused(1024, 0, home, key, 0.0f / 0.0f, "a weight that is no number");
    expect_refused(UINT64_C(1) << 62, 0, home, key, 0.0f / 0.0f, "so in a table of another size");
    struct sparse_table table;
    struct tensors *none = tensors_create();
    cr_assert(eq(int, sparse_table_init(&table, 1000), ST_OK));
    cr_expect(eq(int, sparse_table_load(&table, none), ST_ECORRUPT));
    tensors_free(none);
    sparse_table_done(&table);
}

/* Admission. */

Test(admission, lets_in_at_the_threshold)
{
    struct admission admission;
    cr_assert(eq(int, admission_init(&admission, 3, 100000), ST_OK));
    cr_expect(not(admission_count(&admission, mix(1))));
    cr_expect(not(admission_count(&admission, mix(1))));
    cr_expect(not(admission_count(&admission, mix(2))));
    cr_expect(admission_count(&admission, mix(1)));
    cr_expect(admission_count(&admission, mix(1)));
    admission_done(&admission);
}

Test(admission, a_threshold_of_one_needs_no_memory)
{
    struct admission admission;
    cr_assert(eq(int, admission_init(&admission, 1, 100000), ST_OK));
    cr_expect(admission.counters == NULL);
    cr_expect(admission_count(&admission, mix(1)));
    admission_done(&admission);
}

/* Few are let in too early, none too late. */
Test(admission, errs_seldom_and_on_one_side)
{
    struct admission admission;
    enum { N = 20000 };
    size_t early = 0;
    cr_assert(eq(int, admission_init(&admission, 3, N), ST_OK));
    for (unsigned time = 1; time <= 3; time++)
        for (size_t i = 0; i < N; i++) {
            bool in = admission_count(&admission, mix(i));
            early += in && time < 3;
            cr_assert(in || time < 3, "key %zu came too late", i);
        }
    cr_expect(early < 2 * N / 10, "%zu of %d too early", early, N);
    admission_done(&admission);
}

/* 1024 counters: after 1024 counts all are halved, and what was seen once was never seen. */
Test(admission, forgets_what_was_long_ago)
{
    struct admission admission;
    cr_assert(eq(int, admission_init(&admission, 2, 512), ST_OK));
    cr_assert(eq(sz, admission.mask, 1023));
    cr_expect(not(admission_count(&admission, mix(2))));
    admission.counted = 1023;
    cr_expect(not(admission_count(&admission, mix(3))), "this one halves");
    cr_expect(eq(u64, admission.counted, 0));
    cr_expect(not(admission_count(&admission, mix(2))), "forgotten");
    cr_expect(admission_count(&admission, mix(2)));
    admission_done(&admission);
}

Test(admission, goes_on_from_a_file)
{
    struct admission a, b;
    cr_assert(eq(int, admission_init(&a, 5, 1000), ST_OK));
    cr_assert(eq(int, admission_init(&b, 5, 1000), ST_OK));
    for (size_t i = 0; i < 4000; i++)
        admission_count(&a, mix(i % 1300));
    struct tensors *tensors = tensors_create();
    admission_save(&a, tensors);
    admission_load(&b, tensors);
    cr_expect(eq(u64, a.counted, b.counted));
    cr_expect(memcmp(a.counters, b.counters, a.mask + 1) == 0);
    tensors_free(tensors);
    admission_done(&a);
    admission_done(&b);
}
