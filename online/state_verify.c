/* freshet state verify: reads all that a state directory holds. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/examples.h"
#include "online/checkpoint.h"
#include "online/model_files.h"
#include "online/state_actions.h"
#include "online/state_walk.h"

/* Of records at a time. */
#define WALK_BYTES ((size_t)64 << 20)

/* What is read beside what inspect_open() has read. */
struct survey {
    const struct inspect *inspect;
    const char *dir;
    char models[PATH_MAX];
    uint64_t examples, runs, model_files;
    struct state_sum sum;
    int faults;
    float *dense;
    struct sparse sparse[VECTOR_SPARSE_MAX];
};

static void fault(struct survey *survey, const char *what, uint64_t number, enum status st)
{
    survey->faults++;
    fprintf(stderr, "%s: %s %" PRIu64 ": %s\n", survey->dir, what, number, status_text(st));
}

static enum status read_block(void *arg, uint64_t first, uint64_t n, struct slice block)
{
    struct survey *survey = arg;
    struct reader in = reader_of(block);
    struct example_item item;
    uint64_t found = 0;
    unsigned layout;
    enum status st = examples_read_layout(&in, &layout);
    while (st == ST_OK)
        if ((st = examples_next_of(survey->inspect->layouts, layout, &in, survey->dense,
                                   survey->sparse, &item)) == ST_OK)
            found++;
    if (st != ST_EEND || found != n)
        fault(survey, "example block", first, ST_ECORRUPT);
    survey->examples += found;
    return ST_OK;
}

static enum status read_runs(void *arg, struct slice key, struct slice value)
{
    struct survey *survey = arg;
    struct reader in = reader_of(value);
    struct run run;
    enum status st;
    while ((st = runs_next(&in, &run)) == ST_OK)
        continue;
    if (st != ST_EEND)
        fault(survey, "runs of epoch", store_key_number(key), ST_ECORRUPT);
    survey->runs++;
    return ST_OK;
}

static void read_model(void *arg, const char *file)
{
    struct survey *survey = arg;
    char path[2 * PATH_MAX];
    struct model_manifest manifest;
    snprintf(path, sizeof path, "%s/%s", survey->models, file);
    enum status st = model_files_inspect(path, &manifest, NULL, 0);
    if (st < 0) {
        survey->faults++;
        fprintf(stderr, "%s: %s\n", path, status_text(st));
    }
    survey->model_files++;
}

static void read_named_model(struct survey *survey, const struct trainer_checkpoint *point)
{
    char path[2 * PATH_MAX];
    struct model_manifest manifest;
    snprintf(path, sizeof path, "%s/%s", survey->models, point->file);
    enum status st = model_files_inspect(path, &manifest, NULL, 0);
    if (st == ST_OK && (manifest.cursor != point->cursor || manifest.version != point->version))
        st = ST_ECORRUPT;
    if (st < 0) {
        survey->faults++;
        fprintf(stderr, "%s, which the state needs: %s\n", path, status_text(st));
    }
}

/* Those that the store names are what a start needs. */
static void read_named_models(struct survey *survey)
{
    struct trainer_checkpoints named;
    enum status st = commit_read_trainers(survey->inspect->store, &named);
    if (st < 0)
        fault(survey, "trainer checkpoint", 0, st);
    for (size_t i = 0; st == ST_OK && i < named.n; i++)
        read_named_model(survey, &named.points[i]);
}

static void read_models(struct survey *survey)
{
    enum status st = model_files_each(survey->models, NULL, read_model, survey);
    if (st < 0 && st != ST_ENOTFOUND) {
        survey->faults++;
        fprintf(stderr, "%s: %s\n", survey->models, status_text(st));
    }
    read_named_models(survey);
}

static void read_records(struct survey *survey)
{
    const struct inspect *inspect = survey->inspect;
    unsigned shard = 0;
    enum status st = state_walk(inspect->store, inspect->state, WALK_BYTES, &survey->sum, &shard);
    if (st == ST_ECORRUPT && inspect->store->ops->error(inspect->store)[0])
        fprintf(stderr, "%s: %s\n", survey->dir, inspect->store->ops->error(inspect->store));
    if (st < 0)
        fault(survey, "pages of shard", shard, st);
}

static int survey_all(struct survey *survey)
{
    const struct inspect *inspect = survey->inspect;
    snprintf(survey->models, sizeof survey->models, "%s/models", survey->dir);
    read_records(survey);
    enum status st = commit_read_examples(inspect->store, 0, read_block, survey);
    if (st < 0)
        fault(survey, "example log", 0, st);
    st = store_scan_space(inspect->store, STORE_RUNS, read_runs, survey);
    if (st < 0)
        fault(survey, "runs", 0, st);
    read_models(survey);
    if (survey->faults > 0) {
        fprintf(stderr,
                "%s: %d faults: restore the whole directory from a checkpoint "
                "(freshet state restore)\n",
                survey->dir, survey->faults);
        return 1;
    }
    const struct state_sum *sum = &survey->sum;
    printf("%" PRIu64 " rows to send, %" PRIu64 " examples, runs of %" PRIu64 " epochs, %" PRIu64
           " model files\n%" PRIu64 " records whole, digest %016" PRIx64 "%016" PRIx64 "\n",
           commit_outbox_depth(inspect->commit), survey->examples, survey->runs,
           survey->model_files, sum->records, sum->digest.hi, sum->digest.lo);
    return 0;
}

/* Of a checkpoint every file must be what was written, byte for byte. */
static int verify_list(const char *dir)
{
    struct checkpoint checkpoint;
    struct buf error = {0};
    if (!checkpoint_is(dir))
        return 0;
    enum status st = checkpoint_read(dir, &checkpoint, &error);
    if (st == ST_OK) {
        st = checkpoint_check(dir, &checkpoint, &error);
        if (st == ST_OK)
            printf("checkpoint of \"%s\": %zu files as they were written\n", checkpoint.name,
                   checkpoint.n);
        checkpoint_done(&checkpoint);
    }
    if (st < 0)
        fprintf(stderr, "freshet state verify: %.*s\n", (int)error.len, error.data);
    buf_done(&error);
    return st < 0 ? 1 : 0;
}

int state_verify(const struct state_request *request)
{
    struct inspect inspect;
    const char *dir = request->n > 0 ? request->words[0] : request->dir;
    if (request->n > 1)
        return command_misused(&cmd_state, "verify one directory at a time");
    if (verify_list(dir) != 0 || inspect_open(request->settings, dir, INSPECT_NEEDED, &inspect) < 0)
        return 1;
    struct survey *survey = calloc(1, sizeof *survey);
    size_t n_dense = plan_vector_schema(inspect.plan)->n_dense;
    float *dense = calloc(n_dense + 1, sizeof *dense);
    int status = 1;
    if (survey && dense) {
        *survey = (struct survey){.inspect = &inspect, .dir = dir, .dense = dense};
        status = survey_all(survey);
    }
    free(dense);
    free(survey);
    inspect_close(&inspect);
    return status;
}
