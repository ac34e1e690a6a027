#include "ingest/schema.h"

#include <string.h>

int schema_find_stream(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_streams; i++)
        if (strcmp(schema->streams[i].name, name) == 0)
            return (int)i;
    return -1;
}

int stream_find_field(const struct stream *stream, const char *name)
{
    for (size_t i = 0; i < stream->n_fields; i++)
        if (strcmp(stream->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}
