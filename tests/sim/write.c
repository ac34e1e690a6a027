#include "tests/sim/write.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ingest/examples.h"
#include "online/rows.h"

static bool write_file(const char *dir, const char *name, struct slice bytes)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    bool good = fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    return fclose(file) == 0 && good;
}

static void put_place(struct buf *out, const struct input_lane *lane, int64_t offset)
{
    buf_text(out, "{\"topic\": ");
    rows_json_text(out, slice_of(lane->topic));
    buf_printf(out, ", \"partition\": %d, \"offset\": %" PRId64, (int)lane->partition, offset);
}

static void put_payload(struct buf *out, struct slice payload)
{
    buf_text(out, ", \"payload\": ");
    rows_json_text(out, payload);
    buf_text(out, "}\n");
}

static void put_records(struct buf *out, const struct input_lane *lane)
{
    for (size_t i = 0; i < lane->n; i++) {
        const struct input_record *record = &lane->records[i];
        put_place(out, lane, record->offset);
        buf_printf(out, ", \"broker_time\": %" PRId64, record->broker_time);
        put_payload(out, record->payload);
    }
}

static void put_rows(struct buf *out, const struct input_lane *lane, const struct arrival *arrivals)
{
    for (size_t i = 0; i < lane->n; i++) {
        if (arrivals[i].times == 0)
            continue;
        put_place(out, lane, lane->records[i].offset);
        buf_printf(out, ", \"channel\": \"%s\"",
                   arrivals[i].channel == CHANNEL_DEAD ? "dead" : "scores");
        put_payload(out, arrivals[i].payload);
    }
}

static void put_number(struct buf *out, double v)
{
    if (isfinite(v))
        buf_printf(out, "%.17g", v);
    else
        buf_text(out, "null");
}

static void put_vector(struct buf *out, const float *dense, size_t n_dense,
                       const struct sparse *sparse, size_t n_sparse)
{
    buf_text(out, ", \"dense\": [");
    for (size_t i = 0; i < n_dense; i++) {
        buf_text(out, i > 0 ? ", " : "");
        put_number(out, (double)dense[i]);
    }
    buf_text(out, "], \"sparse\": [");
    for (size_t i = 0; i < n_sparse; i++)
        buf_printf(out, "%s[%u, \"%016" PRIx64 "\", %.9g]", i > 0 ? ", " : "",
                   (unsigned)sparse[i].field, sparse[i].hash, (double)sparse[i].weight);
    buf_text(out, "]}\n");
}

static void put_example(struct buf *out, const struct example_item *item, const float *dense,
                        size_t n_dense, const struct sparse *sparse)
{
    if (item->kind == ITEM_PUBLISH) {
        buf_printf(out, "{\"version\": %u, \"time\": %" PRId64 ", \"model\": %u}\n",
                   item->boundary.version, item->boundary.time, item->boundary.model);
        return;
    }
    buf_printf(out, "{\"time\": %" PRId64 ", \"released_at\": %" PRId64 ", \"label\": ", item->time,
               item->released_at);
    put_number(out, (double)item->label);
    buf_text(out, ", \"weight\": ");
    put_number(out, (double)item->weight);
    buf_printf(out, ", \"correction\": %s, \"absent\": %s", item->correction ? "true" : "false",
               item->absent ? "true" : "false");
    put_vector(out, dense, n_dense, sparse, item->n_sparse);
}

static bool put_examples(struct buf *out, const struct trial *trial)
{
    static float dense[VECTOR_DENSE_MAX];
    static struct sparse sparse[VECTOR_SPARSE_MAX];
    struct reader in = reader_of(buf_slice(&trial->outcome.examples));
    struct example_item item;
    size_t n_dense = trial->outcome.n_dense;
    enum status st;
    while ((st = examples_next(&in, n_dense, dense, sparse, &item)) == ST_OK)
        if (item.kind != ITEM_ACT) /* which version serves is not what the oracle is about */
            put_example(out, &item, dense, n_dense, sparse);
    return st == ST_EEND;
}

bool write_trial(const struct trial *trial, const char *dir)
{
    const struct input *input = trial->options.input;
    struct buf records = {0}, rows = {0}, examples = {0};
    for (size_t i = 0; i < input->n_lanes; i++) {
        put_records(&records, &input->lanes[i]);
        put_rows(&rows, &input->lanes[i], trial->outcome.arrivals[i]);
    }
    bool good = put_examples(&examples, trial) &&
                write_file(dir, "config.yaml", buf_slice(&input->config)) &&
                write_file(dir, "records.jsonl", buf_slice(&records)) &&
                write_file(dir, "rows.jsonl", buf_slice(&rows)) &&
                write_file(dir, "examples.jsonl", buf_slice(&examples)) &&
                write_file(dir, "model.safetensors", buf_slice(&trial->outcome.model));
    buf_done(&records);
    buf_done(&rows);
    buf_done(&examples);
    return good;
}
