#include "ingest/generator_internal.h"

#include <stdlib.h>

#include "base/rng.h"
#include "ingest/event.h"

enum { TASTES = 4, POSITIONS = 5, DEVICES = 4 };

/* What draws a part of its own from the seed, so that a user likes the same whatever else was
 * drawn. */
enum { PART_STREAM, PART_ADS, PART_SITES, PART_USERS };

/* Hidden: a bias, and a liking of each taste. */
struct factors {
    double bias;
    double taste[TASTES];
};

struct impressions {
    struct generator_options options;
    struct rng rng;
    struct zipf users, ads, sites;
    struct factors *ad_factors;
    double *site_bias;
    int64_t time; /* of the last */
    uint64_t id;
};

/* Log odds of a click: about one in fifty on average. */
static const double bias_all = -4.2;
static const double bias_device[DEVICES] = {0.3, 0, -0.1, -1.2};
static const double bias_a_position = -0.3;
static const double bias_hour[24] = {0, -0.2, -0.3, -0.4, -0.4, -0.3, -0.2, -0.1,
                                     0, 0,    -0.1, -0.1, 0,    0,    -0.1, -0.1,
                                     0, 0.1,  0.2,  0.3,  0.4,  0.4,  0.3,  0.1};

static struct factors draw_factors(struct rng *rng, double bias_deviation, double taste_deviation)
{
    struct factors factors = {.bias = rng_normal(rng, 0, bias_deviation)};
    for (int i = 0; i < TASTES; i++)
        factors.taste[i] = rng_normal(rng, 0, taste_deviation);
    return factors;
}

/* Users are many, so theirs are drawn when they are looked at: always the same. */
static struct factors factors_of_user(const struct impressions *impressions, uint32_t user)
{
    struct rng rng = rng_part(impressions->options.seed, (uint64_t)PART_USERS << 32 | user);
    return draw_factors(&rng, 0.6, 0.7);
}

static double log_odds(const struct impressions *impressions, const struct impression *shown)
{
    struct factors user = factors_of_user(impressions, shown->user);
    const struct factors *ad = &impressions->ad_factors[shown->ad];
    double sum = bias_all + user.bias + ad->bias + impressions->site_bias[shown->site] +
                 bias_device[shown->device] + bias_a_position * (shown->position - 1) +
                 bias_hour[shown->hour];
    for (int i = 0; i < TASTES; i++)
        sum += user.taste[i] * ad->taste[i];
    return sum;
}

static int draw_device(struct rng *rng)
{
    static const int percent[DEVICES] = {55, 35, 8, 2};
    int at = (int)rng_below(rng, 100), device = 0;
    while (at >= percent[device])
        at -= percent[device++];
    return device;
}

static struct impression draw_impression(struct impressions *impressions, int64_t time)
{
    struct rng *rng = &impressions->rng;
    struct impression shown = {0};
    shown.user = (uint32_t)rng_zipf(rng, &impressions->users);
    shown.ad = (uint32_t)rng_zipf(rng, &impressions->ads);
    shown.site = (uint32_t)rng_zipf(rng, &impressions->sites);
    shown.device = draw_device(rng);
    shown.position = 1 + (int)rng_below(rng, POSITIONS);
    int64_t within = time % DAY_US;
    shown.hour = (int)((within < 0 ? within + DAY_US : within) / (3600 * SECOND_US));
    return shown;
}

bool impressions_next(struct impressions *impressions, struct generated *ret, int64_t *ret_known)
{
    const struct generator_options *options = &impressions->options;
    struct rng *rng = &impressions->rng;
    int64_t time = impressions->time + (int64_t)rng_exponential(rng, 1e6 / options->rate);
    if (options->days > 0 && time >= options->start + options->days * DAY_US)
        return false;
    impressions->time = time;
    *ret = (struct generated){.kind = GENERATOR_IMPRESSIONS,
                              .time = time - time % 1000, /* written in milliseconds */
                              .id = impressions->id++,
                              .impression = draw_impression(impressions, time)};
    double odds = rng_exp(log_odds(impressions, &ret->impression));
    ret->label = rng_uniform(rng) < odds / (1 + odds);
    if (ret->label) {
        int64_t delay = (int64_t)rng_exponential(rng, (double)options->label_delay);
        *ret_known = ret->time + delay - delay % 1000;
    }
    return true;
}

static void draw_ads_and_sites(struct impressions *impressions)
{
    struct rng ads = rng_part(impressions->options.seed, PART_ADS);
    struct rng sites = rng_part(impressions->options.seed, PART_SITES);
    for (uint32_t i = 0; i < impressions->options.ads; i++)
        impressions->ad_factors[i] = draw_factors(&ads, 0.8, 0.7);
    for (uint32_t i = 0; i < impressions->options.sites; i++)
        impressions->site_bias[i] = rng_normal(&sites, 0, 0.5);
}

enum status impressions_create(const struct generator_options *options, struct impressions **ret)
{
    struct impressions *impressions = calloc(1, sizeof *impressions);
    if (!impressions)
        return ST_ENOMEM;
    impressions->options = *options;
    impressions->rng = rng_part(options->seed, PART_STREAM);
    impressions->users = zipf_of(options->users, options->skew);
    impressions->ads = zipf_of(options->ads, options->skew);
    impressions->sites = zipf_of(options->sites, options->skew);
    impressions->time = options->start;
    impressions->ad_factors = calloc(options->ads, sizeof *impressions->ad_factors);
    impressions->site_bias = calloc(options->sites, sizeof *impressions->site_bias);
    if (!impressions->ad_factors || !impressions->site_bias) {
        impressions_free(impressions);
        return ST_ENOMEM;
    }
    draw_ads_and_sites(impressions);
    *ret = impressions;
    return ST_OK;
}

void impressions_free(struct impressions *impressions)
{
    if (!impressions)
        return;
    free(impressions->ad_factors);
    free(impressions->site_bias);
    free(impressions);
}
