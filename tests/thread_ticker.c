/*
 * A ticker runs its function until it is stopped, and not once more: the function writes what the
 * starter reads again afterwards without a lock, which ThreadSanitizer accepts only if stopping
 * waits for it.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "online/ticker.h"

struct counted {
    _Atomic int seen; /* for the starter, while the ticker runs */
    int n;
};

static void count(void *arg)
{
    struct counted *counted = arg;
    counted->n++;
    counted->seen = counted->n;
}

static int fail(const char *why)
{
    fprintf(stderr, "thread_ticker: %s\n", why);
    return 1;
}

static int one_round(int wanted)
{
    struct counted counted = {0, 0};
    struct ticker *ticker = NULL;
    if (ticker_start("test", 200, count, &counted, &ticker) < 0)
        return fail("cannot start");
    double until = ticker_now() + 60;
    while (counted.seen < wanted && ticker_now() < until)
        nanosleep(&(struct timespec){0, 100000}, NULL);
    ticker_stop(ticker);
    int n = counted.n;
    if (n < wanted)
        return fail("did not run");
    counted.n = -1; /* it is ours again */
    return 0;
}

/* Long waits are cut short. */
static int stops_at_once(void)
{
    struct counted counted = {0, 0};
    struct ticker *ticker = NULL;
    double begin = ticker_now();
    if (ticker_start("test", INT64_C(3600000000), count, &counted, &ticker) < 0)
        return fail("cannot start");
    ticker_stop(ticker);
    return counted.n == 0 && ticker_now() - begin < 60 ? 0 : fail("did not stop at once");
}

int main(void)
{
    int bad = stops_at_once();
    for (int i = 0; i < 50; i++)
        bad |= one_round(i % 5);
    ticker_stop(NULL);
    return bad;
}
