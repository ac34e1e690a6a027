/*
 * ingest/formats.h -- the numbers of the formats in which a store holds each thing.
 *
 * A state directory outlives the program that wrote it. The store says in which format its redo
 * values, pages, runs, examples and rows are; the head, model files, the ledger of features and the
 * list of a checkpoint say it themselves. What is older is read as it is, or brought up to date;
 * what is newer is refused, because an older program can only guess.
 *
 *     TRY(formats_check(store, &known, &error));
 *     if (!known)
 *         formats_put(store, batch);           // with the first thing that is written
 *
 * Who changes a format counts up its number in formats.c, and reads the older ones from then on.
 */
#ifndef INGEST_FORMATS_H
#define INGEST_FORMATS_H

#include "ingest/store.h"

/* *ret_known: the store says already what is true of today's writer. A store that says nothing
 * holds the first format of everything. Returns ST_EVERSION: something is newer, error says what;
 * ST_ECORRUPT, ST_EIO. */
STATUS_CHECKED enum status formats_check(struct store *store, bool *ret_known, struct buf *error);
void formats_put(struct store *store, struct store_batch *batch);

#endif
