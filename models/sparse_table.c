#include "models/sparse_table.h"

#include <stdlib.h>
#include <string.h>

enum { LOG_SIZE = 1 << 16, CANDIDATES = 8 };

/* The last LOG_SIZE places touched, as a ring; a place is written once an epoch. */
struct sparse_log {
    uint32_t epoch;  /* one more with each publication */
    uint64_t layout; /* one more whenever places moved all together */
    uint64_t n;      /* ever written */
    uint32_t places[LOG_SIZE];
};

_Static_assert((LOG_SIZE & (LOG_SIZE - 1)) == 0, "the ring's index wraps around");

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

size_t sparse_table_places(size_t rows)
{
    size_t places = SPARSE_PLACES_MIN;
    while (places * 2 < rows * 3)
        places *= 2;
    return places;
}

enum status sparse_table_init(struct sparse_table *table, size_t n_max)
{
    *table = (struct sparse_table){.mask = SPARSE_PLACES_MIN - 1, .n_max = n_max};
    table->cells = calloc(SPARSE_PLACES_MIN, sizeof *table->cells);
    return table->cells ? ST_OK : ST_ENOMEM;
}

void sparse_table_done(struct sparse_table *table)
{
    free(table->cells);
    free(table->states);
    free(table->log);
    *table = (struct sparse_table){0};
}

void sparse_table_reset(struct sparse_table *table, size_t places)
{
    struct sparse_cell *cells = must(calloc(places, sizeof *cells));
    struct sparse_state *states = must(calloc(places, sizeof *states));
    free(table->cells);
    free(table->states);
    table->cells = cells;
    table->states = states;
    table->mask = places - 1;
    table->n = table->hand = 0;
    if (!table->log)
        table->log = must(calloc(1, sizeof *table->log));
    table->log->epoch++;
    table->log->layout++;
}

static void begin_learning(struct sparse_table *table)
{
    if (!table->log)
        sparse_table_reset(table, SPARSE_PLACES_MIN);
}

static void write_log(struct sparse_table *table, size_t at)
{
    struct sparse_log *log = table->log;
    if (table->states[at].epoch == log->epoch)
        return;
    table->states[at].epoch = log->epoch;
    log->places[log->n++ % LOG_SIZE] = (uint32_t)at;
}

void sparse_table_touch(struct sparse_table *table, size_t at, uint32_t now)
{
    table->states[at].seen = now;
    write_log(table, at);
}

static size_t free_place(const struct sparse_table *table, uint64_t key)
{
    size_t at = key & table->mask;
    while (table->cells[at].key != 0)
        at = (at + 1) & table->mask;
    return at;
}

static void grow(struct sparse_table *table)
{
    struct sparse_cell *cells = table->cells;
    struct sparse_state *states = table->states;
    size_t places = table->mask + 1, n = table->n;
    table->cells = NULL;
    table->states = NULL;
    sparse_table_reset(table, 2 * places);
    for (size_t i = 0; i < places; i++) {
        if (cells[i].key == 0)
            continue;
        size_t at = free_place(table, cells[i].key);
        table->cells[at] = cells[i];
        table->states[at] = states[i];
    }
    table->n = n;
    free(cells);
    free(states);
}

static void move(struct sparse_table *table, size_t from, size_t to)
{
    uint32_t epoch = table->states[to].epoch;
    table->cells[to] = table->cells[from];
    table->states[to] = table->states[from];
    table->states[to].epoch = epoch; /* the log is about places, not rows */
    write_log(table, to);
}

/* Rows behind the gap that would no longer be found move into it. */
static void drop(struct sparse_table *table, size_t gap)
{
    size_t mask = table->mask;
    for (size_t at = (gap + 1) & mask; table->cells[at].key != 0; at = (at + 1) & mask) {
        size_t home = table->cells[at].key & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        move(table, at, gap);
        gap = at;
    }
    table->cells[gap] = (struct sparse_cell){0};
    table->states[gap] = (struct sparse_state){.epoch = table->states[gap].epoch};
    write_log(table, gap);
    table->n--;
}

/* Of a few rows from the hand on, the one not seen for longest. */
static void drop_stale(struct sparse_table *table)
{
    size_t stalest = SPARSE_NONE;
    for (size_t looked = 0; looked < CANDIDATES; table->hand = (table->hand + 1) & table->mask) {
        size_t at = table->hand;
        if (table->cells[at].key == 0)
            continue;
        looked++;
        if (stalest == SPARSE_NONE || table->states[at].seen < table->states[stalest].seen)
            stalest = at;
    }
    drop(table, stalest);
}

size_t sparse_table_add(struct sparse_table *table, uint64_t key, uint32_t now)
{
    begin_learning(table);
    if (table->n >= table->n_max)
        drop_stale(table);
    else if ((table->n + 1) * 3 > (table->mask + 1) * 2)
        grow(table);
    size_t at = free_place(table, key);
    table->cells[at] = (struct sparse_cell){.key = key};
    table->states[at] = (struct sparse_state){.epoch = table->states[at].epoch};
    table->n++;
    sparse_table_touch(table, at, now);
    return at;
}

void sparse_table_sweep(struct sparse_table *table, size_t places, uint32_t now, uint32_t expire)
{
    if (!table->log)
        return;
    for (size_t i = 0; i < places; i++) {
        size_t at = table->hand;
        bool expired = table->cells[at].key != 0 && now > table->states[at].seen &&
                       now - table->states[at].seen > expire;
        if (expired)
            drop(table, at); /* another may have moved here: look again next time */
        else
            table->hand = (at + 1) & table->mask;
    }
}

static void copy_all(const struct sparse_table *from, struct sparse_table *to)
{
    if (to->mask != from->mask) {
        free(to->cells);
        to->cells = must(malloc((from->mask + 1) * sizeof *to->cells));
        to->mask = from->mask;
    }
    memcpy(to->cells, from->cells, (from->mask + 1) * sizeof *to->cells);
}

void sparse_table_publish(struct sparse_table *from, struct sparse_table *to)
{
    begin_learning(from);
    struct sparse_log *log = from->log;
    bool known = to->from == from && to->from_layout == log->layout && to->from_at <= log->n &&
                 log->n - to->from_at <= LOG_SIZE;
    if (!known)
        copy_all(from, to);
    for (uint64_t i = known ? to->from_at : log->n; i < log->n; i++) {
        uint32_t at = log->places[i % LOG_SIZE];
        to->cells[at] = from->cells[at];
    }
    to->n = from->n;
    to->from = from;
    to->from_layout = log->layout;
    to->from_at = log->n;
    log->epoch++;
}

static void copy_whole(const struct sparse_table *from, struct sparse_table *to)
{
    size_t places = from->mask + 1;
    sparse_table_reset(to, places); /* with a log, whose readers then know nothing of it */
    memcpy(to->cells, from->cells, places * sizeof *to->cells);
    memcpy(to->states, from->states, places * sizeof *to->states);
    for (size_t i = 0; i < places; i++)
        to->states[i].epoch = 0; /* no place is in the log yet; its epochs begin at 1 */
}

void sparse_table_copy(struct sparse_table *from, struct sparse_table *to)
{
    begin_learning(from);
    struct sparse_log *log = from->log;
    bool known = to->from == from && to->from_layout == log->layout && to->log &&
                 to->log->n == to->own_at && to->from_at <= log->n &&
                 log->n - to->from_at <= LOG_SIZE;
    if (!known)
        copy_whole(from, to);
    for (uint64_t i = known ? to->from_at : log->n; i < log->n; i++) {
        uint32_t at = log->places[i % LOG_SIZE];
        to->cells[at] = from->cells[at];
        to->states[at] = from->states[at];
    }
    to->n = from->n;
    to->hand = from->hand;
    to->from = from;
    to->from_layout = log->layout;
    to->from_at = log->n;
    log->epoch++;
    to->own_at = to->log->n;
    to->log->epoch++;
    to->log->layout++; /* its own readers saw nothing of this */
}
