/*
 * Tests of models/ubjson.h.
 *
 * What is known without running it: the bytes of small values, written by hand from the
 * specification; a value that is cut anywhere, or has bytes behind it, is refused; nesting without
 * end is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "models/ubjson.h"

struct number_case {
    char bytes[12];
    size_t len;
    double value;
};

ParameterizedTestParameters(ubjson, numbers)
{
    static struct number_case cases[] = {
        {"i\xff", 2, -1},
        {"U\xff", 2, 255},
        {"I\xff\xfe", 3, -2},
        {"l\x00\x01\x00\x00", 5, 65536},
        {"L\xff\xff\xff\xff\xff\xff\xff\xfd", 9, -3},
        {"d\x3f\x80\x00\x00", 5, 1},
        {"D\xbf\xe0\x00\x00\x00\x00\x00\x00", 9, -0.5},
    };
    return cr_make_param_array(struct number_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct number_case *c, ubjson, numbers)
{
    struct arena arena;
    const struct ubjson *value = NULL;
    arena_init(&arena, 4096);
    struct slice bytes = {c->bytes, c->len};
    cr_assert(eq(int, ubjson_read(bytes, &arena, &value), ST_OK));
    cr_expect(eq(int, value->type, UBJSON_NUMBER));
    cr_expect(eq(dbl, value->number, c->value));
    bytes.len--;
    cr_expect(eq(int, ubjson_read(bytes, &arena, &value), ST_ECORRUPT), "cut");
    bytes.len += 2;
    cr_expect(eq(int, ubjson_read(bytes, &arena, &value), ST_ECORRUPT), "too long");
    arena_done(&arena);
}

/* {"a": [1.0, 2.0] of one type, "b": [true, null, "xy"] counted, "c": {} , "d": [false] ended} */
#define OBJECT                                                                                     \
    "{i\x01"                                                                                       \
    "a[$d#i\x02\x3f\x80\x00\x00\x40\x00\x00\x00"                                                   \
    "i\x01"                                                                                        \
    "b[#i\x03TZSi\x02xy"                                                                           \
    "i\x01"                                                                                        \
    "c{}"                                                                                          \
    "i\x01"                                                                                        \
    "d[F]}"

Test(ubjson, objects_and_arrays)
{
    struct arena arena;
    const struct ubjson *root = NULL;
    struct slice bytes = {OBJECT, sizeof OBJECT - 1};
    arena_init(&arena, 4096);
    cr_assert(eq(int, ubjson_read(bytes, &arena, &root), ST_OK));
    const struct ubjson *a = ubjson_get(root, "a"), *b = ubjson_get(root, "b");
    cr_assert(a && a->type == UBJSON_NUMBERS && a->n == 2);
    cr_expect(eq(dbl, ubjson_number(a, 0), 1));
    cr_expect(eq(dbl, ubjson_number(a, 1), 2));
    cr_assert(b && b->type == UBJSON_ARRAY && b->n == 3);
    cr_expect(eq(int, b->first->type, UBJSON_TRUE));
    cr_expect(eq(int, b->first->next->type, UBJSON_NULL));
    cr_expect(slice_eq(b->first->next->next->text, slice_of("xy")));
    cr_assert(ubjson_get(root, "c") && ubjson_get(root, "c")->n == 0);
    cr_assert(ubjson_get(root, "d") && ubjson_get(root, "d")->first->type == UBJSON_FALSE);
    cr_expect(ubjson_get(root, "e") == NULL);
    cr_expect(ubjson_get(a, "a") == NULL && ubjson_get(NULL, "a") == NULL);
    for (size_t len = 0; len < bytes.len; len++)
        cr_expect(eq(int, ubjson_read((struct slice){bytes.data, len}, &arena, &root), ST_ECORRUPT),
                  "cut to %zu", len);
    arena_done(&arena);
}

struct refusal {
    char why[40], bytes[24];
    size_t len;
};

ParameterizedTestParameters(ubjson, refuses)
{
    static struct refusal cases[] = {
        {"no marker of a value", "x", 1},
        {"a negative length", "Si\xff", 3},
        {"a length that is no integer", "Sd\x00\x00\x00\x00", 6},
        {"a length past all bounds", "SL\x7f\xff\xff\xff\xff\xff\xff\xff", 10},
        {"numbers past all bounds", "[$d#L\x3f\xff\xff\xff\xff\xff\xff\xff", 13},
        {"typed texts", "[$S#i\x01", 6},
        {"typed, not counted", "[$d]", 4},
        {"an object's end in an array", "[}", 2},
    };
    return cr_make_param_array(struct refusal, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refusal *c, ubjson, refuses)
{
    struct arena arena;
    const struct ubjson *root = NULL;
    arena_init(&arena, 4096);
    cr_expect(eq(int, ubjson_read((struct slice){c->bytes, c->len}, &arena, &root), ST_ECORRUPT),
              "%s", c->why);
    arena_done(&arena);
}

Test(ubjson, refuses_nesting_without_end)
{
    char bytes[4096];
    struct arena arena;
    const struct ubjson *root = NULL;
    arena_init(&arena, 4096);
    memset(bytes, '[', sizeof bytes);
    memset(bytes + 10, ']', 10);
    cr_expect(eq(int, ubjson_read((struct slice){bytes, 20}, &arena, &root), ST_OK));
    memset(bytes, '[', sizeof bytes / 2);
    memset(bytes + sizeof bytes / 2, ']', sizeof bytes / 2);
    cr_expect(
        eq(int, ubjson_read((struct slice){bytes, sizeof bytes}, &arena, &root), ST_ECORRUPT));
    arena_done(&arena);
}
