/*
 * ingest/store_memory.h -- the store's memory twin, and how a test makes it fail.
 *
 * Beside what it shows to its reader it keeps what would be on disk. Both are the same as long as
 * writes are synced, which they are unless a test says otherwise.
 *
 *     struct store *store = NULL;
 *     TRY(store_open_memory(&store));
 *     store_memory_fail_write(store, 3, STORE_MEMORY_LOST);   // the third write from now
 *     ... until commit_write() fails ...
 *     store_memory_crash(store);                              // now open everything anew over it
 */
#ifndef INGEST_STORE_MEMORY_H
#define INGEST_STORE_MEMORY_H

#include "ingest/store.h"

enum store_memory_failure {
    STORE_MEMORY_LOST, /* nothing of the batch is there, before or after a crash */
    STORE_MEMORY_KEPT, /* all of it is: the process dies before it learns that */
};

/* The nth write from now on (1: the next) returns ST_EIO; 0: none will. */
void store_memory_fail_write(struct store *store, uint64_t nth, enum store_memory_failure how);
/* false: writes return before they are on disk, as those of a store that forgets to fsync. */
void store_memory_set_sync(struct store *store, bool sync);
/* As if the power went: what was not synced is gone; failures that were set up are, too. */
void store_memory_crash(struct store *store);
/* Writes that succeeded. */
uint64_t store_memory_writes(const struct store *store);

#endif
