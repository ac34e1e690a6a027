#include "ingest/sink_memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

struct sink_memory {
    struct sink head;
    struct sink_memory_script script;
    struct arena arena; /* what the rows point to */
    struct row *rows;
    size_t n, cap;
    uint64_t sent;
    uint64_t acked;
    size_t n_safe; /* rows kept when the last one was acknowledged */
    bool told;     /* of the refused row */
    struct sink_memory_mark mark;
};

static struct sink_memory *self_of(struct sink *sink)
{
    return (struct sink_memory *)sink;
}

static void keep(struct sink_memory *self, const struct row *row)
{
    if (self->n == self->cap) {
        self->cap = self->cap ? self->cap * 2 : 64;
        self->rows = realloc(self->rows, self->cap * sizeof *self->rows);
        if (!self->rows)
            abort();
    }
    struct row *kept = &self->rows[self->n++];
    *kept = *row;
    kept->topic = arena_copy(&self->arena, row->topic, strlen(row->topic) + 1).data;
    kept->key = arena_copy(&self->arena, row->key.data, row->key.len);
    kept->payload = arena_copy(&self->arena, row->payload.data, row->payload.len);
    kept->reason = arena_copy(&self->arena, row->reason.data, row->reason.len);
}

static enum status send_row(struct sink *sink, const struct row *row)
{
    struct sink_memory *self = self_of(sink);
    TRY(self->script.broken);
    if (self->sent - self->acked >= self->script.full_at)
        return ST_EAGAIN;
    if (self->sent != self->script.refuse) {
        keep(self, row);
    } else if (!self->told && self->head.refused) {
        self->told = true;
        self->head.refused(self->head.refused_arg, self->sent, "refused by the test");
    }
    self->sent++;
    if (self->script.repeat > 0 && self->sent % self->script.repeat == 0)
        keep(self, row);
    return ST_OK;
}

static enum status poll_acks(struct sink *sink, int64_t timeout_us, uint64_t *ret_acked,
                             uint64_t *ret_refused)
{
    struct sink_memory *self = self_of(sink);
    (void)timeout_us;
    TRY(self->script.broken);
    if (self->script.take_back) {
        self->script.take_back = false;
        self->sent = self->acked;
        self->n = self->n_safe;
        self->mark.epoch = 0;
        return ST_EAGAIN;
    }
    uint64_t acked = self->sent < self->script.hold ? self->sent : self->script.hold;
    if (acked > self->acked)
        self->acked = acked;
    if (self->acked == self->sent)
        self->n_safe = self->n;
    *ret_acked = self->acked;
    *ret_refused = self->acked > self->script.refuse;
    return ST_OK;
}

static enum status take_mark(struct sink *sink, const struct sink_mark *mark)
{
    struct sink_memory *self = self_of(sink);
    self->mark =
        (struct sink_memory_mark){mark->life, mark->epoch, self->sent, mark->n, {{.next = 0}}};
    for (size_t i = 0; i < mark->n && i < 4; i++) {
        snprintf(self->mark.positions[i].topic, sizeof self->mark.positions[i].topic, "%s",
                 mark->positions[i].topic);
        self->mark.positions[i].partition = mark->positions[i].partition;
        self->mark.positions[i].next = mark->positions[i].next;
    }
    return ST_OK;
}

struct sink_memory_mark sink_memory_mark(const struct sink *sink)
{
    return ((const struct sink_memory *)sink)->mark;
}

static void sink_memory_free(struct sink *sink)
{
    if (!sink)
        return;
    arena_done(&self_of(sink)->arena);
    free(self_of(sink)->rows);
    free(sink);
}

static const char *error_text(const struct sink *sink)
{
    return ((const struct sink_memory *)sink)->script.broken < 0 ? "broken by the test" : "";
}

static const struct sink_ops sink_memory_ops = {
    .kind = "memory",
    .send = send_row,
    .poll = poll_acks,
    .mark = take_mark,
    .free = sink_memory_free,
    .error = error_text,
};

struct sink *sink_memory_create(void)
{
    struct sink_memory *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->head.ops = &sink_memory_ops;
    self->script = (struct sink_memory_script){
        .hold = UINT64_MAX, .full_at = UINT64_MAX, .refuse = UINT64_MAX};
    arena_init(&self->arena, 64 * 1024);
    return &self->head;
}

struct sink_memory_script *sink_memory_script(struct sink *sink)
{
    return &self_of(sink)->script;
}

size_t sink_memory_rows(const struct sink *sink)
{
    return ((const struct sink_memory *)sink)->n;
}

const struct row *sink_memory_row(const struct sink *sink, size_t i)
{
    return &((const struct sink_memory *)sink)->rows[i];
}
