/*
 * features/where_parser.h -- what the files of the rule parser share: where_token.c cuts a rule
 * into words, where_operand.c reads what stands on either side of a comparison, where_parse.c the
 * rest of the grammar. It is recursive descent, one function a line of the grammar.
 */
#ifndef FEATURES_WHERE_PARSER_H
#define FEATURES_WHERE_PARSER_H

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

/* Tokens. */

/* Tells the first mistake only; `at` is where it stands. */
__attribute__((format(printf, 3, 4))) void parser_fail(struct parser *p, const char *at,
                                                       const char *format, ...);
/* To the next token. */
void parser_advance(struct parser *p);
bool parser_next_is(const struct parser *p, enum token token, const char *word);
/* Steps over the token if it is this one. */
bool parser_accept(struct parser *p, enum token token, const char *word);

/* Operands. */

struct operand parser_operand(struct parser *p);
/* One literal to compare `left` with, to the end of the program's. */
void parser_literal(struct parser *p, const struct operand *left);
/* Is the operand compared by its hash, and not as a number? */
bool parser_is_hashed(const struct operand *operand);

#endif
