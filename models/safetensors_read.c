/*
 * Reading safetensors: a strict parser for the one shape of JSON that their headers have, and the
 * checks that make a file of any bytes harmless.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/safetensors_format.h"

/* The header as it is parsed. A failure sticks: everything after it reads nothing. */
struct json {
    const char *at;
    const char *end;
    bool bad;
};

static char json_peek(struct json *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r'))
        in->at++;
    return !in->bad && in->at < in->end ? *in->at : 0;
}

static bool json_skip(struct json *in, char c)
{
    if (json_peek(in) != c)
        return false;
    in->at++;
    return true;
}

static void json_expect(struct json *in, char c)
{
    if (!json_skip(in, c))
        in->bad = true;
}

/* Between items: true if another one follows. */
static bool json_more(struct json *in, char close)
{
    if (json_skip(in, ','))
        return true;
    json_expect(in, close);
    return false;
}

static unsigned json_hex4(struct json *in)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        char c = in->at < in->end ? *in->at++ : 0;
        if (c >= '0' && c <= '9')
            code = code * 16 + (unsigned)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            code = code * 16 + (unsigned)((c | 32) - 'a' + 10);
        else
            in->bad = true;
    }
    return code;
}

static void put_utf8(struct buf *text, unsigned code)
{
    if (code < 0x80) {
        buf_byte(text, (uint8_t)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    buf_byte(text, (uint8_t)((0xff00 >> (more + 1)) | (code >> (6 * more))));
    while (more-- > 0)
        buf_byte(text, (uint8_t)(0x80 | ((code >> (6 * more)) & 0x3f)));
}

/* \uXXXX, and the pair of them that stands for one code point beyond the first 65536. */
static void json_code_point(struct json *in, struct buf *text)
{
    unsigned code = json_hex4(in);
    if (code >= 0xd800 && code < 0xdc00) {
        bool pair = in->end - in->at >= 6 && in->at[0] == '\\' && in->at[1] == 'u';
        in->at += pair ? 2 : 0;
        unsigned low = pair ? json_hex4(in) : 0;
        in->bad |= low < 0xdc00 || low > 0xdfff;
        code = 0x10000 + ((code - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    } else if (code == 0 || (code >= 0xdc00 && code < 0xe000)) {
        in->bad = true; /* our texts end at NUL; half a pair is no code point */
    }
    if (!in->bad)
        put_utf8(text, code);
}

static void json_escape(struct json *in, struct buf *text)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = in->at < in->end ? *in->at++ : 0;
    const char *found = c ? strchr(names, c) : NULL;
    if (found)
        buf_byte(text, (uint8_t)values[found - names]);
    else if (c == 'u')
        json_code_point(in, text);
    else
        in->bad = true;
}

/* Into text, with a NUL behind it. */
static void json_text(struct json *in, struct buf *text)
{
    buf_reset(text);
    json_expect(in, '"');
    while (!in->bad && in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if (c == '\\')
            json_escape(in, text);
        else if ((unsigned char)c < 0x20)
            in->bad = true;
        else
            buf_byte(text, (uint8_t)c);
    }
    if (in->at >= in->end)
        in->bad = true;
    else
        in->at++;
    buf_byte(text, 0);
}

static size_t json_size(struct json *in)
{
    size_t value = 0;
    char c = json_peek(in);
    if (c < '0' || c > '9')
        in->bad = true;
    while (!in->bad && in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        size_t digit = (size_t)(*in->at++ - '0');
        if (value > (SIZE_MAX - digit) / 10)
            in->bad = true;
        else
            value = value * 10 + digit;
    }
    return value;
}

/* Numbers between brackets, at most max of them. Returns how many. */
static size_t json_sizes(struct json *in, size_t *ret, size_t max)
{
    size_t n = 0;
    json_expect(in, '[');
    if (json_skip(in, ']'))
        return 0;
    do {
        size_t value = json_size(in);
        if (n < max)
            ret[n] = value;
        else
            in->bad = true;
        n++;
    } while (json_more(in, ']') && !in->bad);
    return n;
}

/* What the header says of one tensor. */
struct entry {
    size_t type, n_dims, shape[TENSOR_DIMS_MAX], offsets[2];
    unsigned seen;
};

static size_t type_of(const char *name)
{
    size_t type = 0;
    while (type < tensor_types_n && strcmp(tensor_types[type].name, name) != 0)
        type++;
    return type;
}

static void parse_field(struct json *in, struct buf *text, struct entry *entry)
{
    json_text(in, text);
    json_expect(in, ':');
    unsigned field = 0;
    if (strcmp(text->data, "dtype") == 0) {
        field = 1;
        json_text(in, text);
        entry->type = type_of(text->data);
    } else if (strcmp(text->data, "shape") == 0) {
        field = 2;
        entry->n_dims = json_sizes(in, entry->shape, TENSOR_DIMS_MAX);
    } else if (strcmp(text->data, "data_offsets") == 0) {
        field = 4;
        in->bad |= json_sizes(in, entry->offsets, 2) != 2;
    }
    in->bad |= field == 0 || (entry->seen & field) != 0;
    entry->seen |= field;
}

/* Elements, or SIZE_MAX if their bytes would not fit a size_t. */
static size_t count(const struct entry *entry)
{
    size_t n = 1;
    for (size_t i = 0; i < entry->n_dims; i++)
        if (__builtin_mul_overflow(n, entry->shape[i], &n))
            return SIZE_MAX;
    return n > SIZE_MAX / 8 ? SIZE_MAX : n;
}

/* A file being read. */
struct parse {
    struct json in;
    struct slice data;
    struct buf name, text;
    struct buf offsets; /* first and last of each tensor */
    size_t used;        /* bytes of data that tensors lay claim to: no more than there are */
    struct tensors *tensors;
};

static bool is_sound(const struct entry *entry, size_t data_len)
{
    size_t n = entry->seen == 7 && entry->type < tensor_types_n ? count(entry) : SIZE_MAX;
    return n != SIZE_MAX && entry->offsets[0] <= entry->offsets[1] &&
           entry->offsets[1] <= data_len &&
           entry->offsets[1] - entry->offsets[0] == n * tensor_types[entry->type].size;
}

static void parse_tensor(struct parse *parse)
{
    struct json *in = &parse->in;
    struct entry entry = {0};
    json_expect(in, '{');
    do
        parse_field(in, &parse->text, &entry);
    while (json_more(in, '}') && !in->bad);
    in->bad |= !is_sound(&entry, parse->data.len) ||
               tensors_count(parse->tensors) == SAFETENSORS_COUNT_MAX ||
               tensors_get(parse->tensors, parse->name.data);
    parse->used += entry.offsets[1] - entry.offsets[0];
    in->bad |= parse->used > parse->data.len;
    if (in->bad)
        return;
    buf_append(&parse->offsets, entry.offsets, sizeof entry.offsets);
    tensors_put(parse->tensors, parse->name.data, (enum tensor_type)entry.type, entry.shape,
                entry.n_dims, parse->data.data + entry.offsets[0]);
}

static void parse_texts(struct parse *parse)
{
    struct json *in = &parse->in;
    struct buf key = {0};
    json_expect(in, '{');
    if (json_skip(in, '}'))
        return;
    do {
        json_text(in, &key);
        json_expect(in, ':');
        json_text(in, &parse->text);
        in->bad |= tensors_text(parse->tensors, key.data) != NULL;
        if (!in->bad)
            tensors_put_text(parse->tensors, key.data, parse->text.data);
    } while (json_more(in, '}') && !in->bad);
    buf_done(&key);
}

static void parse_header(struct parse *parse)
{
    struct json *in = &parse->in;
    bool texts = false;
    json_expect(in, '{');
    if (!json_skip(in, '}')) {
        do {
            json_text(in, &parse->name);
            json_expect(in, ':');
            if (strcmp(parse->name.data, SAFETENSORS_TEXTS) != 0) {
                parse_tensor(parse);
                continue;
            }
            in->bad |= texts;
            texts = true;
            parse_texts(parse);
        } while (json_more(in, '}') && !in->bad);
    }
    in->bad |= json_peek(in) != 0 || in->at != in->end;
}

static int by_offset(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    int first = (x[0] > y[0]) - (x[0] < y[0]);
    return first ? first : (x[1] > y[1]) - (x[1] < y[1]);
}

/* The data must be covered once: no overlap, no hole, nothing behind the end. */
static bool covers(struct buf *offsets, size_t data_len)
{
    size_t(*pairs)[2] = (size_t(*)[2])(void *)offsets->data;
    size_t n = offsets->len / sizeof *pairs, at = 0;
    if (n > 0)
        qsort(pairs, n, sizeof *pairs, by_offset);
    for (size_t i = 0; i < n; i++) {
        if (pairs[i][0] != at)
            return false;
        at = pairs[i][1];
    }
    return at == data_len;
}

/* Files of other writers, and our oldest, tell no sum. */
static bool is_as_summed(const struct tensors *tensors)
{
    const char *text = tensors_text(tensors, SAFETENSORS_SUM);
    return !text || strcmp(text, tensors_sum(tensors).text) == 0;
}

enum status tensors_parse(struct slice bytes, struct tensors **ret)
{
    uint64_t header;
    if (bytes.len < sizeof header)
        return ST_ECORRUPT;
    memcpy(&header, bytes.data, sizeof header);
    if (header > SAFETENSORS_HEADER_MAX || header > bytes.len - sizeof header)
        return ST_ECORRUPT;
    const char *json = bytes.data + sizeof header, *data = json + header;
    struct parse parse = {.in = {json, data, false},
                          .data = {data, bytes.len - sizeof header - header},
                          .tensors = tensors_create()};
    parse_header(&parse);
    bool ok =
        !parse.in.bad && covers(&parse.offsets, parse.data.len) && is_as_summed(parse.tensors);
    buf_done(&parse.name);
    buf_done(&parse.text);
    buf_done(&parse.offsets);
    if (!ok) {
        tensors_free(parse.tensors);
        return ST_ECORRUPT;
    }
    *ret = parse.tensors;
    return ST_OK;
}

static enum status read_all(FILE *file, struct buf *ret)
{
    for (;;) {
        size_t n = fread(buf_reserve(ret, 1 << 16), 1, 1 << 16, file);
        ret->len += n;
        if (n == 0)
            return ferror(file) ? ST_EIO : ST_OK;
    }
}

enum status tensors_read(const char *path, struct tensors **ret)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return errno == ENOENT ? ST_ENOTFOUND : ST_EIO;
    struct buf bytes = {0};
    enum status st = read_all(file, &bytes);
    fclose(file);
    if (st == ST_OK)
        st = tensors_parse(buf_slice(&bytes), ret);
    buf_done(&bytes);
    return st;
}
