/*
 * Tests of base/hll.h.
 *
 * What is known without running it: small counts are exact; neither order nor repeats matter, to
 * the last byte; merging is as good as having seen all in one; the error over many streams is the
 * one that is promised, and without bias.
 */
#include "base/hll.h"

#include <math.h>

#include "tests/sketch_fixture.h"

static double estimate(const struct made *sketches, size_t n)
{
    static struct hll_union all;
    hll_union_begin(&all, sketches[0].size);
    for (size_t i = 0; i < n; i++)
        hll_union_merge(&all, sketches[i].data, sketches[i].bytes);
    return hll_union_estimate(&all);
}

static struct made filled(unsigned size, uint64_t seed, uint64_t from, uint64_t to)
{
    struct made made = make_sketch(&sketch_hll, size);
    for (uint64_t i = from; i < to; i++)
        add_hash(&made, hash_of(seed, i));
    return made;
}

Test(hll, small_counts_are_exact)
{
    for (uint64_t n = 0; n < 256 / 8; n++) {
        struct made made = filled(256, 7, 0, n);
        for (uint64_t i = 0; i < n; i++)
            add_hash(&made, hash_of(7, n - 1 - i));
        cr_expect(eq(dbl, estimate(&made, 1), (double)n));
        free(made.data);
    }
}

Test(hll, is_small_while_it_holds_little)
{
    struct made made = filled(1024, 1, 0, 4);
    cr_expect(eq(sz, made.bytes, 16));
    free(made.data);
    made = filled(1024, 1, 0, 100000);
    cr_expect(eq(sz, made.bytes, 1024));
    free(made.data);
}

Test(hll, order_and_repeats_do_not_matter)
{
    struct made forth = filled(256, 3, 0, 5000), back = make_sketch(&sketch_hll, 256);
    for (uint64_t i = 5000; i-- > 0;) {
        add_hash(&back, hash_of(3, i));
        add_hash(&back, hash_of(3, i / 2));
    }
    cr_expect(forth.bytes == back.bytes && memcmp(forth.data, back.data, back.bytes) == 0);
    free(forth.data);
    free(back.data);
}

/* Lists with registers, lists with lists, parts that overlap. */
Test(hll, merged_is_as_seen_in_one)
{
    static const uint64_t cuts[][2] = {{10, 10}, {40, 90}, {70, 30},
                                       {300, 5}, {5, 300}, {900, 800}};
    for (size_t c = 0; c < LEN(cuts); c++) {
        uint64_t all = cuts[c][0] + cuts[c][1];
        struct made parts[2] = {filled(128, c, 0, cuts[c][0] + cuts[c][1] / 2),
                                filled(128, c, cuts[c][0], all)};
        struct made whole = filled(128, c, 0, all);
        double apart = estimate(parts, 2), together = estimate(&whole, 1);
        if (all <= HLL_EXACT)
            cr_expect(apart == (double)all);
        else if (whole.bytes == 128) /* registers: no list is finer than the others */
            cr_expect(apart == together, "%zu: %g, not %g", c, apart, together);
        free(parts[0].data);
        free(parts[1].data);
        free(whole.data);
    }
}

/* Over 200 streams: the root of the mean square is within a fifth of 1.04 / sqrt(size), the mean
 * within four of its own standard errors. */
Test(hll, errs_as_promised)
{
    enum { STREAMS = 200 };
    static const uint64_t counts[] = {100, 300, 700, 3000, 20000};
    const double promised = 1.04 / sqrt(256);
    double squares[LEN(counts)] = {0}, sums[LEN(counts)] = {0};
    for (uint64_t seed = 0; seed < STREAMS; seed++) {
        struct made made = make_sketch(&sketch_hll, 256);
        size_t c = 0;
        for (uint64_t i = 0; c < LEN(counts); i++) {
            if (i == counts[c]) {
                double error = estimate(&made, 1) / (double)counts[c++] - 1;
                squares[c - 1] += error * error / STREAMS;
                sums[c - 1] += error / STREAMS;
            }
            made.bytes == 256 ? made.type->add(256, made.data, 256,
                                               (union sketch_value){.hash = hash_of(seed, i)},
                                               &(struct sketch_change){0})
                              : add_hash(&made, hash_of(seed, i));
        }
        free(made.data);
    }
    for (size_t c = 0; c < LEN(counts); c++) {
        cr_expect(sqrt(squares[c]) < 1.2 * promised, "%g", sqrt(squares[c]));
        cr_expect(fabs(sums[c]) < 4 * promised / sqrt(STREAMS), "%g", sums[c]);
    }
}

Test(hll, spoilt_bytes_are_refused_or_harmless)
{
    struct rng rng = rng_of(5);
    _Alignas(8) uint8_t bytes[64];
    static struct hll_union all;
    for (int i = 0; i < 2000; i++) {
        for (size_t b = 0; b < sizeof bytes; b++)
            bytes[b] = (uint8_t)rng_below(&rng, i % 2 ? 256 : 60);
        size_t n = (size_t)16 << rng_below(&rng, 3);
        if (!sketch_hll.valid(64, bytes, n))
            continue;
        hll_union_begin(&all, 64);
        hll_union_merge(&all, bytes, n);
        for (uint64_t k = 0; k < 100; k++)
            hll_union_add(&all, hash_of(1, k));
        cr_assert(hll_union_estimate(&all) > 0);
    }
    cr_expect(sketch_hll.valid(64, bytes, 24) == false);
    cr_expect(sketch_hll.valid(64, bytes, 128) == false);
}
