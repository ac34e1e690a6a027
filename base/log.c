#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/timefmt.h"

enum { LINE_MAX_LEN = 4096 };

/* Where lines go while somebody asks for them; else to stderr. */
static struct {
    pthread_mutex_t lock;
    void (*fn)(void *arg, const char *line, size_t len);
    void *arg;
} output = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_set_output(void (*fn)(void *arg, const char *line, size_t len), void *arg)
{
    pthread_mutex_lock(&output.lock);
    output.fn = fn;
    output.arg = arg;
    pthread_mutex_unlock(&output.lock);
}

static _Atomic int level_min = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_min, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&level_min, memory_order_relaxed) && level < LOG_OFF;
}

/* "2026-11-22T08:00:00.123Z", always of one width so that lines are aligned. */
static size_t write_time(char *ret, size_t size)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct civil c = civil_of((int64_t)now.tv_sec * 1000000, NULL);
    return (size_t)snprintf(ret, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month,
                            c.day, c.hour, c.minute, c.second, (int)(now.tv_nsec / 1000000));
}

static size_t used(int written, size_t room)
{
    return written < 0 ? 0 : (size_t)written < room ? (size_t)written : room - 1;
}

/* A line is one entry, whatever a field holds. */
static void flatten(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    }
}

/* One write(), so that lines of several threads and processes do not mix. */
static void write_line(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);
        if (n < 0 && errno != EINTR)
            return; /* there is no one to tell */
        line += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

void log_write(enum log_level level, const char *what, const char *format, ...)
{
    static const char *const names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    if (!log_enabled(level))
        return;
    char line[LINE_MAX_LEN + 1];
    size_t len = write_time(line, LINE_MAX_LEN);
    len += used(snprintf(line + len, LINE_MAX_LEN - len, " %s %s ", names[level], what),
                LINE_MAX_LEN - len);
    va_list args;
    va_start(args, format);
    len += used(vsnprintf(line + len, LINE_MAX_LEN - len, format, args), LINE_MAX_LEN - len);
    va_end(args);
    flatten(line, len);
    line[len++] = '\n';
    int saved = errno;
    pthread_mutex_lock(&output.lock);
    if (output.fn)
        output.fn(output.arg, line, len);
    else
        write_line(line, len);
    pthread_mutex_unlock(&output.lock);
    errno = saved;
}
