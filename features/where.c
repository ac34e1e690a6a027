#include "features/where.h"

#include <math.h>
#include <stdlib.h>

#include "features/where_program.h"

void program_done(struct program *program)
{
    free(program->code);
    free(program->literals);
    *program = (struct program){0};
}

void where_free(struct where *where)
{
    for (size_t s = 0; where && s < where->n_streams; s++)
        program_done(&where->programs[s]);
    free(where);
}

enum status where_create(const struct making *making, const struct conf_node *node,
                         const char *option, const char *text, const struct zone *zone,
                         struct where **ret)
{
    size_t n = making->schema->n_streams;
    struct where *where = calloc(1, sizeof *where + n * sizeof where->programs[0]);
    if (!where)
        return ST_ENOMEM;
    where->zone = zone;
    struct buf error = {0};
    for (; where->n_streams < n; where->n_streams++)
        if (!where_parse(making->schema, where->n_streams, text, &error,
                         &where->programs[where->n_streams]))
            break;
    if (where->n_streams < n) {
        conf_complain(making->errors, conf_get(node, option), "`%s`: %.*s", option, (int)error.len,
                      error.data);
        where_free(where);
        where = NULL;
    }
    buf_done(&error);
    *ret = where;
    return where ? ST_OK : ST_EINVAL;
}

bool where_usable(const struct where *where, uint16_t stream)
{
    return where->programs[stream].usable;
}

static double number_of(const struct operand *operand, const struct where *where,
                        const struct event *event)
{
    switch (operand->kind) {
    case OPERAND_FIELD:
        return event->values[operand->field].number;
    case OPERAND_CALENDAR:
        return calendar_value(operand->calendar, event->time, where->zone);
    case OPERAND_NUMBER:
        break;
    }
    return operand->number;
}

static struct key128 hash_of(const struct operand *operand, const struct event *event)
{
    const union value *value = &event->values[operand->field];
    if (operand->type == FIELD_ENTITY)
        return value->entity;
    if (operand->type == FIELD_CATEGORY)
        return (struct key128){value->category, 0};
    return (struct key128){value->text.data ? hash_category(value->text) : 0, 0};
}

/* False for a NaN on either side. */
static bool compare(enum compare how, double a, double b)
{
    switch (how) {
    case COMPARE_EQ:
        return a == b;
    case COMPARE_NE:
        return a < b || a > b;
    case COMPARE_LT:
        return a < b;
    case COMPARE_LE:
        return a <= b;
    case COMPARE_GT:
        return a > b;
    case COMPARE_GE:
        return a >= b;
    }
    return false;
}

static bool among_numbers(const struct instruction *in, const union literal *literals, double v)
{
    if (isnan(v))
        return false;
    for (uint32_t i = 0; i < in->n; i++)
        if (literals[in->list + i].number == v)
            return !in->negated;
    return in->negated;
}

static bool among_hashes(const struct instruction *in, const union literal *literals,
                         struct key128 hash)
{
    if (key_is_none(hash))
        return false;
    for (uint32_t i = 0; i < in->n; i++)
        if (key_eq(literals[in->list + i].hash, hash))
            return !in->negated;
    return in->negated;
}

static bool test(const struct where *where, const struct program *program,
                 const struct instruction *in, const struct event *event)
{
    if (in->op == WHERE_HASHES)
        return among_hashes(in, program->literals, hash_of(&in->left, event));
    double left = number_of(&in->left, where, event);
    if (in->op == WHERE_COMPARE)
        return compare(in->compare, left, number_of(&in->right, where, event));
    if (in->op == WHERE_NUMBERS)
        return among_numbers(in, program->literals, left);
    return compare(COMPARE_NE, left, 0);
}

bool where_holds(const struct where *where, const struct event *event)
{
    const struct program *program = &where->programs[event->stream];
    bool held = false;
    for (size_t i = 0; i < program->n; i++) {
        const struct instruction *in = &program->code[i];
        if (in->op == WHERE_NOT)
            held = !held;
        else if (in->op == WHERE_JUMP_IF || in->op == WHERE_JUMP_IF_NOT)
            i = held == (in->op == WHERE_JUMP_IF) ? in->to - 1 : i;
        else
            held = test(where, program, in, event);
    }
    return held;
}
