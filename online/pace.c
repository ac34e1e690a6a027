#include "online/pace.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/metrics.h"
#include "online/ticker.h"

enum { LOOK_US = 100000, POINTS_MAX = 4096 };

struct pace {
    struct ticker *ticker;
    size_t n, every, skipped; /* of `every` looks one is kept */
    struct pace_point points[POINTS_MAX];
};

static double at_events(const struct pace_point *points, size_t n, double events)
{
    size_t i = 1;
    while (i < n - 1 && points[i].events < events)
        i++;
    const struct pace_point *a = &points[i - 1], *b = &points[i];
    double span = b->events - a->events;
    double share = span > 0 ? (events - a->events) / span : 0;
    return a->cpu_seconds + share * (b->cpu_seconds - a->cpu_seconds);
}

struct pace_figures pace_tenths(const struct pace_point *points, size_t n)
{
    struct pace_figures figures;
    bool enough = n > PACE_TENTHS && points[n - 1].events > points[0].events;
    double first = enough ? points[0].events : 0;
    double tenth = enough ? (points[n - 1].events - first) / PACE_TENTHS : 0;
    for (int i = 0; i < PACE_TENTHS; i++) {
        double from = enough ? at_events(points, n, first + i * tenth) : NAN;
        double to = enough ? at_events(points, n, first + (i + 1) * tenth) : NAN;
        figures.us[i] = (to - from) / tenth * 1e6;
    }
    return figures;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A long run keeps ever fewer of its looks. */
static void thin_out(struct pace *pace)
{
    for (size_t i = 0; i < POINTS_MAX / 2; i++)
        pace->points[i] = pace->points[2 * i];
    pace->n = POINTS_MAX / 2;
    pace->every *= 2;
}

static void look(void *arg)
{
    struct pace *pace = arg;
    if (++pace->skipped < pace->every)
        return;
    pace->skipped = 0;
    double events = metric_value(metric_find("freshet_events_total", NULL));
    if (isnan(events))
        return;
    if (pace->n == POINTS_MAX)
        thin_out(pace);
    pace->points[pace->n++] = (struct pace_point){events, cpu_seconds()};
}

struct pace *pace_start(void)
{
    struct pace *pace = calloc(1, sizeof *pace);
    if (!pace)
        return NULL;
    pace->every = 1;
    if (ticker_start("pace", LOOK_US, look, pace, &pace->ticker) < 0) {
        free(pace);
        return NULL;
    }
    return pace;
}

struct pace_figures pace_stop(struct pace *pace)
{
    if (!pace)
        return pace_tenths(NULL, 0);
    ticker_stop(pace->ticker);
    struct pace_figures figures = pace_tenths(pace->points, pace->n);
    free(pace);
    return figures;
}
