#include "ingest/lineage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_LINEAGE "mlineage"
#define NOTE        "freshet:1:%016" PRIx64 ":%" PRIu64

void lineage_done(struct lineage *lineage)
{
    free(lineage->quiet_below);
    *lineage = (struct lineage){0};
}

static enum status decode(struct slice value, struct lineage *ret)
{
    struct reader in = reader_of(value);
    struct lineage lineage = {.number = read_u64(&in)};
    lineage.before = read_u64(&in);
    lineage.before_epoch = read_u64(&in);
    lineage.accepted = read_u64(&in);
    lineage.accepted_epoch = read_u64(&in);
    uint64_t n = read_varint(&in);
    if (in.bad || n > reader_left(&in))
        return ST_ECORRUPT;
    lineage.quiet_below = calloc(n + 1, sizeof *lineage.quiet_below);
    if (!lineage.quiet_below)
        return ST_ENOMEM;
    for (lineage.n_quiet = 0; lineage.n_quiet < n; lineage.n_quiet++)
        lineage.quiet_below[lineage.n_quiet] = read_varint_signed(&in);
    if (!reader_done(&in)) {
        lineage_done(&lineage);
        return ST_ECORRUPT;
    }
    lineage_done(ret);
    *ret = lineage;
    return ST_OK;
}

enum status lineage_read(struct store *store, struct lineage *ret)
{
    struct buf value = {0};
    enum status st = store->ops->get(store, slice_of(KEY_LINEAGE), &value);
    if (st == ST_OK)
        st = decode(buf_slice(&value), ret);
    buf_done(&value);
    return st;
}

enum status lineage_write(struct store *store, const struct lineage *lineage)
{
    struct buf value = {0};
    buf_u64(&value, lineage->number);
    buf_u64(&value, lineage->before);
    buf_u64(&value, lineage->before_epoch);
    buf_u64(&value, lineage->accepted);
    buf_u64(&value, lineage->accepted_epoch);
    buf_varint(&value, lineage->n_quiet);
    for (size_t i = 0; i < lineage->n_quiet; i++)
        buf_varint_signed(&value, lineage->quiet_below[i]);
    struct store_batch *batch = store->ops->batch_create(store);
    store->ops->put(batch, slice_of(KEY_LINEAGE), buf_slice(&value));
    enum status st = store->ops->write(store, batch);
    store->ops->batch_free(batch);
    buf_done(&value);
    return st;
}

bool lineage_knows(const struct lineage *lineage, const struct group_offset *group)
{
    if (group->next < 0 || group->life == 0)
        return false;
    return group->life == lineage->number ||
           (group->life == lineage->before && group->epoch <= lineage->before_epoch);
}

bool lineage_is_foreign(const struct lineage *lineage, const struct group_offset *group)
{
    if (group->next < 0 || group->life == 0 || lineage_knows(lineage, group))
        return false;
    return group->life != lineage->accepted || group->epoch > lineage->accepted_epoch;
}

void lineage_note(uint64_t life, uint64_t epoch, char ret[LINEAGE_NOTE_MAX])
{
    snprintf(ret, LINEAGE_NOTE_MAX, NOTE, life, epoch);
}

bool lineage_parse_note(struct slice note, uint64_t *ret_life, uint64_t *ret_epoch)
{
    char text[LINEAGE_NOTE_MAX], again[LINEAGE_NOTE_MAX];
    uint64_t life, epoch;
    if (note.len >= sizeof text)
        return false;
    if (note.len > 0)
        memcpy(text, note.data, note.len);
    text[note.len] = '\0';
    if (sscanf(text, "freshet:1:%16" SCNx64 ":%20" SCNu64, &life, &epoch) != 2)
        return false;
    lineage_note(life, epoch, again);
    if (strcmp(text, again) != 0)
        return false;
    *ret_life = life;
    *ret_epoch = epoch;
    return true;
}
