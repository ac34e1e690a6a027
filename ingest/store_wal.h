/*
 * ingest/store_wal.h -- is the end of RocksDB's log a write that was cut short, or damage?
 *
 * RocksDB opens a log up to the first record that is not whole. That is right for the last write,
 * which a power cut may have torn and which nobody was told of, and wrong for any other: all that
 * was written behind it, and acknowledged, would be gone without a word.
 *
 * The two can be told apart, because one thread writes, and begins a write only when the one before
 * is on disk: at most the last write may be torn. So where another write begins behind a place that
 * is not whole, that place was whole once. The same holds of the end of a log file behind which
 * another one begins, unless a start has cut it off there before: the next file then goes on with
 * the sequence number at which that start stopped.
 *
 * Damage to the very last write looks like a torn one; what was sent of it is known to the group
 * (lineage.h).
 *
 * Format: blocks of 32 KiB of {u32 masked CRC-32C of type and data, u16 length, u8 type}, data; a
 * write is one FULL fragment, or FIRST, MIDDLE..., LAST; it begins with u64 sequence, u32 count.
 */
#ifndef INGEST_STORE_WAL_H
#define INGEST_STORE_WAL_H

#include "base/bytes.h"
#include "base/status.h"

/* Of all log files in the folder of a store. ST_ECORRUPT: error gets a line that names the file
 * and the place. A folder that is not there, or a file that goes away meanwhile, is none of its
 * business. Reads each file once: about 1 GB/s. */
STATUS_CHECKED enum status store_wal_check(const char *dir, struct buf *error);

/* For tests. */
uint32_t store_wal_crc(uint32_t crc, const void *data, size_t len);

#endif
