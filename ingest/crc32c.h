/*
 * ingest/crc32c.h -- RocksDB's checksum by the instruction that processors have for it.
 *
 * Every byte of the log is summed, and distributions build RocksDB for processors without that
 * instruction: 0.95 ns a byte, a twentieth of all that an event of a replay costs. The library
 * calls its sum by name, through the table in which a program's own function comes first; so this
 * one, of the same name, takes its place wherever both are linked (store_rocks.c sees to that). The
 * sum is the same: CRC-32C (Castagnoli; RFC 3720, B.4). Where the compiler may not use the
 * instruction, or a later RocksDB calls it otherwise, the library's own stays.
 */
#ifndef INGEST_CRC32C_H
#define INGEST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __SSE4_2__
#define CRC32C_OF_ROCKSDB "_ZN7rocksdb6crc32c6ExtendEjPKcm" /* rocksdb::crc32c::Extend */

/* The sum of what `crc` is the sum of, followed by these bytes. 0.13 ns a byte. */
uint32_t crc32c_extend(uint32_t crc, const char *data, size_t len) __asm__(CRC32C_OF_ROCKSDB);
#endif

#endif
