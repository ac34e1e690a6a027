/* base/conf_doc.c -- the manual's page of a table. */
#include "base/conf_node.h"

/* A cell of a Markdown table ends at "|". */
static void write_cell(const char *text, struct buf *ret)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_byte(ret, '\\');
        buf_byte(ret, (uint8_t)(*text == '\n' ? ' ' : *text));
    }
}

static void write_choices(const char *const *choices, struct buf *ret)
{
    for (size_t i = 0; choices[i]; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        buf_printf(ret, "%s`%s`", between, choices[i]);
    }
}

static void write_type(const struct conf_option *option, struct buf *ret)
{
    const char *name = conf_type_name(option->type);
    if (option->type == CONF_CHOICE) {
        write_choices(option->choices, ret);
        return;
    }
    if (option->type == CONF_NODE) {
        buf_text(ret, "nested");
        return;
    }
    buf_text(ret, strncmp(name, "a ", 2) == 0 ? name + 2 : name);
    if (option->type == CONF_TABLE || option->type == CONF_LIST)
        buf_text(ret, ", see below");
    if (conf_has_min(option) || conf_has_max(option)) {
        buf_text(ret, ", ");
        conf_write_bounds(option, ret);
    }
}

static void write_default(const struct conf_option *option, struct buf *ret)
{
    const char *fallback = option->fallback;
    if (!fallback && option->type == CONF_BOOL)
        fallback = "false";
    if (!fallback && option->type == CONF_CHOICE)
        fallback = option->choices[0];
    if (option->required)
        buf_text(ret, "required");
    else if (fallback)
        buf_printf(ret, "`%s`", fallback);
    else
        buf_text(ret, option->type == CONF_TABLE ? "its defaults" : "none");
}

static void write_row(const struct conf_option *option, struct buf *ret)
{
    buf_printf(ret, "| `%s` | ", option->name);
    write_type(option, ret);
    buf_text(ret, " | ");
    write_default(option, ret);
    buf_text(ret, " | ");
    write_cell(option->help ? option->help : "", ret);
    buf_text(ret, " |\n");
}

static void write_table(const struct conf_table *table, struct buf *ret)
{
    if (table->help)
        buf_printf(ret, "%s\n\n", table->help);
    buf_text(ret, "| key | type and bounds | default | meaning |\n|---|---|---|---|\n");
    for (const struct conf_option *option = table->options; option->name; option++)
        write_row(option, ret);
}

/* path is where the table is below the one asked for: "" or "streams[].time." */
static void write_nested(const struct conf_table *table, const char *path, struct buf *ret)
{
    for (const struct conf_option *option = table->options; option->name; option++) {
        if (option->type != CONF_TABLE && option->type != CONF_LIST)
            continue;
        const char *items = option->type == CONF_LIST ? "[]" : "";
        struct buf below = {0};
        buf_printf(ret, "\n### %s%s%s\n\n", path, option->name, items);
        write_table(option->table, ret);
        buf_printf(&below, "%s%s%s.", path, option->name, items);
        buf_byte(&below, '\0');
        write_nested(option->table, below.data, ret);
        buf_done(&below);
    }
}

void conf_write_doc(const struct conf_table *table, struct buf *ret)
{
    bool spaced = ret->len < 2 || memcmp(ret->data + ret->len - 2, "\n\n", 2) == 0;
    buf_printf(ret, "%s## %s\n\n", spaced ? "" : "\n", table->name);
    write_table(table, ret);
    write_nested(table, "", ret);
}
