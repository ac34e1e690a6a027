/*
 * base/status.h -- the one error type of the service.
 *
 * Every function that can fail for a reason the caller may act on returns an enum status and
 * writes its results through pointers, named `ret`, which stay untouched on failure. ST_OK is 0 and
 * failures are negative, so `st < 0` reads as "it failed". Misuse by our own code is not an error:
 * it is an assert().
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

/* name, value, text: the table is the only place a status is described. */
#define STATUS_MAP(X)                                                                              \
    X(ST_OK, 0, "ok")                                                                              \
    X(ST_EINVAL, -1, "invalid argument")                                                           \
    X(ST_ENOMEM, -2, "out of memory")                                                              \
    X(ST_ENOTFOUND, -3, "not found")                                                               \
    X(ST_ECORRUPT, -4, "stored data is corrupt")                                                   \
    X(ST_EIO, -5, "input/output failed")                                                           \
    X(ST_EAGAIN, -6, "not ready, try again")                                                       \
    X(ST_EEND, -7, "read to the end")                                                              \
    X(ST_EBUSY, -8, "in use by another")                                                           \
    X(ST_EVERSION, -9, "written by another version")                                               \
    X(ST_ESTOPPED, -10, "asked to stop")

enum status {
#define X(name, value, text) name = value,
    STATUS_MAP(X)
#undef X
};

#define STATUS_CHECKED __attribute__((warn_unused_result))

/* Text for logs and replies; never NULL, never freed. */
const char *status_text(enum status st);

/* Forward a failure to our caller. Only for functions with nothing to undo; others `goto fail`. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum status try_st_ = (expr);                                                              \
        if (try_st_ < 0)                                                                           \
            return try_st_;                                                                        \
    } while (0)

#endif
