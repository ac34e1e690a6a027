/*
 * online/ticker.h -- a thread that does one small thing over and over until it is stopped.
 *
 *     TRY(ticker_start("live", 500 * 1000, draw, view, &ticker));
 *     ...
 *     ticker_stop(ticker);                 // draw() is not running and will not run again
 */
#ifndef ONLINE_TICKER_H
#define ONLINE_TICKER_H

#include <stdint.h>

#include "base/status.h"

struct ticker;

/* Calls fn every_us after the start and again and again; name: of the thread, at most 15 bytes. The
 * thread takes no signals that are meant for the process. ST_ENOMEM. */
STATUS_CHECKED enum status ticker_start(const char *name, int64_t every_us, void (*fn)(void *arg),
                                        void *arg, struct ticker **ret);
/* Monotonic time, s. */
double ticker_now(void);
/* NULL is allowed. */
void ticker_stop(struct ticker *ticker);

#endif
