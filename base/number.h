/*
 * base/number.h -- numbers to text and back: exact, fast, without a locale.
 *
 * A thin C face on std::to_chars and std::from_chars (number.cpp), because C's own printf and
 * strtod cost ten times as much and heed the locale.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/bytes.h"
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NUMBER_TEXT_MAX 32

/* The shortest text that reads back as the same number ("57.16", "1e-07", "nan", "inf"). Writes at
 * most NUMBER_TEXT_MAX bytes, no NUL; returns how many. number_from_float: shortest for a float. */
size_t number_from_double(double v, char *ret);
size_t number_from_float(float v, char *ret);
/* 17 significant digits as %.17g writes them. */
size_t number_from_double_17(double v, char *ret);
size_t number_from_int(int64_t v, char *ret);

/* The whole text must be a decimal number ("12", "-0.5", "1e9"; also "+1", ".5" and "5."; "nan" and
 * "inf" are refused, and so is what is too large or too small for the type). Returns ST_EINVAL. */
STATUS_CHECKED enum status number_to_double(struct slice text, double *ret);
STATUS_CHECKED enum status number_to_int(struct slice text, int64_t *ret);

#ifdef __cplusplus
}
#endif

static inline void buf_double(struct buf *buf, double v)
{
    buf->len += number_from_double(v, buf_reserve(buf, NUMBER_TEXT_MAX));
}

static inline void buf_float(struct buf *buf, float v)
{
    buf->len += number_from_float(v, buf_reserve(buf, NUMBER_TEXT_MAX));
}

static inline void buf_int(struct buf *buf, int64_t v)
{
    buf->len += number_from_int(v, buf_reserve(buf, NUMBER_TEXT_MAX));
}

#endif
