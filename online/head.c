#include "online/head.h"

#include <stdlib.h>

/* 2: replayed; 3: several models; 4: versions accepted, champions that took over; 5: contests;
 * 6: trials. */
enum { FORMAT = 6 };

void head_init(struct head *head)
{
    *head = (struct head){.clock = INT64_MIN, .replayed = INT64_MIN};
}

void head_done(struct head *head)
{
    for (size_t i = 0; i < head->n_lanes; i++)
        free(head->lanes[i].topic);
    for (size_t i = 0; i < head->n_models; i++)
        free(head->models[i].name);
    free(head->lanes);
    free(head->models);
    head_init(head);
}

static char *copy_of(struct slice text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        abort();
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

static struct head_lane *add_lane(struct head *head, struct slice topic, int32_t partition)
{
    struct head_lane *lanes = realloc(head->lanes, (head->n_lanes + 1) * sizeof *head->lanes);
    if (!lanes)
        abort();
    head->lanes = lanes;
    lanes[head->n_lanes] = (struct head_lane){copy_of(topic), partition, -1};
    return &lanes[head->n_lanes++];
}

static struct head_model *add_model(struct head *head, struct slice name)
{
    struct head_model *models = realloc(head->models, (head->n_models + 1) * sizeof *head->models);
    if (!models)
        abort();
    head->models = models;
    models[head->n_models] = (struct head_model){.name = copy_of(name)};
    return &models[head->n_models++];
}

uint32_t head_lane(struct head *head, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < head->n_lanes; i++)
        if (head->lanes[i].partition == partition && strcmp(head->lanes[i].topic, topic) == 0)
            return (uint32_t)i;
    add_lane(head, slice_of(topic), partition);
    return (uint32_t)(head->n_lanes - 1);
}

/* The one that a state from before there were names had is the first to be asked for. */
static struct head_model *find_model(struct head *head, const char *name)
{
    for (size_t i = 0; i < head->n_models; i++)
        if (strcmp(head->models[i].name, name) == 0)
            return &head->models[i];
    if (head->n_models == 0 || head->models[0].name[0])
        return NULL;
    free(head->models[0].name);
    head->models[0].name = copy_of(slice_of(name));
    head->models[0].active = true;
    return &head->models[0];
}

static enum status set_model(struct head *head, const char *name, uint32_t *ret)
{
    struct head_model *model = find_model(head, name);
    if (!model && head->n_models == HEAD_MODELS_MAX)
        return ST_EINVAL;
    if (!model)
        model = add_model(head, slice_of(name));
    if (!model->active) {
        model->active = true;
        model->boundary_next = INT64_MIN;
        model->examples_from = model->examples_published = head->examples_next;
    }
    *ret = (uint32_t)(model - head->models);
    return ST_OK;
}

static void set_champion(struct head *head, uint32_t intended)
{
    bool stays = head->champion < head->n_models && head->models[head->champion].active &&
                 head->intended == intended;
    if (!stays)
        head->champion = intended;
    head->intended = intended;
}

/* Returns whether one went. */
static bool keep_named(struct head *head, const uint32_t *numbers, size_t n)
{
    bool gone = false;
    for (size_t i = 0; i < head->n_models; i++) {
        bool named = false;
        for (size_t j = 0; j < n; j++)
            named = named || numbers[j] == i;
        gone = gone || (head->models[i].active && !named);
        head->models[i].active = named;
    }
    return gone;
}

/* What one of two models would have to say to it is not known any more. */
static void drop_contests(struct head *head)
{
    for (size_t i = 0; i < head->n_models; i++)
        head->models[i].settled = head->models[i].contested;
}

enum status head_set_models(struct head *head, const char *const *names, size_t n, uint32_t *ret)
{
    for (size_t i = 0; i < n; i++)
        TRY(set_model(head, names[i], &ret[i]));
    if (keep_named(head, ret, n))
        drop_contests(head);
    if (n > 0)
        set_champion(head, ret[0]);
    return ST_OK;
}

uint32_t head_version(const struct head *head)
{
    return head->champion < head->n_models ? head->models[head->champion].version : 0;
}

static void encode_model(const struct head_model *model, struct buf *ret)
{
    buf_slice_put(ret, slice_of(model->name));
    buf_byte(ret, model->active);
    buf_u32(ret, model->version);
    buf_u64(ret, (uint64_t)model->boundary_next);
    buf_u64(ret, model->examples_from);
    buf_u64(ret, model->examples_published);
    buf_u32(ret, model->accepted);
    buf_u32(ret, model->contested);
    buf_u32(ret, model->settled);
    buf_u32(ret, model->rival);
    canary_encode(&model->canary, ret);
}

/* The epoch comes first: commit.c reads it. */
void head_encode(const struct head *head, struct buf *ret)
{
    buf_u64(ret, head->epoch);
    buf_u32(ret, FORMAT);
    buf_u64(ret, (uint64_t)head->clock);
    buf_u64(ret, head->examples_next);
    buf_u64(ret, head->examples_end);
    buf_u64(ret, head->events);
    buf_u64(ret, (uint64_t)head->replayed);
    buf_varint(ret, head->n_lanes);
    for (size_t i = 0; i < head->n_lanes; i++) {
        buf_slice_put(ret, slice_of(head->lanes[i].topic));
        buf_varint_signed(ret, head->lanes[i].partition);
        buf_varint_signed(ret, head->lanes[i].next);
    }
    buf_varint(ret, head->champion);
    buf_varint(ret, head->intended);
    buf_varint(ret, head->n_models);
    for (size_t i = 0; i < head->n_models; i++)
        encode_model(&head->models[i], ret);
}

static void decode_lane(struct reader *in, struct head *head)
{
    struct slice topic = read_slice(in);
    int64_t partition = read_varint_signed(in), next = read_varint_signed(in);
    if (partition < 0 || partition > INT32_MAX)
        in->bad = true;
    if (!in->bad)
        add_lane(head, topic, (int32_t)partition)->next = next;
}

static void decode_model(struct reader *in, uint32_t format, struct head *head)
{
    struct slice name = read_slice(in);
    struct head_model model = {.active = read_byte(in) != 0};
    model.version = read_u32(in);
    model.boundary_next = (int64_t)read_u64(in);
    model.examples_from = read_u64(in);
    model.examples_published = read_u64(in);
    if (format >= 4)
        model.accepted = read_u32(in);
    if (format >= 5) {
        model.contested = read_u32(in);
        model.settled = read_u32(in);
        model.rival = read_u32(in);
    }
    if (format >= 6)
        canary_decode(in, &model.canary);
    if (in->bad)
        return;
    struct head_model *added = add_model(head, name);
    model.name = added->name;
    *added = model;
}

static void decode_models(struct reader *in, uint32_t format, struct head *head)
{
    uint64_t champion = read_varint(in);
    uint64_t intended = format >= 4 ? read_varint(in) : champion, n = read_varint(in);
    for (uint64_t i = 0; i < n && !in->bad; i++)
        decode_model(in, format, head);
    head->champion = (uint32_t)champion;
    head->intended = (uint32_t)intended;
    in->bad =
        in->bad || champion > HEAD_MODELS_MAX || intended > HEAD_MODELS_MAX || n > HEAD_MODELS_MAX;
}

/* Before the third format there was one model, without a name. */
static void decode_fixed(struct reader *in, uint32_t format, struct head *head)
{
    struct head_model model = {.active = true};
    head->clock = (int64_t)read_u64(in);
    if (format < 3) {
        model.boundary_next = (int64_t)read_u64(in);
        model.version = read_u32(in);
    }
    head->examples_next = head->examples_end = read_u64(in);
    if (format >= 3)
        head->examples_end = read_u64(in);
    if (format < 3)
        model.examples_published = read_u64(in);
    head->events = read_u64(in);
    if (format >= 2)
        head->replayed = (int64_t)read_u64(in);
    if (format >= 3 || in->bad)
        return;
    struct head_model *added = add_model(head, slice_of(""));
    model.name = added->name;
    *added = model;
}

static enum status decode(struct reader *in, struct head *head)
{
    head->epoch = read_u64(in);
    head->replayed = INT64_MIN;
    uint32_t format = read_u32(in);
    if (in->bad || format == 0)
        return ST_ECORRUPT;
    if (format > FORMAT)
        return ST_EVERSION;
    decode_fixed(in, format, head);
    uint64_t n = read_varint(in);
    for (uint64_t i = 0; i < n && !in->bad; i++)
        decode_lane(in, head);
    if (format >= 3 && !in->bad)
        decode_models(in, format, head);
    return reader_done(in) ? ST_OK : ST_ECORRUPT;
}

enum status head_decode(struct slice bytes, struct head *ret)
{
    struct reader in = reader_of(bytes);
    struct head head;
    head_init(&head);
    enum status st = decode(&in, &head);
    if (st < 0) {
        head_done(&head);
        return st;
    }
    head_done(ret);
    *ret = head;
    return ST_OK;
}
