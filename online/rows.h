/*
 * online/rows.h -- scores as they leave: JSON for topics, CSV lines for files.
 *
 * JSON: {"id":"7","time":"2018-04-01T00:07:56Z","score":0.0123,"model":"fraud","version":12} and,
 * if asked for, "features":{name: value, ...} and "reasons":[{"name":"amount","log_odds":1.2},...].
 * CSV: id,score,time,label,version (label: the file's) and a name and its log-odds for each reason;
 * on the channel of features id and one column a feature.
 */
#ifndef ONLINE_ROWS_H
#define ONLINE_ROWS_H

#include "base/vector.h"
#include "ingest/epoch.h"
#include "models/reasons.h"

enum rows_format { ROWS_JSON, ROWS_CSV };

struct rows_options {
    enum rows_format format;
    const char *model;
    bool scores;    /* on CHANNEL_SCORES */
    bool features;  /* CSV: rows on CHANNEL_FEATURES; JSON: inside the score */
    size_t reasons; /* that a score has room for; 0: none are told */
};

/* A scored event. values and vector are NULL for a repeated one. */
struct row_score {
    const struct event *event;
    int64_t time;
    float score; /* NaN: nothing scores */
    uint32_t version;
    const double *values;
    const struct vector *vector;
    const struct reason *reasons; /* n_reasons; none for a repeated one */
    size_t n_reasons;
};

struct rows {
    struct rows_options options;
    const struct vector_schema *schema;
    struct buf payload;
    struct buf *names; /* JSON: `"name":` of each column, escaped once */
};

void rows_init(struct rows *rows, const struct rows_options *options,
               const struct vector_schema *schema);
void rows_done(struct rows *rows);
/* Appends the event's rows to an outbox; returns how many. */
unsigned rows_put_score(struct rows *rows, struct buf *outbox, uint32_t lane,
                        const struct row_score *row);

/* The header lines of the two CSV channels, newline included. */
void rows_score_header(size_t reasons, struct buf *ret);
void rows_feature_header(const struct vector_schema *schema, struct buf *ret);
/* A text as a JSON string with its quotes. */
void rows_json_text(struct buf *buf, struct slice text);
/* [{"name":...,"log_odds":...},...] */
void rows_json_reasons(struct buf *buf, const struct reason *reasons, size_t n);

#endif
