/*
 * Tests of online/noise.h, and of models/model.h's way of leaving out what was set aside.
 *
 * What is known without running it: nothing is set aside before there is a line, nor a positive
 * ever; what lies far from all others is, once there is one; in the long run of examples alike it
 * is the share asked for; what is saved and loaded goes on to the same bits; what is given back is
 * learnt once, and what would be recalled is not learnt besides.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/rng.h"
#include "online/noise.h"
#include "tests/fake_model.h"

enum { WINDOW = 50 };

static const char *const names[FAKE_DENSE] = {"a", "b"};
static const struct vector_schema schema = {.n_dense = FAKE_DENSE, .dense = names, .id = 77};
static const struct vector_schema other = {.n_dense = FAKE_DENSE, .dense = names, .id = 78};

static struct noise_options options_of(double share, size_t rows)
{
    return (struct noise_options){
        .schema = &schema, .share = share, .rows = rows, .window = WINDOW};
}

static struct noise *make(struct noise_options options)
{
    struct noise *noise = NULL;
    cr_assert(eq(int, noise_create(&options, &noise), ST_OK));
    return noise;
}

/* Alike: anywhere in the unit square. */
struct stream {
    struct rng rng;
    uint64_t item;
    float dense[FAKE_DENSE];
};

static struct example next_of(struct stream *stream)
{
    for (size_t i = 0; i < FAKE_DENSE; i++)
        stream->dense[i] = (float)rng_uniform(&stream->rng);
    uint64_t item = stream->item++;
    return (struct example){.vector = {.dense = stream->dense},
                            .weight = 1,
                            .time = (int64_t)item * 1000000,
                            .item = item};
}

static struct example far_of(struct stream *stream)
{
    struct example example = next_of(stream);
    stream->dense[1] = 40;
    return example;
}

static bool looks(struct noise *noise, struct example example)
{
    return noise_look(noise, &example);
}

static size_t look_at(struct noise *noise, struct stream *stream, size_t n)
{
    size_t aside = 0;
    for (size_t i = 0; i < n; i++)
        aside += looks(noise, next_of(stream));
    return aside;
}

/* Behind two windows of the forest and one of the line. */
static void warm(struct noise *noise, struct stream *stream, double share)
{
    size_t n = 2 * WINDOW + (size_t)(NOISE_LINE_ROWS / share);
    cr_assert(eq(sz, look_at(noise, stream, n), 0), "there is no line yet");
}

Test(noise, far_negatives_are_set_aside_and_positives_never)
{
    struct stream stream = {rng_of(1), 0, {0}};
    struct noise *noise = make(options_of(0.02, 100));
    warm(noise, &stream, 0.02);
    cr_expect(looks(noise, far_of(&stream)));
    struct example positive = far_of(&stream), correction = far_of(&stream);
    positive.label = 1;
    correction.correction = true;
    cr_expect(not(looks(noise, positive)));
    cr_expect(not(looks(noise, correction)));
    struct example weightless = far_of(&stream);
    weightless.weight = 0;
    cr_expect(not(looks(noise, weightless)));
    cr_expect(eq(u64, noise_set_aside(noise), 1));
    noise_free(noise);
    noise_free(NULL);
}

Test(noise, in_the_long_run_it_is_the_share)
{
    static const double shares[] = {0.005, 0.05, 0.5};
    for (size_t i = 0; i < 3; i++) {
        struct stream stream = {rng_of(2), 0, {0}};
        struct noise *noise = make(options_of(shares[i], 10));
        warm(noise, &stream, shares[i]);
        enum { N = 40000 };
        double found = (double)look_at(noise, &stream, N) / N;
        cr_expect(gt(dbl, found, 0.7 * shares[i]));
        cr_expect(lt(dbl, found, 1.3 * shares[i]));
        noise_free(noise);
    }
}

Test(noise, a_share_of_nothing_sets_nothing_aside)
{
    struct stream stream = {rng_of(3), 0, {0}};
    struct noise *noise = make(options_of(0, 10));
    cr_expect(eq(sz, look_at(noise, &stream, 1000), 0));
    cr_expect(not(looks(noise, far_of(&stream))));
    noise_free(noise);
}

static struct tensors *saved(const struct noise *noise)
{
    struct tensors *tensors = tensors_create();
    cr_assert(ne(ptr, tensors, NULL));
    noise_save(noise, tensors);
    return tensors;
}

static struct buf saved_bytes(const struct noise *noise)
{
    struct buf bytes = {0};
    struct tensors *tensors = saved(noise);
    tensors_render(tensors, &bytes);
    tensors_free(tensors);
    return bytes;
}

static bool same(const struct noise *a, const struct noise *b)
{
    struct buf x = saved_bytes(a), y = saved_bytes(b);
    bool same = slice_eq(buf_slice(&x), buf_slice(&y));
    buf_done(&x);
    buf_done(&y);
    return same;
}

static struct noise *loaded(const struct noise *from, struct noise_options options)
{
    struct noise *noise = make(options);
    struct tensors *tensors = saved(from);
    cr_assert(eq(int, noise_load(noise, tensors), ST_OK));
    tensors_free(tensors);
    return noise;
}

Test(noise, what_is_loaded_goes_on_as_what_was_saved)
{
    struct noise_options options = options_of(0.1, 20);
    options.recalls = true;
    struct stream stream = {rng_of(4), 0, {0}};
    struct noise *noise = make(options);
    for (size_t round = 0; round < 40; round++) {
        struct noise *again = loaded(noise, options);
        cr_assert(same(noise, again), "round %zu", round);
        struct stream copy = stream;
        cr_assert(eq(sz, look_at(noise, &stream, 33), look_at(again, &copy, 33)));
        noise_settle(noise, stream.item - 10);
        noise_settle(again, stream.item - 10);
        cr_assert(same(noise, again), "round %zu", round);
        noise_free(again);
    }
    cr_expect(gt(u64, noise_set_aside(noise), 50));
    noise_free(noise);
}

/* A noise filter that has just set these far ones aside, the items before them being `*ret_item`.
 */
static struct noise *with_far(struct noise_options options, size_t n, struct stream *stream)
{
    struct noise *noise = make(options);
    warm(noise, stream, options.share);
    for (size_t i = 0; i < n; i++)
        cr_assert(looks(noise, far_of(stream)));
    return noise;
}

static uint64_t digest_of_far(uint64_t first, size_t n, uint64_t seed)
{
    struct stream stream = {rng_of(seed), 0, {0}};
    uint64_t digest = 0;
    while (stream.item < first)
        next_of(&stream);
    for (size_t i = 0; i < n; i++) {
        struct example example = far_of(&stream);
        digest = fake_digest(digest, &example, FAKE_DENSE);
    }
    return digest;
}

Test(noise, what_is_given_back_is_learnt_once)
{
    struct stream stream = {rng_of(5), 0, {0}};
    struct noise *noise = with_far(options_of(0.05, 3), 5, &stream);
    struct model *model;
    cr_assert(eq(int, fake_make(NULL, &model), ST_OK));
    cr_expect(eq(sz, noise_give_back(noise, model), 0), "it goes on setting aside");
    struct noise *off = loaded(noise, options_of(0, 0));
    cr_expect(eq(sz, noise_give_back(off, model), 3), "the newest are kept");
    cr_expect(eq(u64, fake_of(model)->digest, digest_of_far(stream.item - 3, 3, 5)));
    cr_expect(eq(sz, noise_give_back(off, model), 0));
    struct noise_options recalling = options_of(0, 0);
    recalling.recalls = true;
    struct noise *recalled = loaded(noise, recalling);
    cr_expect(eq(sz, noise_give_back(recalled, model), 0), "it will be recalled");
    cr_expect(eq(u64, fake_of(model)->learnt, 3));
    model->ops->free(model);
    noise_free(recalled);
    noise_free(off);
    noise_free(noise);
}

static size_t count_lines(const struct noise *noise)
{
    struct tensors *tensors = saved(noise);
    struct buf text = {0};
    size_t n = 0;
    cr_assert(eq(int, noise_print(tensors, &text), ST_OK));
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '\n';
    buf_done(&text);
    tensors_free(tensors);
    return n > 0 ? n - 1 : 0;
}

Test(noise, what_came_to_nothing_is_kept_no_longer)
{
    struct stream stream = {rng_of(6), 0, {0}};
    struct noise *noise = with_far(options_of(0.05, 10), 2, &stream);
    noise_settle(noise, stream.item);
    cr_assert(looks(noise, far_of(&stream)));
    cr_expect(eq(sz, count_lines(noise), 3));
    noise_forget_fresh(noise);
    cr_expect(eq(sz, count_lines(noise), 2));
    noise_forget(noise, stream.item - 2);
    cr_expect(eq(sz, count_lines(noise), 1));
    noise_free(noise);
}

Test(noise, what_may_be_recalled_is_known_for_longer_than_it_is_kept)
{
    struct noise_options options = options_of(0.05, 1);
    options.recalls = true;
    struct stream stream = {rng_of(7), 0, {0}};
    struct noise *before = with_far(options, 4, &stream), *noise = loaded(before, options);
    for (uint64_t back = 1; back <= 4; back++)
        cr_expect(noise_recalls(noise, stream.item - back));
    cr_expect(not(noise_recalls(noise, stream.item)));
    cr_expect(not(noise_recalls(noise, stream.item - 5)));
    noise_forget_recalled(noise, stream.item - 2);
    cr_expect(not(noise_recalls(noise, stream.item - 3)));
    cr_expect(noise_recalls(noise, stream.item - 2));
    noise_free(noise);
    noise_free(before);
}

Test(noise, a_file_of_other_columns_is_none)
{
    struct stream stream = {rng_of(8), 0, {0}};
    struct noise *noise = with_far(options_of(0.05, 10), 2, &stream);
    struct noise_options options = options_of(0.05, 10);
    options.schema = &other;
    struct noise *fresh = make(options), *again = loaded(noise, options);
    cr_expect(same(fresh, again));
    noise_free(again);
    noise_free(fresh);
    noise_free(noise);
}

Test(noise, of_another_share_there_is_no_line_yet)
{
    struct stream stream = {rng_of(9), 0, {0}};
    struct noise *noise = with_far(options_of(0.05, 10), 2, &stream);
    struct noise *again = loaded(noise, options_of(0.1, 10));
    cr_expect(eq(sz, count_lines(again), 2));
    cr_expect(not(looks(again, far_of(&stream))));
    noise_free(again);
    noise_free(noise);
}

/* All of them, one after the other, without a tensor or with one that is too short. */
Test(noise, refuses_what_is_not_whole)
{
    struct stream stream = {rng_of(10), 0, {0}};
    struct noise *noise = with_far(options_of(0.05, 10), 2, &stream), *again;
    struct tensors *whole = saved(noise);
    for (size_t i = 0; i < tensors_count(whole); i++) {
        const struct tensor *left_out = tensors_at(whole, i);
        if (strcmp(left_out->name, "noise.of") == 0)
            continue; /* there is no filter in such a file */
        struct tensors *part = tensors_create();
        tensors_put_others(part, whole, left_out->name);
        again = make(options_of(0.05, 10));
        cr_expect(eq(int, noise_load(again, part), ST_ECORRUPT), "%s", left_out->name);
        cr_expect(eq(sz, count_lines(again), 0));
        noise_free(again);
        tensors_free(part);
    }
    tensors_free(whole);
    noise_free(noise);
}

Test(noise, is_printed_for_people)
{
    struct stream stream = {rng_of(11), 0, {0}};
    struct noise *noise = with_far(options_of(0.05, 10), 1, &stream);
    struct tensors *tensors = saved(noise), *none = tensors_create();
    struct buf text = {0};
    char line[64];
    cr_assert(eq(int, noise_print(tensors, &text), ST_OK));
    buf_byte(&text, 0);
    cr_expect(eq(int, strncmp(text.data, "item,time,score,line,column,a,b\n", 32), 0));
    snprintf(line, sizeof line, "\n%d,1970-01-01T00:0", (int)stream.item - 1);
    cr_expect(ne(ptr, strstr(text.data, line), NULL), "%s", text.data);
    cr_expect(ne(ptr, strstr(text.data, ",b,"), NULL), "the column that is far out");
    cr_expect(ne(ptr, strstr(text.data, ",40\n"), NULL));
    buf_reset(&text);
    cr_expect(eq(int, noise_print(none, &text), ST_OK));
    cr_expect(eq(sz, text.len, 0));
    buf_done(&text);
    tensors_free(none);
    tensors_free(tensors);
    noise_free(noise);
}

Test(model, leaves_out_what_was_set_aside)
{
    enum { N = 9 };
    for (unsigned which = 0; which < 1u << N; which++) {
        struct stream stream = {rng_of(12), 0, {0}};
        struct example rows[N];
        float dense[N][FAKE_DENSE];
        uint64_t digest = 0;
        for (size_t i = 0; i < N; i++) {
            rows[i] = next_of(&stream);
            memcpy(dense[i], stream.dense, sizeof dense[i]);
            rows[i].vector.dense = dense[i];
            rows[i].aside = which >> i & 1;
            if (!rows[i].aside)
                digest = fake_digest(digest, &rows[i], FAKE_DENSE);
        }
        struct model *model;
        cr_assert(eq(int, fake_make(NULL, &model), ST_OK));
        model_learn(model, rows, N);
        cr_assert(eq(u64, fake_of(model)->digest, digest));
        model->ops->free(model);
    }
}
