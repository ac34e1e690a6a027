/* From a rule's text to its program. */
#include <stdlib.h>

#include "features/where_parser.h"

enum { DEPTH_MAX = 64 };

static struct instruction *emit(struct parser *p, enum where_op op)
{
    struct program *program = p->program;
    program->code = realloc(program->code, (program->n + 1) * sizeof *program->code);
    if (!program->code)
        abort();
    program->code[program->n] = (struct instruction){.op = op};
    return &program->code[program->n++];
}

/* Tests. */

static void emit_list(struct parser *p, const struct operand *left, size_t list, bool negated)
{
    struct instruction *in = emit(p, parser_is_hashed(left) ? WHERE_HASHES : WHERE_NUMBERS);
    in->left = *left;
    in->list = (uint32_t)list;
    in->n = (uint32_t)(p->program->n_literals - list);
    in->negated = negated;
}

static void parse_list(struct parser *p, const struct operand *left, bool negated)
{
    size_t list = p->program->n_literals;
    if (!parser_accept(p, TOKEN_SIGN, "["))
        parser_fail(p, p->start, "expected a list such as [1, 2]");
    do {
        parser_literal(p, left);
    } while (parser_accept(p, TOKEN_SIGN, ","));
    if (!parser_accept(p, TOKEN_SIGN, "]"))
        parser_fail(p, p->start, "expected `,` or `]`");
    emit_list(p, left, list, negated);
}

static bool accept_compare(struct parser *p, enum compare *ret)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (parser_accept(p, TOKEN_SIGN, signs[i])) {
            *ret = (enum compare)i;
            return true;
        }
    return false;
}

static void parse_comparison(struct parser *p, const struct operand *left, enum compare compare)
{
    if (parser_is_hashed(left)) {
        if (compare != COMPARE_EQ && compare != COMPARE_NE)
            parser_fail(p, p->start, "only numbers have an order; use == or !=");
        size_t list = p->program->n_literals;
        parser_literal(p, left);
        emit_list(p, left, list, compare == COMPARE_NE);
        return;
    }
    const char *at = p->start;
    if (p->token == TOKEN_STRING)
        parser_fail(p, at, "this text is compared with a number");
    struct operand right = parser_operand(p);
    if (parser_is_hashed(&right))
        parser_fail(p, at, "put the number or text on the right of this field");
    struct instruction *in = emit(p, WHERE_COMPARE);
    in->compare = compare;
    in->left = *left;
    in->right = right;
}

static void parse_test(struct parser *p)
{
    const char *at = p->start;
    struct operand left = parser_operand(p);
    enum compare compare;
    bool negated = parser_next_is(p, TOKEN_NAME, "not");
    if (negated)
        parser_advance(p);
    if (parser_accept(p, TOKEN_NAME, "in")) {
        parse_list(p, &left, negated);
    } else if (negated) {
        parser_fail(p, p->start, "expected `in` after `not`");
    } else if (accept_compare(p, &compare)) {
        parse_comparison(p, &left, compare);
    } else if (parser_is_hashed(&left)) {
        parser_fail(p, at, "a field that is no number must be compared with something");
    } else {
        emit(p, WHERE_TRUTH)->left = left;
    }
}

static void parse_or(struct parser *p);

static void parse_not(struct parser *p)
{
    if (++p->depth > DEPTH_MAX)
        parser_fail(p, p->start, "nested deeper than %d", DEPTH_MAX);
    if (p->failed)
        return;
    if (parser_accept(p, TOKEN_NAME, "not")) {
        parse_not(p);
        emit(p, WHERE_NOT);
    } else if (parser_accept(p, TOKEN_SIGN, "(")) {
        parse_or(p);
        if (!parser_accept(p, TOKEN_SIGN, ")"))
            parser_fail(p, p->start, "expected `)`");
    } else {
        parse_test(p);
    }
    p->depth--;
}

/* Operands of one operator, each but the last left by a jump to behind them all. */
static void parse_chain(struct parser *p, const char *word, void (*parse)(struct parser *p),
                        enum where_op jump)
{
    size_t first = p->program->n;
    parse(p);
    while (!p->failed && parser_accept(p, TOKEN_NAME, word)) {
        emit(p, jump)->to = UINT32_MAX;
        parse(p);
    }
    for (size_t i = first; i < p->program->n; i++)
        if (p->program->code[i].op == jump && p->program->code[i].to == UINT32_MAX)
            p->program->code[i].to = (uint32_t)p->program->n;
}

static void parse_and(struct parser *p)
{
    parse_chain(p, "and", parse_not, WHERE_JUMP_IF_NOT);
}

static void parse_or(struct parser *p)
{
    parse_chain(p, "or", parse_and, WHERE_JUMP_IF);
}

bool where_parse(const struct schema *schema, size_t stream, const char *text,
                 struct buf *ret_error, struct program *ret)
{
    struct parser p = {.schema = schema,
                       .stream = &schema->streams[stream],
                       .text = text,
                       .at = text,
                       .error = ret_error,
                       .program = ret};
    *ret = (struct program){.usable = true};
    parser_advance(&p);
    parse_or(&p);
    if (p.token != TOKEN_END)
        parser_fail(&p, p.start, "expected `and`, `or` or the end of the rule");
    if (p.failed)
        program_done(ret);
    return !p.failed;
}
