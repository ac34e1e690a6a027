/* From a rule's text to its program: recursive descent, one function a line of the grammar. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "features/where_program.h"

enum token {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_QUOTED_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_SIGN, /* == != < <= > >= ( ) [ ] , */
    TOKEN_BAD,
};

enum { DEPTH_MAX = 64 };

struct parser {
    const struct schema *schema;
    const struct stream *stream;
    const char *text;
    const char *at;    /* behind the token */
    const char *start; /* of the token */
    enum token token;
    struct slice word; /* the token's text, without quotes */
    unsigned depth;    /* of parentheses and nots */
    bool failed;
    struct buf *error;
    struct program *program;
};

__attribute__((format(printf, 3, 4))) static void fail(struct parser *p, const char *at,
                                                       const char *format, ...)
{
    if (p->failed)
        return;
    p->failed = true;
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    buf_printf(p->error, "column %zu: %s", (size_t)(at - p->text) + 1, message);
}

/* Tokens. */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum token scan_quoted(struct parser *p, char quote, enum token token)
{
    const char *end = strchr(p->start + 1, quote);
    if (!end) {
        fail(p, p->start, "this %c is never closed", quote);
        return TOKEN_BAD;
    }
    p->word = (struct slice){p->start + 1, (size_t)(end - p->start - 1)};
    p->at = end + 1;
    return token;
}

static enum token scan_run(struct parser *p, enum token token)
{
    const char *end = p->start + 1;
    while (is_letter(*end) || is_digit(*end) || *end == '.' ||
           (token == TOKEN_NUMBER && (*end == '-' || *end == '+') && (end[-1] | 0x20) == 'e'))
        end++;
    p->word = (struct slice){p->start, (size_t)(end - p->start)};
    p->at = end;
    return token;
}

static enum token scan_sign(struct parser *p)
{
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">",
                                        "(",  ")",  "[",  "]",  ",", NULL};
    for (size_t i = 0; signs[i]; i++)
        if (strncmp(p->start, signs[i], strlen(signs[i])) == 0) {
            p->word = slice_of(signs[i]);
            p->at = p->start + p->word.len;
            return TOKEN_SIGN;
        }
    if (*p->start == '=')
        fail(p, p->start, "`=` is no comparison; did you mean `==`?");
    else
        fail(p, p->start, "`%c` means nothing here", *p->start);
    return TOKEN_BAD;
}

static void advance(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
        p->at++;
    p->start = p->at;
    char c = *p->at;
    if (p->failed || c == 0)
        p->token = p->failed ? TOKEN_BAD : TOKEN_END;
    else if (c == '"' || c == '\'')
        p->token = scan_quoted(p, c, TOKEN_STRING);
    else if (c == '`')
        p->token = scan_quoted(p, c, TOKEN_QUOTED_NAME);
    else if (is_digit(c) ||
             ((c == '-' || c == '+' || c == '.') && (is_digit(p->at[1]) || p->at[1] == '.')))
        p->token = scan_run(p, TOKEN_NUMBER);
    else if (is_letter(c))
        p->token = scan_run(p, TOKEN_NAME);
    else
        p->token = scan_sign(p);
}

static bool next_is(const struct parser *p, enum token token, const char *word)
{
    return p->token == token && slice_eq(p->word, slice_of(word));
}

static bool accept(struct parser *p, enum token token, const char *word)
{
    bool is = next_is(p, token, word);
    if (is)
        advance(p);
    return is;
}

/* Code. */

static struct instruction *emit(struct parser *p, enum where_op op)
{
    struct program *program = p->program;
    program->code = realloc(program->code, (program->n + 1) * sizeof *program->code);
    if (!program->code)
        abort();
    program->code[program->n] = (struct instruction){.op = op};
    return &program->code[program->n++];
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

/* Operands. */

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
        fail(p, p->start, "no field \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        fail(p, p->start, "no field \"%s\"", name);
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
    advance(p);
    return operand;
}

static double parse_number(struct parser *p)
{
    double v = NAN;
    if (number_to_double(p->word, &v) < 0)
        fail(p, p->start, "\"%.*s\" is no number", (int)p->word.len, p->word.data);
    return v;
}

static struct operand parse_operand(struct parser *p)
{
    struct operand operand = {.kind = OPERAND_NUMBER};
    if (p->token == TOKEN_NAME || p->token == TOKEN_QUOTED_NAME)
        return parse_name(p);
    if (p->token == TOKEN_NUMBER)
        operand.number = parse_number(p);
    else if (p->token == TOKEN_STRING)
        fail(p, p->start, "a text can only stand right of == and !=, and in a list");
    else
        fail(p, p->start, "expected a field, a number or a word such as `weekend`");
    advance(p);
    return operand;
}

static bool is_hashed(const struct operand *operand)
{
    return operand->kind == OPERAND_FIELD && operand->type != FIELD_NUMBER;
}

static struct key128 hash_literal(const struct parser *p, const struct operand *left)
{
    if (left->type != FIELD_ENTITY)
        return (struct key128){hash_category(p->word), 0};
    const char *kind = left->field >= 0 ? p->stream->fields[left->field].entity_kind : "";
    return hash_entity(slice_of(kind), p->word);
}

/* One literal to compare `left` with. */
static void parse_literal(struct parser *p, const struct operand *left)
{
    union literal literal = {0};
    if (p->token != TOKEN_NUMBER && p->token != TOKEN_STRING)
        fail(p, p->start, "expected a number or a text in quotes");
    else if (is_hashed(left))
        literal.hash = hash_literal(p, left);
    else if (p->token == TOKEN_STRING)
        fail(p, p->start, "this text is compared with a number");
    else
        literal.number = parse_number(p);
    add_literal(p, literal);
    advance(p);
}

/* Tests. */

static void emit_list(struct parser *p, const struct operand *left, size_t list, bool negated)
{
    struct instruction *in = emit(p, is_hashed(left) ? WHERE_HASHES : WHERE_NUMBERS);
    in->left = *left;
    in->list = (uint32_t)list;
    in->n = (uint32_t)(p->program->n_literals - list);
    in->negated = negated;
}

static void parse_list(struct parser *p, const struct operand *left, bool negated)
{
    size_t list = p->program->n_literals;
    if (!accept(p, TOKEN_SIGN, "["))
        fail(p, p->start, "expected a list such as [1, 2]");
    do {
        parse_literal(p, left);
    } while (accept(p, TOKEN_SIGN, ","));
    if (!accept(p, TOKEN_SIGN, "]"))
        fail(p, p->start, "expected `,` or `]`");
    emit_list(p, left, list, negated);
}

static bool accept_compare(struct parser *p, enum compare *ret)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (accept(p, TOKEN_SIGN, signs[i])) {
            *ret = (enum compare)i;
            return true;
        }
    return false;
}

static void parse_comparison(struct parser *p, const struct operand *left, enum compare compare)
{
    if (is_hashed(left)) {
        if (compare != COMPARE_EQ && compare != COMPARE_NE)
            fail(p, p->start, "only numbers have an order; use == or !=");
        size_t list = p->program->n_literals;
        parse_literal(p, left);
        emit_list(p, left, list, compare == COMPARE_NE);
        return;
    }
    const char *at = p->start;
    if (p->token == TOKEN_STRING)
        fail(p, at, "this text is compared with a number");
    struct operand right = parse_operand(p);
    if (is_hashed(&right))
        fail(p, at, "put the number or text on the right of this field");
    struct instruction *in = emit(p, WHERE_COMPARE);
    in->compare = compare;
    in->left = *left;
    in->right = right;
}

static void parse_test(struct parser *p)
{
    const char *at = p->start;
    struct operand left = parse_operand(p);
    enum compare compare;
    bool negated = next_is(p, TOKEN_NAME, "not");
    if (negated)
        advance(p);
    if (accept(p, TOKEN_NAME, "in")) {
        parse_list(p, &left, negated);
    } else if (negated) {
        fail(p, p->start, "expected `in` after `not`");
    } else if (accept_compare(p, &compare)) {
        parse_comparison(p, &left, compare);
    } else if (is_hashed(&left)) {
        fail(p, at, "a field that is no number must be compared with something");
    } else {
        emit(p, WHERE_TRUTH)->left = left;
    }
}

static void parse_or(struct parser *p);

static void parse_not(struct parser *p)
{
    if (++p->depth > DEPTH_MAX)
        fail(p, p->start, "nested deeper than %d", DEPTH_MAX);
    if (p->failed)
        return;
    if (accept(p, TOKEN_NAME, "not")) {
        parse_not(p);
        emit(p, WHERE_NOT);
    } else if (accept(p, TOKEN_SIGN, "(")) {
        parse_or(p);
        if (!accept(p, TOKEN_SIGN, ")"))
            fail(p, p->start, "expected `)`");
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
    while (!p->failed && accept(p, TOKEN_NAME, word)) {
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
    advance(&p);
    parse_or(&p);
    if (p.token != TOKEN_END)
        fail(&p, p.start, "expected `and`, `or` or the end of the rule");
    if (p.failed)
        program_done(ret);
    return !p.failed;
}
