/*
 * features/where_program.h -- the flat program that a rule becomes. For where*.c alone.
 *
 * It has one truth value, `held`. A test sets it, NOT turns it around, and the jumps leave out what
 * cannot change it any more: `a and b` is {a, jump-if-not to the end, b}.
 */
#ifndef FEATURES_WHERE_PROGRAM_H
#define FEATURES_WHERE_PROGRAM_H

#include "features/calendar.h"
#include "features/where.h"

enum where_op {
    WHERE_COMPARE, /* two numbers */
    WHERE_TRUTH,   /* one number */
    WHERE_NUMBERS, /* is a number among list? */
    WHERE_HASHES,  /* is a hash among list? */
    WHERE_NOT,
    WHERE_JUMP_IF,
    WHERE_JUMP_IF_NOT,
};

enum compare { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

struct operand {
    enum { OPERAND_NUMBER, OPERAND_CALENDAR, OPERAND_FIELD } kind;
    enum field_type type; /* OPERAND_FIELD */
    int field;
    enum calendar calendar;
    double number;
};

union literal {
    double number;
    struct key128 hash; /* of a category or text: {hash, 0} */
};

struct instruction {
    enum where_op op;
    enum compare compare;
    bool negated;  /* WHERE_NUMBERS, WHERE_HASHES: `not in` */
    uint32_t to;   /* jumps */
    uint32_t list; /* literals of WHERE_NUMBERS, WHERE_HASHES: where they begin, and how many */
    uint32_t n;
    struct operand left, right;
};

struct program {
    bool usable;
    size_t n;
    struct instruction *code;
    size_t n_literals;
    union literal *literals;
};

struct where {
    size_t n_streams;
    const struct zone *zone;
    struct program programs[];
};

/* Parses a rule for the events of one stream. On a mistake a message, with its column, is appended
 * to ret_error and false returned. A program that needs a field which only other streams have is
 * not usable. */
bool where_parse(const struct schema *schema, size_t stream, const char *text,
                 struct buf *ret_error, struct program *ret);
void program_done(struct program *program);

#endif
