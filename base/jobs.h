/*
 * base/jobs.h -- a few jobs side by side, each in a thread that lives as long as its job: for what
 * waits for a disk, which answers many questions at a time as fast as one.
 */
#ifndef BASE_JOBS_H
#define BASE_JOBS_H

#include <stddef.h>

enum { JOBS_MAX = 16 };

/* Calls fn(arg, i) for i in 0..n-1, at most JOBS_MAX of them, side by side; returns when all are
 * done. Where no thread can be made, one after the other. */
void jobs_run(size_t n, void (*fn)(void *arg, size_t i), void *arg);

#endif
