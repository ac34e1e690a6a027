/*
 * Tests of models/psi.h.
 *
 * Known without running it: the index of two bins by hand; that a sample against itself is 0 and
 * that exchanging equal-sized counts changes nothing; where edges fall among ties and missing
 * numbers; and NumPy's figures of made-up scores (tests/data/judge/make_golden.py).
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/psi.h"

Test(psi, by_hand)
{
    /* Shares (3.5/5, 1.5/5) and (1.5/5, 3.5/5): twice 0.4 * ln(7/3). */
    double a[] = {3, 1}, b[] = {1, 3}, none[] = {0, 0};
    cr_expect(epsilon_eq(dbl, psi_of_counts(a, b, 2), 0.8 * log(7.0 / 3), 1e-14));
    cr_expect(epsilon_eq(dbl, psi_of_counts(b, a, 2), psi_of_counts(a, b, 2), 1e-14));
    cr_expect(eq(dbl, psi_of_counts(a, a, 2), 0));
    cr_expect(isnan(psi_of_counts(a, none, 2)) && isnan(psi_of_counts(none, a, 2)));
}

Test(psi, edges_are_tenths)
{
    float values[100], weights[100];
    struct psi_edges edges;
    for (size_t i = 0; i < 100; i++) {
        values[i] = (float)((i * 37) % 100); /* 0 to 99 in some order */
        weights[i] = values[i] < 50 ? 1 : 0;
    }
    cr_assert(eq(int, psi_make_edges(values, NULL, 100, &edges), ST_OK));
    cr_assert(eq(sz, edges.n, 9));
    for (size_t i = 0; i < 9; i++)
        cr_expect(eq(flt, edges.edges[i], (float)(10 * i + 9)));
    cr_expect(eq(sz, psi_bin(&edges, 9), 1));
    cr_expect(eq(sz, psi_bin(&edges, 9.5f), 2));
    cr_expect(eq(sz, psi_bin(&edges, INFINITY), 10));
    cr_expect(eq(sz, psi_bin(&edges, -INFINITY), 1));
    cr_expect(eq(sz, psi_bin(&edges, NAN), 0));
    cr_assert(eq(int, psi_make_edges(values, weights, 100, &edges), ST_OK));
    cr_expect(eq(flt, edges.edges[0], 4));
}

Test(psi, ties_and_missing_numbers)
{
    float zeros[20] = {0}, mixed[20] = {0}, missing[20];
    struct psi_edges edges;
    double psi;
    for (size_t i = 0; i < 20; i++)
        missing[i] = NAN;
    mixed[19] = 1;
    cr_assert(eq(int, psi_make_edges(zeros, NULL, 20, &edges), ST_OK));
    cr_expect(eq(sz, edges.n, 0));
    cr_assert(eq(int, psi_make_edges(mixed, NULL, 20, &edges), ST_OK));
    cr_assert(eq(sz, edges.n, 1));
    cr_expect(eq(flt, edges.edges[0], 0));
    cr_assert(eq(int, psi_of_samples(mixed, 20, mixed, 20, &psi), ST_OK));
    cr_expect(eq(dbl, psi, 0));
    cr_assert(eq(int, psi_of_samples(zeros, 20, missing, 20, &psi), ST_OK));
    cr_expect(psi > 3, "all is missing: %g", psi);
    cr_assert(eq(int, psi_of_samples(missing, 20, missing, 20, &psi), ST_OK));
    cr_expect(eq(dbl, psi, 0));
    cr_assert(eq(int, psi_of_samples(zeros, 20, NULL, 0, &psi), ST_OK));
    cr_expect(isnan(psi));
}

/* Skips to the case's index, its last figure, and takes the scores behind it. */
Test(psi, as_numpy_says)
{
    FILE *file = fopen(TEST_DATA "/judge/golden.txt", "r");
    cr_assert(ne(ptr, file, NULL));
    char name[32];
    size_t n, cases = 0;
    static float scores[2][5000];
    for (; fscanf(file, "%31s %zu", name, &n) == 2; cases++) {
        double want = 0, got, label, weight;
        for (size_t i = 0; i < 22; i++)
            cr_assert(eq(int, fscanf(file, "%lf", &want), 1));
        for (size_t i = 0; i < n; i++)
            cr_assert(eq(
                int, fscanf(file, "%lf %lf %f %f", &label, &weight, &scores[0][i], &scores[1][i]),
                4));
        cr_assert(eq(int, psi_of_samples(scores[0], n, scores[1], n, &got), ST_OK));
        cr_expect(epsilon_eq(dbl, got, want, 1e-12), "%s", name);
    }
    fclose(file);
    cr_expect(eq(sz, cases, 7));
}
