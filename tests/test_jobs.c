/* Tests of base/jobs.h: each job is done once, and side by side: jobs that wait for each other end.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/jobs.h"

static void count(void *arg, size_t i)
{
    ((int *)arg)[i]++;
}

Test(jobs, each_is_done_once)
{
    for (size_t n = 0; n <= JOBS_MAX; n++) {
        int done[JOBS_MAX + 1] = {0};
        jobs_run(n, count, done);
        for (size_t i = 0; i <= JOBS_MAX; i++)
            cr_expect(eq(int, done[i], i < n));
    }
}

static void wait_for_all(void *arg, size_t i)
{
    atomic_size_t *begun = arg;
    (void)i;
    (*begun)++;
    while (*begun < JOBS_MAX)
        usleep(100);
}

Test(jobs, they_run_side_by_side, .timeout = 60)
{
    atomic_size_t begun = 0;
    jobs_run(JOBS_MAX, wait_for_all, &begun);
    cr_expect(eq(sz, begun, JOBS_MAX));
}
