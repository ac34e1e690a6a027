#include "online/head.h"

#include <stdlib.h>

/* 2: replayed. */
enum { FORMAT = 2 };

void head_init(struct head *head)
{
    *head = (struct head){.clock = INT64_MIN, .boundary_next = INT64_MIN, .replayed = INT64_MIN};
}

void head_done(struct head *head)
{
    for (size_t i = 0; i < head->n_lanes; i++)
        free(head->lanes[i].topic);
    free(head->lanes);
    head_init(head);
}

static struct head_lane *add_lane(struct head *head, struct slice topic, int32_t partition)
{
    struct head_lane *lanes = realloc(head->lanes, (head->n_lanes + 1) * sizeof *head->lanes);
    char *copy = malloc(topic.len + 1);
    if (!lanes || !copy)
        abort();
    memcpy(copy, topic.data, topic.len);
    copy[topic.len] = '\0';
    head->lanes = lanes;
    lanes[head->n_lanes] = (struct head_lane){copy, partition, -1};
    return &lanes[head->n_lanes++];
}

uint32_t head_lane(struct head *head, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < head->n_lanes; i++)
        if (head->lanes[i].partition == partition && strcmp(head->lanes[i].topic, topic) == 0)
            return (uint32_t)i;
    add_lane(head, slice_of(topic), partition);
    return (uint32_t)(head->n_lanes - 1);
}

/* The epoch comes first: commit.c reads it. */
void head_encode(const struct head *head, struct buf *ret)
{
    buf_u64(ret, head->epoch);
    buf_u32(ret, FORMAT);
    buf_u64(ret, (uint64_t)head->clock);
    buf_u64(ret, (uint64_t)head->boundary_next);
    buf_u32(ret, head->version);
    buf_u64(ret, head->examples_next);
    buf_u64(ret, head->examples_published);
    buf_u64(ret, head->events);
    buf_u64(ret, (uint64_t)head->replayed);
    buf_varint(ret, head->n_lanes);
    for (size_t i = 0; i < head->n_lanes; i++) {
        buf_slice_put(ret, slice_of(head->lanes[i].topic));
        buf_varint_signed(ret, head->lanes[i].partition);
        buf_varint_signed(ret, head->lanes[i].next);
    }
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

static enum status decode(struct reader *in, struct head *head)
{
    head->epoch = read_u64(in);
    head->replayed = INT64_MIN;
    uint32_t format = read_u32(in);
    if (in->bad || format == 0)
        return ST_ECORRUPT;
    if (format > FORMAT)
        return ST_EVERSION;
    head->clock = (int64_t)read_u64(in);
    head->boundary_next = (int64_t)read_u64(in);
    head->version = read_u32(in);
    head->examples_next = read_u64(in);
    head->examples_published = read_u64(in);
    head->events = read_u64(in);
    if (format >= 2)
        head->replayed = (int64_t)read_u64(in);
    uint64_t n = read_varint(in);
    for (uint64_t i = 0; i < n && !in->bad; i++)
        decode_lane(in, head);
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
