/*
 * Tests of online/endpoint/tokens.h.
 *
 * What is known without running it: which lines are a token, and which scopes it has at which time;
 * a token ends at the very microsecond it says; a file that changes is read again, and one with a
 * mistake leaves the last good one in force.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdio.h>
#include <unistd.h>

#include "online/endpoint/tokens.h"

static const int64_t new_year = INT64_C(1798761600000000); /* 2027-01-01T00:00:00Z */

static int scopes_at(struct tokens *tokens, const char *token, int64_t now)
{
    char text[80];
    snprintf(text, sizeof text, "Bearer %s", token);
    return tokens_scopes(tokens, slice_of(text), now);
}

struct token_case {
    char name[40];
    char text[120];
    int scopes; /* of "t" in 2026; 99: refused */
};

ParameterizedTestParameters(tokens, lines)
{
    static struct token_case cases[] = {
        {"none", "", TOKEN_UNKNOWN},
        {"a comment", "# t score\n", TOKEN_UNKNOWN},
        {"one", "t score\n", SCOPE_SCORE},
        {"without its line end", "t admin", SCOPE_ADMIN},
        {"both, and a comment", "x score\n\n t\tscore admin # all\r\n", SCOPE_SCORE | SCOPE_ADMIN},
        {"another", "tt score\n", TOKEN_UNKNOWN},
        {"the last counts", "t score\nt admin\n", SCOPE_ADMIN},
        {"until later", "t score expires=2027-01-01T00:00:00Z\n", SCOPE_SCORE},
        {"until earlier", "t expires=2025-01-01T00:00:00+01:00 score\n", TOKEN_EXPIRED},
        {"no scope", "t\n", 99},
        {"only an end", "t expires=2027-01-01T00:00:00Z\n", 99},
        {"an unknown scope", "x score\nt scores\n", 99},
        {"no time", "t score expires=\n", 99},
        {"another form of time", "t score expires=1.1.2027\n", 99},
        {"no such day", "t score expires=2027-02-30T00:00:00Z\n", 99},
        {"two ends", "t score expires=2027-01-01T00:00:00Z expires=2028-01-01T00:00:00Z\n", 99},
    };
    return cr_make_param_array(struct token_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct token_case *c, tokens, lines)
{
    struct buf error = {0};
    struct tokens *tokens = NULL;
    enum status st = tokens_parse(slice_of(c->text), &error, &tokens);
    cr_assert(eq(int, st, c->scopes == 99 ? ST_EINVAL : ST_OK), "%s", c->name);
    if (st == ST_OK)
        cr_expect(eq(int, scopes_at(tokens, "t", new_year - 1000000), c->scopes), "%s", c->name);
    else
        cr_expect(error.len > 0 && tokens == NULL, "%s", c->name);
    tokens_free(tokens);
    buf_done(&error);
}

Test(tokens, end_when_they_say)
{
    struct buf error = {0};
    struct tokens *tokens = NULL;
    static const char text[] = "t score expires=2027-01-01T00:00:00Z";
    cr_assert(eq(int, tokens_parse(slice_of(text), &error, &tokens), ST_OK));
    cr_expect(eq(int, scopes_at(tokens, "t", new_year - 1), SCOPE_SCORE));
    cr_expect(eq(int, scopes_at(tokens, "t", new_year), TOKEN_EXPIRED));
    cr_expect(eq(int, tokens_scopes(tokens, slice_of("bearer t"), 0), SCOPE_SCORE));
    cr_expect(eq(int, tokens_scopes(tokens, slice_of("Basic t"), 0), TOKEN_UNKNOWN));
    cr_expect(eq(int, tokens_scopes(tokens, slice_of("Bearer "), 0), TOKEN_UNKNOWN));
    tokens_free(tokens);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    cr_assert(file != NULL);
    fputs(text, file);
    fclose(file);
}

Test(tokens, are_read_again)
{
    char path[] = "/tmp/freshet-tokens-XXXXXX";
    struct buf error = {0};
    struct tokens *tokens = NULL;
    close(mkstemp(path));
    write_text(path, "old score\n");
    cr_assert(eq(int, tokens_open(path, &error, &tokens), ST_OK));
    write_text(path, "new-one score admin\n");
    tokens_refresh(tokens);
    cr_expect(eq(int, scopes_at(tokens, "old", 0), TOKEN_UNKNOWN));
    cr_expect(eq(int, scopes_at(tokens, "new-one", 0), SCOPE_SCORE | SCOPE_ADMIN));
    write_text(path, "newer score\na mistake\n");
    tokens_refresh(tokens);
    cr_expect(eq(int, scopes_at(tokens, "newer", 0), TOKEN_UNKNOWN));
    cr_expect(eq(int, scopes_at(tokens, "new-one", 0), SCOPE_SCORE | SCOPE_ADMIN));
    unlink(path);
    tokens_refresh(tokens);
    cr_expect(eq(int, scopes_at(tokens, "new-one", 0), SCOPE_SCORE | SCOPE_ADMIN));
    tokens_free(tokens);
}
