#include "ingest/ack_window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { AWAITED, ACKED, REFUSED };

enum status ack_window_init(struct ack_window *window, size_t size)
{
    assert(size > 0 && (size & (size - 1)) == 0);
    *window = (struct ack_window){.marks = calloc(size, 1), .size = size};
    return window->marks ? ST_OK : ST_ENOMEM;
}

void ack_window_done(struct ack_window *window)
{
    free(window->marks);
    *window = (struct ack_window){0};
}

void ack_window_rewind(struct ack_window *window, uint64_t acked, uint64_t refused)
{
    assert(acked <= window->acked);
    memset(window->marks, AWAITED, window->size);
    window->sent = window->acked = acked;
    window->refused = refused;
}

void ack_window_mark(struct ack_window *window, uint64_t row, bool refused)
{
    size_t mask = window->size - 1;
    assert(row < window->sent);
    if (row < window->acked)
        return;
    if (window->marks[row & mask] == AWAITED)
        window->marks[row & mask] = refused ? REFUSED : ACKED;
    while (window->acked < window->sent && window->marks[window->acked & mask] != AWAITED) {
        uint8_t *mark = &window->marks[window->acked & mask];
        window->refused += *mark == REFUSED;
        *mark = AWAITED;
        window->acked++;
    }
}
