/*
 * Tests of online/model_files.h.
 *
 * What is known without running it: a model reads back as it was saved, its manifest with it; files
 * are told apart by name, ordered by version, and what is not such a file is left alone; a file
 * that is not whole, or another kind's, is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <unistd.h>

#include "online/model_files.h"
#include "tests/fake_model.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
    char top[64], dir[80];
    struct model *model;
};

static struct fixture begin(void)
{
    struct fixture f = {.top = "/tmp/freshet-models-XXXXXX"};
    cr_assert(ne(ptr, mkdtemp(f.top), NULL));
    snprintf(f.dir, sizeof f.dir, "%s/models", f.top);
    cr_assert(eq(int, fake_make(NULL, &f.model), ST_OK));
    return f;
}

static void end(struct fixture *f)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->top);
    cr_assert(eq(int, system(command), 0));
    f->model->ops->free(f->model);
}

static enum status save(struct fixture *f, const char *name, uint32_t version)
{
    char file[128] = "";
    struct model_manifest manifest = {version, version * 100u, 5000, INT64_MIN, 0};
    return model_files_save(f->dir, name, &(struct learner){.model = f->model}, &manifest, file,
                            sizeof file);
}

static void touch(struct fixture *f, const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->dir, file);
    FILE *out = fopen(path, "w");
    cr_assert(ne(ptr, out, NULL));
    fclose(out);
}

static void append_name(void *arg, const char *file)
{
    strcat(arg, file);
    strcat(arg, " ");
}

static const char *listed(struct fixture *f, const char *name)
{
    static char text[2000];
    text[0] = '\0';
    cr_assert(eq(int, model_files_each(f->dir, name, append_name, text), ST_OK));
    return text;
}

static void expect_same(const struct model_manifest *a, const struct model_manifest *b)
{
    cr_expect(eq(u32, a->version, b->version));
    cr_expect(eq(u64, a->cursor, b->cursor));
    cr_expect(eq(i64, a->published, b->published));
    cr_expect(eq(i64, a->newest, b->newest));
}

Test(model_files, reads_back_what_was_saved)
{
    struct fixture f = begin();
    fake_of(f.model)->learnt = 77;
    fake_of(f.model)->digest = 0xfeedface;
    struct model_manifest manifest = {12, 3456789012345, -5, 1522540831000000, 0}, back;
    char file[128], path[256], kind[16];
    cr_assert(eq(int,
                 model_files_save(f.dir, "fraud", &(struct learner){.model = f.model}, &manifest,
                                  file, sizeof file),
                 ST_OK));
    cr_expect(eq(str, file, "fraud-0000000012.safetensors"));
    struct model *again = NULL;
    cr_assert(eq(int, fake_make(NULL, &again), ST_OK));
    cr_assert(
        eq(int, model_files_load(f.dir, file, &(struct learner){.model = again}, &back), ST_OK));
    cr_expect(eq(u64, fake_of(again)->learnt, 77));
    cr_expect(eq(u64, fake_of(again)->digest, 0xfeedface));
    expect_same(&back, &manifest);
    snprintf(path, sizeof path, "%s/%s", f.dir, file);
    back = (struct model_manifest){0};
    cr_assert(eq(int, model_files_inspect(path, &back, kind, sizeof kind), ST_OK));
    expect_same(&back, &manifest);
    cr_expect(eq(str, kind, "fake"));
    cr_expect(eq(int, model_files_inspect(path, &back, NULL, 0), ST_OK));
    again->ops->free(again);
    end(&f);
}

Test(model_files, are_listed_by_name_and_version)
{
    struct fixture f = begin();
    cr_assert(eq(int, save(&f, "fraud", 10), ST_OK));
    cr_assert(eq(int, save(&f, "fraud", 9), ST_OK));
    cr_assert(eq(int, save(&f, "fraud-v2", 1), ST_OK));
    cr_assert(eq(int, save(&f, "a", UINT32_MAX), ST_OK));
    touch(&f, "fraud-000000001x.safetensors");
    touch(&f, "fraud-000000001.safetensors");
    touch(&f, "-0000000001.safetensors");
    touch(&f, "fraud-0000000011.safetensors.tmp");
    touch(&f, "notes.txt");
    cr_expect(eq(str, (char *)listed(&f, "fraud"),
                 "fraud-0000000009.safetensors fraud-0000000010.safetensors "));
    cr_expect(eq(str, (char *)listed(&f, NULL),
                 "a-4294967295.safetensors fraud-0000000009.safetensors "
                 "fraud-0000000010.safetensors fraud-v2-0000000001.safetensors "));
    cr_expect(eq(str, (char *)listed(&f, "frau"), ""));
    end(&f);
}

Test(model_files, pruning_keeps_the_newest_and_what_is_not_ours)
{
    static const uint32_t none[2] = {0, 0};
    struct fixture f = begin();
    for (uint32_t version = 1; version <= 5; version++)
        cr_assert(eq(int, save(&f, "fraud", version), ST_OK));
    cr_assert(eq(int, save(&f, "fraud-v2", 1), ST_OK));
    touch(&f, "fraud-readme-now.safetensors");
    model_files_prune(f.dir, "fraud", 9, none, 2);
    cr_expect(eq(sz, strlen(listed(&f, "fraud")), 5 * 29));
    model_files_prune(f.dir, "fraud", 2, none, 2);
    cr_expect(eq(str, (char *)listed(&f, "fraud"),
                 "fraud-0000000004.safetensors fraud-0000000005.safetensors "));
    cr_expect(eq(sz, strlen(listed(&f, "fraud-v2")), 32));
    char path[256];
    snprintf(path, sizeof path, "%s/fraud-readme-now.safetensors", f.dir);
    cr_expect(eq(int, access(path, F_OK), 0));
    model_files_prune("/no/such/folder", "fraud", 2, none, 2);
    end(&f);
}

/* A start would not find it: however many came after it. */
Test(model_files, pruning_keeps_what_a_start_needs)
{
    static const uint32_t needed[2] = {1, 3};
    struct fixture f = begin();
    for (uint32_t version = 1; version <= 6; version++)
        cr_assert(eq(int, save(&f, "fraud", version), ST_OK));
    model_files_prune(f.dir, "fraud", 1, needed, 2);
    cr_expect(eq(str, (char *)listed(&f, "fraud"),
                 "fraud-0000000001.safetensors fraud-0000000003.safetensors "
                 "fraud-0000000006.safetensors "));
    end(&f);
}

/* Refusals. */

struct bad_case {
    char why[32], command[96]; /* in the folder, with the file as $f */
    int status;
};

ParameterizedTestParameters(model_files, refuse_to_load)
{
    static struct bad_case cases[] = {
        {"good", "true", ST_OK},
        {"missing", "rm $f", ST_ENOTFOUND},
        {"empty", ": > $f", ST_ECORRUPT},
        {"cut off", "truncate -s -1 $f", ST_ECORRUPT},
        {"another kind's", "sed -i s/fake/ftrl/ $f", ST_ECORRUPT},
        {"no cursor", "sed -i s/freshet.cursor/freshet.carsor/ $f", ST_ECORRUPT},
        {"version out of range",
         "sed -i 's/\"freshet.version\":\"7\"/\"freshet.version\":\"-\"/' $f", ST_ECORRUPT},
        {"without its tensor", "sed -i 's/\"all\"/\"ell\"/' $f", ST_ECORRUPT},
    };
    return cr_make_param_array(struct bad_case, cases, LEN(cases));
}

ParameterizedTest(struct bad_case *c, model_files, refuse_to_load)
{
    struct fixture f = begin();
    char file[128], command[256];
    struct model_manifest manifest = {7, 8, 9, 10, 0}, back = {.version = 99};
    cr_assert(eq(int,
                 model_files_save(f.dir, "fraud", &(struct learner){.model = f.model}, &manifest,
                                  file, sizeof file),
                 ST_OK));
    snprintf(command, sizeof command, "cd %s && f=%s && %s", f.dir, file, c->command);
    cr_assert(eq(int, system(command), 0), "%s", c->why);
    cr_expect(eq(int, model_files_load(f.dir, file, &(struct learner){.model = f.model}, &back),
                 c->status),
              "%s", c->why);
    cr_expect(eq(u32, back.version, c->status == ST_OK ? 7 : 99), "%s", c->why);
    end(&f);
}

Test(model_files, refuse_to_save_where_they_cannot)
{
    struct fixture f = begin();
    char small[8];
    struct model_manifest manifest = {7, 8, 9, 10, 0};
    cr_expect(eq(int,
                 model_files_save(f.dir, "fraud", &(struct learner){.model = f.model}, &manifest,
                                  small, sizeof small),
                 ST_EINVAL));
    char path[256], file[128];
    snprintf(path, sizeof path, "%s/models", f.top);
    FILE *out = fopen(path, "w");
    fclose(out);
    cr_expect(eq(int,
                 model_files_save(f.dir, "fraud", &(struct learner){.model = f.model}, &manifest,
                                  file, sizeof file),
                 ST_EIO));
    cr_expect(eq(int, model_files_each("/no/such", "fraud", append_name, NULL), ST_ENOTFOUND));
    end(&f);
}

/* Numbers are as texts in the file; a checksum would only hide what is looked at here. */
Test(model_files, a_newer_format_is_refused_as_such)
{
    struct fixture f = begin();
    struct tensors *tensors = tensors_create();
    struct model_manifest back;
    char path[256];
    static const char *const texts[][2] = {
        {"freshet.format", "2"},          {"freshet.kind", "fake"},
        {"freshet.version", "1"},         {"freshet.cursor", "1"},
        {"freshet.published_us", "1"},    {"freshet.newest_example_us", "1"},
        {"freshet.from_the_future", "?"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        tensors_put_text(tensors, texts[i][0], texts[i][1]);
    snprintf(path, sizeof path, "%s/fraud-0000000001.safetensors", f.dir);
    cr_assert(eq(int, save(&f, "fraud", 2), ST_OK), "which makes the folder");
    cr_assert(eq(int, tensors_write(tensors, path), ST_OK));
    cr_expect(eq(int, model_files_inspect(path, &back, NULL, 0), ST_EVERSION));
    cr_expect(eq(int,
                 model_files_load(f.dir, "fraud-0000000001.safetensors",
                                  &(struct learner){.model = f.model}, &back),
                 ST_EVERSION));
    tensors_free(tensors);
    end(&f);
}
