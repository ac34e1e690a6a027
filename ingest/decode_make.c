/* Making a decoder: the list of targets, and the list of names behind it. */
#include "ingest/decode_internal.h"

#include <stdlib.h>

static uint32_t name_index(struct decoder *decoder, const char *name)
{
    size_t i = 0;
    while (i < decoder->n_names && strcmp(decoder->names[i], name) != 0)
        i++;
    if (i == decoder->n_names)
        decoder->names[decoder->n_names++] = name;
    return (uint32_t)i;
}

static struct target *add_target(struct decoder *decoder, enum target_kind kind, const char *name,
                                 bool required)
{
    struct target *target = &decoder->targets[decoder->n_targets++];
    *target = (struct target){.kind = kind, .scalar = name_index(decoder, name)};
    target->required = required;
    return target;
}

static void add_field(struct decoder *decoder, const struct field *field, uint32_t value)
{
    static const enum target_kind kinds[] = {[FIELD_NUMBER] = TARGET_NUMBER,
                                             [FIELD_ENTITY] = TARGET_ENTITY,
                                             [FIELD_CATEGORY] = TARGET_CATEGORY,
                                             [FIELD_TEXT] = TARGET_TEXT};
    struct target *target = add_target(decoder, kinds[field->type], field->name, false);
    target->value = value;
    if (field->type == FIELD_ENTITY)
        target->entity = hash_entity_kind(slice_of(field->entity_kind));
    if (field->type == FIELD_TEXT)
        decoder->texts[decoder->n_texts++] = value;
}

static void add_time(struct decoder *decoder, const char *name, const struct timefmt *format)
{
    if (!name)
        return;
    add_target(decoder, TARGET_TIME, name, true);
    decoder->time_format = *format;
}

static void add_stream(struct decoder *decoder, const struct stream *stream,
                       const char *label_column)
{
    if (stream->id_field)
        add_target(decoder, TARGET_ID, stream->id_field, true);
    add_time(decoder, stream->time_field, &stream->time_format);
    for (size_t i = 0; i < stream->n_fields; i++)
        add_field(decoder, &stream->fields[i], (uint32_t)i);
    if (label_column)
        add_target(decoder, TARGET_LABEL, label_column, false);
}

static void add_labels(struct decoder *decoder, const struct label_schema *labels)
{
    add_target(decoder, TARGET_ID, labels->id_field, true);
    add_target(decoder, TARGET_LABEL, labels->value_field, true);
    add_time(decoder, labels->time_field, &labels->time_format);
}

static enum status make_reader(struct decoder *decoder, const struct decoder_options *options,
                               struct conf_errors *errors)
{
    bool is_csv = strcmp(options->format, "csv") == 0;
    if (is_csv && !options->header.data) {
        conf_complain(errors, NULL, "%s: a topic has no header row that csv could go by; use json",
                      options->name);
        return ST_EINVAL;
    }
    if (is_csv)
        return csv_reader_create(options->header, decoder->names, decoder->n_names, options->name,
                                 errors, &decoder->csv);
    if (strcmp(options->format, "json") != 0) {
        conf_complain(errors, NULL, "%s: unknown format %s", options->name, options->format);
        return ST_EINVAL;
    }
    decoder->json = json_reader_create(decoder->names, decoder->n_names);
    return decoder->json ? ST_OK : ST_ENOMEM;
}

enum status decoder_create(const struct decoder_options *options, struct conf_errors *errors,
                           struct decoder **ret)
{
    size_t n_fields = options->stream ? options->stream->n_fields : 0, most = n_fields + 3;
    enum status st = ST_ENOMEM;
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return ST_ENOMEM;
    decoder->index = options->index;
    decoder->labels = !options->stream;
    decoder->n_values = n_fields;
    decoder->names = calloc(most, sizeof *decoder->names);
    decoder->scalars = calloc(most, sizeof *decoder->scalars);
    decoder->targets = calloc(most, sizeof *decoder->targets);
    decoder->values = calloc(most, sizeof *decoder->values);
    decoder->texts = calloc(most, sizeof *decoder->texts);
    if (!decoder->names || !decoder->scalars || !decoder->targets || !decoder->values ||
        !decoder->texts)
        goto fail;
    if (options->stream)
        add_stream(decoder, options->stream, options->label_column);
    else
        add_labels(decoder, options->labels);
    st = make_reader(decoder, options, errors);
    if (st < 0)
        goto fail;
    *ret = decoder;
    return ST_OK;
fail:
    decoder_free(decoder);
    return st;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    csv_reader_free(decoder->csv);
    json_reader_free(decoder->json);
    free(decoder->names);
    free(decoder->scalars);
    free(decoder->targets);
    free(decoder->values);
    free(decoder->texts);
    buf_done(&decoder->reason);
    free(decoder);
}
