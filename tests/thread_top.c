/*
 * One thread offers scores while another reads the best: what is read is always whole and in order.
 * ThreadSanitizer looks for races; the checks here look for entries mixed of two.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "online/top.h"

enum { OFFERS = 300000 };

struct both {
    struct top *top;
    _Atomic bool over;
};

static float score_of(unsigned i)
{
    return (float)(i * 2654435761u) / 4294967296.0f;
}

static void *offer(void *arg)
{
    struct both *both = arg;
    for (unsigned i = 0; i < OFFERS; i++) {
        char id[16];
        int len = snprintf(id, sizeof id, "%u", i);
        top_offer(both->top, (struct slice){id, (size_t)len}, 1000 * (int64_t)i, score_of(i), i);
    }
    both->over = true;
    return NULL;
}

static bool is_whole(const struct top_entry *entry)
{
    char id[16];
    int len = snprintf(id, sizeof id, "%u", (unsigned)entry->version);
    return entry->id_len == len && memcmp(entry->id, id, (size_t)len) == 0 &&
           entry->score == score_of(entry->version) &&
           entry->time == 1000 * (int64_t)entry->version;
}

static void fail(const char *why)
{
    fprintf(stderr, "thread_top: %s\n", why);
    exit(1);
}

static void check(struct top *top)
{
    struct top_entry entries[TOP_N];
    size_t n = top_read(top, entries);
    for (size_t i = 0; i < n; i++) {
        if (!is_whole(&entries[i]))
            fail("an entry is not as it was offered");
        if (i > 0 && entries[i].score > entries[i - 1].score)
            fail("entries are not in order");
    }
}

int main(void)
{
    struct both both = {NULL, false};
    pthread_t thread;
    if (top_create(&both.top) < 0 || pthread_create(&thread, NULL, offer, &both) != 0)
        return 1;
    while (!both.over)
        check(both.top);
    pthread_join(thread, NULL);
    check(both.top);
    top_free(both.top);
    return 0;
}
