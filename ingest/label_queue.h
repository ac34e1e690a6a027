/*
 * ingest/label_queue.h -- labels that a file told before they are known: a queue in order of time.
 *
 * Rows come nearly in order, so a label is put in from the back: free if its row is not late, else
 * a move of those on its nearer side. Labels of one time keep the order they were put in. Memory:
 * 56 bytes and the id a label that waits; nothing is allocated once as many have waited as ever
 * will.
 */
#ifndef INGEST_LABEL_QUEUE_H
#define INGEST_LABEL_QUEUE_H

#include "base/hash.h"

struct label_text; /* a block of ids */

struct label_entry {
    int64_t time; /* when it becomes known */
    double label;
    struct key128 id_key;
    struct slice id;
    struct label_text *text; /* where the id is kept */
};

/* {0} is an empty one. */
struct label_queue {
    struct label_entry *ring;
    size_t cap; /* a power of two */
    size_t at;  /* of the head; n behind it, around the end */
    size_t n;
    struct label_text *now;  /* ids are being put into */
    struct label_text *free; /* blocks without an id in use */
};

void label_queue_done(struct label_queue *queue);

/* The id is copied. */
void label_queue_push(struct label_queue *queue, const struct label_entry *entry);

/* The earliest, valid until the next push or pop; NULL if there is none. */
static inline const struct label_entry *label_queue_head(const struct label_queue *queue)
{
    return queue->n > 0 ? &queue->ring[queue->at] : NULL;
}

void label_queue_pop(struct label_queue *queue);

#endif
