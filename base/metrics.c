#include "base/metrics_family.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* The registry. Families and metrics are added at start and never leave. */
static struct family *families;
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;

#define DECADE(us) 10 * (us), 16 * (us), 25 * (us), 40 * (us), 63 * (us)
/* In tenths of a microsecond, so that all are whole. */
static const int64_t bounds[METRIC_BOUNDS] = {
    DECADE(1),      DECADE(10),      DECADE(100),      DECADE(1000),       DECADE(10000),
    DECADE(100000), DECADE(1000000), DECADE(10000000), INT64_C(1000000000)};

double metric_bound(int i)
{
    return (double)bounds[i] / 1e7;
}

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static const char *copy(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct family **family_find(const char *name)
{
    struct family **at = &families;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

static struct metric **metric_place(struct family *family, const char *label_value)
{
    struct metric **at = &family->first;
    while (*at && !same((*at)->label_value, label_value))
        at = &(*at)->next;
    return at;
}

static struct family *family_make(enum metric_type type, const char *name, const char *help,
                                  const char *label)
{
    struct family *family = must(calloc(1, sizeof *family));
    family->name = copy(name);
    family->help = copy(help);
    family->label = copy(label);
    family->type = type;
    return family;
}

static struct metric *metric_make(enum metric_type type, const char *label_value)
{
    size_t size =
        type == METRIC_HISTOGRAM ? sizeof(struct metric) : offsetof(struct metric, counts);
    struct metric *metric = must(calloc(1, size));
    metric->type = type;
    metric->label_value = copy(label_value);
    return metric;
}

static struct metric *find_or_make(enum metric_type type, const char *name, const char *help,
                                   const char *label, const char *label_value)
{
    if (!label)
        label_value = NULL;
    pthread_mutex_lock(&registry_lock);
    struct family **family = family_find(name);
    if (!*family)
        *family = family_make(type, name, help, label);
    if ((*family)->type != type || !same((*family)->label, label))
        abort();
    struct metric **metric = metric_place(*family, label_value);
    if (!*metric)
        *metric = metric_make(type, label_value);
    pthread_mutex_unlock(&registry_lock);
    return *metric;
}

struct metric *metric_counter(const char *name, const char *help, const char *label,
                              const char *label_value)
{
    return find_or_make(METRIC_COUNTER, name, help, label, label_value);
}

struct metric *metric_gauge(const char *name, const char *help, const char *label,
                            const char *label_value)
{
    return find_or_make(METRIC_GAUGE, name, help, label, label_value);
}

struct metric *metric_histogram(const char *name, const char *help, const char *label,
                                const char *label_value)
{
    return find_or_make(METRIC_HISTOGRAM, name, help, label, label_value);
}

struct metric *metric_find(const char *name, const char *label_value)
{
    pthread_mutex_lock(&registry_lock);
    struct family *family = *family_find(name);
    struct metric *metric = family ? *metric_place(family, label_value) : NULL;
    pthread_mutex_unlock(&registry_lock);
    return metric;
}

void metric_each(const char *name,
                 void (*fn)(void *arg, const char *label_value, const struct metric *metric),
                 void *arg)
{
    pthread_mutex_lock(&registry_lock);
    const struct family *family = *family_find(name);
    for (const struct metric *metric = family ? family->first : NULL; metric; metric = metric->next)
        fn(arg, metric->label_value, metric);
    pthread_mutex_unlock(&registry_lock);
}

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

void metric_add(struct metric *metric, double v)
{
    if (!metric || metric->type == METRIC_HISTOGRAM)
        return;
    uint64_t old = metric_load(&metric->value);
    while (!atomic_compare_exchange_weak_explicit(&metric->value, &old, bits_of(double_of(old) + v),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

void metric_set(struct metric *metric, double v)
{
    if (metric && metric->type != METRIC_HISTOGRAM)
        atomic_store_explicit(&metric->value, bits_of(v), memory_order_relaxed);
}

/* The first bucket whose bound is not below us. */
static int bucket_of(int64_t us)
{
    int low = 0, high = METRIC_BOUNDS;
    while (low < high) {
        int middle = (low + high) / 2;
        if (bounds[middle] < us * 10)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void metric_record(struct metric *metric, int64_t us)
{
    if (!metric || metric->type != METRIC_HISTOGRAM)
        return;
    us = us < 0 ? 0 : us > INT64_C(1000000000000) ? INT64_C(1000000000000) : us;
    atomic_fetch_add_explicit(&metric->counts[bucket_of(us)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->value, (uint64_t)us, memory_order_relaxed);
}

static uint64_t count_all(const struct metric *metric)
{
    uint64_t n = 0;
    for (int i = 0; i <= METRIC_BOUNDS; i++)
        n += metric_load(&metric->counts[i]);
    return n;
}

double metric_value(const struct metric *metric)
{
    if (!metric)
        return NAN;
    return metric->type == METRIC_HISTOGRAM ? (double)count_all(metric)
                                            : double_of(metric_load(&metric->value));
}

/* Within a bucket values are taken to be spread evenly over its logarithm. */
static double inside(int bucket, double share)
{
    if (bucket == METRIC_BOUNDS)
        return metric_bound(METRIC_BOUNDS - 1);
    double high = metric_bound(bucket);
    if (bucket == 0)
        return high * share;
    return metric_bound(bucket - 1) * pow(high / metric_bound(bucket - 1), share);
}

void metric_mark(const struct metric *metric, struct metric_mark *ret)
{
    *ret = (struct metric_mark){{0}};
    if (!metric || metric->type != METRIC_HISTOGRAM)
        return;
    for (int i = 0; i < METRIC_BUCKETS; i++)
        ret->counts[i] = metric_load(&metric->counts[i]);
}

/* Of counts that hold n values in all. */
static double quantile(const uint64_t counts[METRIC_BUCKETS], double n, double q)
{
    double rank = q * n, below = 0;
    int last = -1;
    for (int i = 0; i < METRIC_BUCKETS; i++) {
        double here = (double)counts[i];
        if (here == 0)
            continue;
        if (below + here >= rank)
            return inside(i, (rank - below) / here);
        below += here;
        last = i;
    }
    return last < 0 ? NAN : inside(last, 1.0);
}

double metric_quantile_since(const struct metric *metric, const struct metric_mark *mark, double q)
{
    struct metric_mark now;
    uint64_t n = 0;
    metric_mark(metric, &now);
    for (int i = 0; i < METRIC_BUCKETS; i++)
        n += now.counts[i] -= mark->counts[i];
    return quantile(now.counts, (double)n, q);
}

double metric_quantile(const struct metric *metric, double q)
{
    return metric_quantile_since(metric, &(struct metric_mark){{0}}, q);
}

void metrics_write(struct buf *ret)
{
    pthread_mutex_lock(&registry_lock);
    for (const struct family *family = families; family; family = family->next)
        family_write(family, ret);
    pthread_mutex_unlock(&registry_lock);
}
