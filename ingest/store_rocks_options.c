#include "ingest/store_rocks_options.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* Does the file system take writes past its page cache? (tmpfs does on newer kernels only.) */
static bool takes_direct_writes(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_WRONLY | O_DIRECT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Few files, and cheap compression. WAL recovery is RocksDB's own choice, point in time: it
 * ends at the first record that is not whole. That this is the last one is made sure of before:
 * see store_wal.h. */
static rocksdb_options_t *make_options(size_t write_buffer)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_write_buffer_size(options, write_buffer);
    rocksdb_options_set_max_write_buffer_number(options, 2);
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_max_total_wal_size(options, 256 << 20); /* read at a start */
    rocksdb_options_set_keep_log_file_num(options, 4);
    rocksdb_options_set_max_log_file_size(options, 1 << 20);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_bytes_per_sync(options, 1 << 20);
    rocksdb_options_set_wal_bytes_per_sync(options, 1 << 20);
    return options;
}

/* Where the working set is smaller than the state, pages are read one by one, and most new records
 * are looked for in vain first: filters answer that without reading. */
static rocksdb_cache_t *read_pages_fast(rocksdb_options_t *options)
{
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(64 << 20);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_filter_policy(table,
                                                  rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_data_block_index_type(table, 1); /* hash */
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, 0.05);
    rocksdb_block_based_options_destroy(table);
    return cache;
}

/* What is flushed will soon be written again: compressing it would cost more than it saves. */
static void compress_old_pages(rocksdb_options_t *options)
{
    const int levels[] = {rocksdb_no_compression, rocksdb_no_compression, rocksdb_lz4_compression};
    rocksdb_options_set_compression_per_level(options, levels, sizeof levels / sizeof levels[0]);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, 8);
}

/* Most of the log is deleted before it is old: compacting it early only copies what is about to go.
 * Many files at level 0 cost nothing here, since nothing of it is read but at a start. */
static void keep_log_uncompacted(rocksdb_options_t *options)
{
    rocksdb_options_set_level0_file_num_compaction_trigger(options, 16);
    rocksdb_options_set_max_bytes_for_level_base(options, UINT64_C(1) << 30);
    rocksdb_options_set_level0_slowdown_writes_trigger(options, 40);
    rocksdb_options_set_level0_stop_writes_trigger(options, 60);
}

void store_rocks_options_init(struct store_rocks_options *ret, const char *dir)
{
    ret->families[CF_LOG] = make_options(64 << 20);
    keep_log_uncompacted(ret->families[CF_LOG]);
    ret->families[CF_PAGES] = make_options(32 << 20);
    compress_old_pages(ret->families[CF_PAGES]);
    ret->cache = read_pages_fast(ret->families[CF_PAGES]);
    if (takes_direct_writes(dir))
        ret->files = store_rocks_write_direct(ret->families[CF_LOG]);
}

void store_rocks_options_done(struct store_rocks_options *options)
{
    for (int i = 0; i < CF_COUNT; i++)
        if (options->families[i])
            rocksdb_options_destroy(options->families[i]);
    if (options->cache)
        rocksdb_cache_destroy(options->cache);
}
