/*
 * Threads at base/metrics.h: all of them find or make the same metrics, add to them and read them
 * at once. No addition may be lost, and ThreadSanitizer may see nothing that is not ordered.
 */
#include <pthread.h>
#include <stdio.h>

#include "base/metrics.h"

enum { THREADS = 4, ROUNDS = 100000 };

static void *work(void *arg)
{
    const char *own = arg;
    struct metric *all = metric_counter("all_total", "All.", NULL, NULL);
    struct metric *mine = metric_counter("own_total", "Each thread's.", "thread", own);
    struct metric *time = metric_histogram("time_seconds", "Time.", NULL, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(all, 1);
        metric_add(mine, 0.5);
        metric_record(time, i);
        metric_set(metric_find("own_total", own), i);
    }
    return NULL;
}

static int read_all(void)
{
    struct buf text = {0};
    for (int i = 0; i < 50; i++) {
        buf_reset(&text);
        metrics_write(&text);
        (void)metric_quantile(metric_find("time_seconds", NULL), 0.5);
    }
    buf_done(&text);
    return metric_value(metric_find("all_total", NULL)) == (double)THREADS * ROUNDS &&
           metric_value(metric_find("time_seconds", NULL)) == (double)THREADS * ROUNDS;
}

int main(void)
{
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, names[i]) != 0)
            return 1;
    }
    (void)read_all();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    int good = read_all();
    puts(good ? "passed" : "failed");
    return !good;
}
