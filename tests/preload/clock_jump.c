/*
 * A library for LD_PRELOAD that sets the clock of one process: CLOCK_REALTIME is off by as many
 * seconds as the file named by CLOCK_JUMP_FILE says at that moment. The monotonic clocks are left
 * alone, as they are by whoever sets a real clock.
 *
 * Waits until an instant of that clock are turned into the kernel's: the instant was worked out
 * from the clock as it was a moment ago. It is not what libfaketime is for: that one allocates
 * while jemalloc asks it for the time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* Later than any instant of a monotonic clock. */
#define REALTIME_LEAST 400000000

/* Without malloc and stdio. */
static time_t offset(void)
{
    static int fd = -1;
    char text[32] = "";
    const char *path = getenv("CLOCK_JUMP_FILE");
    if (fd < 0 && path)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int status = (int)syscall(SYS_clock_gettime, clock, ret);
    if (status == 0 && clock == CLOCK_REALTIME)
        ret->tv_sec += offset();
    return status;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *ret, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, ret) == 0 ? base : 0;
}

static struct timespec kernel_time(const struct timespec *until)
{
    struct timespec real = *until;
    if (real.tv_sec > REALTIME_LEAST)
        real.tv_sec -= offset();
    return real;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!next)
        *(void **)&next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    struct timespec real = kernel_time(until);
    return next(cond, mutex, &real);
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    static int (*next)(cnd_t *, mtx_t *, const struct timespec *);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "cnd_timedwait");
    struct timespec real = kernel_time(until);
    return next(cond, mutex, &real);
}
