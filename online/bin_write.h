/*
 * online/bin_write.h -- tables of bins as text: for people, or as CSV.
 */
#ifndef ONLINE_BIN_WRITE_H
#define ONLINE_BIN_WRITE_H

#include "online/bin_column.h"
#include "base/bytes.h"

/* One column's table: a title, a line a bin, one of missing numbers, one of all. */
void bin_write_table(const char *name, const struct bin_table *table, struct buf *out);
/* The same as CSV: column,bin,above,up_to,count,share,events,rate,woe,iv, bins by number, then
 * `missing` and `all`. */
void bin_write_csv_header(struct buf *out);
void bin_write_csv(const char *name, const struct bin_table *table, struct buf *out);

/* One line a column. */
void bin_write_summary_header(bool csv, struct buf *out);
void bin_write_summary(const char *name, const struct bin_table *table, bool csv, struct buf *out);

#endif
