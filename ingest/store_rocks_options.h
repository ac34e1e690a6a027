/*
 * ingest/store_rocks_options.h -- how RocksDB is set up.
 *
 * Two column families under one WAL: pages of records, which stay and are compacted, and the log
 * (redo values, runs, examples, outbox), which is written once and soon deleted. Kept apart, the
 * log's churn never makes a compaction rewrite pages.
 *
 * Memory: write buffers of at most 2 x 64 and 2 x 32 MiB, 64 MiB of cached pages, and the indexes
 * and filters of all tables, some 3 bytes a page.
 */
#ifndef INGEST_STORE_ROCKS_OPTIONS_H
#define INGEST_STORE_ROCKS_OPTIONS_H

#include <rocksdb/c.h>
#include <stdbool.h>

enum { CF_LOG, CF_PAGES, CF_COUNT };

/* Options for a database in that folder, to be destroyed by the caller, as the cache that they use,
 * which is returned. */
rocksdb_cache_t *store_rocks_options(const char *dir, rocksdb_options_t *ret[CF_COUNT]);

#endif
