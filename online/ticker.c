#include "online/ticker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct ticker {
    char name[16];
    int64_t every_us;
    void (*fn)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
};

double ticker_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct timespec time_in(int64_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + us % 1000000 * 1000;
    t.tv_sec += us / 1000000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    return t;
}

/* True once it is time to stop. */
static bool sleep_until(struct ticker *ticker, const struct timespec *until)
{
    int late = 0;
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop && late == 0)
        late = pthread_cond_timedwait(&ticker->stopped, &ticker->lock, until);
    bool stop = ticker->stop;
    pthread_mutex_unlock(&ticker->lock);
    return stop;
}

static void *run(void *arg)
{
    struct ticker *ticker = arg;
    pthread_setname_np(pthread_self(), ticker->name);
    for (;;) {
        struct timespec next = time_in(ticker->every_us);
        if (sleep_until(ticker, &next))
            return NULL;
        ticker->fn(ticker->arg);
    }
}

static void init(struct ticker *ticker)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker->stopped, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&ticker->lock, NULL);
}

static void done(struct ticker *ticker)
{
    pthread_cond_destroy(&ticker->stopped);
    pthread_mutex_destroy(&ticker->lock);
    free(ticker);
}

/* A fault's signal belongs to the thread that caused it and cannot be put off. */
static sigset_t signals_of_the_process(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&set, faults[i]);
    return set;
}

static bool create_thread(struct ticker *ticker)
{
    sigset_t set = signals_of_the_process(), before;
    pthread_sigmask(SIG_BLOCK, &set, &before);
    bool created = pthread_create(&ticker->thread, NULL, run, ticker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return created;
}

enum status ticker_start(const char *name, int64_t every_us, void (*fn)(void *arg), void *arg,
                         struct ticker **ret)
{
    struct ticker *ticker = calloc(1, sizeof *ticker);
    if (!ticker)
        return ST_ENOMEM;
    snprintf(ticker->name, sizeof ticker->name, "%s", name);
    ticker->every_us = every_us;
    ticker->fn = fn;
    ticker->arg = arg;
    init(ticker);
    if (!create_thread(ticker)) {
        done(ticker);
        return ST_ENOMEM;
    }
    *ret = ticker;
    return ST_OK;
}

void ticker_stop(struct ticker *ticker)
{
    if (!ticker)
        return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stop = true;
    pthread_cond_signal(&ticker->stopped);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    done(ticker);
}
