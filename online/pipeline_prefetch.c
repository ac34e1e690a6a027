/* What taking an event will read: from memory ahead of time, and from the store where it is not in
 * memory. */
#include "online/pipeline_internal.h"

/* An event reads its entities' slots, then their records, then what lies in these; a label its
 * entry's slot, the entry, then its entity's slot, record and what lies in that. */
static void prefetch_data(const struct pipeline *p, const struct event *event, unsigned stage)
{
    if (stage == 1)
        join_prefetch_add(p->options.join, event->id_key);
    if (stage >= 2)
        plan_prefetch(p->options.plan, p->options.state, event,
                      (enum plan_prefetch)(stage - 2 + PLAN_SLOTS));
}

static void prefetch_label(const struct pipeline *p, const struct event *event, unsigned stage)
{
    if (stage == 0) {
        join_prefetch(p->options.join, event->id_key);
    } else if (stage == 1) {
        join_prefetch_entry(p->options.join, event->id_key);
    } else {
        const struct key128 *keys = join_guess_keys(p->options.join, event->id_key);
        if (keys)
            plan_prefetch_label(p->options.plan, p->options.state, keys,
                                (enum plan_prefetch)(stage - 2 + PLAN_SLOTS));
    }
}

void pipeline_prefetch(const struct pipeline *p, const struct event *event, unsigned stage)
{
    if (event->kind == EVENT_DATA)
        prefetch_data(p, event, stage);
    else if (event->kind == EVENT_LABEL)
        prefetch_label(p, event, stage);
}

/* An early label is given to its event's own windows when that comes. */
static void need_event(struct pipeline *p, const struct event *event, int64_t now)
{
    const struct key128 *keys;
    if (event->kind == EVENT_DATA) {
        plan_prefetch(p->options.plan, p->options.state, event, PLAN_NEEDS);
        join_need(p->options.join, event->id_key, now);
    } else if (event->kind == EVENT_LABEL) {
        join_need(p->options.join, event->id_key, now);
        if ((keys = join_peek_keys(p->options.join, event->id_key)))
            plan_prefetch_label(p->options.plan, p->options.state, keys, PLAN_NEEDS);
    }
}

void pipeline_need(struct pipeline *p, const struct event *events, size_t n)
{
    int64_t now = p->head->clock;
    for (size_t i = 0; i < n; i++) {
        if (events[i].kind != EVENT_DEAD && events[i].time > now)
            now = events[i].time;
        need_event(p, &events[i], now);
    }
    join_need_due(p->options.join, now);
}
