/*
 * base/huge.h -- memory in huge pages, for what is large and read all over.
 *
 * A working set of some hundred MB, read at random, misses the TLB at nearly every read; in pages
 * of 2 MiB it hardly ever does. Such memory comes from an arena of jemalloc's of its own, whose
 * extents ask the kernel for huge pages (madvise; nothing happens where the system forbids them).
 * The rest of the program stays with small pages: what is soon given back would be zeroed 2 MiB at
 * a time. In a program without jemalloc (tests, sanitizers) it is malloc's.
 *
 * Blocks may be made and freed by any thread. What is asked for must be within reason: no memory is
 * a reason to abort, as elsewhere.
 */
#ifndef BASE_HUGE_H
#define BASE_HUGE_H

#include <stddef.h>

/* Zeroed. Never NULL, never of size 0. */
void *huge_calloc(size_t size);
/* Bytes beyond the old size are not zeroed. NULL: like malloc(). */
void *huge_realloc(void *block, size_t size);
void huge_free(void *block);

#endif
