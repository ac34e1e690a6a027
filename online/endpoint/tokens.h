/*
 * online/endpoint/tokens.h -- who may ask for what: bearer tokens with scopes, from a file.
 *
 * A line is a token, its scopes, and when it ends if it does, apart by blanks; # begins a comment:
 *
 *     s3cr3t-of-the-shop   score expires=2027-01-01T00:00:00Z
 *     s3cr3t-of-the-crew   score admin
 *
 * The file is read again when it changes; one that is wrong then is refused and the last good one
 * stays. Tokens are kept as their SHA-256, and compared as such, so that time tells nothing.
 */
#ifndef ONLINE_ENDPOINT_TOKENS_H
#define ONLINE_ENDPOINT_TOKENS_H

#include "base/bytes.h"
#include "base/status.h"

enum token_scope { SCOPE_SCORE = 1, SCOPE_ADMIN = 2 };

/* Instead of scopes. */
enum { TOKEN_UNKNOWN = -1, TOKEN_EXPIRED = -2 };

struct tokens;

/* ST_EIO, ST_EINVAL: error says why. */
STATUS_CHECKED enum status tokens_open(const char *path, struct buf *error, struct tokens **ret);
/* The same of a text, which never changes. */
STATUS_CHECKED enum status tokens_parse(struct slice text, struct buf *error, struct tokens **ret);
void tokens_free(struct tokens *tokens);
/* Reads the file again if it is another than before. Any thread, now and then. */
void tokens_refresh(struct tokens *tokens);
/* The scopes of `Bearer TOKEN` at a time of the calendar, in us; TOKEN_UNKNOWN, TOKEN_EXPIRED. Any
 * thread. */
int tokens_scopes(struct tokens *tokens, struct slice authorization, int64_t now);

#endif
