/*
 * features/window.h -- the windows of a plan, at work: units that read and feed one series each.
 *
 * window.c makes units from the config's items, window_unit.c runs them. All windows over the same
 * field by the same entities under the same rule are one unit with one series, whatever their
 * `over` and `take`; distinct values have a unit of their own.
 */
#ifndef FEATURES_WINDOW_H
#define FEATURES_WINDOW_H

#include "features/kind.h"
#include "features/series.h"
#include "features/where.h"

enum take {
    TAKE_COUNT,
    TAKE_SUM,
    TAKE_MEAN,
    TAKE_MIN,
    TAKE_MAX,
    TAKE_STD,
    TAKE_DISTINCT,
    TAKE_SINCE,
    TAKE_RATIO,
    TAKE_GAP,
    TAKE_BURST,
    TAKE_VELOCITY,
    TAKE_VELOCITY_SUM,
    TAKES
};

/* Their names, NULL-terminated. */
extern const char *const take_names[];

enum { KIND_SLIDING, KIND_TUMBLING, KIND_TILED };
extern const char *const window_kind_names[];

struct window_options {
    const char *window;
    struct conf_texts by;
    struct conf_durations over;
    struct conf_texts take;
    int64_t delay;
    const char *where;
    const char *zone;
    const char *of;
    const char *as;
    int kind;
    int64_t tiles;
    int64_t entries_max;
};

/* What a unit's entries are made of. */
enum unit_source { SOURCE_EVENTS, SOURCE_LABEL, SOURCE_NUMBER, SOURCE_ENTITY, SOURCE_CATEGORY };

struct unit_column {
    uint32_t column;
    uint16_t take;   /* enum take */
    uint16_t window; /* index of `over` in the series, once that is ready */
    uint16_t base;   /* likewise of longest */
    int64_t over;
    int64_t longest; /* what a velocity is compared with; else over */
};

/* A stream's fields, as indices. */
struct unit_binding {
    bool reads;  /* the stream has the entities */
    bool enters; /* and what else its events need to become entries */
    int by[2];
    int field; /* of the source, or -1 */
};

struct unit {
    const struct conf_node *node; /* of the first item that uses it */
    char *name; /* tells units apart, and is their family's: "window/TX_AMOUNT.by.CUSTOMER_ID" */
    enum unit_source source;
    bool pair;
    struct series series;
    struct series_scratch scratch;
    bool gaps;           /* some column is of the gaps between entries */
    struct where *where; /* NULL: all events */
    struct unit_binding *bindings;
    /* Windows that were added to a state are unknown until they lie behind that moment: to events
     * before warm[i], of the series' windows; to none from cold_until on. */
    int64_t cold_until, warm[SERIES_WINDOWS_MAX];
    size_t n_columns;
    struct unit_column *columns;
};

void unit_drop(void *unit);
/* After its last column: readies the series and claims its family. ST_EVERSION has been complained
 * of. */
STATUS_CHECKED enum status unit_ready(struct unit *unit, const struct making *making);
/* What its records mean, but for the windows: lines for ledger_claim(), with a NUL at the end. */
void unit_put_shape(const struct unit *unit, const struct schema *schema, struct buf *ret);
/* The first of these lines, without the NUL: whose events, and what of them. */
void unit_put_source(const struct unit *unit, const struct schema *schema, struct buf *ret);
/* The state holds its family with `stored`, a line of another shape. */
void unit_complain_changed(const struct unit *unit, const char *stored,
                           const struct making *making);

/* Whose record it is about; none: nobody's. */
struct key128 unit_key(const struct unit *unit, const struct event *event);
/* The entry that an event makes; false if it makes none. */
bool unit_entry(const struct unit *unit, const struct event *event, struct slot *ret);
void unit_extract(struct unit *unit, struct state *state, const struct event *event, double *dense);
void unit_observe(struct unit *unit, struct state *state, const struct event *event);
/* The key if the event became an entry, else none. */
struct key128 unit_label_key(const struct unit *unit, const struct event *event);
void unit_describe(const struct unit *unit, struct record *rec, struct buf *ret);
/* ,"name":v (not a number: null), and ,"name":"time". */
void unit_put_number(struct buf *ret, const char *name, double v);
void unit_put_time(struct buf *ret, const char *name, int64_t time);

/* An item while it is read. */
struct item {
    const struct making *making;
    const struct conf_node *node;
    const struct window_options *options;
    bool takes[TAKES];
    size_t errors; /* there were before it */
};

static inline bool right_so_far(const struct item *item)
{
    return item->making->errors->n == item->errors;
}

#define complain(item, option, ...)                                                                \
    conf_complain((item)->making->errors,                                                          \
                  conf_get((item)->node, option) ? conf_get((item)->node, option) : (item)->node,  \
                  __VA_ARGS__)

/* kind.h's add. */
void window_add(struct part *part, const struct making *making, const void *options,
                const struct conf_node *node);
/* A unit without series and columns: whose events enter, and with what. What is wrong is complained
 * of, and the unit then of no use. option: the key that named source. */
void window_bind(const struct item *item, const char *option, const char *source, struct unit *ret);

#endif
