#include "online/endpoint/tokens.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/timefmt.h"

struct token {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    int scopes;
    int64_t expires; /* INT64_MAX: never */
};

struct token_list {
    size_t n, cap;
    struct token *items;
};

struct tokens {
    char *path; /* NULL: none */
    struct stat seen;
    struct token_list list;
    pthread_rwlock_t lock; /* of the list */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct slice next_word(struct slice *line)
{
    while (line->len > 0 && is_blank(line->data[0])) {
        line->data++;
        line->len--;
    }
    struct slice word = {line->data, 0};
    while (word.len < line->len && !is_blank(word.data[word.len]))
        word.len++;
    line->data += word.len;
    line->len -= word.len;
    return word;
}

static bool read_expiry(struct slice word, int64_t *ret)
{
    static const struct timefmt format = {.kind = TIMEFMT_RFC3339};
    static const char name[] = "expires=";
    size_t len = sizeof name - 1;
    return word.len > len && memcmp(word.data, name, len) == 0 && *ret == INT64_MAX &&
           timefmt_parse(&format, (struct slice){word.data + len, word.len - len}, ret) == ST_OK;
}

/* What stands behind a token. */
static bool read_rights(struct slice line, struct token *ret)
{
    struct slice word;
    *ret = (struct token){.expires = INT64_MAX};
    while ((word = next_word(&line)).len > 0 && word.data[0] != '#') {
        if (slice_eq(word, slice_of("score")))
            ret->scopes |= SCOPE_SCORE;
        else if (slice_eq(word, slice_of("admin")))
            ret->scopes |= SCOPE_ADMIN;
        else if (!read_expiry(word, &ret->expires))
            return false;
    }
    return ret->scopes != 0;
}

static void add(struct token_list *list, struct slice text, struct token token)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->items = realloc(list->items, list->cap * sizeof *list->items);
        if (!list->items)
            abort();
    }
    SHA256((const unsigned char *)text.data, text.len, token.digest);
    list->items[list->n++] = token;
}

static enum status read_list(struct slice text, struct buf *error, struct token_list *ret)
{
    for (int number = 1; text.len > 0; number++) {
        const char *lf = memchr(text.data, '\n', text.len);
        struct slice line = {text.data, lf ? (size_t)(lf - text.data) : text.len};
        text.data += line.len + (lf != NULL);
        text.len -= line.len + (lf != NULL);
        struct slice token = next_word(&line);
        struct token rights;
        if (token.len == 0 || token.data[0] == '#')
            continue;
        if (!read_rights(line, &rights)) {
            buf_printf(error,
                       "line %d: expected a token, its scopes, of score and admin, and perhaps "
                       "expires=YYYY-MM-DDTHH:MM:SSZ",
                       number);
            return ST_EINVAL;
        }
        add(ret, token, rights);
    }
    return ST_OK;
}

static enum status load(const char *path, struct buf *error, struct token_list *ret)
{
    struct buf text = {0};
    enum status st = file_read(path, &text);
    if (st < 0)
        buf_printf(error, "%s: %s", path, strerror(errno));
    else
        st = read_list(buf_slice(&text), error, ret);
    if (text.data)
        OPENSSL_cleanse(text.data, text.len);
    buf_done(&text);
    return st;
}

enum status tokens_open(const char *path, struct buf *error, struct tokens **ret)
{
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return ST_ENOMEM;
    pthread_rwlock_init(&tokens->lock, NULL);
    tokens->path = strdup(path);
    enum status st = tokens->path ? ST_OK : ST_ENOMEM;
    if (st == ST_OK && stat(path, &tokens->seen) == 0)
        st = load(path, error, &tokens->list);
    else if (st == ST_OK) {
        buf_printf(error, "%s: %s", path, strerror(errno));
        st = ST_EIO;
    }
    if (st < 0) {
        tokens_free(tokens);
        return st;
    }
    *ret = tokens;
    return ST_OK;
}

enum status tokens_parse(struct slice text, struct buf *error, struct tokens **ret)
{
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return ST_ENOMEM;
    pthread_rwlock_init(&tokens->lock, NULL);
    enum status st = read_list(text, error, &tokens->list);
    if (st < 0) {
        tokens_free(tokens);
        return st;
    }
    *ret = tokens;
    return ST_OK;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    pthread_rwlock_destroy(&tokens->lock);
    free(tokens->list.items);
    free(tokens->path);
    free(tokens);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void tokens_refresh(struct tokens *tokens)
{
    struct stat now;
    struct token_list fresh = {0};
    struct buf error = {0};
    if (!tokens->path || stat(tokens->path, &now) < 0 || is_same(&now, &tokens->seen))
        return;
    tokens->seen = now;
    if (load(tokens->path, &error, &fresh) < 0) {
        log_warn("endpoint.tokens", "path=\"%s\" why=\"%.*s\" hint=\"the last good ones stay\"",
                 tokens->path, (int)error.len, error.len ? error.data : "");
        free(fresh.items);
    } else {
        pthread_rwlock_wrlock(&tokens->lock);
        struct token_list before = tokens->list;
        tokens->list = fresh;
        pthread_rwlock_unlock(&tokens->lock);
        log_info("endpoint.tokens", "path=\"%s\" tokens=%zu", tokens->path, fresh.n);
        free(before.items);
    }
    buf_done(&error);
}

/* All are looked at, whichever it is. Of a token that stands there twice the last line counts. */
static int find(const struct token_list *list, const unsigned char *digest, int64_t now)
{
    int scopes = TOKEN_UNKNOWN;
    for (size_t i = 0; i < list->n; i++)
        if (CRYPTO_memcmp(list->items[i].digest, digest, SHA256_DIGEST_LENGTH) == 0)
            scopes = now < list->items[i].expires ? list->items[i].scopes : TOKEN_EXPIRED;
    return scopes;
}

int tokens_scopes(struct tokens *tokens, struct slice authorization, int64_t now)
{
    static const char bearer[] = "bearer ";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    size_t skip = sizeof bearer - 1;
    if (authorization.len <= skip || strncasecmp(authorization.data, bearer, skip) != 0)
        return TOKEN_UNKNOWN;
    SHA256((const unsigned char *)authorization.data + skip, authorization.len - skip, digest);
    pthread_rwlock_rdlock(&tokens->lock);
    int scopes = find(&tokens->list, digest, now);
    pthread_rwlock_unlock(&tokens->lock);
    return scopes;
}
