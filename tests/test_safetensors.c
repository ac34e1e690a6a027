/*
 * Tests of models/safetensors.h.
 *
 * The format is published, so the bytes of a small file are known by hand: they are written out
 * here and must come out of the writer and go into the reader. What was put must come back after a
 * turn through a file. And since a reader meets files of any bytes: a table of files that break one
 * rule each, and every way to cut or flip a sound file, none of which may crash or read out of
 * bounds.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/safetensors.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void file_of(const char *header, const void *data, size_t data_len, struct buf *ret)
{
    buf_reset(ret);
    buf_u64(ret, strlen(header));
    buf_text(ret, header);
    buf_append(ret, data, data_len);
}

/* A folder of its own for each test. */
static void make_path(char *path, size_t size, const char *name)
{
    char folder[] = "/tmp/freshet_safetensors_XXXXXX";
    cr_assert(mkdtemp(folder) != NULL);
    snprintf(path, size, "%s/%s", folder, name);
}

static void remove_file(char *path)
{
    unlink(path);
    *strrchr(path, '/') = 0;
    cr_expect(eq(int, rmdir(path), 0), "something else was left in the folder");
}

static struct tensors *small(void)
{
    struct tensors *tensors = tensors_create();
    float w[] = {1.5f, -2.0f, 0.25f};
    uint64_t n[] = {7};
    tensors_put(tensors, "w", TENSOR_F32, (size_t[]){3}, 1, w);
    tensors_put(tensors, "n", TENSOR_U64, NULL, 0, n);
    tensors_put_text(tensors, "kind", "ft\"rl");
    return tensors;
}

static const char small_header[] =
    "{\"__metadata__\":{\"kind\":\"ft\\\"rl\"},"
    "\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
    "\"n\":{\"dtype\":\"U64\",\"shape\":[],\"data_offsets\":[12,20]}}";
static const unsigned char small_data[] = {0,    0,    0xc0, 0x3f, 0, 0, 0, 0xc0, 0, 0,
                                           0x80, 0x3e, 7,    0,    0, 0, 0, 0,    0, 0};

Test(safetensors, writes_the_published_bytes)
{
    char path[128];
    make_path(path, sizeof path, "small.safetensors");
    struct tensors *tensors = small();
    cr_assert(eq(int, tensors_write(tensors, path), ST_OK));
    tensors_free(tensors);

    char header[256];
    snprintf(header, sizeof header, "%s", small_header);
    while (strlen(header) % 8 != 0)
        strcat(header, " ");
    struct buf want = {0};
    file_of(header, small_data, sizeof small_data, &want);
    char got[512];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, got, sizeof got);
    close(fd);
    cr_expect(eq(sz, (size_t)n, want.len));
    cr_expect(memcmp(got, want.data, want.len) == 0);
    buf_done(&want);
    remove_file(path);
}

Test(safetensors, reads_the_published_bytes)
{
    struct buf file = {0};
    file_of(small_header, small_data, sizeof small_data, &file);
    struct tensors *tensors = NULL;
    cr_assert(eq(int, tensors_parse(buf_slice(&file), &tensors), ST_OK));
    const struct tensor *w = tensors_get_as(tensors, "w", TENSOR_F32, 3);
    cr_assert(w != NULL);
    cr_expect(eq(flt, ((const float *)w->data)[1], -2.0f));
    cr_expect(eq(sz, (uintptr_t)w->data % 16, 0));
    const struct tensor *n = tensors_get(tensors, "n");
    cr_assert(n != NULL);
    cr_expect(eq(sz, n->n, 1));
    cr_expect(eq(u64, *(const uint64_t *)n->data, 7));
    cr_expect(eq(str, (char *)tensors_text(tensors, "kind"), "ft\"rl"));
    cr_expect(tensors_get(tensors, "x") == NULL);
    cr_expect(tensors_get_as(tensors, "w", TENSOR_F32, 4) == NULL);
    cr_expect(tensors_get_as(tensors, "w", TENSOR_F64, 3) == NULL);
    cr_expect(tensors_text(tensors, "x") == NULL);
    tensors_free(tensors);
    buf_done(&file);
}

Test(safetensors, a_turn_through_a_file_changes_nothing)
{
    char path[128];
    make_path(path, sizeof path, "turn.safetensors");
    struct tensors *before = small(), *after = NULL;
    unsigned char bytes[5 * 7] = {1, 2, 3};
    tensors_put(before, "caf\xc3\xa9\n\\", TENSOR_U8, (size_t[]){5, 7}, 2, bytes);
    tensors_put(before, "empty", TENSOR_F64, (size_t[]){0, 3}, 2, NULL);
    cr_assert(eq(int, tensors_write(before, path), ST_OK));
    cr_assert(eq(int, tensors_read(path, &after), ST_OK));
    cr_expect(eq(sz, tensors_count(after), 4));
    for (size_t i = 0; i < tensors_count(before); i++) {
        const struct tensor *a = tensors_at(before, i), *b = tensors_at(after, i);
        cr_expect(eq(str, (char *)a->name, (char *)b->name));
        cr_expect(eq(int, a->type, b->type));
        cr_expect(eq(sz, a->n_dims, b->n_dims));
        cr_expect(memcmp(a->shape, b->shape, sizeof a->shape) == 0);
        cr_expect(eq(sz, a->n, b->n));
    }
    const struct tensor *got = tensors_get_as(after, "caf\xc3\xa9\n\\", TENSOR_U8, 35);
    cr_assert(got != NULL);
    cr_expect(memcmp(got->data, bytes, sizeof bytes) == 0);
    tensors_free(before);
    tensors_free(after);
    remove_file(path);
}

Test(safetensors, nothing_at_all_is_a_file_too)
{
    char path[128];
    make_path(path, sizeof path, "none.safetensors");
    struct tensors *none = tensors_create(), *got = NULL;
    cr_assert(eq(int, tensors_write(none, path), ST_OK));
    cr_assert(eq(int, tensors_read(path, &got), ST_OK));
    cr_expect(eq(sz, tensors_count(got), 0));
    tensors_free(none);
    tensors_free(got);
    remove_file(path);
}

Test(safetensors, what_cannot_be_opened)
{
    struct tensors *none = tensors_create(), *got = NULL;
    cr_expect(eq(int, tensors_read("/nonexistent/x", &got), ST_ENOTFOUND));
    cr_expect(eq(int, tensors_read("/", &got), ST_EIO));
    cr_expect(eq(int, tensors_write(none, "/nonexistent/x"), ST_EIO));
    cr_expect(got == NULL);
    tensors_free(none);
    tensors_free(NULL);
}

/* What JSON allows in a header beyond what the writer writes. */

struct json_case {
    char header[160];
    char name[16]; /* of the one tensor: 4 bytes of U8 */
};

ParameterizedTestParameters(safetensors, accepts)
{
    static struct json_case cases[] = {
        {" { \"a\" : { \"dtype\" : \"U8\" , \"shape\" : [ 2 , 2 ] , \"data_offsets\" : [ 0 , 4 ] } "
         "} ",
         "a"},
        {"{\"a\":{\"data_offsets\":[0,4],\"shape\":[4],\"dtype\":\"U8\"}}", "a"},
        {"{\"\\u00e9\\ud83d\\ude00\\t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
         "\xc3\xa9\xf0\x9f\x98\x80\t"},
        {"{\"\\u20AC\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", "\xe2\x82\xac"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"__metadata__\":{}}",
         "a"},
    };
    return cr_make_param_array(struct json_case, cases, LEN(cases));
}

ParameterizedTest(struct json_case *c, safetensors, accepts)
{
    struct buf file = {0};
    struct tensors *got = NULL;
    file_of(c->header, "abcd", 4, &file);
    cr_assert(eq(int, tensors_parse(buf_slice(&file), &got), ST_OK), "%s", c->header);
    cr_expect(tensors_get_as(got, c->name, TENSOR_U8, 4) != NULL, "%s", c->header);
    tensors_free(got);
    buf_done(&file);
}

/* Headers that break one rule each; the data is 4 bytes. */

struct corrupt_case {
    char why[40];
    char header[240];
};

ParameterizedTestParameters(safetensors, refuses)
{
    static struct corrupt_case cases[] = {
        {"no object", "[]"},
        {"empty", ""},
        {"not closed", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}"},
        {"more behind it", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}x"},
        {"unknown type", "{\"a\":{\"dtype\":\"Q8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"no type", "{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"no shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}"},
        {"no offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}"},
        {"a field twice",
         "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"unknown field",
         "{\"a\":{\"dtype\":\"U8\",\"x\":1,\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"a name twice", "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                         "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}"},
        {"data left over", "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}"},
        {"a hole", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}"},
        {"overlap", "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                    "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}"},
        {"past the end", "{\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,5]}}"},
        {"backwards", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}"},
        {"shape and offsets differ",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"shape overflows",
         "{\"a\":{\"dtype\":\"F64\",\"shape\":[4294967296,536870912],\"data_offsets\":[0,4]}}"},
        {"number overflows",
         "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,18446744073709551620]}}"},
        {"negative", "{\"a\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}"},
        {"a fraction", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}"},
        {"nine dimensions",
         "{\"a\":{\"dtype\":\"U8\",\"shape\":[4,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}"},
        {"three offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4,4]}}"},
        {"bad escape", "{\"\\x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"half a pair", "{\"\\ud83d\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"the other half", "{\"\\ude00\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"NUL in a name", "{\"\\u0000\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"bare control character",
         "{\"\n\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"texts twice", "{\"__metadata__\":{},\"__metadata__\":{},"
                        "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"a key twice", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"},"
                        "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
        {"a number as text", "{\"__metadata__\":{\"k\":1},"
                             "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"},
    };
    return cr_make_param_array(struct corrupt_case, cases, LEN(cases));
}

ParameterizedTest(struct corrupt_case *c, safetensors, refuses)
{
    struct buf file = {0};
    struct tensors *got = NULL;
    file_of(c->header, "abcd", 4, &file);
    cr_expect(eq(int, tensors_parse(buf_slice(&file), &got), ST_ECORRUPT), "%s", c->why);
    cr_expect(got == NULL, "%s: wrote its result on failure", c->why);
    buf_done(&file);
}

Test(safetensors, refuses_header_lengths_that_cannot_be)
{
    uint64_t lengths[] = {9, 100000001, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < LEN(lengths); i++) {
        char bytes[16] = "........{}      ";
        memcpy(bytes, &lengths[i], 8);
        struct tensors *got = NULL;
        cr_expect(eq(int, tensors_parse((struct slice){bytes, 16}, &got), ST_ECORRUPT));
    }
}

/* Cut anywhere, a file is refused. The copy is on the heap so that a read past it is seen. */
Test(safetensors, refuses_every_beginning_of_a_file)
{
    struct buf file = {0};
    file_of(small_header, small_data, sizeof small_data, &file);
    for (size_t len = 0; len < file.len; len++) {
        char *cut = malloc(len + 1);
        memcpy(cut, file.data, len);
        char *exact = realloc(cut, len ? len : 1);
        struct tensors *got = NULL;
        cr_expect(eq(int, tensors_parse((struct slice){exact, len}, &got), ST_ECORRUPT));
        free(exact);
    }
    buf_done(&file);
}

/* Flipped anywhere, it is refused or read; either way nothing else happens. */
Test(safetensors, survives_every_flipped_bit)
{
    struct buf file = {0};
    file_of(small_header, small_data, sizeof small_data, &file);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ (1 << bit % 8));
        struct tensors *got = NULL;
        enum status st = tensors_parse(buf_slice(&file), &got);
        cr_expect(st == ST_OK || st == ST_ECORRUPT);
        cr_expect(eq(int, st == ST_OK, got != NULL));
        tensors_free(got);
        file.data[bit / 8] = (char)(file.data[bit / 8] ^ (1 << bit % 8));
    }
    buf_done(&file);
}

/* With a sum every single bit counts: of names, shapes, texts and data alike. */
Test(safetensors, a_sum_finds_every_flipped_bit)
{
    struct tensors *before = tensors_create(), *got = NULL;
    const float data[] = {1, 2, 3};
    tensors_put(before, "weights", TENSOR_F32, (size_t[]){3}, 1, data);
    tensors_put_text(before, "version", "7");
    tensors_put_sum(before);
    cr_assert(eq(int, tensors_write(before, "summed"), ST_OK));
    tensors_free(before);
    FILE *in = fopen("summed", "rb");
    char bytes[512];
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    cr_assert(n > 100 && n < sizeof bytes);
    cr_expect(eq(int, tensors_parse((struct slice){bytes, n}, &got), ST_OK));
    tensors_free(got);
    size_t taken = 0;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        if (tensors_parse((struct slice){bytes, n}, &got) == ST_OK) {
            taken++; /* the sum's own name, spaces behind the header */
            cr_expect(bytes[bit / 8] == 0 || memmem(bytes, n, "freshet.sum", 11) == NULL);
            tensors_free(got);
        }
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    cr_expect(taken <= 8 * 11 + 64, "%zu", taken);
    unlink("summed");
}
