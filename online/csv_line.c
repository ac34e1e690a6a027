#include "online/csv_line.h"

#include <string.h>
#include <strings.h>

bool csv_take_cell(struct slice *line, bool *more, struct slice *ret)
{
    if (!*more)
        return false;
    const char *end = line->data + line->len, *at = line->data;
    if (line->len > 0 && *at == '"') {
        for (at++; at < end && (*at != '"' || (at + 1 < end && at[1] == '"')); at++)
            at += *at == '"';
        if (at == end || (at + 1 < end && at[1] != ','))
            return false;
        *ret = (struct slice){line->data + 1, (size_t)(at - line->data) - 1};
        at++;
    } else {
        while (at < end && *at != ',')
            at++;
        *ret = (struct slice){line->data, (size_t)(at - line->data)};
    }
    *more = at < end;
    line->len = *more ? (size_t)(end - at) - 1 : 0;
    line->data = *more ? at + 1 : at;
    return true;
}

struct slice csv_trim(struct slice text)
{
    while (text.len > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool csv_is_missing(struct slice cell)
{
    static const char *const words[] = {"NA", "NaN", "null"};
    if (cell.len == 0)
        return true;
    for (size_t i = 0; i < 3; i++)
        if (cell.len == strlen(words[i]) && strncasecmp(cell.data, words[i], cell.len) == 0)
            return true;
    return false;
}

struct slice csv_take_line(struct slice *text)
{
    const char *end = memchr(text->data, '\n', text->len);
    struct slice line = {text->data, end ? (size_t)(end - text->data) : text->len};
    size_t taken = line.len + (end != NULL);
    text->data += taken;
    text->len -= taken;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}
