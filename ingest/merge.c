#include "ingest/merge_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum status merge_fail(struct merge *merge, enum status st, const char *text)
{
    merge->error = text;
    return st;
}

enum status merge_fail_of(struct merge *merge, enum status st, const struct source *source)
{
    const char *text = source->ops->error ? source->ops->error(source) : NULL;
    return merge_fail(merge, st, text && *text ? text : status_text(st));
}

const char *merge_error(const struct merge *merge)
{
    return merge->error ? merge->error : "";
}

/* Lanes by number. */

size_t merge_lanes(const struct merge *merge)
{
    return merge->n_lanes + merge->n_labels;
}

struct lane_info merge_lane(const struct merge *merge, size_t lane)
{
    assert(lane < merge_lanes(merge));
    if (lane < merge->n_lanes)
        return merge->lanes[lane].info;
    return merge->labels[lane - merge->n_lanes].info;
}

enum status merge_seek(struct merge *merge, size_t number, int64_t offset)
{
    assert(number < merge_lanes(merge) && !merge->started);
    if (number >= merge->n_lanes) {
        merge->labels[number - merge->n_lanes].seek = offset;
        return ST_OK;
    }
    struct lane *lane = &merge->lanes[number];
    struct label_lane *labels = merge_labels_of(merge, lane);
    if (labels) {
        labels->row = offset;
        return ST_OK;
    }
    enum status st = lane->source->ops->seek(lane->source, lane->index, offset);
    return st < 0 ? merge_fail_of(merge, st, lane->source) : ST_OK;
}

void merge_skip(struct merge *merge, size_t number, int64_t time)
{
    assert(number < merge->n_lanes && !merge->started);
    merge->lanes[number].skip = time;
}

void merge_set_time(struct merge *merge, int64_t time)
{
    if (merge->time == TIME_NONE || time > merge->time)
        merge->time = time;
}

int64_t merge_lag(struct merge *merge, size_t number)
{
    if (number >= merge->n_lanes)
        return (int64_t)merge->labels[number - merge->n_lanes].queue.n;
    struct lane *lane = &merge->lanes[number];
    const struct source_ops *ops = lane->source->ops;
    int64_t lag = ops->lag ? ops->lag(lane->source, lane->index) : -1;
    return lag < 0 ? -1 : lag + (int64_t)(lane->n - lane->at);
}

double merge_progress(const struct merge *merge)
{
    double sum = 0;
    int n = 0;
    for (size_t i = 0; i < merge->n_lanes; i++) {
        const struct source *source = merge->lanes[i].source;
        double share = source->ops->progress ? source->ops->progress(source) : NAN;
        sum += isnan(share) ? 0 : share;
        n += !isnan(share);
    }
    return n > 0 ? sum / n : NAN;
}

/* Making one. */

/* What ties are ordered by; a lane's place among all of them is its rank. */
struct place {
    bool is_event;
    const char *topic;
    int32_t partition;
    uint32_t number;
};

static int place_compare(const void *va, const void *vb)
{
    const struct place *a = va, *b = vb;
    if (a->is_event != b->is_event)
        return a->is_event - b->is_event;
    int by_topic = strcmp(a->topic, b->topic);
    if (by_topic != 0)
        return by_topic;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static enum status rank_lanes(struct merge *merge)
{
    uint32_t n = (uint32_t)merge_lanes(merge);
    struct place *places = calloc(n + 1, sizeof *places);
    if (!places)
        return ST_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct lane_info info = merge_lane(merge, i);
        places[i] = (struct place){info.stream != LABEL_STREAM, info.topic, info.partition, i};
    }
    qsort(places, n, sizeof *places, place_compare);
    for (uint32_t i = 0; i < n; i++)
        merge->ranks[places[i].number] = i;
    for (size_t i = 0; i < merge->n_labels; i++)
        merge->labels[i].rank = merge->ranks[merge->labels[i].number];
    free(places);
    return ST_OK;
}

/* Lanes are known by topic and partition: the labels of a file are another lane than its events. */
static enum status name_labels(struct label_lane *labels)
{
    static const char suffix[] = " (labels)";
    size_t len = strlen(labels->info.topic);
    labels->topic = malloc(len + sizeof suffix);
    if (!labels->topic)
        return ST_ENOMEM;
    memcpy(labels->topic, labels->info.topic, len);
    memcpy(labels->topic + len, suffix, sizeof suffix);
    labels->info.topic = labels->topic;
    return ST_OK;
}

static enum status add_lane(struct merge *merge, const struct schema *schema, struct source *source,
                            size_t index)
{
    struct lane *lane = &merge->lanes[merge->n_lanes];
    *lane = (struct lane){.source = source,
                          .index = index,
                          .number = (uint32_t)merge->n_lanes,
                          .info = source->ops->lane(source, index)};
    merge->n_lanes++; /* first, so that a half-made lane is freed too */
    TRY(lane_init(lane, schema, &merge->options));
    if (lane->info.is_file && lane->info.stream != LABEL_STREAM && merge->options.label_column) {
        struct label_lane *labels = &merge->labels[merge->n_labels++];
        *labels = (struct label_lane){.file = lane, .info = lane->info};
        labels->info.stream = LABEL_STREAM;
        TRY(name_labels(labels));
    }
    return ST_OK;
}

static enum status add_lanes(struct merge *merge, const struct schema *schema)
{
    for (size_t s = 0; s < merge->n_sources; s++) {
        struct source *source = merge->sources[s];
        for (size_t i = 0; i < source->ops->lanes(source); i++)
            TRY(add_lane(merge, schema, source, i));
    }
    for (size_t i = 0; i < merge->n_labels; i++)
        merge->labels[i].number = (uint32_t)(merge->n_lanes + i);
    return rank_lanes(merge);
}

enum status merge_create(const struct merge_options *options, const struct schema *schema,
                         struct source *const *sources, size_t n_sources, struct merge **ret)
{
    size_t n = 0;
    for (size_t s = 0; s < n_sources; s++)
        n += sources[s]->ops->lanes(sources[s]);
    struct merge *merge = calloc(1, sizeof *merge);
    if (!merge)
        return ST_ENOMEM;
    enum status st = ST_ENOMEM;
    merge->options = *options;
    merge->rules = (struct lane_rules){options->ahead_max, options->until, &merge->time};
    merge->delay = schema->labels.delay;
    merge->n_sources = n_sources;
    merge->time = TIME_NONE;
    merge->sources = calloc(n_sources + 1, sizeof(struct source *));
    merge->lanes = calloc(n + 1, sizeof *merge->lanes);
    merge->labels = calloc(n + 1, sizeof *merge->labels);
    merge->ranks = calloc(2 * n + 1, sizeof *merge->ranks);
    merge->heap = calloc(n + 1, sizeof *merge->heap);
    if (!merge->sources || !merge->lanes || !merge->labels || !merge->ranks || !merge->heap)
        goto fail;
    memcpy(merge->sources, sources, n_sources * sizeof(struct source *));
    st = add_lanes(merge, schema);
    if (st < 0)
        goto fail;
    *ret = merge;
    return ST_OK;
fail:
    merge_free(merge);
    return st;
}

void merge_free(struct merge *merge)
{
    if (!merge)
        return;
    for (size_t i = 0; i < merge->n_lanes; i++)
        lane_done(&merge->lanes[i]);
    for (size_t i = 0; i < merge->n_labels; i++) {
        label_queue_done(&merge->labels[i].queue);
        free(merge->labels[i].topic);
    }
    free(merge->sources);
    free(merge->lanes);
    free(merge->labels);
    free(merge->ranks);
    free(merge->heap);
    free(merge);
}
