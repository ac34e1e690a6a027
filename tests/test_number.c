/*
 * Tests of base/number.h.
 *
 * Known without running it: which decimal is the shortest that reads back (a few by hand), that
 * every finite double survives the way to text and back bit for bit, that 17 digits are what C's
 * printf writes, and which texts are no decimal numbers.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/number.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t random_bits(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

struct shortest_case {
    double v;
    char text[28];
};

ParameterizedTestParameters(number, writes_the_shortest)
{
    static struct shortest_case cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {57.16, "57.16"},
        {0.1, "0.1"},
        {1.0 / 3.0, "0.3333333333333333"},
        {1e-7, "1e-07"},
        {-1.5, "-1.5"},
        {1e300, "1e+300"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MIN, "-2.2250738585072014e-308"},
        {4.9406564584124654e-324, "5e-324"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    return cr_make_param_array(struct shortest_case, cases, LEN(cases));
}

ParameterizedTest(struct shortest_case *c, number, writes_the_shortest)
{
    char text[NUMBER_TEXT_MAX + 1];
    text[number_from_double(c->v, text)] = '\0';
    cr_expect(eq(str, text, c->text));
}

Test(number, sign_of_nan_is_not_written)
{
    char text[NUMBER_TEXT_MAX + 1];
    text[number_from_double(-NAN, text)] = '\0';
    cr_expect(eq(str, text, "nan"));
    text[number_from_double_17(-NAN, text)] = '\0';
    cr_expect(eq(str, text, "nan"));
}

Test(number, float_is_written_for_a_float)
{
    char text[NUMBER_TEXT_MAX + 1];
    text[number_from_float(0.1f, text)] = '\0';
    cr_expect(eq(str, text, "0.1"));
    text[number_from_double((double)0.1f, text)] = '\0';
    cr_expect(eq(str, text, "0.10000000149011612"));
}

/* Random bit patterns are doubles of every magnitude, subnormal ones and both signs included. */
Test(number, doubles_survive_text)
{
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = random_bits(&seed), again;
        double v, back = 0;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        char text[NUMBER_TEXT_MAX];
        size_t len = number_from_double(v, text);
        cr_assert(len <= NUMBER_TEXT_MAX);
        cr_assert(eq(int, number_to_double((struct slice){text, len}, &back), ST_OK));
        memcpy(&again, &back, sizeof back);
        cr_assert(eq(u64, again, bits), "%.*s", (int)len, text);
    }
}

Test(number, seventeen_digits_are_those_of_printf)
{
    uint64_t seed = 362436069;
    for (int i = 0; i < 50000; i++) {
        double v =
            (double)(int64_t)random_bits(&seed) * pow(10.0, (int)(random_bits(&seed) % 40) - 30);
        char text[NUMBER_TEXT_MAX + 1], expected[64];
        text[number_from_double_17(v, text)] = '\0';
        snprintf(expected, sizeof expected, "%.17g", v);
        cr_assert(eq(str, text, expected));
    }
}

Test(number, ints_survive_text)
{
    static const int64_t values[] = {0, -1, 7, 100, -1000000007, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < LEN(values); i++) {
        char text[NUMBER_TEXT_MAX + 1], expected[32];
        size_t len = number_from_int(values[i], text);
        text[len] = '\0';
        snprintf(expected, sizeof expected, "%" PRId64, values[i]);
        cr_expect(eq(str, text, expected));
        int64_t back = 42;
        cr_expect(eq(int, number_to_int((struct slice){text, len}, &back), ST_OK));
        cr_expect(eq(i64, back, values[i]));
    }
}

struct read_case {
    char text[32];
    double v;
};

ParameterizedTestParameters(number, reads)
{
    static struct read_case cases[] = {
        {"12", 12.0},     {"-0.5", -0.5},
        {"1e9", 1e9},     {"+1", 1.0},
        {".5", 0.5},      {"5.", 5.0},
        {"-.25", -0.25},  {"1E-3", 1e-3},
        {"+1.5e+2", 150}, {"00012", 12.0},
        {"57.16", 57.16}, {"9007199254740993", 9007199254740992.0},
        {"0e999", 0.0},   {"4.9e-324", 4.9406564584124654e-324},
    };
    return cr_make_param_array(struct read_case, cases, LEN(cases));
}

ParameterizedTest(struct read_case *c, number, reads)
{
    double v = NAN;
    cr_assert(eq(int, number_to_double(slice_of(c->text), &v), ST_OK), "%s", c->text);
    cr_expect(eq(dbl, v, c->v), "%s", c->text);
}

struct refused_case {
    char text[24];
};

ParameterizedTestParameters(number, refuses)
{
    static struct refused_case cases[] = {
        {""},    {" "},     {"-"},      {"+"},    {"."},        {"e5"},   {"1e"},
        {"1x"},  {" 1"},    {"1 "},     {"--1"},  {"+-1"},      {"-+1"},  {"0x10"},
        {"1,5"}, {"1_000"}, {"nan"},    {"-nan"}, {"inf"},      {"+inf"}, {"-inf"},
        {"NaN"}, {"1e400"}, {"1e-400"}, {"1..2"}, {"Infinity"},
    };
    return cr_make_param_array(struct refused_case, cases, LEN(cases));
}

ParameterizedTest(struct refused_case *c, number, refuses)
{
    double v = 42.0;
    int64_t n = 42;
    cr_expect(eq(int, number_to_double(slice_of(c->text), &v), ST_EINVAL), "%s", c->text);
    cr_expect(eq(dbl, v, 42.0));
    cr_expect(eq(int, number_to_int(slice_of(c->text), &n), ST_EINVAL), "%s", c->text);
    cr_expect(eq(i64, n, 42));
}

ParameterizedTestParameters(number, refuses_as_int)
{
    static struct refused_case cases[] = {
        {"1.0"}, {"1e3"}, {"9223372036854775808"}, {"-9223372036854775809"}, {".5"},
    };
    return cr_make_param_array(struct refused_case, cases, LEN(cases));
}

ParameterizedTest(struct refused_case *c, number, refuses_as_int)
{
    int64_t n = 42;
    cr_expect(eq(int, number_to_int(slice_of(c->text), &n), ST_EINVAL), "%s", c->text);
    cr_expect(eq(i64, n, 42));
}

Test(number, reads_only_the_slice)
{
    double v = 0;
    cr_expect(eq(int, number_to_double((struct slice){"12345", 2}, &v), ST_OK));
    cr_expect(eq(dbl, v, 12.0));
    cr_expect(eq(int, number_to_double((struct slice){0}, &v), ST_EINVAL));
}

Test(number, appends_to_a_buffer)
{
    struct buf buf = {0};
    buf_double(&buf, 0.25);
    buf_byte(&buf, ' ');
    buf_float(&buf, 0.1f);
    buf_byte(&buf, ' ');
    buf_int(&buf, -3);
    cr_expect(slice_eq(buf_slice(&buf), slice_of("0.25 0.1 -3")));
    buf_done(&buf);
}
