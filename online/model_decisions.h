/*
 * online/model_decisions.h -- what the gates of a state directory have decided, for people (a table
 * of what was kept back, and counts) or scripts (one JSON object a decision).
 */
#ifndef ONLINE_MODEL_DECISIONS_H
#define ONLINE_MODEL_DECISIONS_H

#include <stdbool.h>

/* Of the newest file of each model in that folder, oldest decision first, to standard output.
 * Returns the exit status. */
int model_decisions_print(const char *dir, bool json);

#endif
