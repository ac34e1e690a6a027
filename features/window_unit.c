/* Units at work: from an event to columns, and into state. */
#include "features/window.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/timefmt.h"
#include "features/ledger.h"

void unit_drop(void *item)
{
    struct unit *unit = item;
    free(unit->name);
    free(unit->bindings);
    free(unit->columns);
    where_free(unit->where);
    series_scratch_done(&unit->scratch);
}

/* The windows as the state has seen them. */
static void set_warm(struct unit *unit, const struct ledger_claim *claim)
{
    unit->cold_until = INT64_MIN;
    for (size_t i = 0; i < unit->series.n_windows; i++) {
        unit->warm[i] = claim->warm[i];
        if (claim->warm[i] > unit->cold_until)
            unit->cold_until = claim->warm[i];
    }
}

void unit_complain_changed(const struct unit *unit, const char *stored, const struct making *making)
{
    conf_complain(making->errors, unit->node,
                  "\"%s\" has changed: the state holds it with `%s`. Put that back; or rebuild the "
                  "state by `freshet replay --state NEW` and run on that; or take the feature out, "
                  "start once, which drops what the state holds of it, and add it again",
                  strchr(unit->name, '/') + 1, stored);
}

static enum status claim_family(struct unit *unit, const struct making *making)
{
    struct buf shape = {0};
    struct ledger_claim claim;
    unit_put_shape(unit, making->schema, &shape);
    enum status st = ledger_claim(making->ledger, unit->name, shape.data, &unit->series, &claim);
    buf_done(&shape);
    if (st == ST_EVERSION)
        unit_complain_changed(unit, claim.stored[0] ? claim.stored : "a newer freshet's format",
                              making);
    if (st < 0)
        return st;
    unit->series.family = claim.family;
    set_warm(unit, &claim);
    if (claim.is_new && making->watch)
        making->watch->added(making->watch->arg, strchr(unit->name, '/') + 1, unit->cold_until);
    return ST_OK;
}

static void bind_windows(struct unit_column *column, const struct series *series)
{
    column->window = (uint16_t)series_window(series, column->over);
    column->base = (uint16_t)series_window(series, column->longest);
}

enum status unit_ready(struct unit *unit, const struct making *making)
{
    unit->series.scratch = &unit->scratch;
    unit->cold_until = INT64_MIN;
    series_ready(&unit->series, making->lateness);
    for (size_t i = 0; i < unit->n_columns; i++)
        if (unit->columns[i].take != TAKE_SINCE)
            bind_windows(&unit->columns[i], &unit->series);
    return making->state ? claim_family(unit, making) : ST_OK;
}

struct key128 unit_key(const struct unit *unit, const struct event *event)
{
    const struct unit_binding *binding = &unit->bindings[event->stream];
    if (!binding->reads)
        return (struct key128){0};
    struct key128 key = event->values[binding->by[0]].entity;
    return unit->pair ? hash_pair(key, event->values[binding->by[1]].entity) : key;
}

/* A number's bits are no hash: neighbours would fall into the same places. 0.0 and -0.0 are one. */
static uint64_t hash_number(double v)
{
    v += 0.0;
    return hash_category((struct slice){(const char *)&v, sizeof v});
}

/* What the event has of the source; false if that is missing. */
static bool read_source(const struct unit *unit, const struct unit_binding *binding,
                        const struct event *event, uint64_t *ret_hash, double *ret_number)
{
    if (unit->source == SOURCE_EVENTS)
        return true;
    const union value *value = &event->values[binding->field];
    if (unit->source == SOURCE_ENTITY)
        *ret_hash = value->entity.lo;
    else if (unit->source == SOURCE_CATEGORY)
        *ret_hash = value->category;
    else if (unit->series.entry == SERIES_HASH)
        *ret_hash = hash_number(value->number);
    else
        *ret_number = value->number;
    return unit->source == SOURCE_NUMBER ? isfinite(value->number) : *ret_hash != 0;
}

bool unit_entry(const struct unit *unit, const struct event *event, struct slot *ret)
{
    const struct unit_binding *binding = &unit->bindings[event->stream];
    if (!binding->enters || (unit->where && !where_holds(unit->where, event)))
        return false;
    if (unit->source == SOURCE_LABEL) {
        *ret = slot_of_label(event->time, (uint32_t)event->id_key.lo, unit->series.absent);
        return true;
    }
    uint64_t hash = 0;
    double number = 0; /* what is only counted is worth nothing */
    if (!read_source(unit, binding, event, &hash, &number))
        return false;
    *ret = unit->series.entry == SERIES_HASH ? slot_of_hash(event->time, hash)
                                             : slot_of_value(event->time, number);
    return true;
}

/* This value to the mean. A mean of 0 has no ratio. */
static double ratio_of(const struct unit *unit, const struct event *event,
                       const struct aggregate *window)
{
    int field = unit->bindings[event->stream].field;
    double mean = aggregate_mean(window);
    return field < 0 || mean == 0 ? NAN : event->values[field].number / mean;
}

static double std_of(const struct series_gaps *gaps)
{
    return sqrt(gaps->m2 / gaps->count);
}

/* Goh & Barabasi, "Burstiness and memory in complex systems", EPL 81 (2008). */
static double burstiness(const struct series_gaps *gaps)
{
    double sum = gaps->count >= 2 ? std_of(gaps) + gaps->mean : 0;
    return sum > 0 ? (std_of(gaps) - gaps->mean) / sum : NAN;
}

static double velocity(const struct unit_column *column, double here, double base)
{
    return base != 0 ? here / base * ((double)column->longest / (double)column->over) : NAN;
}

static double take(const struct unit_column *column, const struct aggregate *windows,
                   const struct series_gaps *gaps)
{
    const struct aggregate *window = &windows[column->window], *base = &windows[column->base];
    switch ((enum take)column->take) {
    case TAKE_SUM:
        return window->sum;
    case TAKE_MIN:
        return window->count > 0 ? window->min : NAN;
    case TAKE_MAX:
        return window->count > 0 ? window->max : NAN;
    case TAKE_GAP:
        return gaps[column->window].count > 0 ? gaps[column->window].mean : NAN;
    case TAKE_BURST:
        return burstiness(&gaps[column->window]);
    case TAKE_VELOCITY:
        return velocity(column, window->count, base->count);
    case TAKE_VELOCITY_SUM:
        return velocity(column, window->sum, base->sum);
    default:
        return aggregate_std(window);
    }
}

/* A spoilt record may say any time: that is no reason to overflow. */
static double seconds_between(int64_t from, int64_t to)
{
    return (double)(int64_t)((uint64_t)to - (uint64_t)from) / (double)SECOND_US;
}

static void write_columns(const struct unit *unit, const struct event *event,
                          const struct aggregate *windows, const struct series_gaps *gaps,
                          int64_t previous, double *dense)
{
    const struct unit_column *column = unit->columns, *end = column + unit->n_columns;
    for (; column < end; column++) {
        const struct aggregate *window = &windows[column->window];
        double *ret = &dense[column->column];
        if (column->take == TAKE_COUNT || column->take == TAKE_DISTINCT)
            *ret = window->count;
        else if (column->take == TAKE_MEAN)
            *ret = aggregate_mean(window);
        else if (column->take == TAKE_SINCE)
            *ret = previous == TIME_NONE ? NAN : seconds_between(previous, event->time);
        else if (column->take == TAKE_RATIO)
            *ret = ratio_of(unit, event, window);
        else
            *ret = take(column, windows, gaps);
    }
}

static void forget_cold(const struct unit *unit, int64_t time, double *dense)
{
    for (size_t i = 0; i < unit->n_columns; i++) {
        const struct unit_column *column = &unit->columns[i];
        if (column->take != TAKE_SINCE &&
            (time < unit->warm[column->window] || time < unit->warm[column->base]))
            dense[column->column] = NAN;
    }
}

void unit_extract(struct unit *unit, struct state *state, const struct event *event, double *dense)
{
    struct key128 key = unit_key(unit, event);
    if (key_is_none(key)) {
        for (size_t i = 0; i < unit->n_columns; i++)
            dense[unit->columns[i].column] = NAN;
        return;
    }
    struct aggregate windows[SERIES_WINDOWS_MAX];
    struct slot self;
    bool enters = unit->series.delay == 0 && unit_entry(unit, event, &self);
    int64_t previous;
    struct record *rec = series_find(&unit->series, state, key);
    series_read(&unit->series, rec, event->time, enters ? &self : NULL, windows, &previous);
    struct series_gaps gaps[SERIES_WINDOWS_MAX];
    if (unit->gaps)
        series_read_gaps(&unit->series, rec, event->time, enters ? &self : NULL, gaps);
    write_columns(unit, event, windows, gaps, previous, dense);
    if (event->time < unit->cold_until)
        forget_cold(unit, event->time, dense);
}

void unit_observe(struct unit *unit, struct state *state, const struct event *event)
{
    struct key128 key = unit_key(unit, event);
    struct slot entry;
    if (!key_is_none(key) && unit_entry(unit, event, &entry))
        series_observe(&unit->series, state, key, &entry);
}

struct key128 unit_label_key(const struct unit *unit, const struct event *event)
{
    struct slot entry;
    return unit_entry(unit, event, &entry) ? unit_key(unit, event) : (struct key128){0};
}

/* {"entries":3,"from":"...","to":"...","windows":[{"over":"7d","count":3,...}]}, the windows as
 * they are at the newest entry. */

void unit_put_number(struct buf *ret, const char *name, double v)
{
    buf_printf(ret, ",\"%s\":", name);
    if (isfinite(v))
        buf_double(ret, v);
    else
        buf_text(ret, "null");
}

void unit_put_time(struct buf *ret, const char *name, int64_t time)
{
    char text[64] = "";
    time_format(time, text);
    buf_printf(ret, ",\"%s\":\"%s\"", name, text);
}

static void put_window(const struct unit *unit, size_t i, const struct aggregate *window,
                       struct buf *ret)
{
    char over[64];
    over[duration_format(unit->series.over[i], over)] = 0;
    buf_printf(ret, "%s{\"over\":\"%s\"", i > 0 ? "," : "", over);
    unit_put_number(ret, unit->series.entry == SERIES_HASH ? "distinct" : "count", window->count);
    if (unit->source == SOURCE_NUMBER || unit->source == SOURCE_LABEL) {
        unit_put_number(ret, "sum", window->sum);
        unit_put_number(ret, "mean", aggregate_mean(window));
        unit_put_number(ret, "std", aggregate_std(window));
        unit_put_number(ret, "min", window->min);
        unit_put_number(ret, "max", window->max);
    }
    buf_byte(ret, '}');
}

static void put_windows(const struct unit *unit, struct record *rec, int64_t last, struct buf *ret)
{
    struct series series = unit->series;
    struct aggregate windows[SERIES_WINDOWS_MAX];
    int64_t previous;
    series.spread = series.extremes = true;
    series_read(&series, rec, last + series.delay, NULL, windows, &previous);
    buf_text(ret, ",\"windows\":[");
    for (size_t i = 0; i < series.n_windows; i++)
        put_window(unit, i, &windows[i], ret);
    buf_byte(ret, ']');
}

void unit_describe(const struct unit *unit, struct record *rec, struct buf *ret)
{
    struct series_figures figures = series_figures(&unit->series, rec);
    buf_text(ret, "{\"family\":\"");
    for (const char *c = unit->name; *c; c++)
        buf_printf(ret, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    buf_printf(ret, "\",\"%s\":%llu", figures.tiles ? "tiles" : "entries",
               (unsigned long long)figures.slots);
    if (figures.level > 0)
        buf_printf(ret, ",\"sampled\":\"1 of %u\"", 1u << figures.level);
    if (figures.last != TIME_NONE) {
        unit_put_time(ret, "from", figures.first);
        unit_put_time(ret, "to", figures.last);
        put_windows(unit, rec, figures.last, ret);
    }
    buf_byte(ret, '}');
}
