#include "online/endpoint/http1.h"

#include <strings.h>

static bool is_token(struct slice text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == 0 || !strchr(others, c)))
            return false;
    }
    return text.len > 0;
}

static bool is_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_named(struct slice name, const char *other)
{
    return name.len == strlen(other) && strncasecmp(name.data, other, name.len) == 0;
}

static bool read_length(struct slice text, uint64_t *ret)
{
    uint64_t n = 0;
    if (text.len == 0 || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    *ret = n;
    return true;
}

/* Is a word in a list with commas? */
static bool lists(struct slice value, const char *word)
{
    size_t len = strlen(word), at = 0;
    while (at < value.len) {
        size_t end = at;
        while (end < value.len && value.data[end] != ',')
            end++;
        size_t from = at, to = end;
        while (from < to && (value.data[from] == ' ' || value.data[from] == '\t'))
            from++;
        while (to > from && (value.data[to - 1] == ' ' || value.data[to - 1] == '\t'))
            to--;
        if (to - from == len && strncasecmp(value.data + from, word, len) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

static int take_length(struct slice value, struct http1_head *ret)
{
    uint64_t length;
    if (!read_length(value, &length) || (ret->has_length && ret->length != length))
        return 400;
    ret->length = length;
    ret->has_length = true;
    return 0;
}

static int take_infer_length(struct slice value, struct http1_head *ret)
{
    uint64_t length;
    if (!read_length(value, &length))
        return 400;
    ret->infer_length = (int64_t)length;
    return 0;
}

static enum coding accepted_of(struct slice value)
{
    return lists(value, "gzip")      ? CODING_GZIP
           : lists(value, "deflate") ? CODING_DEFLATE
                                     : CODING_NONE;
}

/* Returns 0 or a status. */
static int take_header(struct slice name, struct slice value, struct http1_head *ret)
{
    switch (name.len) {
    case 6:
        ret->expects =
            ret->expects || (is_named(name, "expect") && is_named(value, "100-continue"));
        return 0;
    case 10:
        if (!is_named(name, "connection"))
            return 0;
        ret->keep_alive = lists(value, "close")        ? false
                          : lists(value, "keep-alive") ? true
                                                       : ret->keep_alive;
        return 0;
    case 13:
        if (is_named(name, "authorization"))
            ret->authorization = value;
        return 0;
    case 14:
        return is_named(name, "content-length") ? take_length(value, ret) : 0;
    case 15:
        if (is_named(name, "accept-encoding"))
            ret->accepts = accepted_of(value);
        return 0;
    case 16:
        if (is_named(name, "content-encoding"))
            ret->coding = ret->coding == CODING_NONE ? coding_of(value) : CODING_UNKNOWN;
        return 0;
    case 17:
        if (!is_named(name, "transfer-encoding"))
            return 0;
        if (!is_named(value, "chunked") || ret->chunked)
            return 501;
        ret->chunked = true;
        return 0;
    case 31:
        return is_named(name, "inference-header-content-length") ? take_infer_length(value, ret)
                                                                 : 0;
    default:
        return 0;
    }
}

/* METHOD SP PATH SP VERSION */
static int take_request_line(struct slice line, struct http1_head *ret)
{
    const char *end = line.data + line.len;
    const char *first = memchr(line.data, ' ', line.len);
    const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return 400;
    struct slice target = {first + 1, (size_t)(second - first - 1)};
    struct slice version = {second + 1, (size_t)(end - second - 1)};
    ret->method = (struct slice){line.data, (size_t)(first - line.data)};
    if (!is_token(ret->method) || target.len == 0 || target.data[0] != '/' || !is_text(target))
        return 400;
    const char *mark = memchr(target.data, '?', target.len);
    ret->path = (struct slice){target.data, mark ? (size_t)(mark - target.data) : target.len};
    if (mark)
        ret->query = (struct slice){mark + 1, target.len - ret->path.len - 1};
    if (version.len != 8 || memcmp(version.data, "HTTP/1.", 7) != 0)
        return 505;
    if (version.data[7] != '0' && version.data[7] != '1')
        return 505;
    ret->old = version.data[7] == '0';
    ret->keep_alive = !ret->old;
    return 0;
}

static int take_header_line(struct slice line, struct http1_head *ret)
{
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon)
        return 400;
    struct slice name = {line.data, (size_t)(colon - line.data)};
    struct slice value = {colon + 1, line.len - name.len - 1};
    while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.len--;
    }
    while (value.len > 0 && (value.data[value.len - 1] == ' ' || value.data[value.len - 1] == '\t'))
        value.len--;
    return is_token(name) && is_text(value) ? take_header(name, value, ret) : 400;
}

/* The next line without its CR LF; false: it is not all there. */
static bool next_line(const char **at, const char *end, struct slice *ret, bool *ret_bare)
{
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));
    if (!lf)
        return false;
    *ret_bare = lf == *at || lf[-1] != '\r';
    *ret = (struct slice){*at, (size_t)(lf - *at) - !*ret_bare};
    *at = lf + 1;
    return true;
}

ssize_t http1_parse(const char *data, size_t len, struct http1_head *ret)
{
    const char *at = data, *end = data + (len < HTTP1_HEAD_MAX ? len : HTTP1_HEAD_MAX);
    *ret = (struct http1_head){.infer_length = -1};
    struct slice line;
    bool bare;
    for (int n = 0; next_line(&at, end, &line, &bare); n++) {
        if (bare)
            return -400;
        if (n > 0 && line.len == 0)
            return ret->chunked && (ret->has_length || ret->old) ? -400 : (ssize_t)(at - data);
        if (n > HTTP1_HEADERS_MAX)
            return -431;
        int status = n == 0 ? take_request_line(line, ret) : take_header_line(line, ret);
        if (status > 0)
            return -status;
    }
    return len >= HTTP1_HEAD_MAX ? -431 : 0;
}
