/*
 * What features cost an event: extract, observe and the label that comes seven days later, over a
 * made-up stream of card payments like the handbook's (5,000 cards, 10,000 terminals, one payment
 * in 12 seconds), with the handbook's 15 columns.
 *
 *     bench_features [events [cards [FEATURES]]]
 *
 * FEATURES: others instead, as the YAML of the list, on AMOUNT, CARD and TERMINAL.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "features/plan.h"

enum { BATCH = 512, APART = 5, DELAY_DAYS = 7, TERMINALS = 10000, COLUMNS_MAX = 64 };

static const char handbook[] =
    "- {value: AMOUNT}\n"
    "- {calendar: weekend}\n"
    "- {calendar: hour, between: [0, 6], as: night}\n"
    "- {window: AMOUNT, by: CARD, over: [1d, 7d, 30d], take: [count, mean]}\n"
    "- {window: label, by: TERMINAL, over: [1d, 7d, 30d], take: [count, mean]}\n";

static const struct field fields[] = {
    {"CARD", FIELD_ENTITY, "CARD"},
    {"TERMINAL", FIELD_ENTITY, "TERMINAL"},
    {"AMOUNT", FIELD_NUMBER, NULL},
};
static const struct stream streams[] = {
    {.name = "payments", .n_fields = 3, .fields = fields, .score = true}};
static const struct schema schema = {
    .n_streams = 1,
    .streams = streams,
    .labels = {.present = true, .delay = DELAY_DAYS * DAY_US, .absent = {0, DAY_US}}};

/* An event that waits for its label. */
struct waiting {
    int64_t time;
    uint32_t tag;
    float label;
    struct key128 key;
};

struct bench {
    struct plan *plan;
    struct state *state;
    uint64_t seed;
    int64_t time;
    size_t n_cards;
    struct key128 *cards, *terminals;
    struct event events[BATCH];
    union value values[BATCH][3];
    struct waiting *queue; /* all of them, in order */
    size_t queued, labelled;
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t next(struct bench *b, uint64_t below)
{
    b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
    return (b->seed >> 32) % below;
}

static struct key128 *make_entities(const char *kind, size_t n)
{
    struct key128 *keys = calloc(n, sizeof *keys);
    char id[24];
    for (size_t i = 0; i < n; i++) {
        snprintf(id, sizeof id, "%zu", i);
        keys[i] = hash_entity(slice_of(kind), slice_of(id));
    }
    return keys;
}

static void make_batch(struct bench *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        b->time += (int64_t)next(b, 24) * SECOND_US;
        b->values[i][0].entity = b->cards[next(b, b->n_cards)];
        b->values[i][1].entity = b->terminals[next(b, TERMINALS)];
        b->values[i][2].number = (double)next(b, 20000) / 100;
        b->events[i] = (struct event){
            .time = b->time, .id_key = {next(b, UINT32_MAX), 1}, .values = b->values[i]};
    }
}

/* As the pipeline does: each stage of a later event, and of a label that is soon due. */
static void prefetch(struct bench *b, size_t i)
{
    for (unsigned stage = PLAN_SLOTS; stage <= PLAN_ENTRIES; stage++) {
        size_t ahead = (PLAN_ENTRIES + 1 - stage) * APART;
        if (i + ahead < BATCH)
            plan_prefetch(b->plan, b->state, &b->events[i + ahead], (enum plan_prefetch)stage);
        if (b->labelled + ahead < b->queued)
            plan_prefetch_label(b->plan, b->state, &b->queue[b->labelled + ahead].key,
                                (enum plan_prefetch)stage);
    }
}

static void take_labels(struct bench *b, int64_t now)
{
    for (; b->labelled < b->queued; b->labelled++) {
        const struct waiting *w = &b->queue[b->labelled];
        if (w->time + DELAY_DAYS * DAY_US > now)
            break;
        plan_label(b->plan, b->state, &w->key, w->time, w->tag, w->label);
    }
}

static void take_event(struct bench *b, const struct event *event)
{
    double dense[COLUMNS_MAX];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    struct waiting *w = &b->queue[b->queued++];
    plan_extract(b->plan, b->state, event, dense, sparse, &n_sparse);
    plan_observe(b->plan, b->state, event, dense);
    plan_label_keys(b->plan, event, &w->key);
    w->time = event->time;
    w->tag = (uint32_t)event->id_key.lo;
    w->label = event->id_key.lo % 100 == 0;
}

static void take_batch(struct bench *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        prefetch(b, i);
        take_labels(b, b->events[i].time);
        take_event(b, &b->events[i]);
    }
}

static void print_column_cost(struct bench *b)
{
    double dense[COLUMNS_MAX];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    int64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (size_t round = 0; round < 2000; round++)
        for (size_t i = 0; i < 8; i++)
            plan_extract(b->plan, b->state, &b->events[i], dense, sparse, &n_sparse);
    printf("%-18s %7.0f ns\n", "extract, in cache",
           (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / 16000);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of batches, because other processes slow some of them down. */
static void print_batches(const char *what, double *ns, size_t n)
{
    double mean = 0;
    for (size_t i = 0; i < n; i++)
        mean += ns[i] / (double)n;
    qsort(ns, n, sizeof *ns, compare);
    printf("%-18s %7.0f ns an event; of batches the median %.0f, the fastest tenth below %.0f\n",
           what, mean, ns[n / 2], ns[n / 10]);
}

static void run(struct bench *b, size_t n)
{
    struct buf redo = {0};
    size_t redo_bytes = 0, n_batches = n / BATCH;
    double *ns = calloc(n_batches, sizeof *ns), *seal_ns = calloc(n_batches, sizeof *ns);
    for (size_t i = 0; i < n_batches; i++) {
        make_batch(b);
        int64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
        take_batch(b);
        int64_t taken = now_ns(CLOCK_THREAD_CPUTIME_ID);
        ns[i] = (double)(taken - start) / BATCH;
        buf_reset(&redo);
        state_seal(b->state, &redo);
        redo_bytes += redo.len;
        seal_ns[i] = (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - taken) / BATCH;
    }
    print_batches("features", ns, n_batches);
    print_batches("seal", seal_ns, n_batches);
    printf("%.1f bytes of redo an event; %.1f MB of state in %zu records\n",
           (double)redo_bytes / (double)(n_batches * BATCH), (double)state_bytes(b->state) / 1e6,
           state_count(b->state));
    free(ns);
    free(seal_ns);
    buf_done(&redo);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1500000;
    struct bench *b = calloc(1, sizeof *b);
    struct conf *conf = NULL;
    struct conf_errors errors = {0};
    b->n_cards = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000;
    b->cards = make_entities("CARD", b->n_cards);
    b->terminals = make_entities("TERMINAL", TERMINALS);
    b->queue = calloc(n, sizeof *b->queue);
    b->time = 17000 * DAY_US;
    const char *features = argc > 3 ? argv[3] : handbook;
    if (state_create(&b->state) < 0 ||
        conf_parse("bench", slice_of(features), &errors, &conf) < 0 ||
        plan_create(&schema, conf_root(conf), 0, b->state, &errors, &b->plan) < 0) {
        conf_errors_print(&errors, stderr);
        return 1;
    }
    run(b, n);
    print_column_cost(b);
    plan_free(b->plan);
    state_free(b->state);
    conf_free(conf);
    conf_errors_done(&errors);
    free(b->queue);
    free(b->cards);
    free(b->terminals);
    free(b);
    return 0;
}
