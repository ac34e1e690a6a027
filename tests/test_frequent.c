/*
 * Tests of base/space_saving.h and base/count_min.h: how often values came.
 *
 * What is known without running it: few values are counted exactly; of skewed streams, against
 * counts in an array: SpaceSaving's counters add up, are never too low and never more than n/size
 * too high, and every value above n/size has one; count-min is never too low, and too high by more
 * than e n/size for at most one value in e^4, with room for chance.
 */
#include "base/count_min.h"
#include "base/space_saving.h"
#include "tests/sketch_fixture.h"

enum { VALUES = 500, N = 20000 };

struct stream {
    unsigned drawn[N];
    unsigned counts[VALUES];
};

static const struct stream *make_stream(uint64_t seed, double skew)
{
    static struct stream stream;
    struct rng rng = rng_of(seed);
    struct zipf zipf = zipf_of(VALUES, skew);
    memset(&stream, 0, sizeof stream);
    for (size_t i = 0; i < N; i++)
        stream.counts[stream.drawn[i] = (unsigned)rng_zipf(&rng, &zipf)]++;
    return &stream;
}

/* Memory that is freed with the union. */
static struct space_union read_space(const struct made *sketches, size_t n)
{
    struct space_union all;
    void *memory = malloc(space_union_bytes(sketches[0].size, n));
    cr_assert(memory != NULL);
    space_union_begin(&all, memory, sketches[0].size, n);
    for (size_t i = 0; i < n; i++)
        space_union_merge(&all, sketches[i].data, sketches[i].bytes);
    return all;
}

Test(space_saving, few_values_are_exact)
{
    struct made made = make_sketch(&sketch_space_saving, 16);
    for (uint64_t v = 1; v <= 16; v++)
        for (uint64_t i = 0; i < v; i++)
            add_hash(&made, hash_of(0, v));
    struct space_union all = read_space(&made, 1);
    for (uint64_t v = 1; v <= 16; v++)
        cr_expect(eq(dbl, space_union_count(&all, hash_of(0, v)), (double)v));
    cr_expect(eq(dbl, space_union_count(&all, hash_of(0, 17)), 0));
    cr_expect(eq(dbl, space_union_top(&all), 16));
    cr_expect(eq(dbl, all.total, 136));
    space_union_add(&all, hash_of(0, 17));
    cr_expect(eq(dbl, space_union_top(&all), 16));
    cr_expect(eq(dbl, space_union_count(&all, hash_of(0, 17)), 1));
    free(all.entries);
    free(made.data);
}

Test(space_saving, takes_over_the_least)
{
    struct made made = make_sketch(&sketch_space_saving, 2);
    static const uint64_t values[] = {1, 1, 1, 2, 3};
    for (size_t i = 0; i < LEN(values); i++)
        add_hash(&made, hash_of(0, values[i]));
    struct space_union all = read_space(&made, 1);
    cr_expect(eq(dbl, space_union_count(&all, hash_of(0, 1)), 3));
    cr_expect(eq(dbl, space_union_count(&all, hash_of(0, 2)), 0));
    cr_expect(eq(dbl, space_union_count(&all, hash_of(0, 3)), 2));
    free(all.entries);
    free(made.data);
}

/* In one sketch, and in eight that are read together, whose bounds add up to the same. */
static void check_bounds(const struct stream *stream, size_t sketches, unsigned size)
{
    struct made made[8];
    for (size_t i = 0; i < sketches; i++)
        made[i] = make_sketch(&sketch_space_saving, size);
    for (size_t i = 0; i < N; i++)
        add_hash(&made[i * sketches / N], hash_of(0, stream->drawn[i]));
    struct space_union all = read_space(made, sketches);
    cr_expect(eq(dbl, all.total, N));
    for (unsigned v = 0; v < VALUES; v++) {
        double got = space_union_count(&all, hash_of(0, v)), exact = stream->counts[v];
        cr_expect(got <= exact + (double)N / size, "%u: %g of %g", v, got, exact);
        cr_expect(got >= exact - (double)N / size, "%u: %g of %g", v, got, exact);
        cr_expect(sketches > 1 || got == 0 || got >= exact, "%u: %g of %g", v, got, exact);
        cr_expect(got > 0 || exact <= (double)N / size, "%u of %g has no counter", v, exact);
    }
    for (size_t i = 0; i < sketches; i++)
        free(made[i].data);
    free(all.entries);
}

Test(space_saving, keeps_its_bounds)
{
    for (int skew = 0; skew < 3; skew++) {
        const struct stream *stream = make_stream((uint64_t)skew, skew * .75);
        check_bounds(stream, 1, 16);
        check_bounds(stream, 1, 100);
        check_bounds(stream, 8, 16);
    }
}

Test(count_min, keeps_its_bounds)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        const struct stream *stream = make_stream(seed, .5 * (double)(seed % 3));
        struct made made[2] = {make_sketch(&sketch_count_min, 64),
                               make_sketch(&sketch_count_min, 64)};
        unsigned too_high = 0;
        for (size_t i = 0; i < N; i++)
            add_hash(&made[i % 2], hash_of(seed, stream->drawn[i]));
        for (unsigned v = 0; v < VALUES; v++) {
            struct count_min_query query = count_min_query_of(hash_of(seed, v));
            count_min_query_add(&query, 64, made[0].data);
            count_min_query_add(&query, 64, made[1].data);
            double got = count_min_query_count(&query);
            cr_expect(got >= stream->counts[v]);
            too_high += got > stream->counts[v] + 2.7183 * N / 64;
        }
        cr_expect(too_high < VALUES / 25, "%u", too_high);
        free(made[0].data);
        free(made[1].data);
    }
}

Test(count_min, one_value_is_exact)
{
    struct made made = make_sketch(&sketch_count_min, 16);
    for (int i = 0; i < 1000; i++)
        add_hash(&made, hash_of(0, 5));
    struct count_min_query query = count_min_query_of(hash_of(0, 5));
    count_min_query_add(&query, 16, made.data);
    cr_expect(eq(dbl, count_min_query_count(&query), 1000));
    free(made.data);
}
