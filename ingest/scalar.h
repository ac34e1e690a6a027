/*
 * ingest/scalar.h -- one value of a record before its type is known: what the readers of a format
 * hand to the decoder.
 *
 * Apart from the other headers because it is shared with C++.
 */
#ifndef INGEST_SCALAR_H
#define INGEST_SCALAR_H

#include <stddef.h>

enum scalar_kind {
    SCALAR_NONE,   /* absent, null or empty */
    SCALAR_TEXT,   /* a string, or any cell of a CSV file */
    SCALAR_NUMBER, /* a JSON number, as it was written */
    SCALAR_BOOL,   /* "true" or "false" */
    SCALAR_NESTED, /* an array or an object where a value was expected */
};

/* Borrowed from the record or from the reader; valid until the reader's next record. */
struct scalar {
    const char *data;
    size_t len;
    enum scalar_kind kind;
};

#endif
