#include "base/jobs.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

struct job {
    void (*fn)(void *arg, size_t i);
    void *arg;
    size_t i;
    pthread_t thread;
    bool threaded;
};

static void *job_main(void *arg)
{
    struct job *job = arg;
    job->fn(job->arg, job->i);
    return NULL;
}

/* The last one is the caller's. */
void jobs_run(size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
    assert(n <= JOBS_MAX);
    struct job jobs[JOBS_MAX];
    for (size_t i = 0; i < n; i++) {
        struct job *job = &jobs[i];
        *job = (struct job){.fn = fn, .arg = arg, .i = i};
        job->threaded = i + 1 < n && pthread_create(&job->thread, NULL, job_main, job) == 0;
        if (!job->threaded)
            job_main(job);
    }
    for (size_t i = 0; i < n; i++)
        if (jobs[i].threaded)
            pthread_join(jobs[i].thread, NULL);
}
