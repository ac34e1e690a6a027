/* What is wrong with a value, in the reader's own words. */
#include "ingest/decode_internal.h"

enum { EXCERPT_MAX = 40 };

static void quote_excerpt(struct buf *out, const struct scalar *scalar)
{
    size_t len = scalar->len < EXCERPT_MAX ? scalar->len : EXCERPT_MAX;
    buf_byte(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)scalar->data[i];
        if (c < ' ' || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_byte(out, c);
    }
    buf_text(out, len < scalar->len ? "...\"" : "\"");
}

bool decoder_complain(struct decoder *decoder, const struct target *target, const char *what)
{
    const struct scalar *scalar = &decoder->scalars[target->scalar];
    struct buf *out = &decoder->reason;
    buf_reset(out);
    buf_printf(out, "field %s", decoder->names[target->scalar]);
    if (scalar->kind == SCALAR_NESTED)
        buf_text(out, ": an array or an object");
    else if (scalar->kind != SCALAR_NONE) {
        buf_text(out, ": ");
        quote_excerpt(out, scalar);
    }
    buf_printf(out, " %s", what);
    buf_byte(out, '\0');
    return false;
}

bool decoder_complain_of_time(struct decoder *decoder, const struct target *target)
{
    static const char *const forms[] = {
        [TIMEFMT_S] = "is no time in seconds since 1970",
        [TIMEFMT_MS] = "is no time in milliseconds since 1970",
        [TIMEFMT_US] = "is no time in microseconds since 1970",
        [TIMEFMT_RFC3339] = "is no RFC 3339 time",
    };
    const struct timefmt *format = &decoder->time_format;
    if (format->kind != TIMEFMT_STRPTIME)
        return decoder_complain(decoder, target, forms[format->kind]);
    char text[sizeof format->pattern + 32];
    snprintf(text, sizeof text, "does not match %s", format->pattern);
    return decoder_complain(decoder, target, text);
}
