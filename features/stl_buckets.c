#include "features/stl_buckets.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, SILENT_MIN = 64, SILENT_MAX = 4096 };

/* To feed a bucket changes a few hundred bytes, which are logged: so it is done for several at a
 * time, when there is no room for another. */
enum { SPARE = 3 };

struct bucket {
    double sum, count;
};

struct head {
    uint32_t version;
    uint32_t open;           /* as many as it was made with */
    int64_t front;           /* the oldest bucket that was not fed */
    int64_t newest;          /* time of the newest event */
    struct bucket buckets[]; /* bucket n is at n % open; then comes the decomposer's state */
};

/* What was tried out. */
struct stl_undo {
    size_t n;
    struct stl_online_change *changes;
    char *front;
};

/* Times. */

static int64_t bucket_of(const struct stl_buckets *buckets, int64_t time)
{
    return time / buckets->width - (time % buckets->width < 0);
}

static int64_t before(int64_t time, int64_t span)
{
    return time < INT64_MIN + span ? INT64_MIN : time - span;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static uint64_t open_of(int64_t width, int64_t lateness)
{
    return (uint64_t)lateness / (uint64_t)width + ((uint64_t)lateness % (uint64_t)width > 0) + 1;
}

bool stl_buckets_fit(int64_t width, int64_t lateness)
{
    return open_of(width, lateness) + SPARE <= STL_OPEN_MAX;
}

/* Records. */

static struct bucket *bucket_at(struct head *head, int64_t n)
{
    assert(head->open > 0);
    int64_t place = n % head->open;
    return &head->buckets[place < 0 ? place + head->open : place];
}

static size_t state_offset(const struct head *head)
{
    return sizeof *head + head->open * sizeof *head->buckets;
}

static void *state_of(struct head *head)
{
    return (char *)head + state_offset(head);
}

/* A spoilt record counts as none. */
static bool is_valid(const struct stl_buckets *buckets, const struct record *rec)
{
    const struct head *head = (const void *)rec->data;
    if (rec->size < sizeof *head || head->version != VERSION || head->open < 1 ||
        head->open > STL_OPEN_MAX || rec->size < state_offset(head))
        return false;
    int64_t newest = bucket_of(buckets, head->newest);
    return head->front <= newest && head->front > newest - (int64_t)head->open &&
           stl_online_is_valid(buckets->stl, rec->data + state_offset(head),
                               rec->size - state_offset(head));
}

static double value_of(const struct stl_buckets *buckets, const struct bucket *bucket)
{
    if (bucket->count == 0)
        return buckets->zeros ? 0 : NAN;
    return buckets->fold == STL_SUM     ? bucket->sum
           : buckets->fold == STL_COUNT ? bucket->count
                                        : bucket->sum / bucket->count;
}

static double value_at(const struct stl_buckets *buckets, struct head *head, int64_t n)
{
    struct bucket empty = {0, 0};
    bool held = n >= head->front && n < head->front + (int64_t)head->open;
    return value_of(buckets, held ? bucket_at(head, n) : &empty);
}

/* Making. */

enum status stl_buckets_ready(struct stl_buckets *buckets, const struct stl_online_params *params)
{
    int64_t silent = 4 * (int64_t)params->period;
    buckets->silent = silent < SILENT_MIN ? SILENT_MIN : silent > SILENT_MAX ? SILENT_MAX : silent;
    buckets->open = (uint32_t)open_of(buckets->width, buckets->lateness) + SPARE;
    size_t most = (size_t)buckets->silent + STL_OPEN_MAX;
    struct stl_undo *undo = calloc(1, sizeof *undo);
    buckets->undo = undo;
    if (!undo)
        return ST_ENOMEM;
    undo->changes = calloc(2 * most, sizeof *undo->changes);
    undo->front = malloc(stl_online_head_bytes());
    if (!undo->changes || !undo->front)
        return ST_ENOMEM;
    return stl_online_create(params, &buckets->stl);
}

void stl_buckets_done(struct stl_buckets *buckets)
{
    stl_online_free(buckets->stl);
    if (!buckets->undo)
        return;
    free(buckets->undo->changes);
    free(buckets->undo->front);
    free(buckets->undo);
}

/* Reading. */

static void try_until(const struct stl_buckets *buckets, struct head *head, int64_t limit)
{
    struct stl_undo *undo = buckets->undo;
    char *state = state_of(head);
    struct stl_online_point point;
    memcpy(undo->front, state, stl_online_head_bytes());
    undo->n = 0;
    for (int64_t n = head->front; n < limit; n++) {
        stl_online_add(buckets->stl, state, value_at(buckets, head, n), &point);
        for (size_t i = 0; i < point.n_changes; i++)
            undo->changes[undo->n++] = point.changes[i];
    }
}

static void take_back(const struct stl_buckets *buckets, char *state)
{
    struct stl_undo *undo = buckets->undo;
    while (undo->n-- > 0)
        memcpy(state + undo->changes[undo->n].at, &undo->changes[undo->n].was, sizeof(uint64_t));
    memcpy(state, undo->front, stl_online_head_bytes());
}

static double open_left(const struct stl_buckets *buckets, struct head *head, int64_t time,
                        const double *self)
{
    int64_t n = bucket_of(buckets, time), into = time % buckets->width;
    if (n < head->front)
        return NAN;
    bool held = n < head->front + (int64_t)head->open;
    struct bucket bucket = held ? *bucket_at(head, n) : (struct bucket){0, 0};
    bucket.sum += self ? *self : 0;
    bucket.count += self != NULL;
    into += into < 0 ? buckets->width : 0;
    double share = buckets->fold == STL_MEAN ? 1 : (double)into / (double)buckets->width;
    double has = buckets->fold != STL_MEAN && bucket.count == 0 ? 0 : value_of(buckets, &bucket);
    return has - share * stl_online_forecast(state_of(head), 1);
}

static void read_parts(const struct stl_buckets *buckets, struct head *head, int64_t time,
                       const double *self, struct stl_reading *ret)
{
    struct stl_online_point last;
    stl_online_last(state_of(head), &last);
    *ret = (struct stl_reading){.trend = last.trend,
                                .seasonal = last.seasonal,
                                .remainder = last.remainder,
                                .score = last.score,
                                .strength = stl_online_strength(state_of(head)),
                                .open = open_left(buckets, head, time, self)};
}

void stl_buckets_read(const struct stl_buckets *buckets, struct record *rec, int64_t time,
                      const double *self, struct stl_reading *ret)
{
    *ret = (struct stl_reading){NAN, NAN, NAN, NAN, NAN, NAN};
    if (!rec || !is_valid(buckets, rec))
        return;
    struct head *head = record_data(rec);
    int64_t limit = bucket_of(buckets, time);
    if (limit - bucket_of(buckets, head->newest) > buckets->silent ||
        !stl_online_is_live(state_of(head)))
        return;
    bool behind = head->front < limit;
    if (behind)
        try_until(buckets, head, limit);
    read_parts(buckets, head, time, self, ret);
    if (behind)
        take_back(buckets, state_of(head));
}

/* Observing. */

static void touch(struct state *state, struct record *rec, const void *at, size_t len)
{
    state_touch(state, rec, (size_t)((const char *)at - rec->data), len);
}

static struct record *begin(const struct stl_buckets *buckets, struct state *state,
                            struct key128 id, int64_t time)
{
    size_t front = sizeof(struct head) + buckets->open * sizeof(struct bucket);
    size_t size = front + stl_online_bytes_next(buckets->stl, NULL);
    struct record *rec = state_obtain(state, buckets->family, id, size);
    rec = state_resize(state, rec, size);
    memset(rec->data, 0, size);
    state_touch(state, rec, 0, size);
    struct head *head = record_data(rec);
    head->version = VERSION;
    head->open = buckets->open;
    head->front = bucket_of(buckets, time);
    head->newest = time;
    return rec;
}

/* All up to the decomposer's head, which is what most buckets change, and what lies behind. */
static void touch_fed(struct state *state, struct record *rec, bool was_live,
                      const struct stl_online_point *point)
{
    char *at = state_of(record_data(rec));
    size_t front = (size_t)(at - rec->data) + stl_online_head_bytes();
    state_touch(state, rec, 0, was_live ? front : rec->size);
    for (size_t i = 0; i < point->n_changes; i++)
        touch(state, rec, at + point->changes[i].at, sizeof(uint64_t));
}

static struct record *fit(const struct stl_buckets *buckets, struct state *state,
                          struct record *rec)
{
    struct head *head = record_data(rec);
    size_t size = state_offset(head) + stl_online_bytes_next(buckets->stl, state_of(head));
    return size == rec->size ? rec : state_resize(state, rec, size);
}

static struct record *feed_front(const struct stl_buckets *buckets, struct state *state,
                                 struct record *rec)
{
    struct stl_online_point point;
    rec = fit(buckets, state, rec);
    struct head *head = record_data(rec);
    struct bucket *bucket = bucket_at(head, head->front);
    bool was_live = stl_online_is_live(state_of(head));
    stl_online_add(buckets->stl, state_of(head), value_of(buckets, bucket), &point);
    *bucket = (struct bucket){0, 0};
    head->front++;
    touch_fed(state, rec, was_live, &point);
    return rec;
}

/* Once there is no room for the newest bucket: feeds what can no longer change, and more if that is
 * not enough. */
static struct record *feed(const struct stl_buckets *buckets, struct state *state,
                           struct record *rec)
{
    struct head *head = record_data(rec);
    int64_t newest = bucket_of(buckets, head->newest);
    if (newest - head->front < (int64_t)head->open)
        return rec;
    int64_t settled = bucket_of(buckets, before(head->newest, buckets->lateness));
    int64_t limit = later(settled, newest - (int64_t)head->open + 1);
    for (int64_t front = head->front; front < limit; front++)
        rec = feed_front(buckets, state, rec);
    return fit(buckets, state, rec);
}

/* Nothing was fed: an earlier bucket may still become the first. */
static bool can_begin_at(const struct stl_buckets *buckets, struct head *head, int64_t n)
{
    return stl_online_is_new(state_of(head)) &&
           bucket_of(buckets, head->newest) - n < (int64_t)head->open;
}

static struct record *obtain(const struct stl_buckets *buckets, struct state *state,
                             struct key128 id, int64_t time)
{
    struct record *rec = state_find(state, buckets->family, id);
    if (!rec || !is_valid(buckets, rec))
        return begin(buckets, state, id, time);
    struct head *head = record_data(rec);
    int64_t newest = bucket_of(buckets, head->newest);
    return bucket_of(buckets, time) - newest > buckets->silent ? begin(buckets, state, id, time)
                                                               : rec;
}

void stl_buckets_observe(const struct stl_buckets *buckets, struct state *state, struct key128 id,
                         int64_t time, double value)
{
    struct record *rec = obtain(buckets, state, id, time);
    struct head *head = record_data(rec);
    int64_t n = bucket_of(buckets, time);
    if (n < head->front && !can_begin_at(buckets, head, n))
        return;
    if (n < head->front) {
        head->front = n;
        touch(state, rec, head, sizeof *head);
    }
    if (time > head->newest) {
        head->newest = time;
        touch(state, rec, &head->newest, sizeof head->newest);
    }
    rec = feed(buckets, state, rec);
    struct bucket *bucket = bucket_at(record_data(rec), n);
    bucket->sum += value;
    bucket->count++;
    touch(state, rec, bucket, sizeof *bucket);
}

bool stl_buckets_describe(const struct stl_buckets *buckets, struct record *rec, int64_t *ret_from,
                          int64_t *ret_newest, const void **ret_state)
{
    struct head *head = record_data(rec);
    if (!is_valid(buckets, rec))
        return false;
    if (__builtin_mul_overflow(head->front, buckets->width, ret_from))
        *ret_from = INT64_MIN;
    *ret_newest = head->newest;
    *ret_state = state_of(head);
    return true;
}
