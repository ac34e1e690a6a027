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

#include "ingest/store_rocks_direct.h"

enum { CF_LOG, CF_PAGES, CF_COUNT };

struct store_rocks_options {
    rocksdb_options_t *families[CF_COUNT];
    rocksdb_cache_t *cache;          /* blocks of pages */
    struct store_rocks_files *files; /* NULL: all are written through the page cache */
};

/* For a database in that folder, which is there. Zero beforehand. */
void store_rocks_options_init(struct store_rocks_options *ret, const char *dir);
/* After the database is closed. */
void store_rocks_options_done(struct store_rocks_options *options);

#endif
