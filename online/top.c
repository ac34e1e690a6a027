#include "online/top.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "online/rows.h"

/* The best of one stretch of time, highest first. */
struct stretch {
    int64_t number; /* time / TOP_STRETCH_US; INT64_MIN: never used */
    size_t n;
    struct top_entry best[TOP_N];
};

struct top_kept {
    pthread_mutex_t lock; /* guards all below */
    int64_t newest;       /* number of the newest stretch; INT64_MIN: nothing yet */
    struct stretch stretches[TOP_STRETCHES];
};

enum status top_create(struct top **ret)
{
    struct top *top = calloc(1, sizeof *top);
    struct top_kept *kept = calloc(1, sizeof *kept);
    if (!top || !kept) {
        free(top);
        free(kept);
        return ST_ENOMEM;
    }
    pthread_mutex_init(&kept->lock, NULL);
    kept->newest = INT64_MIN;
    for (size_t i = 0; i < TOP_STRETCHES; i++)
        kept->stretches[i].number = INT64_MIN;
    top->kept = kept;
    *ret = top;
    return ST_OK;
}

void top_free(struct top *top)
{
    if (!top)
        return;
    pthread_mutex_destroy(&top->kept->lock);
    free(top->kept);
    free(top);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Keeps best[0..*n) in order; the last one falls out where there is no room. Of equal scores the
 * first to come stays: a model that knows nothing yet gives them all the same. */
static void insert(struct top_entry best[TOP_N], size_t *n, const struct top_entry *entry)
{
    if (*n == TOP_N && !(entry->score > best[TOP_N - 1].score))
        return;
    size_t i = *n < TOP_N ? (*n)++ : TOP_N - 1;
    for (; i > 0 && entry->score > best[i - 1].score; i--)
        best[i] = best[i - 1];
    best[i] = *entry;
}

/* The stretch of a time, emptied where it held an older one; NULL if it is before the minute. */
static struct stretch *stretch_of(struct top_kept *kept, int64_t number)
{
    if (kept->newest != INT64_MIN && number <= kept->newest - TOP_STRETCHES)
        return NULL;
    struct stretch *stretch =
        &kept->stretches[((number % TOP_STRETCHES) + TOP_STRETCHES) % TOP_STRETCHES];
    if (stretch->number != number) {
        stretch->number = number;
        stretch->n = 0;
    }
    if (number > kept->newest)
        kept->newest = number;
    return stretch;
}

/* Only offers within the newest stretch have a short way out. */
static void set_bar(struct top *top, const struct stretch *stretch)
{
    if (stretch->number != top->kept->newest)
        return;
    top->from = stretch->number * TOP_STRETCH_US;
    top->to = top->from + TOP_STRETCH_US;
    top->bar = stretch->n == TOP_N ? stretch->best[TOP_N - 1].score : -INFINITY;
}

void top_take(struct top *top, struct slice id, int64_t time, float score, uint32_t version)
{
    if (isnan(score))
        return;
    struct top_entry entry = {.time = time, .score = score, .version = version};
    entry.id_len = (uint8_t)(id.len < TOP_ID_MAX ? id.len : TOP_ID_MAX);
    if (entry.id_len > 0)
        memcpy(entry.id, id.data, entry.id_len);
    pthread_mutex_lock(&top->kept->lock);
    struct stretch *stretch = stretch_of(top->kept, floor_div(time, TOP_STRETCH_US));
    if (stretch) {
        insert(stretch->best, &stretch->n, &entry);
        set_bar(top, stretch);
    }
    pthread_mutex_unlock(&top->kept->lock);
}

void top_on_score(void *arg, const struct row_score *row)
{
    if (!top_wants(arg, row->time, row->score))
        return;
    struct slice id = row->event->id;
    char text[TOP_ID_MAX + 1];
    if (id.len == 0) {
        int len = snprintf(text, sizeof text, "offset %" PRId64, row->event->origin.offset);
        id = (struct slice){text, (size_t)len};
    }
    top_take(arg, id, row->time, row->score, row->version);
}

size_t top_read(struct top *top, struct top_entry ret[TOP_N])
{
    struct top_kept *kept = top->kept;
    size_t n = 0;
    pthread_mutex_lock(&kept->lock);
    for (size_t i = 0; i < TOP_STRETCHES; i++) {
        const struct stretch *stretch = &kept->stretches[i];
        if (stretch->number == INT64_MIN || stretch->number <= kept->newest - TOP_STRETCHES)
            continue;
        for (size_t j = 0; j < stretch->n; j++)
            insert(ret, &n, &stretch->best[j]);
    }
    pthread_mutex_unlock(&kept->lock);
    return n;
}
