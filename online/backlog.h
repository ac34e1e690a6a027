/*
 * online/backlog.h -- portions of items that wait for room elsewhere, in the order in which they
 * came.
 *
 * A portion leaves as it came, so that who takes it can stop behind each.
 *
 *     backlog_add(&backlog, items, n);
 *     while (there_is_room() && backlog_next(&backlog, &items, &n))
 *         hand_over(items, n);
 */
#ifndef ONLINE_BACKLOG_H
#define ONLINE_BACKLOG_H

#include "base/bytes.h"

/* {0} is an empty one. */
struct backlog {
    struct buf bytes, portions;
    size_t at, first; /* of what has not left yet */
};

void backlog_done(struct backlog *backlog);
static inline size_t backlog_bytes(const struct backlog *backlog)
{
    return backlog->bytes.len - backlog->at;
}
bool backlog_empty(const struct backlog *backlog);
/* Copies them. Amortised, each byte is moved once more at most. */
void backlog_add(struct backlog *backlog, struct slice items, uint64_t n);
/* The oldest portion leaves; borrowed until the next is added. False: there is none. */
bool backlog_next(struct backlog *backlog, struct slice *ret, uint64_t *ret_n);

#endif
