#include "ingest/generator_internal.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "ingest/event.h"

/* The handbook's numbers. */
enum {
    SIDE = 100, /* of the square that all live in */
    TERMINALS_A_DAY = 2,
    TERMINAL_DAYS = 28,
    CUSTOMERS_A_DAY = 3,
    CUSTOMER_DAYS = 14,
    CUSTOMER_SHARE = 3, /* one payment in three */
    CUSTOMER_FACTOR = 5,
    CENTS_MAX = 22000,
    CENTS_MIN = 100, /* after a change: our own number */
    DAY_S = 86400
};
static const double noon_s = 43200, noon_deviation_s = 20000;

struct place {
    float x, y;
};

struct customer {
    struct place at;
    float amount_mean; /* the deviation is half of it */
    float payments_a_day;
    int64_t stolen_until; /* day */
};

struct terminal {
    struct place at;
    int64_t broken_until; /* day */
};

struct draft {
    uint32_t second; /* of the day */
    uint32_t order;  /* in which it was drawn; ties go by it */
    struct payment payment;
};

struct payments {
    struct generator_options options;
    struct rng rng;
    struct customer *customers;
    struct terminal *terminals; /* ordered by the cell that they lie in */
    uint32_t *names;            /* of terminals in that order */
    uint32_t cells;             /* on each side of the square */
    uint32_t *cell_start;       /* first terminal of each cell, and the end */
    uint32_t *near;             /* terminals within a customer's reach */
    int64_t day;
    struct draft *drafts; /* of the day before `day` */
    size_t n, cap, at;
    uint64_t id;
};

/* The square is cut into cells at least as wide as the radius, so that all that is in reach lies in
 * nine of them. */

static uint32_t cell_of(const struct payments *payments, float v)
{
    uint32_t cell = (uint32_t)((double)v * payments->cells / SIDE);
    return cell < payments->cells ? cell : payments->cells - 1;
}

static uint32_t cell_index(const struct payments *payments, struct place at)
{
    return cell_of(payments, at.y) * payments->cells + cell_of(payments, at.x);
}

static struct place draw_place(struct rng *rng)
{
    float x = (float)rng_between(rng, 0, SIDE), y = (float)rng_between(rng, 0, SIDE);
    return (struct place){x, y};
}

/* Counting sort of the places by cell; terminals keep the number that they were drawn with. */
static enum status sort_terminals(struct payments *payments, const struct place *places)
{
    uint32_t n = payments->options.terminals, cells = payments->cells * payments->cells;
    uint32_t *at = calloc(cells + 1, sizeof *at);
    if (!at)
        return ST_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        payments->cell_start[cell_index(payments, places[i]) + 1]++;
    for (uint32_t cell = 0; cell < cells; cell++) {
        payments->cell_start[cell + 1] += payments->cell_start[cell];
        at[cell] = payments->cell_start[cell];
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = at[cell_index(payments, places[i])]++;
        payments->terminals[to] = (struct terminal){.at = places[i]};
        payments->names[to] = i;
    }
    free(at);
    return ST_OK;
}

static double distance_squared(struct place a, struct place b)
{
    double x = (double)a.x - b.x, y = (double)a.y - b.y;
    return x * x + y * y;
}

/* The terminals that a customer may go to; how many. */
static uint32_t find_near(struct payments *payments, const struct customer *customer)
{
    uint32_t n = 0, row = cell_of(payments, customer->at.y),
             column = cell_of(payments, customer->at.x);
    uint32_t last = payments->cells - 1;
    double reach = payments->options.radius * payments->options.radius;
    for (uint32_t r = row - (row > 0); r <= row + (row < last); r++) {
        uint32_t from = r * payments->cells + column - (column > 0);
        uint32_t to = r * payments->cells + column + (column < last) + 1;
        for (uint32_t i = payments->cell_start[from]; i < payments->cell_start[to]; i++) {
            payments->near[n] = i; /* without a branch: most are not near */
            n += distance_squared(customer->at, payments->terminals[i].at) < reach;
        }
    }
    return n;
}

/* One day. */

static void break_in(struct payments *payments)
{
    for (int i = 0; i < TERMINALS_A_DAY; i++) {
        uint64_t which = rng_below(&payments->rng, payments->options.terminals);
        payments->terminals[which].broken_until = payments->day + TERMINAL_DAYS;
    }
    for (int i = 0; i < CUSTOMERS_A_DAY; i++) {
        uint64_t which = rng_below(&payments->rng, payments->options.customers);
        payments->customers[which].stolen_until = payments->day + CUSTOMER_DAYS;
    }
}

static int64_t draw_cents(struct payments *payments, const struct customer *customer)
{
    double mean = customer->amount_mean, amount = rng_normal(&payments->rng, mean, mean / 2);
    if (amount < 0)
        amount = rng_between(&payments->rng, 0, 2 * mean);
    return (int64_t)(amount * 100 + 0.5);
}

/* The later kinds of fraud win where a payment is of several. */
static void commit_fraud(struct payments *payments, const struct customer *customer,
                         const struct terminal *terminal, struct payment *payment)
{
    bool changed =
        payments->options.change_day > 0 && payments->day >= payments->options.change_day;
    if (changed ? payment->cents < CENTS_MIN : payment->cents > CENTS_MAX)
        payment->scenario = 1;
    if (terminal->broken_until > payments->day)
        payment->scenario = 2;
    if (customer->stolen_until > payments->day && rng_below(&payments->rng, CUSTOMER_SHARE) == 0) {
        payment->cents =
            changed ? payment->cents / CUSTOMER_FACTOR : payment->cents * CUSTOMER_FACTOR;
        payment->scenario = 3;
    }
}

static void add_draft(struct payments *payments, uint32_t second, const struct payment *payment)
{
    if (payments->n == payments->cap) {
        payments->cap = payments->cap ? payments->cap * 2 : 4096;
        payments->drafts = realloc(payments->drafts, payments->cap * sizeof *payments->drafts);
        if (!payments->drafts)
            abort();
    }
    payments->drafts[payments->n] = (struct draft){second, (uint32_t)payments->n, *payment};
    payments->n++;
}

static void draw_payment(struct payments *payments, uint32_t customer, uint32_t n_near)
{
    const struct customer *payer = &payments->customers[customer];
    double second = rng_normal(&payments->rng, noon_s, noon_deviation_s);
    if (second < 1 || second >= DAY_S)
        return;
    struct payment payment = {.customer = customer, .cents = draw_cents(payments, payer)};
    uint32_t where = payments->near[rng_below(&payments->rng, n_near)];
    payment.terminal = payments->names[where];
    commit_fraud(payments, payer, &payments->terminals[where], &payment);
    add_draft(payments, (uint32_t)second, &payment);
}

static int draft_compare(const void *va, const void *vb)
{
    const struct draft *a = va, *b = vb;
    if (a->second != b->second)
        return a->second < b->second ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void draw_day(struct payments *payments)
{
    payments->n = payments->at = 0;
    break_in(payments);
    for (uint32_t i = 0; i < payments->options.customers; i++) {
        const struct customer *customer = &payments->customers[i];
        uint64_t n = rng_poisson(&payments->rng, customer->payments_a_day);
        uint32_t n_near = n > 0 ? find_near(payments, customer) : 0;
        for (; n > 0 && n_near > 0; n--)
            draw_payment(payments, i, n_near);
    }
    if (payments->n > 0)
        qsort(payments->drafts, payments->n, sizeof *payments->drafts, draft_compare);
    payments->day++;
}

bool payments_next(struct payments *payments, struct generated *ret)
{
    /* a stream without end in which nobody can reach a terminal would never come back */
    for (int empty = 0; payments->at == payments->n && empty < 10000; empty++) {
        if (payments->options.days > 0 && payments->day == payments->options.days)
            return false;
        draw_day(payments);
    }
    if (payments->at == payments->n)
        return false;
    const struct draft *draft = &payments->drafts[payments->at++];
    int64_t midnight = payments->options.start + (payments->day - 1) * DAY_US;
    *ret = (struct generated){.kind = GENERATOR_PAYMENTS,
                              .time = midnight + draft->second * SECOND_US,
                              .id = payments->id++,
                              .label = draft->payment.scenario > 0,
                              .payment = draft->payment};
    return true;
}

/* Making them. */

static void draw_customers(struct payments *payments)
{
    struct rng *rng = &payments->rng;
    for (uint32_t i = 0; i < payments->options.customers; i++) {
        struct customer *customer = &payments->customers[i];
        customer->at = draw_place(rng);
        customer->amount_mean = (float)rng_between(rng, 5, 100);
        customer->payments_a_day = (float)rng_between(rng, 0, 4);
    }
}

static enum status draw_terminals(struct payments *payments)
{
    uint32_t n = payments->options.terminals;
    struct place *places = calloc(n, sizeof *places);
    if (!places)
        return ST_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        places[i] = draw_place(&payments->rng);
    enum status st = sort_terminals(payments, places);
    free(places);
    return st;
}

static int64_t midnight_before(int64_t time)
{
    int64_t within = time % DAY_US;
    return time - within - (within < 0 ? DAY_US : 0);
}

enum status payments_create(const struct generator_options *options, struct payments **ret)
{
    enum status st = ST_ENOMEM;
    struct payments *payments = calloc(1, sizeof *payments);
    if (!payments)
        return ST_ENOMEM;
    payments->options = *options;
    payments->options.start = midnight_before(options->start);
    payments->rng = rng_of(options->seed);
    payments->cells = (uint32_t)fmin(SIDE, fmax(1, floor(SIDE / fmax(options->radius, 1))));
    size_t cells = (size_t)payments->cells * payments->cells;
    payments->customers = calloc(options->customers, sizeof *payments->customers);
    payments->terminals = calloc(options->terminals, sizeof *payments->terminals);
    payments->names = calloc(options->terminals, sizeof *payments->names);
    payments->near = calloc(options->terminals, sizeof *payments->near);
    payments->cell_start = calloc(cells + 1, sizeof *payments->cell_start);
    if (!payments->customers || !payments->terminals || !payments->names || !payments->near ||
        !payments->cell_start)
        goto fail;
    draw_customers(payments);
    st = draw_terminals(payments);
    if (st < 0)
        goto fail;
    *ret = payments;
    return ST_OK;
fail:
    payments_free(payments);
    return st;
}

void payments_free(struct payments *payments)
{
    if (!payments)
        return;
    free(payments->customers);
    free(payments->terminals);
    free(payments->names);
    free(payments->near);
    free(payments->cell_start);
    free(payments->drafts);
    free(payments);
}
