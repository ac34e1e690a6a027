#include "features/decay.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

/* Times are kept as instants, unsigned and never 0, so that zeroed memory holds no events. */
struct content {
    uint64_t newest;
    struct decay_sum sums[];
};

static uint64_t instant_of(int64_t time)
{
    return (uint64_t)time ^ (UINT64_C(1) << 63);
}

static size_t bytes_of(const struct decay *decay)
{
    return sizeof(struct content) + decay->n * sizeof(struct decay_sum);
}

/* 2^(-age/half_life); base/rng.h's exponential is the same on every machine. */
static double weight_of(uint64_t age, int64_t half_life)
{
    static const double ln2 = 0.69314718055994531;
    double x = -ln2 * ((double)age / (double)half_life);
    return age == 0 ? 1 : x < -690 ? 0 : rng_exp(x);
}

static const struct content *content_of(const struct decay *decay, const struct record *rec)
{
    return rec && rec->size == bytes_of(decay) ? (const void *)rec->data : NULL;
}

void decay_read(const struct decay *decay, const struct record *rec, int64_t time,
                const double *own, struct decay_sum *ret)
{
    const struct content *content = content_of(decay, rec);
    uint64_t at = instant_of(time), newest = content ? content->newest : 0;
    for (size_t i = 0; i < decay->n; i++) {
        struct decay_sum sum = {0, 0};
        if (newest > 0) {
            double fade = at > newest ? weight_of(at - newest, decay->half_life[i]) : 1;
            sum.count = content->sums[i].count * fade;
            sum.sum = content->sums[i].sum * fade;
        }
        if (own) {
            double weight = newest > at ? weight_of(newest - at, decay->half_life[i]) : 1;
            sum.count += weight;
            sum.sum += weight * *own;
        }
        ret[i] = sum;
    }
}

void decay_observe(const struct decay *decay, struct state *state, struct key128 id, int64_t time,
                   double own)
{
    struct decay_sum sums[DECAY_MAX];
    struct record *rec = state_obtain(state, decay->family, id, bytes_of(decay));
    if (rec->size != bytes_of(decay))
        rec = state_resize(state, state_resize(state, rec, 0), bytes_of(decay));
    decay_read(decay, rec, time, &own, sums);
    struct content *content = record_data(rec);
    for (size_t i = 0; i < decay->n; i++)
        content->sums[i] = sums[i];
    if (instant_of(time) > content->newest)
        content->newest = instant_of(time);
    state_touch(state, rec, 0, bytes_of(decay));
}

bool decay_describe(const struct decay *decay, const struct record *rec, int64_t *ret_newest)
{
    const struct content *content = content_of(decay, rec);
    if (!content || content->newest == 0)
        return false;
    *ret_newest = (int64_t)instant_of((int64_t)content->newest);
    return true;
}
