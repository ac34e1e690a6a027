/*
 * online/progress.h -- the progress bar of `replay`, on stderr, while a file is read.
 *
 *     struct progress *progress = progress_start();   // NULL where stderr is no terminal
 *     st = service_run(service);
 *     progress_stop(progress);                        // the line is gone
 *
 * A thread of its own redraws it five times a second from the metrics freshet_replay_progress and
 * freshet_events_total, so that the replay itself does nothing for it.
 */
#ifndef ONLINE_PROGRESS_H
#define ONLINE_PROGRESS_H

#include "online/terminal.h"

struct progress;

/* NULL where nothing is shown: no terminal, or no memory for a thread. */
struct progress *progress_start(void);
/* Clears the line and ends the thread. NULL is allowed. */
void progress_stop(struct progress *progress);

/* What is known at one moment. */
struct progress_figures {
    double share; /* of the input that is read, in [0, 1]; NaN: unknown */
    double events;
    double rate;    /* events a second of late; NaN: not known yet */
    double elapsed; /* s */
    double left;    /* s; NaN: not known yet */
};

/* Appends the one line, as wide as the look at most, no newline. */
void progress_render(const struct progress_figures *figures, struct look look, struct buf *ret);

#endif
