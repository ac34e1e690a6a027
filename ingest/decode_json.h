/*
 * ingest/decode_json.h -- named values out of a JSON object: a C face on simdjson's on-demand
 * parser.
 *
 * One pass over the object; keys in the order that the paths were given in are found at once. The
 * whole record is checked for UTF-8 and for closed strings; values that nobody asked for are passed
 * over without being read.
 */
#ifndef INGEST_DECODE_JSON_H
#define INGEST_DECODE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "ingest/scalar.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json_reader;

/* paths: "a" is a key of the object, "a.b" the key b of the object under a. Borrowed. A path that
 * ends where another one goes on ("a" beside "a.b") is allowed and finds nothing but values that
 * are no objects. NULL if there is no memory. */
struct json_reader *json_reader_create(const char *const *paths, size_t n);
void json_reader_free(struct json_reader *reader);

/* Fills ret[0..n). Returns NULL, or why the payload is not a JSON object in which each path occurs
 * at most once. ret and the text are valid until the next call. */
const char *json_reader_read(struct json_reader *reader, const char *payload, size_t len,
                             struct scalar *ret);

bool json_is_utf8(const char *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
