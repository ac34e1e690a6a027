/*
 * Writes those files of the corpora that only the program itself can write:
 *
 *     build/asan/tests/fuzz/make_corpus tests/fuzz/corpus
 *
 * Needed again when a stored format changes; the files of the old one stay beside the new.
 */
#include "ingest/epoch.h"
#include "ingest/examples.h"
#include "online/head.h"
#include "ingest/pack.h"
#include "tests/fuzz/model.h"

static void write_file(const char *root, const char *name, struct buf *bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wbe");
    if (!file || fwrite(bytes->data, 1, bytes->len, file) != bytes->len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    buf_done(bytes);
}

static void make_head(const char *root)
{
    struct buf bytes = {0};
    struct head head;
    head_init(&head);
    head_lane(&head, "payments", 0);
    head_lane(&head, "labels", 3);
    head.lanes[0].next = 1234;
    head.epoch = 7;
    head_encode(&head, &bytes);
    head_done(&head);
    write_file(root, "head/two-lanes", &bytes);
}

static void make_head_with_trial(const char *root)
{
    static const char *const names[] = {"fraud"};
    struct buf bytes = {0};
    struct head head;
    uint32_t number;
    head_init(&head);
    if (head_set_models(&head, names, 1, &number) < 0)
        abort();
    struct canary *canary = &head.models[0].canary;
    canary_expect(canary, 5000, &(struct canary_options){3600, 20, 0.5});
    canary_begin(canary, 8, 7, &(struct canary_limits){0.005, 1.5, 4});
    canary_count(canary, 0.25f, 0.5f);
    canary_count_label(canary, 5001, 8, 0.5f, 1);
    head_encode(&head, &bytes);
    head_done(&head);
    write_file(root, "head/trial", &bytes);
}

static void make_outbox(const char *root)
{
    struct buf bytes = {0};
    outbox_put(&bytes, CHANNEL_SCORES, 0, 41, 0, slice_of("c1"), slice_of("{\"score\": 0.5}"),
               (struct slice){0});
    outbox_put(&bytes, CHANNEL_DEAD, 1, 42, 1, (struct slice){0}, slice_of("{"),
               slice_of("is no JSON"));
    write_file(root, "outbox/two-rows", &bytes);
}

static void make_examples(const char *root)
{
    struct buf bytes = {0}, packed = {0};
    const float dense[3] = {0, 57.16f, 300};
    const struct sparse sparse[2] = {{7, 0, 1}, {8, 1, 0.5f}};
    struct released example = {.time = 1000, .released_at = 2000, .label = 1, .weight = 10};
    buf_byte(&bytes, 3);
    examples_put_layout(&bytes, 2);
    pack_vector(&packed, dense, 3, sparse, 2);
    example.packed = buf_slice(&packed);
    examples_put(&bytes, &example);
    examples_put_boundary(&bytes, &(struct example_boundary){4, 5000, 0, false});
    examples_put_act(&bytes, &(struct act){ACT_PUBLISH, 0, 5, 3}, 5000, (struct slice){0});
    buf_done(&packed);
    write_file(root, "examples/one-and-boundary", &bytes);
    buf_byte(&bytes, 3);
    examples_put_act(&bytes, &(struct act){ACT_ROLL_BACK, 0, 5, 4}, 6000, slice_of("a verdict"));
    write_file(root, "examples/rolled-back", &bytes);
}

/* A record of several pages, a small one, and one that is dropped. */
static void make_state(const char *root)
{
    struct state *state = NULL;
    struct buf redo = {0}, pages = {0}, framed = {0};
    if (state_create(&state) < 0)
        abort();
    state_drop(state, state_obtain(state, 1, (struct key128){9, 9}, 8));
    memset(state_obtain(state, 1, (struct key128){5, 6}, 16)->data, 'a', 16);
    memset(state_obtain(state, 2, (struct key128){7, 8}, STATE_PAGE + 100)->data, 'b', 5);
    state_seal(state, &redo);
    state_take_drops(state, &pages);
    buf_reset(&pages);
    state_sweep_begin(state);
    while (state_sweep_some(state, 1 << 20, &pages))
        ;
    struct reader in = reader_of(buf_slice(&pages));
    struct slice key, value;
    while (state_next_page(&in, &key, &value)) {
        buf_byte(&framed, (uint8_t)key.len);
        buf_append(&framed, key.data, key.len);
        buf_u16(&framed, (uint16_t)value.len);
        buf_append(&framed, value.data, value.len);
    }
    write_file(root, "redo/drop-and-two-ranges-told", &redo);
    write_file(root, "pages/three", &framed);
    buf_done(&pages);
    state_free(state);
}

/* Of `ftrl` the names have no kind in them: it was the first. */
static void make_models(const char *root, const struct model_case *of)
{
    struct model *model = make_model(of);
    bool first = of == &model_cases[0];
    float scores[MODEL_ROWS];
    for (int times = 0; times < 2; times++) {
        char path[4096];
        struct tensors *tensors = tensors_create();
        use_model(model, scores);
        snprintf(path, sizeof path, "%s/model/%s%s%s", root, first ? "" : of->kind,
                 first ? "" : "-", times > 0 ? "summed" : "without-sum");
        if (model->ops->save(model, tensors) < 0)
            abort();
        if (times > 0)
            tensors_put_sum(tensors);
        if (tensors_write(tensors, path) < 0)
            abort();
        tensors_free(tensors);
    }
    model->ops->free(model);
}

/* The first patches of fuzz_records.c: each record in turn loses its head, or its end. */
static void make_records(const char *root)
{
    for (uint8_t how = 0; how < 3; how++) {
        struct buf bytes = {0};
        char name[64];
        snprintf(name, sizeof name, "records/how-%u", how);
        for (uint8_t which = 0; which < 16; which++) {
            buf_byte(&bytes, which);
            buf_byte(&bytes, how);
            buf_u16(&bytes, 20);
            buf_slice_put(&bytes, (struct slice){"\xff\xff\xff\x7f\x01\x02\x03\x04", 8});
        }
        write_file(root, name, &bytes);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_corpus FOLDER\n");
        return 2;
    }
    make_head_with_trial(argv[1]);
    make_head(argv[1]);
    make_head_with_trial(argv[1]);
    make_outbox(argv[1]);
    make_examples(argv[1]);
    make_state(argv[1]);
    for (size_t i = 0; i < MODEL_KINDS; i++)
        make_models(argv[1], &model_cases[i]);
    make_records(argv[1]);
    return 0;
}
