#include "models/ubjson.h"

enum { DEPTH_MAX = 32 };

struct in {
    struct reader reader;
    struct arena *arena;
    unsigned depth;
};

static bool read_value(struct in *in, char marker, struct ubjson *ret);

/* Numbers are big-endian. */
static uint64_t read_bits(struct reader *in, size_t size)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | read_byte(in);
    return bits;
}

static size_t size_of(char marker)
{
    switch (marker) {
    case 'i':
    case 'U':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static double number_of(char marker, uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float single;
    double twice;
    switch (marker) {
    case 'i':
        return (int8_t)bits;
    case 'I':
        return (int16_t)bits;
    case 'l':
        return (int32_t)bits;
    case 'L':
        return (double)(int64_t)bits;
    case 'd':
        memcpy(&single, &half, sizeof single);
        return (double)single;
    case 'D':
        memcpy(&twice, &bits, sizeof twice);
        return twice;
    default:
        return (double)bits; /* U */
    }
}

static bool is_whole(char marker)
{
    return size_of(marker) > 0 && marker != 'd' && marker != 'D';
}

/* A length: an integer, its type first. */
static bool read_length(struct in *in, size_t *ret)
{
    char marker = (char)read_byte(&in->reader);
    if (!is_whole(marker))
        return false;
    double length = number_of(marker, read_bits(&in->reader, size_of(marker)));
    if (in->reader.bad || length < 0 || length > (double)(SIZE_MAX / 2))
        return false;
    *ret = (size_t)length;
    return true;
}

static bool read_text(struct in *in, struct slice *ret)
{
    size_t len;
    if (!read_length(in, &len) || len > reader_left(&in->reader))
        return false;
    *ret = (struct slice){read_bytes(&in->reader, len), len};
    return true;
}

static bool peek(const struct in *in, char marker)
{
    return reader_left(&in->reader) > 0 && *in->reader.at == marker;
}

static bool skip(struct in *in, char marker)
{
    bool is = peek(in, marker);
    if (is)
        read_byte(&in->reader);
    return is;
}

static bool read_numbers(struct in *in, struct ubjson *ret)
{
    ret->type = UBJSON_NUMBERS;
    ret->element = (char)read_byte(&in->reader);
    size_t size = size_of(ret->element);
    if (size == 0 || !skip(in, '#') || !read_length(in, &ret->n) ||
        ret->n > reader_left(&in->reader) / size)
        return false;
    ret->text = (struct slice){read_bytes(&in->reader, ret->n * size), ret->n * size};
    return true;
}

/* One value of an array or an object, added behind *last. */
static bool read_child(struct in *in, bool named, struct ubjson *parent, struct ubjson **last)
{
    struct ubjson *child = arena_take(in->arena, sizeof *child);
    *child = (struct ubjson){0};
    if (named && !read_text(in, &child->name))
        return false;
    if (reader_left(&in->reader) == 0 || !read_value(in, (char)read_byte(&in->reader), child))
        return false;
    *(*last ? &(*last)->next : &parent->first) = child;
    *last = child;
    return true;
}

static bool read_children(struct in *in, char end, struct ubjson *ret)
{
    struct ubjson *last = NULL;
    bool counted = skip(in, '#'), named = end == '}';
    size_t n = SIZE_MAX;
    if (counted && !read_length(in, &n))
        return false;
    while (ret->n < n && (counted || !peek(in, end))) {
        if (!read_child(in, named, ret, &last))
            return false;
        ret->n++;
    }
    return counted || skip(in, end);
}

static bool read_nested(struct in *in, char marker, struct ubjson *ret)
{
    if (++in->depth > DEPTH_MAX)
        return false;
    bool read;
    ret->type = marker == '{' ? UBJSON_OBJECT : UBJSON_ARRAY;
    if (marker == '[' && skip(in, '$'))
        read = read_numbers(in, ret);
    else
        read = read_children(in, marker == '{' ? '}' : ']', ret);
    in->depth--;
    return read;
}

static bool read_value(struct in *in, char marker, struct ubjson *ret)
{
    size_t size = size_of(marker);
    if (size > 0) {
        ret->type = UBJSON_NUMBER;
        ret->number = number_of(marker, read_bits(&in->reader, size));
        return !in->reader.bad;
    }
    switch (marker) {
    case 'Z':
        ret->type = UBJSON_NULL;
        return true;
    case 'T':
        ret->type = UBJSON_TRUE;
        return true;
    case 'F':
        ret->type = UBJSON_FALSE;
        return true;
    case 'S':
        ret->type = UBJSON_TEXT;
        return read_text(in, &ret->text);
    case '[':
    case '{':
        return read_nested(in, marker, ret);
    default:
        return false;
    }
}

enum status ubjson_read(struct slice bytes, struct arena *arena, const struct ubjson **ret)
{
    struct in in = {.reader = reader_of(bytes), .arena = arena};
    struct ubjson *root = arena_take(arena, sizeof *root);
    *root = (struct ubjson){0};
    if (bytes.len == 0 || !read_value(&in, (char)read_byte(&in.reader), root) ||
        !reader_done(&in.reader))
        return ST_ECORRUPT;
    *ret = root;
    return ST_OK;
}

const struct ubjson *ubjson_get(const struct ubjson *object, const char *name)
{
    if (!object || object->type != UBJSON_OBJECT)
        return NULL;
    const struct ubjson *child = object->first;
    while (child && !slice_eq(child->name, slice_of(name)))
        child = child->next;
    return child;
}

double ubjson_number(const struct ubjson *numbers, size_t i)
{
    size_t size = size_of(numbers->element);
    struct reader in = reader_of((struct slice){numbers->text.data + i * size, size});
    return number_of(numbers->element, read_bits(&in, size));
}
