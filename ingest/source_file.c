#include "ingest/source_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "ingest/decode_csv.h"
#include "ingest/event.h"
#include "ingest/input.h"

enum { BUFFER_FIRST = 256 * 1024, RECORD_MAX = 1024 * 1024, WAIT_US = 100000 };

struct source_file {
    struct source source;
    const char *path;
    bool is_csv;
    uint16_t stream;
    struct input *input;
    char *data; /* bytes [at, end) are read and not yet handed out */
    size_t at, end, cap;
    size_t record_max;
    bool eof;
    bool skipping; /* the rest of a row that was too long, up to its line end */
    int64_t row;   /* offset of the next */
    struct buf header;
    char error[400];
};

static struct source_file *self(struct source *source)
{
    return (struct source_file *)source;
}

/* Where rows end. */

/* The first line of text, as csv_row_length(). */
static size_t line_length(const char *text, size_t len, bool last, size_t *ret_cut)
{
    const char *line = memchr(text, '\n', len);
    if (!line && !last)
        return 0;
    *ret_cut = line ? 1 + (line > text && line[-1] == '\r') : 0;
    return line ? (size_t)(line - text) + 1 : len;
}

static bool is_blank(struct slice row)
{
    size_t i = 0;
    while (i < row.len && (row.data[i] == ' ' || row.data[i] == '\t' || row.data[i] == '\r'))
        i++;
    return i == row.len;
}

/* Takes the next row out of the buffer; false if it is not all there. No more than record_max bytes
 * are looked at, so that what counts as too long does not depend on where the buffer ends. */
static bool take_row(struct source_file *file, struct slice *ret, bool *ret_cut)
{
    const char *text = file->data + file->at;
    size_t left = file->end - file->at, line_end = 0;
    size_t window = left < file->record_max ? left : file->record_max;
    bool last = file->eof || window == file->record_max;
    if (window == 0)
        return false;
    size_t len = file->is_csv ? csv_row_length(text, window, last, &line_end)
                              : line_length(text, window, last, &line_end);
    if (len == 0)
        return false;
    file->at += len;
    *ret = (struct slice){text, len - line_end};
    *ret_cut = line_end == 0 && len == file->record_max;
    file->skipping = *ret_cut;
    return true;
}

/* Passes over what belongs to a row that was handed out cut. */
static void skip(struct source_file *file)
{
    const char *text = file->data + file->at, *line = memchr(text, '\n', file->end - file->at);
    file->at = line ? (size_t)(line - file->data) + 1 : file->end;
    file->skipping = !line && !file->eof;
}

static bool next_row(struct source_file *file, struct slice *ret, bool *ret_cut)
{
    if (file->skipping)
        skip(file);
    while (!file->skipping && take_row(file, ret, ret_cut))
        if (!is_blank(*ret))
            return true;
    return false;
}

/* Filling the buffer. */

static enum status fail(struct source_file *file, enum status st, const char *what)
{
    snprintf(file->error, sizeof file->error, "%s: %s", file->path, what);
    return st;
}

/* Moves what is left to the front and makes room behind it. Rows handed out before are dead. */
static enum status make_room(struct source_file *file)
{
    size_t left = file->end - file->at;
    memmove(file->data, file->data + file->at, left);
    file->at = 0;
    file->end = left;
    if (left < file->cap / 2)
        return ST_OK;
    char *data = realloc(file->data, file->cap * 2);
    if (!data)
        return fail(file, ST_ENOMEM, "a row is too long for the memory there is");
    file->data = data;
    file->cap *= 2;
    return ST_OK;
}

static enum status refill(struct source_file *file)
{
    if (file->eof)
        return ST_EEND;
    TRY(make_room(file));
    size_t n;
    enum status st = input_read(file->input, file->data + file->end, file->cap - file->end, &n);
    if (st == ST_OK)
        file->end += n;
    if (st == ST_EEND)
        file->eof = true;
    if (st == ST_EIO)
        return fail(file, st, strerror(errno));
    if (st == ST_ECORRUPT)
        return fail(file, st, "broken zstd data");
    return st == ST_EEND ? ST_OK : st; /* what is left may now be a row */
}

/* The next row, filling the buffer for it only where it may: where no row is lent out. */
static enum status obtain_row(struct source_file *file, struct slice *ret, bool *ret_cut)
{
    while (!next_row(file, ret, ret_cut))
        TRY(refill(file));
    return ST_OK;
}

/* The source's functions. */

static size_t file_lanes(const struct source *source)
{
    (void)source;
    return 1;
}

static struct lane_info file_lane(const struct source *source, size_t lane)
{
    (void)lane;
    const struct source_file *file = (const struct source_file *)source;
    return (struct lane_info){.stream = file->stream,
                              .topic = file->path,
                              .format = file->is_csv ? "csv" : "json",
                              .header = buf_slice(&file->header),
                              .is_file = true};
}

static enum status file_fetch(struct source *source, size_t lane, struct record_in *ret, size_t max,
                              size_t *ret_n)
{
    (void)lane;
    struct source_file *file = self(source);
    struct record_in *record = ret;
    size_t n = 0;
    TRY(obtain_row(file, &record->payload, &record->cut));
    do {
        record->offset = file->row++;
        record->broker_time = TIME_NONE;
        record++;
        n++;
    } while (n < max && next_row(file, &record->payload, &record->cut));
    *ret_n = n;
    return ST_OK;
}

static enum status file_seek(struct source *source, size_t lane, int64_t offset)
{
    (void)lane;
    struct source_file *file = self(source);
    struct slice row;
    bool cut;
    while (file->row < offset) {
        enum status st = obtain_row(file, &row, &cut);
        if (st == ST_EEND)
            return fail(file, ST_ENOTFOUND, "has fewer rows than were read of it before");
        if (st == ST_EAGAIN)
            input_wait(file->input, WAIT_US);
        else
            TRY(st);
        file->row += st == ST_OK;
    }
    return file->row == offset ? ST_OK : fail(file, ST_EINVAL, "cannot be read backwards");
}

static void file_wait(struct source *source, int64_t timeout_us)
{
    input_wait(self(source)->input, timeout_us);
}

static double file_progress(const struct source *source)
{
    return input_progress(((const struct source_file *)source)->input);
}

static const char *file_error(const struct source *source)
{
    return ((const struct source_file *)source)->error;
}

static void file_free(struct source *source)
{
    if (!source)
        return;
    struct source_file *file = self(source);
    input_close(file->input);
    buf_done(&file->header);
    free(file->data);
    free(file);
}

static const struct source_ops file_ops = {
    .kind = "file",
    .lanes = file_lanes,
    .lane = file_lane,
    .seek = file_seek,
    .fetch = file_fetch,
    .wait = file_wait,
    .grows = false,
    .progress = file_progress,
    .free = file_free,
    .error = file_error,
};

/* Opening one. */

static bool ends_with(const char *text, size_t len, const char *ending)
{
    size_t n = strlen(ending);
    return len > n && strncasecmp(text + len - n, ending, n) == 0;
}

/* "csv", "json" or NULL. */
static const char *format_of(const char *path)
{
    static const char *const endings[][2] = {
        {".csv", "csv"}, {".jsonl", "json"}, {".json", "json"}, {".ndjson", "json"}};
    size_t len = strlen(path);
    len -= ends_with(path, len, ".zst") ? 4 : 0;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_with(path, len, endings[i][0]))
            return endings[i][1];
    return NULL;
}

static enum status read_header(struct source_file *file)
{
    struct slice row;
    bool cut;
    enum status st;
    while ((st = obtain_row(file, &row, &cut)) == ST_EAGAIN)
        input_wait(file->input, WAIT_US);
    if (st == ST_EEND || (st == ST_OK && cut))
        return fail(file, ST_EINVAL, "has no first row that names its columns");
    TRY(st);
    buf_append(&file->header, row.data, row.len);
    return ST_OK;
}

static enum status choose_format(struct source_file *file, const char *format)
{
    format = format ? format : format_of(file->path);
    if (!format)
        return fail(file, ST_EINVAL, "cannot tell its format: name it csv or json");
    if (strcmp(format, "csv") != 0 && strcmp(format, "json") != 0)
        return fail(file, ST_EINVAL, "unknown format: expected csv or json");
    file->is_csv = strcmp(format, "csv") == 0;
    return ST_OK;
}

static enum status file_open(struct source_file *file, const char *format)
{
    TRY(choose_format(file, format));
    enum status st = input_open(file->path, &file->input);
    if (st < 0)
        return fail(file, st, strerror(errno));
    file->data = malloc(file->cap);
    if (!file->data)
        return fail(file, ST_ENOMEM, status_text(ST_ENOMEM));
    return file->is_csv ? read_header(file) : ST_OK;
}

enum status source_file_create(const struct source_file_options *options,
                               struct conf_errors *errors, struct source **ret)
{
    struct source_file *file = calloc(1, sizeof *file);
    if (!file)
        return ST_ENOMEM;
    *file =
        (struct source_file){.source = {&file_ops},
                             .path = options->path,
                             .stream = options->stream,
                             .cap = BUFFER_FIRST,
                             .record_max = options->record_max ? options->record_max : RECORD_MAX};
    enum status st = file_open(file, options->format);
    if (st < 0) {
        conf_complain(errors, NULL, "%s", file->error);
        file_free(&file->source);
        return st;
    }
    *ret = &file->source;
    return ST_OK;
}
