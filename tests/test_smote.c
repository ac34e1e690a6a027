/*
 * Tests of models/smote.h.
 *
 * Known without running it: of two rows, new ones lie between them, and fill what lies between
 * evenly (exact answers); each new row lies on the line between the row it says and one of that
 * row's k nearest, found here by sorting all (law); units of columns change nothing but the unit of
 * what comes out (law); the same seed gives the same rows, another others; and what is missing,
 * constant, huge, or too little to make anything from.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/smote.h"

enum { ROWS = 40, COLUMNS = 3, NEW = 500 };

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / (double)(UINT64_C(1) << 53);
}

static void make(const float *rows, size_t n, size_t columns, size_t k, uint64_t seed,
                 float *ret_rows, uint32_t *ret_from)
{
    struct smote_options options = {k, seed};
    cr_assert(eq(int, smote_make(&options, rows, n, columns, NEW, ret_rows, ret_from), ST_OK));
}

Test(smote, two_rows_are_joined_by_a_line)
{
    float rows[] = {0, 10, 4, 30}, made[NEW * 2];
    double mean = 0;
    make(rows, 2, 2, 5, 1, made, NULL);
    for (size_t i = 0; i < NEW; i++) {
        float place = made[2 * i] / 4;
        cr_expect(place >= 0 && place <= 1);
        cr_expect(epsilon_eq(flt, made[2 * i + 1], 10 + 20 * place, 1e-4f));
        mean += (double)place / NEW;
    }
    cr_expect(epsilon_eq(dbl, mean, 0.5, 0.05), "%g", mean);
}

static void random_rows(float *rows, double unit, uint64_t seed)
{
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        rows[i] = (float)((i % COLUMNS == 1 ? unit : 1) * noise(&seed));
}

/* Squared, of columns in standard deviations. */
static double distance(const float *rows, size_t a, size_t b)
{
    double sum = 0;
    for (size_t c = 0; c < COLUMNS; c++) {
        double mean = 0, m2 = 0, d = (double)rows[a * COLUMNS + c] - (double)rows[b * COLUMNS + c];
        for (size_t i = 0; i < ROWS; i++)
            mean += (double)rows[i * COLUMNS + c] / ROWS;
        for (size_t i = 0; i < ROWS; i++)
            m2 += pow((double)rows[i * COLUMNS + c] - mean, 2) / ROWS;
        sum += d * d / m2;
    }
    return sum;
}

static bool is_between(const float *row, const float *a, const float *b)
{
    double place = ((double)row[0] - (double)a[0]) / ((double)b[0] - (double)a[0]);
    for (size_t c = 1; c < COLUMNS; c++) {
        double there = (double)a[c] + place * ((double)b[c] - (double)a[c]);
        if (fabs(there - (double)row[c]) > 1e-3 * fabs((double)b[c] - (double)a[c]) + 1e-6)
            return false;
    }
    return place >= -1e-6 && place <= 1 + 1e-6;
}

/* How many rows are nearer to a than b is. */
static size_t rank_of(const float *rows, size_t a, size_t b)
{
    size_t rank = 0;
    for (size_t i = 0; i < ROWS; i++)
        rank += i != a && i != b && distance(rows, a, i) < distance(rows, a, b);
    return rank;
}

Test(smote, rows_lie_between_a_row_and_one_of_its_nearest)
{
    enum { K = 4 };
    float rows[ROWS * COLUMNS], *made = calloc(NEW * COLUMNS, sizeof *made);
    uint32_t from[NEW];
    size_t used[ROWS] = {0};
    random_rows(rows, 1000, 3);
    make(rows, ROWS, COLUMNS, K, 7, made, from);
    for (size_t i = 0; i < NEW; i++) {
        bool found = false;
        for (size_t b = 0; b < ROWS && !found; b++)
            found = b != from[i] && rank_of(rows, from[i], b) < K &&
                    is_between(made + i * COLUMNS, rows + from[i] * COLUMNS, rows + b * COLUMNS);
        cr_expect(found, "row %zu", i);
        used[from[i]]++;
    }
    for (size_t i = 0; i < ROWS; i++)
        cr_expect(used[i] > 0, "row %zu is never begun with", i);
    free(made);
}

Test(smote, units_do_not_matter)
{
    float rows[ROWS * COLUMNS], scaled[ROWS * COLUMNS];
    float *made = calloc(NEW * COLUMNS, sizeof *made),
          *other = calloc(NEW * COLUMNS, sizeof *other);
    random_rows(rows, 1, 5);
    random_rows(scaled, 1024, 5);
    make(rows, ROWS, COLUMNS, 5, 9, made, NULL);
    make(scaled, ROWS, COLUMNS, 5, 9, other, NULL);
    for (size_t i = 0; i < NEW * COLUMNS; i++)
        cr_expect(eq(flt, other[i], (i % COLUMNS == 1 ? 1024 : 1) * made[i]));
    free(made);
    free(other);
}

Test(smote, the_seed_decides)
{
    float rows[ROWS * COLUMNS], made[3][NEW * COLUMNS];
    random_rows(rows, 1, 5);
    make(rows, ROWS, COLUMNS, 5, 1, made[0], NULL);
    make(rows, ROWS, COLUMNS, 5, 1, made[1], NULL);
    make(rows, ROWS, COLUMNS, 5, 2, made[2], NULL);
    cr_expect(memcmp(made[0], made[1], sizeof made[0]) == 0);
    cr_expect(memcmp(made[0], made[2], sizeof made[0]) != 0);
}

/* The middle row's numbers are missing in part, in all of a column, constant, and huge. */
Test(smote, odd_numbers)
{
    float rows[] = {1, NAN, 7, -3e38f, NAN, NAN, 7, 0, 3, NAN, 7, 3e38f}, made[NEW * 4];
    uint32_t from[NEW];
    make(rows, 3, 4, 2, 1, made, from);
    for (size_t i = 0; i < NEW; i++) {
        const float *row = made + 4 * i;
        cr_expect(isnan(row[0]) == (from[i] == 1), "missing where the first of the two is");
        cr_expect(isnan(row[0]) || (row[0] >= 1 && row[0] <= 3));
        cr_expect(isnan(row[1]));
        cr_expect(eq(flt, row[2], 7));
        cr_expect(row[3] >= -3e38f && row[3] <= 3e38f);
    }
}

Test(smote, rows_that_are_all_the_same)
{
    float rows[8] = {5, 6, 5, 6, 5, 6, 5, 6}, made[NEW * 2];
    make(rows, 4, 2, 3, 1, made, NULL);
    for (size_t i = 0; i < NEW; i++)
        cr_expect(made[2 * i] == 5 && made[2 * i + 1] == 6);
}

struct refusal {
    char name[32];
    size_t n, columns, k;
};

ParameterizedTestParameters(smote, refusals)
{
    static struct refusal cases[] = {
        {"no rows", 0, 2, 5},
        {"one row", 1, 2, 5},
        {"no columns", 4, 0, 5},
        {"no neighbours", 4, 2, 0},
        {"too many", 4, 2, SMOTE_NEIGHBOURS_MAX + 1},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refusal *c, smote, refusals)
{
    float rows[8] = {0}, made[8] = {77};
    struct smote_options options = {c->k, 1};
    cr_expect(eq(int, smote_make(&options, rows, c->n, c->columns, 1, made, NULL), ST_EINVAL), "%s",
              c->name);
    cr_expect(eq(flt, made[0], 77), "%s", c->name);
}
