/* base/conf_value.c -- what a scalar of a configuration can be, and how messages speak of it. */
#include "base/conf_node.h"

#include <math.h>

#include "base/number.h"
#include "base/timefmt.h"

enum conf_type conf_item_type(enum conf_type type)
{
    switch (type) {
    case CONF_TEXTS:
        return CONF_TEXT;
    case CONF_REALS:
        return CONF_REAL;
    case CONF_DURATIONS:
        return CONF_DURATION;
    default:
        return type;
    }
}

static bool parse_bool(const char *text, bool *ret)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret = i % 2 == 0;
            return true;
        }
    }
    return false;
}

static const struct size_unit {
    const char *name;
    int64_t bytes;
} size_units[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {"TB", INT64_C(1000000000000)},
    {"GB", INT64_C(1000000000)},
    {"MB", INT64_C(1000000)},
    {"kB", INT64_C(1000)},
    {"KB", INT64_C(1000)},
    {"B", INT64_C(1)},
    {"", INT64_C(1)},
};
enum { SIZE_UNITS = sizeof size_units / sizeof size_units[0], BINARY_UNITS = 4 };

static bool parse_bytes(const char *text, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");
    int64_t v;
    if (digits == 0 || number_to_int((struct slice){text, digits}, &v) < 0)
        return false;
    for (int i = 0; i < SIZE_UNITS; i++) {
        if (strcmp(text + digits, size_units[i].name) == 0)
            return !__builtin_mul_overflow(v, size_units[i].bytes, ret);
    }
    return false;
}

bool conf_value_parse(enum conf_type type, const char *text, union conf_value *ret)
{
    switch (type) {
    case CONF_BOOL:
        return parse_bool(text, &ret->boolean);
    case CONF_INT:
        return number_to_int(slice_of(text), &ret->integer) == ST_OK;
    case CONF_REAL:
        return number_to_double(slice_of(text), &ret->real) == ST_OK;
    case CONF_DURATION:
        return duration_parse(slice_of(text), &ret->integer) == ST_OK;
    case CONF_BYTES:
        return parse_bytes(text, &ret->integer);
    default:
        ret->text = text;
        return true;
    }
}

size_t conf_value_size(enum conf_type type)
{
    switch (type) {
    case CONF_BOOL:
        return sizeof(bool);
    case CONF_REAL:
        return sizeof(double);
    case CONF_TEXT:
        return sizeof(const char *);
    default:
        return sizeof(int64_t);
    }
}

void conf_value_store(enum conf_type type, const union conf_value *value, void *ret)
{
    memcpy(ret, value, conf_value_size(type)); /* all members start where the union does */
}

const char *conf_type_name(enum conf_type type)
{
    static const char *const names[] = {
        [CONF_BOOL] = "true or false",
        [CONF_INT] = "a whole number",
        [CONF_REAL] = "a number",
        [CONF_TEXT] = "a text",
        [CONF_CHOICE] = "a choice",
        [CONF_DURATION] = "a duration",
        [CONF_BYTES] = "a size",
        [CONF_TEXTS] = "a text or a list of texts",
        [CONF_REALS] = "a number or a list of numbers",
        [CONF_DURATIONS] = "a duration or a list of durations",
        [CONF_TABLE] = "a mapping",
        [CONF_LIST] = "a list of mappings",
        [CONF_MAP] = "a mapping of texts",
        [CONF_NODE] = "a value",
    };
    return names[type];
}

const char *conf_type_hint(enum conf_type type)
{
    switch (type) {
    case CONF_BOOL:
        return "true or false";
    case CONF_INT:
        return "one without a point or a unit, such as 16";
    case CONF_REAL:
        return "one such as 0.5";
    case CONF_DURATION:
        return "a number with a unit, such as 7d or 1h30m";
    case CONF_BYTES:
        return "a number of bytes, or one with a unit, such as 64MiB or 1GB";
    default:
        return "a text";
    }
}

bool conf_has_max(const struct conf_option *option)
{
    return option->max > option->min && !isinf(option->max);
}

bool conf_has_min(const struct conf_option *option)
{
    return (option->max > option->min && !isinf(option->min)) ||
           (option->max == 0.0 && option->min > 0.0);
}

bool conf_in_bounds(const struct conf_option *option, const union conf_value *value)
{
    enum conf_type type = conf_item_type(option->type);
    if (type != CONF_INT && type != CONF_REAL && type != CONF_DURATION && type != CONF_BYTES)
        return true;
    double v = type == CONF_REAL ? value->real : (double)value->integer;
    return !(conf_has_min(option) && v < option->min) && !(conf_has_max(option) && v > option->max);
}

/* In the largest unit of 1024 that leaves no rest. */
static void write_bytes(int64_t v, struct buf *ret)
{
    for (int i = 0; i < BINARY_UNITS; i++) {
        if (v != 0 && v % size_units[i].bytes == 0) {
            buf_int(ret, v / size_units[i].bytes);
            buf_text(ret, size_units[i].name);
            return;
        }
    }
    buf_int(ret, v);
}

void conf_write_value(enum conf_type type, const union conf_value *value, struct buf *ret)
{
    switch (type) {
    case CONF_BOOL:
        buf_text(ret, value->boolean ? "true" : "false");
        break;
    case CONF_REAL:
        buf_double(ret, value->real);
        break;
    case CONF_DURATION:
        ret->len += duration_format(value->integer, buf_reserve(ret, 48));
        break;
    case CONF_BYTES:
        write_bytes(value->integer, ret);
        break;
    case CONF_INT:
        buf_int(ret, value->integer);
        break;
    default:
        buf_text(ret, value->text);
    }
}

static void write_bound(enum conf_type type, double bound, struct buf *ret)
{
    union conf_value value = {.real = bound};
    if (type != CONF_REAL)
        value.integer = bound >= 9.2e18 ? INT64_MAX : (int64_t)bound;
    conf_write_value(type, &value, ret);
}

void conf_write_bounds(const struct conf_option *option, struct buf *ret)
{
    enum conf_type type = conf_item_type(option->type);
    bool min = conf_has_min(option), max = conf_has_max(option);
    if (min) {
        buf_text(ret, "at least ");
        write_bound(type, option->min, ret);
    }
    if (max) {
        buf_text(ret, min ? " and at most " : "at most ");
        write_bound(type, option->max, ret);
    }
}

void conf_write_names(const char *const *names, struct buf *ret)
{
    for (size_t i = 0; names[i]; i++) {
        if (i > 0)
            buf_text(ret, names[i + 1] ? ", " : " or ");
        buf_text(ret, names[i]);
    }
}
