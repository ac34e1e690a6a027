#include "online/canary_share.h"

#include <string.h>

static int find_field(const struct stream *stream, const char *kind)
{
    for (size_t i = 0; i < stream->n_fields; i++)
        if (stream->fields[i].type == FIELD_ENTITY &&
            strcmp(stream->fields[i].entity_kind, kind) == 0)
            return (int)i;
    return -1;
}

struct canary_share canary_share_of(const struct schema *schema, const char *kind, double share,
                                    const struct canary_options *options)
{
    struct canary_share ret = {.share = share, .options = *options};
    for (size_t i = 0; i < CANARY_STREAMS_MAX; i++)
        ret.fields[i] = i < schema->n_streams ? find_field(&schema->streams[i], kind) : -1;
    return ret;
}

bool canary_share_has(const struct canary_share *share, const struct event *event, uint32_t version)
{
    int field = event->stream < CANARY_STREAMS_MAX ? share->fields[event->stream] : -1;
    return field >= 0 && canary_has(event->values[field].entity, version, share->share);
}
