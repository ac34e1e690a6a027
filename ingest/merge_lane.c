#include "ingest/merge_lane.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

enum { DEPTH_DEFAULT = 1024 };

/* Decoding the head. */

/* An event dated far past its record's own time would make the world expire. */
static bool is_ahead(const struct lane_rules *rules, const struct event *event)
{
    int64_t limit;
    if (event->broker_time == TIME_NONE ||
        __builtin_add_overflow(event->broker_time, rules->ahead_max, &limit))
        return false;
    return event->time > limit;
}

static void refuse_ahead(struct lane *lane, const struct record_in *record)
{
    char dated[32], known[32], text[120];
    time_format(lane->head.time, dated);
    time_format(record->broker_time, known);
    snprintf(text, sizeof text, "dated %s, too far past its record's timestamp %s", dated, known);
    decoder_refuse(lane->decoder, record->payload, record->broker_time, text, &lane->head);
}

static void refuse_cut(struct lane *lane, const struct record_in *record)
{
    char text[80];
    snprintf(text, sizeof text, "longer than the %zu bytes that a record may have",
             record->payload.len);
    decoder_refuse(lane->decoder, record->payload, record->broker_time, text, &lane->head);
}

static void decode_record(struct lane *lane, const struct lane_rules *rules,
                          const struct record_in *record)
{
    if (record->cut) {
        refuse_cut(lane, record);
        return;
    }
    decoder_decode(lane->decoder, record->payload, record->broker_time, &lane->head);
    if (lane->head.kind != EVENT_DEAD && is_ahead(rules, &lane->head))
        refuse_ahead(lane, record);
}

/* The time of a dead record at the lane's beginning: that of the first one at hand that is not. */
static int64_t first_time(struct lane *lane, const struct lane_rules *rules)
{
    for (size_t i = lane->at + 1; i < lane->n; i++) {
        decode_record(lane, rules, &lane->records[i]);
        if (lane->head.kind != EVENT_DEAD)
            return lane->head.time;
    }
    return *rules->merged == TIME_NONE ? 0 : *rules->merged;
}

/* An event of a stream without `id:` is known by where it came from. */
static void name_by_origin(struct lane *lane, int64_t offset)
{
    lane->id.len = lane->id_prefix;
    buf_int(&lane->id, offset);
    lane->head.id = buf_slice(&lane->id);
    lane->head.id_key = hash_event_id(lane->head.id);
}

static void decode_head(struct lane *lane, const struct lane_rules *rules)
{
    const struct record_in *record = &lane->records[lane->at];
    struct event *head = &lane->head;
    decode_record(lane, rules, record);
    if (head->kind == EVENT_DEAD && lane->time == TIME_NONE) {
        lane->time = first_time(lane, rules);
        decode_record(lane, rules, record);
    }
    if (head->kind == EVENT_DEAD)
        head->time = lane->time;
    else if (!head->id.data)
        name_by_origin(lane, record->offset);
    lane->time = head->time;
    head->origin = (struct origin){lane->number, record->offset};
    head->arrived = lane->fetched_at;
    lane->stopped = head->time > rules->until;
    lane->state = lane->stopped ? LANE_END : LANE_READY;
}

/* Fetching. */

/* Leaves out the records at the lane's beginning that are not to be read. Nobody waits for a lane
 * in vain meanwhile: it counts as just fallen silent. */
static void skip_old(struct lane *lane, int64_t now)
{
    while (lane->at < lane->n && lane->records[lane->at].broker_time <= lane->skip)
        lane->at++;
    if (lane->at < lane->n) {
        lane->skip = TIME_NONE;
        return;
    }
    lane->at = lane->n = 0;
    lane->state = LANE_SILENT;
    lane->silent_since = now;
}

/* The next run of records: n of them, or 0 and in state why there is none. */
static enum status fetch(struct lane *lane, int64_t now)
{
    struct source *source = lane->source;
    bool was_silent = lane->state == LANE_SILENT;
    size_t n = 0;
    enum status st = source->ops->fetch(source, lane->index, lane->records, lane->depth, &n);
    lane->at = 0;
    lane->n = st == ST_OK ? n : 0;
    lane->fetched_at = now;
    if (lane->n == 0)
        lane->state = st == ST_EEND ? LANE_END : LANE_SILENT;
    if (lane->state == LANE_SILENT && !was_silent)
        lane->silent_since = now;
    if (lane->skip != TIME_NONE && lane->n > 0)
        skip_old(lane, now);
    return st == ST_EAGAIN || st == ST_EEND ? ST_OK : st;
}

enum status lane_poll(struct lane *lane, const struct lane_rules *rules, int64_t now)
{
    if (lane->stopped || lane->state == LANE_READY)
        return ST_OK;
    TRY(fetch(lane, now));
    if (lane->n > 0)
        decode_head(lane, rules);
    return ST_OK;
}

enum status lane_advance(struct lane *lane, const struct lane_rules *rules, int64_t now)
{
    if (++lane->at == lane->n)
        TRY(fetch(lane, now));
    if (lane->n > 0)
        decode_head(lane, rules);
    return ST_OK;
}

/* Copying. */

static size_t copy_dead(struct arena *arena, struct event *ret)
{
    size_t len = strlen(ret->reason) + 1;
    ret->raw = arena_copy(arena, ret->raw.data, ret->raw.len);
    ret->reason = arena_copy(arena, ret->reason, len).data;
    return ret->raw.len + len;
}

static size_t copy_label(struct arena *arena, struct event *ret)
{
    ret->id = arena_copy(arena, ret->id.data, ret->id.len);
    ret->raw = (struct slice){0};
    return ret->id.len;
}

/* Values and id share one piece of the arena. */
static size_t copy_data(const struct lane *lane, struct arena *arena, struct event *ret)
{
    size_t bytes = lane->n_values * sizeof *ret->values, all = bytes + ret->id.len;
    char *at = arena_take(arena, all);
    union value *values = (union value *)(void *)at;
    memcpy(values, ret->values, bytes);
    memcpy(at + bytes, ret->id.data, ret->id.len);
    for (size_t i = 0; i < lane->n_texts; i++) {
        struct slice *text = &values[lane->texts[i]].text;
        *text = text->len ? arena_copy(arena, text->data, text->len) : (struct slice){0};
        all += text->len;
    }
    ret->values = values;
    ret->id.data = at + bytes;
    ret->raw = (struct slice){0};
    return all;
}

size_t lane_copy_head(const struct lane *lane, struct batch *batch)
{
    struct event *ret = &batch->events[batch->n++];
    *ret = lane->head;
    if (ret->kind == EVENT_DATA)
        return copy_data(lane, &batch->arena, ret);
    return ret->kind == EVENT_DEAD ? copy_dead(&batch->arena, ret) : copy_label(&batch->arena, ret);
}

/* Making one. */

static enum status make_decoder(struct lane *lane, const struct schema *schema,
                                const struct merge_options *options)
{
    const struct lane_info *info = &lane->info;
    bool is_label = info->stream == LABEL_STREAM;
    const struct stream *stream = is_label ? NULL : &schema->streams[info->stream];
    struct decoder_options decoder = {.format = info->format ? info->format
                                                : stream     ? stream->format
                                                             : "json",
                                      .stream = stream,
                                      .labels = &schema->labels,
                                      .index = info->stream,
                                      .label_column =
                                          info->is_file && stream ? options->label_column : NULL,
                                      .name = info->topic,
                                      .header = info->header};
    if (info->is_file && stream && !stream->time_field) {
        conf_complain(options->errors, NULL,
                      "%s: rows of a file have no timestamp of their own: the stream %s needs "
                      "`time:`",
                      info->topic, stream->name);
        return ST_EINVAL;
    }
    TRY(decoder_create(&decoder, options->errors, &lane->decoder));
    lane->n_values = stream ? stream->n_fields : 0;
    lane->texts = decoder_texts(lane->decoder, &lane->n_texts);
    return ST_OK;
}

enum status lane_init(struct lane *lane, const struct schema *schema,
                      const struct merge_options *options)
{
    TRY(make_decoder(lane, schema, options));
    lane->depth = options->lane_depth ? options->lane_depth : DEPTH_DEFAULT;
    lane->records = calloc(lane->depth, sizeof *lane->records);
    if (!lane->records)
        return ST_ENOMEM;
    lane->state = LANE_END;
    lane->time = lane->skip = TIME_NONE;
    if (!lane->info.is_file)
        buf_printf(&lane->id, "%s-%" PRId32 "-", lane->info.topic, lane->info.partition);
    lane->id_prefix = lane->id.len;
    return ST_OK;
}

void lane_done(struct lane *lane)
{
    decoder_free(lane->decoder);
    free(lane->records);
    buf_done(&lane->id);
}
