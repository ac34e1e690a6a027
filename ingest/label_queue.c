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

/* How many entries stay in front of one of that time. Rows mostly come in order, so the end is
 * looked at first. */
static size_t place_of(struct label_queue *queue, int64_t time)
{
    size_t low = 0, high = queue->n;
    if (high == 0 || entry_at(queue, high - 1)->time <= time)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(queue, middle)->time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Makes room at place i by moving those on its nearer side, so that a file that is sorted backwards
 * costs no more than one in order. */
static struct label_entry *make_place(struct label_queue *queue, size_t i)
{
    queue->n++;
    if (i >= queue->n / 2) {
        for (size_t j = queue->n - 1; j > i; j--)
            *entry_at(queue, j) = *entry_at(queue, j - 1);
        return entry_at(queue, i);
    }
    queue->at = (queue->at - 1) & (queue->cap - 1);
    for (size_t j = 0; j < i; j++)
        *entry_at(queue, j) = *entry_at(queue, j + 1);
    return entry_at(queue, i);
}

void label_queue_push(struct label_queue *queue, const struct label_entry *entry)
{
    if (queue->n == queue->cap)
        grow(queue);
    struct label_entry *at = make_place(queue, place_of(queue, entry->time));
    *at = *entry;
    at->id = keep_text(queue, entry->id);
    at->text = queue->now;
}

void label_queue_pop(struct label_queue *queue)
{
    struct label_text *text = queue->ring[queue->at].text;
    text->live--;
    text_release(queue, text);
    queue->at = (queue->at + 1) & (queue->cap - 1);
    queue->n--;
}
