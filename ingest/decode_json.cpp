#include "ingest/decode_json.h"

#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace
{

using namespace simdjson;

constexpr size_t NO_LEAF = SIZE_MAX;
constexpr size_t CAP_MIN = 4096;

/* A key that some path goes through. */
struct node {
    std::string_view name;
    size_t leaf = NO_LEAF;
    std::vector<node> children;
    mutable uint64_t seen = 0; /* number of the record that had it last */
};

node &child_of(node &parent, std::string_view name)
{
    for (node &child : parent.children)
        if (child.name == name)
            return child;
    parent.children.push_back(node{name, NO_LEAF, {}, 0});
    return parent.children.back();
}

void add_path(node &root, std::string_view path, size_t leaf)
{
    node *at = &root;
    for (size_t dot; (dot = path.find('.')) != path.npos; path.remove_prefix(dot + 1))
        at = &child_of(*at, path.substr(0, dot));
    child_of(*at, path).leaf = leaf;
}

/* Keys mostly come in one order: the one behind the last found is looked at first. */
const node *find_child(const node &parent, std::string_view key, size_t &hint)
{
    size_t n = parent.children.size();
    for (size_t tried = 0; tried < n; tried++) {
        if (hint >= n)
            hint = 0;
        const node &child = parent.children[hint++];
        if (child.name.size() == key.size() &&
            std::memcmp(child.name.data(), key.data(), key.size()) == 0)
            return &child;
    }
    return nullptr;
}

/* RFC 8259, section 6. */
bool is_number(std::string_view text)
{
    const char *at = text.data(), *end = at + text.size();
    auto digits = [&] {
        const char *from = at;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        return at > from;
    };
    at += at < end && *at == '-';
    if (at < end && *at == '0')
        at++;
    else if (!digits())
        return false;
    if (at < end && *at == '.' && (at++, !digits()))
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if (!digits())
            return false;
    }
    return at == end;
}

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A raw token ends where the next one begins, not where its own text does. */
std::string_view trimmed(std::string_view token)
{
    while (!token.empty() && is_blank(token.back()))
        token.remove_suffix(1);
    return token;
}

} // namespace

struct json_reader {
    ondemand::parser parser;
    node root;
    size_t n = 0;
    uint64_t record = 0;
    char *padded = nullptr;
    size_t cap = 0;
    char reason[200];

    ~json_reader()
    {
        delete[] padded;
    }
};

namespace
{

const char *complain(json_reader &reader, const char *format, std::string_view name)
{
    int len = name.size() < 60 ? static_cast<int>(name.size()) : 60;
    std::snprintf(reader.reason, sizeof reader.reason, format, len, name.data());
    return reader.reason;
}

const char *not_json(json_reader &reader, error_code error)
{
    return complain(reader, "not valid JSON: %.*s", error_message(error));
}

void put(scalar &ret, scalar_kind kind, std::string_view text)
{
    ret = scalar{text.data(), text.size(), text.empty() ? SCALAR_NONE : kind};
}

/* Numbers, true, false and null: checked here because the parser only looks at what it converts. */
const char *read_bare(json_reader &reader, std::string_view name, std::string_view text,
                      scalar &ret)
{
    if (text == "null")
        ret.kind = SCALAR_NONE;
    else if (text == "true" || text == "false")
        put(ret, SCALAR_BOOL, text);
    else if (is_number(text))
        put(ret, SCALAR_NUMBER, text);
    else
        return complain(reader, "not valid JSON: the value of %.*s is no JSON value", name);
    return nullptr;
}

const char *read_value(json_reader &reader, std::string_view name, ondemand::value value,
                       scalar &ret)
{
    std::string_view token = value.raw_json_token();
    switch (token.empty() ? '\0' : token[0]) {
    case '"': {
        std::string_view text;
        if (error_code error = value.get_string().get(text))
            return not_json(reader, error);
        put(ret, SCALAR_TEXT, text);
        return nullptr;
    }
    case '{':
    case '[':
        ret.kind = SCALAR_NESTED;
        return nullptr;
    default:
        return read_bare(reader, name, trimmed(token), ret);
    }
}

/* The key's text without a copy where it has no escapes; the parser has seen its closing quote. */
error_code key_of(ondemand::field &field, std::string_view &ret)
{
    const char *start = field.key().raw(), *at = start;
    while (*at != '"' && *at != '\\')
        at++;
    if (*at == '\\')
        return field.unescaped_key().get(ret);
    ret = std::string_view(start, static_cast<size_t>(at - start));
    return SUCCESS;
}

const char *read_object(json_reader &reader, ondemand::object object, const node &parent,
                        scalar *ret);

const char *read_child(json_reader &reader, const node &child, ondemand::value value, scalar *ret)
{
    std::string_view token = value.raw_json_token();
    if (!child.children.empty() && !token.empty() && token[0] == '{') {
        ondemand::object object;
        if (error_code error = value.get_object().get(object))
            return not_json(reader, error);
        return read_object(reader, object, child, ret);
    }
    return child.leaf == NO_LEAF ? nullptr : read_value(reader, child.name, value, ret[child.leaf]);
}

const char *read_object(json_reader &reader, ondemand::object object, const node &parent,
                        scalar *ret)
{
    size_t hint = 0;
    for (auto result : object) {
        ondemand::field field;
        std::string_view key;
        if (error_code error = std::move(result).get(field))
            return not_json(reader, error);
        if (error_code error = key_of(field, key))
            return not_json(reader, error);
        const node *child = find_child(parent, key, hint);
        if (!child)
            continue;
        if (child->seen == reader.record)
            return complain(reader, "the key %.*s occurs twice", child->name);
        child->seen = reader.record;
        if (const char *reason = read_child(reader, *child, field.value(), ret))
            return reason;
    }
    return nullptr;
}

/* The parser reads up to SIMDJSON_PADDING bytes past the end, which no source can promise. */
padded_string_view copy_padded(json_reader &reader, const char *payload, size_t len)
{
    if (reader.cap < len + SIMDJSON_PADDING) {
        size_t cap = reader.cap ? reader.cap : CAP_MIN;
        while (cap < len + SIMDJSON_PADDING)
            cap *= 2;
        delete[] reader.padded;
        reader.padded = new char[cap];
        reader.cap = cap;
    }
    std::memcpy(reader.padded, payload, len);
    std::memset(reader.padded + len, 0, SIMDJSON_PADDING);
    return padded_string_view(reader.padded, len, reader.cap);
}

const char *read_document(json_reader &reader, padded_string_view text, scalar *ret)
{
    ondemand::document document;
    ondemand::object object;
    if (error_code error = reader.parser.iterate(text).get(document))
        return error == EMPTY ? "empty" : not_json(reader, error);
    if (error_code error = document.get_object().get(object))
        return error == INCORRECT_TYPE ? "not a JSON object" : not_json(reader, error);
    if (const char *reason = read_object(reader, object, reader.root, ret))
        return reason;
    const char *rest;
    if (document.current_location().get(rest) == SUCCESS)
        return "not valid JSON: something follows the object";
    return nullptr;
}

} // namespace

extern "C" json_reader *json_reader_create(const char *const *paths, size_t n)
{
    try {
        json_reader *reader = new json_reader;
        reader->n = n;
        for (size_t i = 0; i < n; i++)
            add_path(reader->root, paths[i], i);
        return reader;
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

extern "C" void json_reader_free(json_reader *reader)
{
    delete reader;
}

extern "C" const char *json_reader_read(json_reader *reader, const char *payload, size_t len,
                                        scalar *ret)
{
    for (size_t i = 0; i < reader->n; i++)
        ret[i] = scalar{nullptr, 0, SCALAR_NONE};
    if (len == 0)
        return "empty";
    reader->record++;
    try {
        return read_document(*reader, copy_padded(*reader, payload, len), ret);
    } catch (const std::bad_alloc &) {
        return "too large for the memory there is";
    }
}

extern "C" bool json_is_utf8(const char *data, size_t len)
{
    return simdjson::validate_utf8(data, len);
}
