/*
 * models/ubjson.h -- reads UBJSON (https://ubjson.org, draft 12), the binary JSON that XGBoost
 * writes its models in.
 *
 *     struct arena arena;
 *     arena_init(&arena, 1 << 16);
 *     const struct ubjson *root = NULL;
 *     TRY(ubjson_read(bytes, &arena, &root));
 *     const struct ubjson *learner = ubjson_get(root, "learner");
 *
 * Values live in the arena and refer to the bytes. Any bytes may be given: what is not UBJSON is
 * refused.
 */
#ifndef MODELS_UBJSON_H
#define MODELS_UBJSON_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

enum ubjson_type {
    UBJSON_NULL,
    UBJSON_TRUE,
    UBJSON_FALSE,
    UBJSON_NUMBER,
    UBJSON_TEXT,
    UBJSON_NUMBERS, /* an array of numbers of one type, as they are in the bytes */
    UBJSON_ARRAY,
    UBJSON_OBJECT
};

struct ubjson {
    enum ubjson_type type;
    struct slice name; /* within an object */
    double number;     /* integers past 2^53 are rounded */
    struct slice text; /* or the bytes of UBJSON_NUMBERS */
    char element;      /* type of these */
    size_t n;          /* numbers, or children */
    struct ubjson *first, *next;
};

/* ST_ECORRUPT. */
STATUS_CHECKED enum status ubjson_read(struct slice bytes, struct arena *arena,
                                       const struct ubjson **ret);
/* The value of that name; NULL if there is none, or the value is NULL or no object. */
const struct ubjson *ubjson_get(const struct ubjson *object, const char *name);
/* Number i of UBJSON_NUMBERS. */
double ubjson_number(const struct ubjson *numbers, size_t i);

#endif
