#include "ingest/life.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_LIFE "mlife"
#define NOTE     "freshet:1:%016" PRIx64 ":%" PRIu64

void life_done(struct life *life)
{
    free(life->quiet_below);
    *life = (struct life){0};
}

static enum status decode(struct slice value, struct life *ret)
{
    struct reader in = reader_of(value);
    struct life life = {.number = read_u64(&in)};
    life.before = read_u64(&in);
    life.before_epoch = read_u64(&in);
    life.accepted = read_u64(&in);
    life.accepted_epoch = read_u64(&in);
    uint64_t n = read_varint(&in);
    if (in.bad || n > reader_left(&in))
        return ST_ECORRUPT;
    life.quiet_below = calloc(n + 1, sizeof *life.quiet_below);
    if (!life.quiet_below)
        return ST_ENOMEM;
    for (life.n_quiet = 0; life.n_quiet < n; life.n_quiet++)
        life.quiet_below[life.n_quiet] = read_varint_signed(&in);
    if (!reader_done(&in)) {
        life_done(&life);
        return ST_ECORRUPT;
    }
    life_done(ret);
    *ret = life;
    return ST_OK;
}

enum status life_read(struct store *store, struct life *ret)
{
    struct buf value = {0};
    enum status st = store->ops->get(store, slice_of(KEY_LIFE), &value);
    if (st == ST_OK)
        st = decode(buf_slice(&value), ret);
    buf_done(&value);
    return st;
}

enum status life_write(struct store *store, const struct life *life)
{
    struct buf value = {0};
    buf_u64(&value, life->number);
    buf_u64(&value, life->before);
    buf_u64(&value, life->before_epoch);
    buf_u64(&value, life->accepted);
    buf_u64(&value, life->accepted_epoch);
    buf_varint(&value, life->n_quiet);
    for (size_t i = 0; i < life->n_quiet; i++)
        buf_varint_signed(&value, life->quiet_below[i]);
    struct store_batch *batch = store->ops->batch_create(store);
    store->ops->put(batch, slice_of(KEY_LIFE), buf_slice(&value));
    enum status st = store->ops->write(store, batch);
    store->ops->batch_free(batch);
    buf_done(&value);
    return st;
}

bool life_knows(const struct life *life, const struct group_offset *group)
{
    if (group->next < 0 || group->life == 0)
        return false;
    return group->life == life->number ||
           (group->life == life->before && group->epoch <= life->before_epoch);
}

bool life_is_foreign(const struct life *life, const struct group_offset *group)
{
    if (group->next < 0 || group->life == 0 || life_knows(life, group))
        return false;
    return group->life != life->accepted || group->epoch > life->accepted_epoch;
}

void life_note(uint64_t life, uint64_t epoch, char ret[LIFE_NOTE_MAX])
{
    snprintf(ret, LIFE_NOTE_MAX, NOTE, life, epoch);
}

bool life_parse_note(struct slice note, uint64_t *ret_life, uint64_t *ret_epoch)
{
    char text[LIFE_NOTE_MAX], again[LIFE_NOTE_MAX];
    uint64_t life, epoch;
    if (note.len >= sizeof text)
        return false;
    if (note.len > 0)
        memcpy(text, note.data, note.len);
    text[note.len] = '\0';
    if (sscanf(text, "freshet:1:%16" SCNx64 ":%20" SCNu64, &life, &epoch) != 2)
        return false;
    life_note(life, epoch, again);
    if (strcmp(text, again) != 0)
        return false;
    *ret_life = life;
    *ret_epoch = epoch;
    return true;
}
