/*
 * What decoding and merging cost: reads a file of card transactions through source, decoder and
 * merge as `replay` does, and prints ns an event for each step alone and for all of them.
 *
 *     bench_ingest transactions.csv.zst
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/merge.h"
#include "ingest/source_file.h"

/* Processor time, because other processes disturb wall time more. */
static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void check(enum status st, struct conf_errors *errors)
{
    if (st == ST_OK)
        return;
    fprintf(stderr, "%s\n%.*s", status_text(st), (int)errors->text.len, errors->text.data);
    exit(1);
}

static void print(const char *step, int64_t ns, uint64_t n)
{
    printf("%-24s %10" PRIu64 " rows %8.1f ms %8.1f ns/row\n", step, n, (double)ns / 1e6,
           (double)ns / (double)(n ? n : 1));
}

static struct source *open_file(const char *path, struct conf_errors *errors)
{
    struct source *source = NULL;
    check(source_file_create(&(struct source_file_options){.path = path}, errors, &source), errors);
    return source;
}

/* Rows alone: reading, zstd and finding row ends. */
static void bench_source(const char *path, struct conf_errors *errors)
{
    struct source *source = open_file(path, errors);
    static struct record_in records[1024];
    uint64_t n = 0;
    size_t got;
    int64_t start = now_ns();
    while (source->ops->fetch(source, 0, records, 1024, &got) == ST_OK)
        n += got;
    print("source", now_ns() - start, n);
    source->ops->free(source);
}

static void bench_merge(const char *path, const struct schema *schema, const char *label_column,
                        struct conf_errors *errors)
{
    struct source *source = open_file(path, errors);
    struct merge_options options = {
        .idle_max = SECOND_US, .until = INT64_MAX, .label_column = label_column, .errors = errors};
    struct merge *merge = NULL;
    struct batch *batch = NULL;
    check(merge_create(&options, schema, &source, 1, &merge), errors);
    check(batch_create(1024, &batch), errors);
    uint64_t n = 0, dead = 0;
    int64_t start = now_ns();
    while (merge_fill(merge, batch, 0) == ST_OK) {
        n += batch->n;
        for (size_t i = 0; i < batch->n; i++)
            dead += batch->events[i].kind == EVENT_DEAD;
        batch_reset(batch);
    }
    print(label_column ? "decode, merge, labels" : "decode and merge", now_ns() - start, n);
    if (dead > 0)
        printf("%" PRIu64 " dead\n", dead);
    batch_free(batch);
    merge_free(merge);
    source->ops->free(source);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_ingest transactions.csv[.zst]\n");
        return 2;
    }
    struct field fields[] = {{"CUSTOMER_ID", FIELD_ENTITY, "CUSTOMER_ID"},
                             {"TERMINAL_ID", FIELD_ENTITY, "TERMINAL_ID"},
                             {"TX_AMOUNT", FIELD_NUMBER, NULL}};
    struct stream stream = {.name = "transactions",
                            .topic = "transactions",
                            .format = "csv",
                            .id_field = "TRANSACTION_ID",
                            .time_field = "TX_DATETIME",
                            .n_fields = 3,
                            .fields = fields};
    struct conf_errors errors = {0};
    check(timefmt_compile(slice_of("%Y-%m-%d %H:%M:%S"), NULL, &stream.time_format), &errors);
    struct schema schema = {
        .n_streams = 1, .streams = &stream, .labels = {.present = true, .delay = 7 * DAY_US}};
    bench_source(argv[1], &errors);
    bench_merge(argv[1], &schema, NULL, &errors);
    bench_merge(argv[1], &schema, "TX_FRAUD", &errors);
    return 0;
}
