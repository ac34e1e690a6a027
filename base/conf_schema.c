/*
 * base/conf_schema.c -- a table as a JSON Schema, for editors that check while one types.
 *
 * It must never refuse what the reader takes: so each scalar may be null, and each that is no text
 * may hold ${NAME}, which the environment makes into one.
 */
#include "base/conf_node.h"

#include "base/number.h"

#define OR_VARIABLE "|\\\\$\\\\{"

static void write_string(const char *text, struct buf *ret)
{
    buf_byte(ret, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buf_byte(ret, '\\');
        if (c < ' ')
            buf_printf(ret, "\\u%04x", c);
        else
            buf_byte(ret, c);
    }
    buf_byte(ret, '"');
}

/* JSON's bounds; only of what JSON can compare. */
static void write_minimum(const struct conf_option *option, struct buf *ret)
{
    if (conf_has_min(option)) {
        buf_text(ret, ", \"minimum\": ");
        buf_double(ret, option->min);
    }
    if (conf_has_max(option)) {
        buf_text(ret, ", \"maximum\": ");
        buf_double(ret, option->max);
    }
}

static void write_scalar(const struct conf_option *option, struct buf *ret)
{
    switch (conf_item_type(option->type)) {
    case CONF_BOOL:
        buf_text(ret, "\"type\": [\"boolean\", \"string\", \"null\"], "
                      "\"pattern\": \"^(true|false|yes|no|on|off)$" OR_VARIABLE "\"");
        break;
    case CONF_INT:
        buf_text(ret, "\"type\": [\"integer\", \"string\", \"null\"], "
                      "\"pattern\": \"^[+-]?[0-9]+$" OR_VARIABLE "\"");
        write_minimum(option, ret);
        break;
    case CONF_REAL:
        buf_text(ret, "\"type\": [\"number\", \"string\", \"null\"], "
                      "\"pattern\": \"^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$" OR_VARIABLE "\"");
        write_minimum(option, ret);
        break;
    case CONF_DURATION:
        buf_text(ret, "\"type\": [\"string\", \"null\"], "
                      "\"pattern\": \"^([0-9]+(w|d|h|m|s|ms|us))+$" OR_VARIABLE "\"");
        break;
    case CONF_BYTES:
        buf_text(ret, "\"type\": [\"integer\", \"string\", \"null\"], "
                      "\"pattern\": \"^[0-9]+([kKMGT]?B|[KMGT]iB)?$" OR_VARIABLE "\"");
        break;
    default:
        buf_text(ret, "\"type\": [\"string\", \"number\", \"boolean\", \"null\"]");
    }
}

/* What most readers of YAML take `on` and `off` for. */
static const char *boolean_of(const char *choice)
{
    return strcmp(choice, "on") == 0 ? "true, " : strcmp(choice, "off") == 0 ? "false, " : "";
}

/* One of the words, as the schema's editor may complete it, or a variable. */
static void write_choice(const struct conf_option *option, struct buf *ret)
{
    buf_text(ret, "\"anyOf\": [{\"enum\": [");
    for (size_t i = 0; option->choices[i]; i++) {
        write_string(option->choices[i], ret);
        buf_text(ret, ", ");
        buf_text(ret, boolean_of(option->choices[i]));
    }
    buf_text(ret, "null]}, {\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}]");
}

static void write_scalars(const struct conf_option *option, struct buf *ret)
{
    buf_text(ret, "\"anyOf\": [{");
    write_scalar(option, ret);
    buf_text(ret, "}, {\"type\": \"array\", \"items\": {");
    write_scalar(option, ret);
    buf_text(ret, "}}]");
}

/* What the table leaves to its caller. */
static void write_node(const struct conf_option *option, struct buf *ret)
{
    if (!option->write_schema) {
        buf_text(ret, "\"type\": [\"object\", \"array\", \"string\", \"number\", \"boolean\", "
                      "\"null\"]");
        return;
    }
    buf_text(ret, option->required ? "\"anyOf\": [" : "\"anyOf\": [{\"type\": \"null\"}, ");
    option->write_schema(ret);
    buf_byte(ret, ']');
}

static void write_mapping(const struct conf_table *table, bool nullable, struct buf *ret);

static void write_type(const struct conf_option *option, struct buf *ret)
{
    switch (option->type) {
    case CONF_CHOICE:
        write_choice(option, ret);
        break;
    case CONF_TEXTS:
    case CONF_REALS:
    case CONF_DURATIONS:
        write_scalars(option, ret);
        break;
    case CONF_TABLE:
        write_mapping(option->table, !option->required, ret);
        break;
    case CONF_LIST:
        buf_text(ret, "\"type\": [\"array\", \"null\"], \"items\": {");
        write_mapping(option->table, false, ret);
        buf_byte(ret, '}');
        break;
    case CONF_MAP:
        buf_text(ret, "\"type\": [\"object\", \"null\"], \"additionalProperties\": "
                      "{\"type\": [\"string\", \"number\", \"boolean\", \"null\"]}");
        break;
    case CONF_NODE:
        write_node(option, ret);
        break;
    default:
        write_scalar(option, ret);
    }
}

/* A number or a truth value as itself, all else as text. */
static void write_default(const struct conf_option *option, struct buf *ret)
{
    union conf_value value;
    buf_text(ret, ", \"default\": ");
    bool plain = option->type == CONF_BOOL || option->type == CONF_INT || option->type == CONF_REAL;
    if (plain && conf_value_parse(option->type, option->fallback, &value))
        conf_write_value(option->type, &value, ret);
    else
        write_string(option->fallback, ret);
}

static void write_property(const struct conf_option *option, struct buf *ret)
{
    write_string(option->name, ret);
    buf_text(ret, ": {");
    write_type(option, ret);
    if (option->fallback)
        write_default(option, ret);
    if (option->help && option->type != CONF_TABLE) {
        buf_text(ret, ", \"description\": ");
        write_string(option->help, ret);
    }
    buf_byte(ret, '}');
}

static void write_required(const struct conf_table *table, struct buf *ret)
{
    const char *between = ", \"required\": [";
    for (const struct conf_option *option = table->options; option->name; option++) {
        if (!option->required)
            continue;
        buf_text(ret, between);
        write_string(option->name, ret);
        between = ", ";
    }
    if (between[2] == '\0')
        buf_byte(ret, ']');
}

static void write_mapping(const struct conf_table *table, bool nullable, struct buf *ret)
{
    buf_text(ret, nullable ? "\"type\": [\"object\", \"null\"]" : "\"type\": \"object\"");
    if (table->help) {
        buf_text(ret, ", \"description\": ");
        write_string(table->help, ret);
    }
    buf_text(ret, ", \"properties\": {");
    for (const struct conf_option *option = table->options; option->name; option++) {
        buf_text(ret, option == table->options ? "" : ", ");
        write_property(option, ret);
    }
    buf_text(ret, "}, \"additionalProperties\": false");
    write_required(table, ret);
}

void conf_write_schema(const struct conf_table *table, struct buf *ret)
{
    buf_text(ret, "{\"title\": ");
    write_string(table->name, ret);
    buf_text(ret, ", ");
    write_mapping(table, false, ret);
    buf_byte(ret, '}');
}
