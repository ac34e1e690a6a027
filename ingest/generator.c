#include "ingest/generator_internal.h"

#include <math.h>
#include <stdlib.h>

#include "ingest/event.h"

enum { COUNT_MAX = 1 << 24 };

/* A label that is not known yet. */
struct due {
    int64_t time;
    uint64_t id;
    int label;
};

struct generator {
    struct generator_options options;
    struct payments *payments;
    struct impressions *impressions; /* one of the two */
    struct generated next;           /* the next event */
    bool has_next;
    struct due *heap; /* least first by (time, id) */
    size_t n, cap;
};

struct generator_options generator_defaults(enum generator_kind kind)
{
    struct generator_options options = {.kind = kind,
                                        .start = INT64_C(1522540800) * SECOND_US, /* 2018-04-01 */
                                        .customers = 5000,
                                        .terminals = 10000,
                                        .radius = 5,
                                        .rate = 20,
                                        .users = 100000,
                                        .ads = 1000,
                                        .sites = 500,
                                        .skew = 1.05};
    options.days = kind == GENERATOR_PAYMENTS ? 183 : 7;
    options.label_delay = kind == GENERATOR_PAYMENTS ? 7 * DAY_US : 300 * SECOND_US;
    return options;
}

/* Labels to come. */

static bool due_less(const struct due *a, const struct due *b)
{
    return a->time < b->time || (a->time == b->time && a->id < b->id);
}

static void due_add(struct generator *generator, struct due due)
{
    if (generator->n == generator->cap) {
        generator->cap = generator->cap ? generator->cap * 2 : 1024;
        generator->heap = realloc(generator->heap, generator->cap * sizeof *generator->heap);
        if (!generator->heap)
            abort();
    }
    struct due *heap = generator->heap;
    size_t i = generator->n++;
    for (; i > 0 && due_less(&due, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = due;
}

static struct due due_take(struct generator *generator)
{
    struct due *heap = generator->heap, least = heap[0], last = heap[--generator->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < generator->n; i = child) {
        child += child + 1 < generator->n && due_less(&heap[child + 1], &heap[child]);
        if (!due_less(&heap[child], &last))
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return least;
}

/* Makes the next event and notes when its label will be known. */
static void look_ahead(struct generator *generator)
{
    struct generated *next = &generator->next;
    int64_t known = 0;
    if (generator->payments) {
        generator->has_next = payments_next(generator->payments, next);
        known = next->time + generator->options.label_delay;
    } else {
        generator->has_next = impressions_next(generator->impressions, next, &known);
    }
    bool is_labelled = next->label == 1 || (generator->payments && generator->options.label_all);
    if (generator->has_next && is_labelled)
        due_add(generator, (struct due){known, next->id, next->label});
}

bool generator_next(struct generator *generator, struct generated *ret)
{
    /* a label may be known at its event's own time, but not before it is out */
    bool label_first = generator->n > 0 &&
                       (!generator->has_next || (generator->heap[0].time <= generator->next.time &&
                                                 generator->heap[0].id != generator->next.id));
    if (label_first) {
        struct due due = due_take(generator);
        *ret = (struct generated){.kind = generator->options.kind,
                                  .is_label = true,
                                  .time = due.time,
                                  .id = due.id,
                                  .label = due.label};
        return true;
    }
    if (!generator->has_next)
        return false;
    *ret = generator->next;
    look_ahead(generator);
    return true;
}

static bool is_valid(const struct generator_options *options)
{
    bool counts = options->kind == GENERATOR_PAYMENTS
                      ? options->customers > 0 && options->customers <= COUNT_MAX &&
                            options->terminals > 0 && options->terminals <= COUNT_MAX
                      : options->users > 0 && options->ads > 0 && options->ads <= COUNT_MAX &&
                            options->sites > 0 && options->sites <= COUNT_MAX;
    return counts && options->days >= 0 && options->label_delay >= 0 && options->radius >= 0 &&
           options->radius <= 50 && options->rate > 0 && isfinite(options->rate) &&
           options->skew >= 0 && options->skew <= 20;
}

enum status generator_create(const struct generator_options *options, struct generator **ret)
{
    if (!is_valid(options))
        return ST_EINVAL;
    struct generator *generator = calloc(1, sizeof *generator);
    if (!generator)
        return ST_ENOMEM;
    generator->options = *options;
    enum status st = options->kind == GENERATOR_PAYMENTS
                         ? payments_create(options, &generator->payments)
                         : impressions_create(options, &generator->impressions);
    if (st < 0) {
        generator_free(generator);
        return st;
    }
    look_ahead(generator);
    *ret = generator;
    return ST_OK;
}

void generator_free(struct generator *generator)
{
    if (!generator)
        return;
    payments_free(generator->payments);
    impressions_free(generator->impressions);
    free(generator->heap);
    free(generator);
}
