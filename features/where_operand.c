/* What stands on either side of a comparison: fields, words of the calendar and literals. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "features/where_parser.h"

/* The calendar's words but `holiday`, which needs a list. -1: none of them. */
static int find_calendar(struct slice word)
{
    for (int i = 0; i < CALENDAR_HOLIDAY; i++)
        if (slice_eq(word, slice_of(calendar_names[i])))
            return i;
    return -1;
}

static int find_field(const struct stream *stream, struct slice name)
{
    for (size_t i = 0; i < stream->n_fields; i++)
        if (slice_eq(slice_of(stream->fields[i].name), name))
            return (int)i;
    return -1;
}

static const struct field *find_anywhere(const struct schema *schema, struct slice name)
{
    for (size_t s = 0; s < schema->n_streams; s++) {
        int i = find_field(&schema->streams[s], name);
        if (i >= 0)
            return &schema->streams[s].fields[i];
    }
    return NULL;
}

static void fail_unknown(struct parser *p)
{
    const char *names[64 + CALENDAR_HOLIDAY + 1];
    size_t n = 0;
    for (size_t i = 0; i < p->stream->n_fields && n < 64; i++)
        names[n++] = p->stream->fields[i].name;
    for (int i = 0; i < CALENDAR_HOLIDAY; i++)
        names[n++] = calendar_names[i];
    names[n] = NULL;
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)p->word.len, p->word.data);
    const char *nearest = conf_nearest(name, names);
    if (nearest)
        parser_fail(p, p->start, "no field \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        parser_fail(p, p->start, "no field \"%s\"", name);
}

static struct operand parse_name(struct parser *p)
{
    struct operand operand = {.kind = OPERAND_FIELD, .field = find_field(p->stream, p->word)};
    const struct field *elsewhere = find_anywhere(p->schema, p->word);
    int calendar = p->token == TOKEN_NAME ? find_calendar(p->word) : -1;
    if (operand.field >= 0) {
        operand.type = p->stream->fields[operand.field].type;
    } else if (elsewhere) {
        operand.type = elsewhere->type;
        p->program->usable = false;
    } else if (calendar >= 0) {
        operand = (struct operand){.kind = OPERAND_CALENDAR, .calendar = (enum calendar)calendar};
    } else {
        fail_unknown(p);
    }
    parser_advance(p);
    return operand;
}

static double parse_number(struct parser *p)
{
    double v = NAN;
    if (number_to_double(p->word, &v) < 0)
        parser_fail(p, p->start, "\"%.*s\" is no number", (int)p->word.len, p->word.data);
    return v;
}

struct operand parser_operand(struct parser *p)
{
    struct operand operand = {.kind = OPERAND_NUMBER};
    if (p->token == TOKEN_NAME || p->token == TOKEN_QUOTED_NAME)
        return parse_name(p);
    if (p->token == TOKEN_NUMBER)
        operand.number = parse_number(p);
    else if (p->token == TOKEN_STRING)
        parser_fail(p, p->start, "a text can only stand right of == and !=, and in a list");
    else
        parser_fail(p, p->start, "expected a field, a number or a word such as `weekend`");
    parser_advance(p);
    return operand;
}

bool parser_is_hashed(const struct operand *operand)
{
    return operand->kind == OPERAND_FIELD && operand->type != FIELD_NUMBER;
}

static void add_literal(struct parser *p, union literal literal)
{
    struct program *program = p->program;
    program->literals =
        realloc(program->literals, (program->n_literals + 1) * sizeof *program->literals);
    if (!program->literals)
        abort();
    program->literals[program->n_literals++] = literal;
}

static struct key128 hash_literal(const struct parser *p, const struct operand *left)
{
    if (left->type != FIELD_ENTITY)
        return (struct key128){hash_category(p->word), 0};
    const char *kind = left->field >= 0 ? p->stream->fields[left->field].entity_kind : "";
    return hash_entity(slice_of(kind), p->word);
}

void parser_literal(struct parser *p, const struct operand *left)
{
    union literal literal = {0};
    if (p->token != TOKEN_NUMBER && p->token != TOKEN_STRING)
        parser_fail(p, p->start, "expected a number or a text in quotes");
    else if (parser_is_hashed(left))
        literal.hash = hash_literal(p, left);
    else if (p->token == TOKEN_STRING)
        parser_fail(p, p->start, "this text is compared with a number");
    else
        literal.number = parse_number(p);
    add_literal(p, literal);
    parser_advance(p);
}
