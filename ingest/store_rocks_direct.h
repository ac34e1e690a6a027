/*
 * ingest/store_rocks_direct.h -- a shim over the part of RocksDB that has no C interface.
 *
 * Tables that nobody will read soon cost a copy, and the memory of what is read, if they are
 * written through the page cache; tables that will be read are found there where there is memory to
 * spare.
 */
#ifndef INGEST_STORE_ROCKS_DIRECT_H
#define INGEST_STORE_ROCKS_DIRECT_H

#include <rocksdb/c.h>

#ifdef __cplusplus
extern "C" {
#endif

struct store_rocks_files;

/* A database opened with these options (those of the column family "default") writes its tables
 * with O_DIRECT. The file system must be able to. What is returned lives as long as they do. */
struct store_rocks_files *store_rocks_write_direct(rocksdb_options_t *options);
/* From now on but for those of this family (a constant), which are going to be read. Any thread. */
void store_rocks_cache(struct store_rocks_files *files, const char *family);

#ifdef __cplusplus
}
#endif

#endif
