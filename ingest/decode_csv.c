#include "ingest/decode_csv.h"

#include <inttypes.h>
#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "ingest/decode_json.h"

enum { BLOCK = 64, COLUMNS_MAX = 16384 };

struct csv_reader {
    size_t n_columns;    /* of the header */
    size_t n;            /* that are read */
    uint32_t *columns;   /* of each name */
    struct slice *cells; /* n_columns, of the row at hand */
    struct buf text;     /* what quoted cells say */
    char reason[120];
};

/* Which of 64 bytes are a comma, a quote, or not ASCII; bit i is byte i. */
struct masks {
    uint64_t commas, quotes, wide;
};

#ifdef __SSE2__
static struct masks masks_of(const char *at)
{
    struct masks ret = {0};
    for (int i = 0; i < BLOCK; i += 16) {
        __m128i bytes = _mm_loadu_si128((const void *)(at + i));
        __m128i commas = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(','));
        __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        ret.commas |= (uint64_t)_mm_movemask_epi8(commas) << i;
        ret.quotes |= (uint64_t)_mm_movemask_epi8(quotes) << i;
        ret.wide |= (uint64_t)_mm_movemask_epi8(bytes) << i;
    }
    return ret;
}
#else
static struct masks masks_of(const char *at)
{
    struct masks ret = {0};
    for (int i = 0; i < BLOCK; i++) {
        ret.commas |= (uint64_t)(at[i] == ',') << i;
        ret.quotes |= (uint64_t)(at[i] == '"') << i;
        ret.wide |= (uint64_t)((unsigned char)at[i] >> 7) << i;
    }
    return ret;
}
#endif

/* The masks of up to 64 bytes, without reading past them. */
static struct masks masks_at(const char *at, size_t left)
{
    if (left >= BLOCK)
        return masks_of(at);
    char block[BLOCK] = {0};
    memcpy(block, at, left);
    return masks_of(block);
}

/* Past the closing quote of the cell that opens at `at`; NULL if it is not closed. */
static const char *quoted_end(const char *at, const char *end)
{
    for (at++; (at = memchr(at, '"', (size_t)(end - at))); at += 2) {
        if (at + 1 == end || at[1] != '"')
            return at + 1;
    }
    return NULL;
}

static bool is_line_end(const char *at, const char *end)
{
    return *at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n');
}

/* Where the row that starts at text ends: at its line end, or at `end` if it is whole so far. NULL
 * if its quotes are not closed or something stands between a closing quote and the comma.
 * *ret_open: more bytes could change the answer. */
static const char *quoted_row_end(const char *text, const char *end, bool *ret_open)
{
    *ret_open = true;
    for (const char *at = text; at < end; at++) {
        if (*at == '"') {
            at = quoted_end(at, end);
            if (!at || at == end)
                return at;
            if (*at != ',' && !is_line_end(at, end)) {
                *ret_open = *at == '\r' && at + 1 == end;
                return NULL;
            }
        }
        while (at < end && *at != ',' && *at != '\n')
            at++;
        if (at < end && *at == '\n') {
            *ret_open = false;
            return at;
        }
    }
    return end;
}

size_t csv_row_length(const char *text, size_t len, bool last, size_t *ret_cut)
{
    const char *end = text + len, *at = memchr(text, '\n', len);
    if (memchr(text, '"', at ? (size_t)(at - text) : len)) {
        bool open;
        const char *row_end = quoted_row_end(text, end, &open);
        if (open && !last)
            return 0;
        at = row_end ? row_end : at;
    }
    if (!at && !last)
        return 0;
    bool has_line_end = at && at < end;
    *ret_cut = has_line_end ? 1 + (at > text && at[-1] == '\r') : 0;
    return has_line_end ? (size_t)(at - text) + 1 : len;
}

/* Cells of a row without quotes; how many there are. *ret_quoted: it is not such a row, and
 * *ret_wide: not all of it is ASCII. */
static size_t split_bare(struct csv_reader *reader, struct slice row, bool *ret_quoted,
                         bool *ret_wide)
{
    size_t n = 0, start = 0;
    uint64_t wide = 0;
    *ret_quoted = false;
    for (size_t base = 0; base < row.len; base += BLOCK) {
        struct masks masks = masks_at(row.data + base, row.len - base);
        wide |= masks.wide;
        *ret_quoted |= masks.quotes != 0;
        for (uint64_t bits = masks.commas; bits; bits &= bits - 1) {
            size_t comma = base + (size_t)__builtin_ctzll(bits);
            if (n < reader->n_columns)
                reader->cells[n] = (struct slice){row.data + start, comma - start};
            start = comma + 1;
            n++;
        }
    }
    if (n < reader->n_columns)
        reader->cells[n] = (struct slice){row.data + start, row.len - start};
    *ret_wide = wide != 0;
    return n + 1;
}

/* What a quoted cell says, without its quotes. The buffer has room for the whole row. */
static struct slice unquote(struct buf *text, const char *at, const char *end)
{
    char *start = text->data + text->len, *to = start;
    for (at++; at < end - 1; at++) {
        *to++ = *at;
        at += *at == '"';
    }
    text->len += (size_t)(to - start);
    return (struct slice){start, (size_t)(to - start)};
}

/* Cells of any row. Returns 0 if its quoting is broken. */
static size_t split_quoted(struct csv_reader *reader, struct slice row)
{
    buf_reset(&reader->text);
    buf_reserve(&reader->text, row.len + 1);
    const char *at = row.data, *end = row.data + row.len;
    for (size_t n = 0;; n++, at++) {
        const char *start = at;
        bool quoted = at < end && *at == '"';
        if (quoted)
            at = quoted_end(at, end);
        else if (at < end)
            at = memchr(at, ',', (size_t)(end - at));
        if (!at && quoted)
            return 0;
        at = at ? at : end;
        if (at < end && *at != ',')
            return 0;
        if (n < reader->n_columns)
            reader->cells[n] = quoted ? unquote(&reader->text, start, at)
                                      : (struct slice){start, (size_t)(at - start)};
        if (at == end)
            return n + 1;
    }
}

static size_t split(struct csv_reader *reader, struct slice row, bool *ret_wide)
{
    bool quoted;
    size_t n = split_bare(reader, row, &quoted, ret_wide);
    return quoted ? split_quoted(reader, row) : n;
}

const char *csv_reader_read(struct csv_reader *reader, struct slice row, struct scalar *ret)
{
    bool wide;
    size_t n = split(reader, row, &wide);
    if (n == 0)
        return "a quote is not closed, or text follows a closing quote";
    if (wide && !json_is_utf8(row.data, row.len))
        return "not UTF-8";
    if (n != reader->n_columns) {
        snprintf(reader->reason, sizeof reader->reason, "column count %zu, header has %zu", n,
                 reader->n_columns);
        return reader->reason;
    }
    for (size_t i = 0; i < reader->n; i++) {
        struct slice cell = reader->cells[reader->columns[i]];
        ret[i] = (struct scalar){cell.data, cell.len, cell.len ? SCALAR_TEXT : SCALAR_NONE};
    }
    return NULL;
}

static struct slice without_mark(struct slice header)
{
    if (header.len < 3 || memcmp(header.data, "\xef\xbb\xbf", 3) != 0)
        return header;
    return (struct slice){header.data + 3, header.len - 3};
}

/* The columns' names as C texts, for conf_nearest(): NULL-terminated, in one block. */
static const char **column_names(const struct csv_reader *reader)
{
    size_t bytes = 0;
    for (size_t i = 0; i < reader->n_columns; i++)
        bytes += reader->cells[i].len + 1;
    const char **names = malloc((reader->n_columns + 1) * sizeof *names + bytes);
    if (!names)
        return NULL;
    char *text = (char *)(names + reader->n_columns + 1);
    for (size_t i = 0; i < reader->n_columns; i++) {
        names[i] = text;
        memcpy(text, reader->cells[i].data, reader->cells[i].len);
        text += reader->cells[i].len;
        *text++ = '\0';
    }
    names[reader->n_columns] = NULL;
    return names;
}

static void find_column(struct csv_reader *reader, const char *name, const char **names,
                        const char *file, struct conf_errors *errors, uint32_t *ret)
{
    size_t found = 0;
    for (size_t i = 0; i < reader->n_columns; i++)
        if (strcmp(names[i], name) == 0 && found++ == 0)
            *ret = (uint32_t)i;
    if (found > 1)
        conf_complain(errors, NULL, "%s: the header names the column %s %zu times", file, name,
                      found);
    if (found > 0)
        return;
    const char *nearest = conf_nearest(name, names);
    if (nearest)
        conf_complain(errors, NULL, "%s: there is no column %s; the nearest is %s", file, name,
                      nearest);
    else
        conf_complain(errors, NULL, "%s: there is no column %s", file, name);
}

static enum status bind(struct csv_reader *reader, const char *const *names, const char *file,
                        struct conf_errors *errors)
{
    const char **present = column_names(reader);
    if (!present)
        return ST_ENOMEM;
    size_t before = errors->n;
    for (size_t i = 0; i < reader->n; i++)
        find_column(reader, names[i], present, file, errors, &reader->columns[i]);
    free(present);
    return errors->n == before ? ST_OK : ST_EINVAL;
}

/* Counts the columns first, since their number sizes the cells. */
static enum status read_header(struct csv_reader *reader, struct slice header)
{
    bool wide;
    size_t n = split(reader, header, &wide);
    if (n == 0 || n > COLUMNS_MAX)
        return ST_EINVAL;
    reader->cells = calloc(n, sizeof *reader->cells);
    if (!reader->cells)
        return ST_ENOMEM;
    reader->n_columns = n;
    split(reader, header, &wide);
    return ST_OK;
}

enum status csv_reader_create(struct slice header, const char *const *names, size_t n,
                              const char *file, struct conf_errors *errors, struct csv_reader **ret)
{
    enum status st = ST_ENOMEM;
    struct csv_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return ST_ENOMEM;
    reader->n = n;
    reader->columns = calloc(n ? n : 1, sizeof *reader->columns);
    if (!reader->columns)
        goto fail;
    st = read_header(reader, without_mark(header));
    if (st == ST_EINVAL)
        conf_complain(errors, NULL, "%s: its first row is no header of CSV columns", file);
    if (st == ST_OK)
        st = bind(reader, names, file, errors);
    if (st < 0)
        goto fail;
    *ret = reader;
    return ST_OK;
fail:
    csv_reader_free(reader);
    return st;
}

void csv_reader_free(struct csv_reader *reader)
{
    if (!reader)
        return;
    buf_done(&reader->text);
    free(reader->cells);
    free(reader->columns);
    free(reader);
}
