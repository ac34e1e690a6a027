#include "features/fading.h"

#include <stdio.h>

#include "features/ledger.h"

void fading_bind(const struct item *item, const char *option, struct unit *ret)
{
    window_bind(item, option, item->options->window, ret);
    if (right_so_far(item) && ret->source == SOURCE_LABEL)
        complain(item, option, "labels come too late for a %s; see {window: label}", option);
    if (item->options->where && !item->options->as)
        complain(item, "where", "a %s with `where:` needs a name of its own: add `as:`", option);
}

char *fading_name(const struct item *item, const char *kind, const char *behind)
{
    const struct window_options *options = item->options;
    struct buf name = {0};
    buf_printf(&name, "%s/", kind);
    if (options->as)
        buf_text(&name, options->as);
    else
        buf_printf(&name, "%s.by.%s", options->window, options->by.items[0]);
    if (!options->as && options->by.n > 1)
        buf_printf(&name, "+%s", options->by.items[1]);
    if (!options->as)
        buf_printf(&name, ".%s%s", kind, behind);
    buf_byte(&name, 0);
    return name.data;
}

/* What its name may not say: where it has one of its own. */
static void put_what(const struct unit *unit, struct buf *shape)
{
    char kind[16] = "";
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(unit->name, "/"), unit->name);
    static const char *const keys[] = {"where", "zone"};
    const char *what = conf_text(conf_get(unit->node, kind));
    buf_printf(shape, "what %s\n", what ? what : "");
    for (size_t i = 0; i < 2; i++) {
        const char *text = conf_text(conf_get(unit->node, keys[i]));
        if (text)
            buf_printf(shape, "%s %s\n", keys[i], text);
    }
}

enum status fading_claim(struct unit *unit, const struct making *making, struct buf *shape,
                         int64_t span, uint16_t *ret_family, int64_t *ret_warm)
{
    /* To the ledger it is a window. */
    struct series series = {.n_windows = 1, .keep = span};
    struct ledger_claim claim;
    series.over[0] = span;
    *ret_warm = INT64_MIN;
    if (!making->state)
        return ST_OK;
    unit_put_source(unit, making->schema, shape);
    put_what(unit, shape);
    buf_byte(shape, '\0');
    enum status st = ledger_claim(making->ledger, unit->name, shape->data, &series, &claim);
    if (st == ST_EVERSION)
        unit_complain_changed(unit, claim.stored[0] ? claim.stored : "a newer freshet's format",
                              making);
    if (st < 0)
        return st;
    *ret_family = claim.family;
    *ret_warm = claim.warm[0];
    if (claim.is_new && making->watch)
        making->watch->added(making->watch->arg, strchr(unit->name, '/') + 1, claim.warm[0]);
    return ST_OK;
}

void fading_prefetch(uint16_t family, struct state *state, struct key128 key,
                     enum plan_prefetch stage)
{
    if (key_is_none(key))
        return;
    if (stage == PLAN_NEEDS)
        state_need(state, family, key);
    else if (stage == PLAN_SLOTS)
        state_prefetch(state, family, key);
    else if (stage == PLAN_RECORDS)
        state_prefetch_record(state, family, key);
}

void fading_put_family(const struct unit *unit, struct buf *ret)
{
    buf_text(ret, "{\"family\":\"");
    for (const char *c = unit->name; *c; c++)
        buf_printf(ret, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    buf_byte(ret, '"');
}
