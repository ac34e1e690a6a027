#include "online/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/timefmt.h"

static void json_escaped(struct buf *buf, unsigned char c)
{
    if (c == '"' || c == '\\') {
        buf_byte(buf, '\\');
        buf_byte(buf, c);
    } else {
        buf_printf(buf, "\\u%04x", c);
    }
}

void rows_json_text(struct buf *buf, struct slice text)
{
    buf_byte(buf, '"');
    size_t plain = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(buf, text.data + plain, i - plain);
        json_escaped(buf, c);
        plain = i + 1;
    }
    buf_append(buf, text.data + plain, text.len - plain);
    buf_byte(buf, '"');
}

/* RFC 4180: quotes only where they are needed. */
static void csv_text(struct buf *buf, struct slice text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len && plain; i++)
        plain = !strchr(",\"\r\n", text.data[i]);
    if (plain) {
        buf_append(buf, text.data, text.len);
        return;
    }
    buf_byte(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            buf_byte(buf, '"');
        buf_byte(buf, (uint8_t)text.data[i]);
    }
    buf_byte(buf, '"');
}

static void put_time(struct buf *buf, int64_t time)
{
    buf->len += time_format(time, buf_reserve(buf, 40));
}

void rows_init(struct rows *rows, const struct rows_options *options,
               const struct vector_schema *schema)
{
    *rows = (struct rows){.options = *options, .schema = schema};
    if (options->format != ROWS_JSON || !options->features)
        return;
    rows->names = calloc(schema->n_dense + 1, sizeof *rows->names);
    if (!rows->names)
        abort();
    for (size_t i = 0; i < schema->n_dense; i++) {
        rows_json_text(&rows->names[i], slice_of(schema->dense[i]));
        buf_byte(&rows->names[i], ':');
    }
}

void rows_done(struct rows *rows)
{
    for (size_t i = 0; rows->names && i < rows->schema->n_dense; i++)
        buf_done(&rows->names[i]);
    free(rows->names);
    buf_done(&rows->payload);
}

void rows_json_reasons(struct buf *buf, const struct reason *reasons, size_t n)
{
    buf_byte(buf, '[');
    for (size_t i = 0; i < n; i++) {
        buf_text(buf, i > 0 ? ",{\"name\":" : "{\"name\":");
        rows_json_text(buf, slice_of(reasons[i].name));
        buf_text(buf, ",\"log_odds\":");
        buf_float(buf, (float)reasons[i].log_odds);
        buf_byte(buf, '}');
    }
    buf_byte(buf, ']');
}

/* JSON has no NaN: a feature that is not known is null. */
static void json_number(struct buf *buf, double v)
{
    if (isfinite(v))
        buf_double(buf, v);
    else
        buf_text(buf, "null");
}

static void json_features(const struct rows *rows, struct buf *buf, const double *values)
{
    buf_text(buf, ",\"features\":{");
    for (size_t i = 0; i < rows->schema->n_dense; i++) {
        if (i > 0)
            buf_byte(buf, ',');
        buf_append(buf, rows->names[i].data, rows->names[i].len);
        json_number(buf, values[i]);
    }
    buf_byte(buf, '}');
}

static void json_score(const struct rows *rows, struct buf *buf, const struct row_score *row)
{
    buf_text(buf, "{\"id\":");
    rows_json_text(buf, row->event->id);
    buf_text(buf, ",\"time\":\"");
    put_time(buf, row->time);
    buf_text(buf, "\",\"score\":");
    if (isfinite(row->score))
        buf_float(buf, row->score);
    else
        buf_text(buf, "null");
    buf_text(buf, ",\"model\":");
    rows_json_text(buf, slice_of(rows->options.model));
    buf_text(buf, ",\"version\":");
    buf_int(buf, row->version);
    if (rows->options.features && row->values)
        json_features(rows, buf, row->values);
    if (rows->options.reasons > 0 && row->values) {
        buf_text(buf, ",\"reasons\":");
        rows_json_reasons(buf, row->reasons, row->n_reasons);
    }
    buf_byte(buf, '}');
}

/* As many columns as there may be reasons, whether there are or not. */
static void csv_reasons(const struct rows *rows, struct buf *buf, const struct row_score *row)
{
    for (size_t i = 0; i < rows->options.reasons; i++) {
        buf_byte(buf, ',');
        if (i < row->n_reasons)
            csv_text(buf, slice_of(row->reasons[i].name));
        buf_byte(buf, ',');
        if (i < row->n_reasons)
            buf_float(buf, (float)row->reasons[i].log_odds);
    }
}

static void csv_score(const struct rows *rows, struct buf *buf, const struct row_score *row)
{
    csv_text(buf, row->event->id);
    buf_byte(buf, ',');
    if (isfinite(row->score))
        buf_float(buf, row->score);
    buf_byte(buf, ',');
    put_time(buf, row->time);
    buf_byte(buf, ',');
    if (isfinite(row->event->label))
        buf_double(buf, row->event->label);
    buf_byte(buf, ',');
    buf_int(buf, row->version);
    csv_reasons(rows, buf, row);
    buf_byte(buf, '\n');
}

static void csv_features(const struct rows *rows, struct buf *buf, const struct row_score *row)
{
    csv_text(buf, row->event->id);
    for (size_t i = 0; i < rows->schema->n_dense; i++) {
        buf_byte(buf, ',');
        char *at = buf_reserve(buf, NUMBER_TEXT_MAX);
        if (!isnan(row->values[i]))
            buf->len += number_from_double_17(row->values[i], at);
    }
    buf_byte(buf, '\n');
}

static void put(struct rows *rows, struct buf *outbox, enum channel channel, uint32_t lane,
                const struct row_score *row, uint32_t ordinal)
{
    struct slice key = rows->options.format == ROWS_JSON ? row->event->id : (struct slice){0};
    outbox_put(outbox, channel, lane, row->event->origin.offset, ordinal, key,
               buf_slice(&rows->payload), (struct slice){0});
}

unsigned rows_put_score(struct rows *rows, struct buf *outbox, uint32_t lane,
                        const struct row_score *row)
{
    unsigned n = 0;
    if (rows->options.scores) {
        buf_reset(&rows->payload);
        if (rows->options.format == ROWS_JSON)
            json_score(rows, &rows->payload, row);
        else
            csv_score(rows, &rows->payload, row);
        put(rows, outbox, CHANNEL_SCORES, lane, row, n++);
    }
    if (rows->options.features && rows->options.format == ROWS_CSV && row->values) {
        buf_reset(&rows->payload);
        csv_features(rows, &rows->payload, row);
        put(rows, outbox, CHANNEL_FEATURES, lane, row, n++);
    }
    return n;
}

void rows_score_header(size_t reasons, struct buf *ret)
{
    buf_text(ret, "id,score,time,label,version");
    for (size_t i = 1; i <= reasons; i++)
        buf_printf(ret, ",reason_%zu,log_odds_%zu", i, i);
    buf_byte(ret, '\n');
}

void rows_feature_header(const struct vector_schema *schema, struct buf *ret)
{
    buf_text(ret, "id");
    for (size_t i = 0; i < schema->n_dense; i++) {
        buf_byte(ret, ',');
        csv_text(ret, slice_of(schema->dense[i]));
    }
    buf_byte(ret, '\n');
}
