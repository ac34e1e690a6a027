/* A rule's text, word by word. */
#include <stdarg.h>
#include <stdio.h>

#include "features/where_parser.h"

void parser_fail(struct parser *p, const char *at, const char *format, ...)
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
        parser_fail(p, p->start, "this %c is never closed", quote);
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
        parser_fail(p, p->start, "`=` is no comparison; did you mean `==`?");
    else
        parser_fail(p, p->start, "`%c` means nothing here", *p->start);
    return TOKEN_BAD;
}

void parser_advance(struct parser *p)
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

bool parser_next_is(const struct parser *p, enum token token, const char *word)
{
    return p->token == token && slice_eq(p->word, slice_of(word));
}

bool parser_accept(struct parser *p, enum token token, const char *word)
{
    bool is = parser_next_is(p, token, word);
    if (is)
        parser_advance(p);
    return is;
}
