#include "ingest/schema_options.h"

#include "ingest/schema_read.h"

#define AGES_US (4e3 * 86400e6) /* no delay or horizon is longer than eleven years */

static const struct conf_option time_options[] = {
    {.name = "field",
     .type = CONF_TEXT,
     .at = offsetof(struct time_options, field),
     .help = "The field that holds the time; without it the record's timestamp in its topic is "
             "the time."},
    {.name = "format",
     .type = CONF_TEXT,
     .at = offsetof(struct time_options, format),
     .fallback = "rfc3339",
     .help =
         "How it is written: `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, or a pattern such as "
         "`%Y-%m-%d %H:%M:%S`."},
    {.name = "zone",
     .type = CONF_TEXT,
     .at = offsetof(struct time_options, zone),
     .help = "Time zone of times that carry no offset, such as `Europe/Berlin`; UTC by default."},
    CONF_END};

static const struct conf_table time_table = {"time", "When it happened.", time_options,
                                             sizeof(struct time_options)};

static void write_fields_schema(struct buf *ret);
static void write_absent_schema(struct buf *ret);

const char *const schema_formats[] = {"json", "csv", NULL};

static const struct conf_option stream_options[] = {
    {.name = "name",
     .type = CONF_TEXT,
     .at = offsetof(struct stream_options, name),
     .required = true,
     .help = "What the stream is called in the rest of the config."},
    {.name = "topic",
     .type = CONF_TEXT,
     .at = offsetof(struct stream_options, topic),
     .help = "The topic it is read from; its name, unless said otherwise."},
    {.name = "format",
     .type = CONF_CHOICE,
     .at = offsetof(struct stream_options, format),
     .fallback = "json",
     .choices = schema_formats,
     .help = "How a record is written. A file says by its ending what it is."},
    {.name = "id",
     .type = CONF_TEXT,
     .at = offsetof(struct stream_options, id),
     .help = "The field that identifies an event: labels name it, repeats are known by it. Without "
             "it an event is known by topic, partition and offset, or by its row number."},
    {.name = "time",
     .type = CONF_TABLE,
     .at = offsetof(struct stream_options, time),
     .table = &time_table,
     .help = "When the event happened."},
    {.name = "fields",
     .type = CONF_NODE,
     .write_schema = write_fields_schema,
     .at = offsetof(struct stream_options, fields),
     .help = "Name and type of each field that is used: `entity`, `number`, `category` or `text`; "
             "`{entity: KIND}` is an entity that shares the state of others of that kind. `a.b` is "
             "the key b of the object under a."},
    {.name = "score",
     .type = CONF_BOOL,
     .at = offsetof(struct stream_options, score),
     .help = "Are its events scored? By default those of the first stream are."},
    CONF_END};

const struct conf_table schema_stream_table = {"streams", "A stream of events.", stream_options,
                                               sizeof(struct stream_options)};

static const struct conf_option label_options[] = {
    {.name = "topic",
     .type = CONF_TEXT,
     .at = offsetof(struct label_options, topic),
     .help = "The topic that labels come on. A file of events carries its own."},
    {.name = "id",
     .type = CONF_TEXT,
     .at = offsetof(struct label_options, id),
     .help = "The field that names the event; by default called as the first stream's `id`."},
    {.name = "value",
     .type = CONF_TEXT,
     .at = offsetof(struct label_options, value),
     .required = true,
     .help = "The field that holds the label: 0, 1, true, false or another number. In a file of "
             "events: its column."},
    {.name = "time",
     .type = CONF_TABLE,
     .at = offsetof(struct label_options, time),
     .table = &time_table,
     .help = "When the label became known; without a field: the record's timestamp."},
    {.name = "delay",
     .type = CONF_DURATION,
     .at = offsetof(struct label_options, delay),
     .fallback = "0s",
     .min = 0,
     .max = AGES_US,
     .help =
         "How long after the event its label is taken for known: examples are learnt from then, "
         "windows over labels look back from there."},
    {.name = "horizon",
     .type = CONF_DURATION,
     .at = offsetof(struct label_options, horizon),
     .min = 0,
     .max = AGES_US,
     .help = "How long an event waits for its label or a correction; by default 60 days or twice "
             "the delay, whichever is longer."},
    {.name = "absent",
     .type = CONF_NODE,
     .write_schema = write_absent_schema,
     .at = offsetof(struct label_options, absent),
     .help =
         "What an event without a label counts as: `{is: 0, after: 7d}`, by default 0 after the "
         "delay; `none`: it is never learnt from."},
    {.name = "keep_negatives",
     .type = CONF_REAL,
     .at = offsetof(struct label_options, keep_negatives),
     .fallback = "1",
     .min = 1e-6,
     .max = 1,
     .help = "The share of examples with label 0 that are learnt from; each then weighs one over "
             "this."},
    CONF_END};

const struct conf_table schema_label_table = {"labels", "What events turned out to be.",
                                              label_options, sizeof(struct label_options)};

static const struct conf_option absent_options[] = {
    {.name = "is",
     .type = CONF_REAL,
     .at = offsetof(struct absent_options, is),
     .fallback = "0",
     .help = "The label it counts as."},
    {.name = "after",
     .type = CONF_DURATION,
     .at = offsetof(struct absent_options, after),
     .min = 0,
     .max = AGES_US,
     .help = "How long after the event; by default the delay."},
    CONF_END};

const struct conf_table schema_absent_table = {"labels.absent", "A label that never came.",
                                               absent_options, sizeof(struct absent_options)};

const char *const schema_field_types[] = {[FIELD_NUMBER] = "number",
                                          [FIELD_ENTITY] = "entity",
                                          [FIELD_CATEGORY] = "category",
                                          [FIELD_TEXT] = "text",
                                          NULL};

static const struct conf_option field_options[] = {
    {.name = "type",
     .type = CONF_CHOICE,
     .at = offsetof(struct field_options, type),
     .fallback = "number",
     .choices = schema_field_types,
     .help = "What the field holds."},
    {.name = "entity",
     .type = CONF_TEXT,
     .at = offsetof(struct field_options, entity),
     .help = "It is an entity of this kind: fields of one kind share their state."},
    CONF_END};

const struct conf_table schema_field_table = {
    "streams[].fields", "One field, at length: `NAME: {type: number}` is `NAME: number`.",
    field_options, sizeof(struct field_options)};

static void write_fields_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"object\", \"additionalProperties\": {\"anyOf\": [{\"enum\": [");
    for (size_t i = 0; schema_field_types[i]; i++)
        buf_printf(ret, "%s\"%s\"", i > 0 ? ", " : "", schema_field_types[i]);
    buf_text(ret, "]}, {\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}, ");
    conf_write_schema(&schema_field_table, ret);
    buf_text(ret, "]}}");
}

static void write_absent_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"string\", \"pattern\": \"^none$|\\\\$\\\\{\"}, ");
    conf_write_schema(&schema_absent_table, ret);
}

void schema_write_streams_schema(struct buf *ret)
{
    buf_text(ret, "{\"type\": \"array\", \"minItems\": 1, \"items\": ");
    conf_write_schema(&schema_stream_table, ret);
    buf_byte(ret, '}');
}

void schema_write_labels_schema(struct buf *ret)
{
    conf_write_schema(&schema_label_table, ret);
}

void schema_write_doc(struct buf *ret)
{
    conf_write_doc(&schema_stream_table, ret);
    conf_write_doc(&schema_field_table, ret);
    conf_write_doc(&schema_label_table, ret);
    conf_write_doc(&schema_absent_table, ret);
}
