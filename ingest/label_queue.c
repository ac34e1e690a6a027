#include "ingest/label_queue.h"

#include <stdlib.h>

enum { RING_FIRST = 1024, TEXT_SIZE = 64 * 1024 };

struct label_text {
    struct label_text *next; /* in the list of free ones */
    size_t cap, used;
    size_t live; /* ids in use; at 0 the block is free again */
    char data[];
};

static void *obtain(size_t size)
{
    void *at = malloc(size);
    if (!at)
        abort();
    return at;
}

static void texts_free(struct label_text *text)
{
    for (struct label_text *next; text; text = next) {
        next = text->next;
        free(text);
    }
}

void label_queue_done(struct label_queue *queue)
{
    while (queue->n > 0)
        label_queue_pop(queue);
    free(queue->now);
    texts_free(queue->free);
    free(queue->ring);
    *queue = (struct label_queue){0};
}

static struct label_text *text_make(struct label_queue *queue, size_t len)
{
    struct label_text *text = queue->free;
    if (text && text->cap >= len) {
        queue->free = text->next;
        return text;
    }
    size_t cap = len > TEXT_SIZE ? len : TEXT_SIZE;
    text = obtain(sizeof *text + cap);
    *text = (struct label_text){.cap = cap};
    return text;
}

/* Puts a block that nobody uses any more back. The one being filled is kept for more. */
static void text_release(struct label_queue *queue, struct label_text *text)
{
    if (text->live > 0)
        return;
    text->used = 0;
    if (text == queue->now)
        return;
    text->next = queue->free;
    queue->free = text;
}

static struct slice keep_text(struct label_queue *queue, struct slice id)
{
    struct label_text *full = queue->now;
    if (!full || full->cap - full->used < id.len) {
        queue->now = text_make(queue, id.len);
        if (full)
            text_release(queue, full);
    }
    struct label_text *text = queue->now;
    char *at = text->data + text->used;
    if (id.len > 0)
        memcpy(at, id.data, id.len);
    text->used += id.len;
    text->live++;
    return (struct slice){at, id.len};
}

static struct label_entry *entry_at(struct label_queue *queue, size_t i)
{
    return &queue->ring[(queue->at + i) & (queue->cap - 1)];
}

static void grow(struct label_queue *queue)
{
    size_t cap = queue->cap ? queue->cap * 2 : RING_FIRST;
    struct label_entry *ring = obtain(cap * sizeof *ring);
    for (size_t i = 0; i < queue->n; i++)
        ring[i] = *entry_at(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->cap = cap;
    queue->at = 0;
}

void label_queue_push(struct label_queue *queue, const struct label_entry *entry)
{
    if (queue->n == queue->cap)
        grow(queue);
    struct label_entry kept = *entry;
    kept.id = keep_text(queue, entry->id);
    kept.text = queue->now;
    size_t i = queue->n++;
    for (; i > 0 && entry_at(queue, i - 1)->time > kept.time; i--)
        *entry_at(queue, i) = *entry_at(queue, i - 1);
    *entry_at(queue, i) = kept;
}

void label_queue_pop(struct label_queue *queue)
{
    struct label_text *text = queue->ring[queue->at].text;
    text->live--;
    text_release(queue, text);
    queue->at = (queue->at + 1) & (queue->cap - 1);
    queue->n--;
}
