/*
 * ingest/ack_window.h -- acknowledgements that come out of order, counted in the order of sending.
 *
 * A broker acknowledges by partition, so row 7 may be safe before row 3. The window keeps a mark
 * for each row between the first unacknowledged and the last sent, and tells how many rows from the
 * very first are acknowledged without a gap, and how many of those were refused for good.
 */
#ifndef INGEST_ACK_WINDOW_H
#define INGEST_ACK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ack_window {
    uint8_t *marks; /* size, a power of two; 0: awaited */
    size_t size;
    uint64_t sent;    /* rows ever sent */
    uint64_t acked;   /* of them, without a gap */
    uint64_t refused; /* of those */
};

/* size: a power of two. Returns ST_ENOMEM. */
STATUS_CHECKED enum status ack_window_init(struct ack_window *window, size_t size);
void ack_window_done(struct ack_window *window);

static inline bool ack_window_full(const struct ack_window *window)
{
    return window->sent - window->acked == window->size;
}

/* The number of the row that is sent now; the window must not be full. */
static inline uint64_t ack_window_send(struct ack_window *window)
{
    return window->sent++;
}

/* Forgets all rows from `acked` on, which must not be past what is acknowledged: their numbers are
 * given again. refused: as it was when `acked` was reached. */
void ack_window_rewind(struct ack_window *window, uint64_t acked, uint64_t refused);

/* Row `row` is answered; a second answer is ignored. */
void ack_window_mark(struct ack_window *window, uint64_t row, bool refused);

#endif
