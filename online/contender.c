#include "online/contender_internal.h"

#include <stdlib.h>

/* Half copies. */

void contender_half_done(struct contender_half *half)
{
    free(half->rows[0]);
    free(half->rows[1]);
    *half = (struct contender_half){0};
}

enum status contender_half_copy(struct contender_half *to, const struct contender_half *from)
{
    struct contender_half copy = {.version = from->version};
    for (size_t label = 0; label < 2; label++) {
        size_t bytes = from->n[label] * sizeof(struct sighting);
        copy.n[label] = from->n[label];
        copy.rows[label] = malloc(bytes + 1);
        if (!copy.rows[label]) {
            contender_half_done(&copy);
            return ST_ENOMEM;
        }
        if (bytes > 0)
            memcpy(copy.rows[label], from->rows[label], bytes);
    }
    contender_half_done(to);
    *to = copy;
    return ST_OK;
}

enum status contender_create(struct contest *contest, uint32_t number, size_t positives_max,
                             struct contender **ret)
{
    struct contender *contender = calloc(1, sizeof *contender);
    if (!contender)
        return ST_ENOMEM;
    contender->contest = contest;
    contender->number = number;
    contender->stride = 1;
    for (size_t label = 0; label < 2; label++) {
        struct sighting_ring *ring = &contender->rings[label];
        ring->max = label ? positives_max : 2 * positives_max;
        ring->rows = calloc(ring->max, sizeof *ring->rows);
        if (!ring->rows) {
            contender_free(contender);
            return ST_ENOMEM;
        }
    }
    *ret = contender;
    return ST_OK;
}

void contender_free(struct contender *contender)
{
    if (!contender)
        return;
    for (size_t label = 0; label < 2; label++)
        free(contender->rings[label].rows);
    for (size_t i = 0; i < CONTEST_MODELS_MAX; i++)
        contender_half_done(&contender->met[i].half);
    free(contender);
}

/* Examples. */

void contender_push(struct sighting_ring *ring, const struct sighting *row)
{
    ring->rows[(ring->first + ring->n) % ring->max] = *row;
    if (ring->n == ring->max)
        ring->first = (ring->first + 1) % ring->max;
    else
        ring->n++;
}

/* splitmix64's finaliser. What one stride picks, half of it picks, too. */
static bool picks(uint64_t item, uint64_t stride)
{
    uint64_t h = item + UINT64_C(0x7c15bf58476d1ce5);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((h ^ (h >> 31)) & (stride - 1)) == 0;
}

/* One to two negatives for each positive, by the labels of late. */
static void count(struct contender *contender, bool positive)
{
    uint64_t *labels = contender->labels;
    labels[positive]++;
    if (labels[1] >= 2 * contender->rings[1].max) {
        labels[0] /= 2;
        labels[1] /= 2;
    }
    while (contender->stride > 1 && contender->stride * (labels[1] + 1) > labels[0])
        contender->stride /= 2;
    while (contender->stride * 2 * (labels[1] + 1) <= labels[0])
        contender->stride *= 2;
}

/* A correction is of an example that has been learnt. */
static void see(struct contender *contender, const struct model *serving,
                const struct example *example)
{
    bool positive = example->label >= 0.5f;
    if (example->correction)
        return;
    count(contender, positive);
    if (!positive && !picks(example->item, contender->stride))
        return;
    struct sighting row = {.item = example->item,
                           .label = positive,
                           .weight = example->weight,
                           .stride = positive ? 1 : (uint32_t)contender->stride};
    serving->ops->score(serving, &example->vector, 1, &row.score);
    contender_push(&contender->rings[positive], &row);
}

void contender_see(struct contender *contender, const struct model *serving,
                   const struct example *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        see(contender, serving, &rows[i]);
}

/* Meeting. */

/* What it has, oldest first, in arrays of its own. */
static enum status take_down(const struct contender *contender, struct contender_half *ret)
{
    for (size_t label = 0; label < 2; label++) {
        const struct sighting_ring *ring = &contender->rings[label];
        struct sighting *rows = realloc(ret->rows[label], (ring->n + 1) * sizeof *rows);
        if (!rows)
            return ST_ENOMEM;
        for (size_t i = 0; i < ring->n; i++)
            rows[i] = ring->rows[(ring->first + i) % ring->max];
        ret->rows[label] = rows;
        ret->n[label] = ring->n;
    }
    return ST_OK;
}

static enum status hand_in(const struct contender *contender, uint32_t challenger)
{
    const struct contender_met *met = &contender->met[challenger];
    struct act act = {ACT_CONTEST, challenger, met->version, met->rival};
    return contest_hand_in(contender->contest, &act, met->time, contender->number, &met->half);
}

enum status contender_meet(struct contender *contender, const struct act *act, uint32_t version,
                           int64_t time)
{
    if (act->model != contender->number && act->source != contender->number)
        return ST_OK;
    if (act->model >= CONTEST_MODELS_MAX)
        return ST_ECORRUPT;
    struct contender_met *met = &contender->met[act->model];
    met->half.version = version;
    TRY(take_down(contender, &met->half));
    met->rival = act->source;
    met->version = act->version;
    met->time = time;
    return hand_in(contender, act->model);
}

enum status contender_hand_in_again(const struct contender *contender)
{
    for (uint32_t i = 0; i < CONTEST_MODELS_MAX; i++)
        if (contender->met[i].version > 0)
            TRY(hand_in(contender, i));
    return ST_OK;
}
