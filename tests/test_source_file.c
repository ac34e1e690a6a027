/*
 * Tests of ingest/source_file.h and input.h.
 *
 * What is known without running the code: the rows of a text are those one finds by hand; how the
 * bytes come (plain, zstd, several frames, through a pipe in drops) changes nothing; what stands
 * behind a sought row is the end of what one reads from the start; and a row that is broken or too
 * long costs itself only.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "ingest/event.h"
#include "ingest/source_file.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A file in a folder of its own, removed with it. */
struct place {
    char dir[64];
    char path[128];
};

static struct place place_make(const char *name)
{
    struct place place = {.dir = "/tmp/freshet-test-XXXXXX"};
    cr_assert(ne(ptr, mkdtemp(place.dir), NULL));
    snprintf(place.path, sizeof place.path, "%s/%s", place.dir, name);
    return place;
}

static void place_done(struct place *place)
{
    unlink(place->path);
    rmdir(place->dir);
}

static void write_file(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    cr_assert(ne(ptr, file, NULL));
    cr_assert(eq(sz, fwrite(data, 1, len, file), len));
    fclose(file);
}

/* zstd frames of at most `frame` bytes of text each, one behind the other. */
static struct buf compress_text(struct slice text, size_t frame)
{
    struct buf out = {0};
    for (size_t at = 0; at < text.len; at += frame) {
        size_t len = text.len - at < frame ? text.len - at : frame, bound = ZSTD_compressBound(len);
        size_t n = ZSTD_compress(buf_reserve(&out, bound), bound, text.data + at, len, 3);
        cr_assert(eq(int, ZSTD_isError(n), 0));
        out.len += n;
    }
    return out;
}

static struct source *open_source(const struct source_file_options *options)
{
    struct conf_errors errors = {0};
    struct source *source = NULL;
    cr_assert(eq(int, source_file_create(options, &errors, &source), ST_OK), "%.*s",
              (int)errors.text.len, errors.text.data);
    return source;
}

/* All rows from where the source stands, each followed by '|', a cut one by '!'. The copies are
 * made before the next fetch, as the contract says. */
static enum status read_rows(struct source *source, size_t max, int64_t first, struct buf *ret)
{
    struct record_in records[64];
    enum status st;
    size_t n;
    while ((st = source->ops->fetch(source, 0, records, max, &n)) == ST_OK || st == ST_EAGAIN) {
        if (st == ST_EAGAIN) {
            source->ops->wait(source, 1000000);
            continue;
        }
        cr_assert(n >= 1 && n <= max);
        for (size_t i = 0; i < n; i++) {
            cr_assert(eq(i64, records[i].offset, first++));
            cr_assert(eq(i64, records[i].broker_time, TIME_NONE));
            buf_append(ret, records[i].payload.data, records[i].payload.len);
            buf_byte(ret, records[i].cut ? '!' : '|');
        }
    }
    return st;
}

/* Rows found by hand. */

struct rows_case {
    char name[32];
    char file[16];
    char text[200];
    char header[40];
    char rows[200];
    size_t record_max;
};

ParameterizedTestParameters(source_file, finds_rows)
{
    static struct rows_case cases[] = {
        {"json lines", "a.jsonl", "{1}\n{2}\n{3}\n", "", "{1}|{2}|{3}|", 0},
        {"no last line end", "a.jsonl", "{1}\n{2}", "", "{1}|{2}|", 0},
        {"windows line ends", "a.jsonl", "{1}\r\n{2}\r\n", "", "{1}|{2}|", 0},
        {"blank lines", "a.json", "\n\n{1}\n \t\r\n\n{2}\n\n", "", "{1}|{2}|", 0},
        {"nothing", "a.jsonl", "", "", "", 0},
        {"only blanks", "a.ndjson", "\n\r\n  \n", "", "", 0},
        {"csv", "a.csv", "a,b\n1,2\n3,4\n", "a,b", "1,2|3,4|", 0},
        {"header alone", "a.csv", "a,b", "a,b", "", 0},
        {"blank before the header", "a.csv", "\n\na,b\n1,2\n", "a,b", "1,2|", 0},
        {"line end in quotes", "A.CSV", "a,b\r\n1,\"x\ny\"\r\n\"3\n\",4\r\n", "a,b",
         "1,\"x\ny\"|\"3\n\",4|", 0},
        {"last row quoted", "a.csv", "a,b\n1,\"x\ny\"", "a,b", "1,\"x\ny\"|", 0},
        {"header quoted", "a.csv", "\"a\nb\",b\n1,2\n", "\"a\nb\",b", "1,2|", 0},
        {"stray quote", "a.csv", "a,b\n1,\"x\n3,4\n5,6\n", "a,b", "1,\"x|3,4|5,6|", 0},
        {"text after a quote", "a.csv", "a,b\n1,\"x\"y\n3,\"4\"\n", "a,b", "1,\"x\"y|3,\"4\"|", 0},
        {"a quote in json is no matter", "a.jsonl", "{\"}\n{2}\n", "", "{\"}|{2}|", 0},
        {"too long", "a.jsonl", "{1}\n{234567890}\n{2}\n", "", "{1}|{2345678!{2}|", 8},
        {"just not too long", "a.jsonl", "{1}\n{23456}\n{2}\n", "", "{1}|{23456}|{2}|", 8},
        {"too long at the end", "a.jsonl", "{1}\n{234567890}", "", "{1}|{2345678!", 8},
        {"two too long", "a.jsonl", "12345678901234567890\n12345678901\n1\n", "",
         "12345678!12345678!1|", 8},
        {"csv too long", "a.csv", "a,b\n1,2345678\n3,4\n", "a,b", "1,234567!3,4|", 8},
        {"quotes open too long", "a.csv", "a,b\n\"1,2\n3,4\n5,6\n", "a,b", "\"1,2|3,4|5,6|", 8},
    };
    return cr_make_param_array(struct rows_case, cases, LEN(cases));
}

ParameterizedTest(struct rows_case *c, source_file, finds_rows)
{
    struct place place = place_make(c->file);
    write_file(place.path, c->text, strlen(c->text));
    for (size_t max = 1; max <= 64; max *= 8) {
        struct source *source = open_source(
            &(struct source_file_options){.path = place.path, .record_max = c->record_max});
        struct lane_info info = source->ops->lane(source, 0);
        cr_expect(slice_eq(info.header, slice_of(c->header)), "%s", c->name);
        cr_expect(info.is_file);
        struct buf rows = {0};
        cr_expect(eq(int, read_rows(source, max, 0, &rows), ST_EEND));
        cr_expect(slice_eq(buf_slice(&rows), slice_of(c->rows)), "%s, %zu at once: %.*s", c->name,
                  max, (int)rows.len, rows.data);
        cr_expect(eq(int, read_rows(source, max, 0, &rows), ST_EEND), "%s", c->name);
        cr_expect(eq(dbl, source->ops->progress(source), 1));
        buf_done(&rows);
        source->ops->free(source);
    }
    place_done(&place);
}

/* A text many times the buffer's size, with quoted line ends where buffers end. */

static void make_long(struct buf *text, struct buf *rows)
{
    buf_text(text, "id,note\n");
    for (int i = 0; i < 60000; i++) {
        size_t start = text->len;
        buf_printf(text, i % 3 == 0 ? "%d,\"line\nof \"\"%d\"\"\"" : "%d,plain %d", i, i * 7919);
        if (i % 1000 == 0)
            for (int more = 0; more < 40; more++)
                buf_text(text, ",0123456789");
        buf_append(rows, text->data + start, text->len - start);
        buf_byte(rows, '|');
        buf_text(text, i % 5 == 0 ? "\r\n" : "\n");
    }
}

struct form_case {
    char name[24];
    char file[16];
    size_t frame; /* 0: not compressed */
};

ParameterizedTestParameters(source_file, bytes_may_come_in_any_form)
{
    static struct form_case cases[] = {
        {"plain", "a.csv", 0},
        {"zstd", "a.csv.zst", SIZE_MAX},
        {"zstd, not so named", "a.csv", SIZE_MAX},
        {"zstd in frames", "a.csv.zst", 100001},
    };
    return cr_make_param_array(struct form_case, cases, LEN(cases));
}

ParameterizedTest(struct form_case *c, source_file, bytes_may_come_in_any_form)
{
    struct buf text = {0}, rows = {0}, got = {0}, packed = {0};
    make_long(&text, &rows);
    size_t frame = c->frame > text.len ? text.len : c->frame;
    struct place place = place_make(c->file);
    if (frame)
        packed = compress_text(buf_slice(&text), frame);
    write_file(place.path, frame ? packed.data : text.data, frame ? packed.len : text.len);
    struct source *source = open_source(&(struct source_file_options){.path = place.path});
    cr_expect(lt(dbl, source->ops->progress(source), 1), "%s", c->name);
    cr_expect(eq(int, read_rows(source, 64, 0, &got), ST_EEND));
    cr_expect(slice_eq(buf_slice(&got), buf_slice(&rows)), "%s", c->name);
    cr_expect(eq(dbl, source->ops->progress(source), 1));
    source->ops->free(source);
    place_done(&place);
    buf_done(&text);
    buf_done(&rows);
    buf_done(&got);
    buf_done(&packed);
}

Test(source_file, what_is_sought_is_the_end_of_the_whole)
{
    static const int64_t offsets[] = {0, 1, 2999, 30000, 59999, 60000};
    struct buf text = {0}, rows = {0};
    make_long(&text, &rows);
    struct place place = place_make("a.csv");
    write_file(place.path, text.data, text.len);
    for (size_t i = 0; i < LEN(offsets); i++) {
        struct source *source = open_source(&(struct source_file_options){.path = place.path});
        struct buf got = {0};
        cr_assert(eq(int, source->ops->seek(source, 0, offsets[i]), ST_OK));
        cr_expect(eq(int, read_rows(source, 64, offsets[i], &got), ST_EEND));
        cr_expect(le(sz, got.len, rows.len));
        cr_expect(
            slice_eq(buf_slice(&got), (struct slice){rows.data + rows.len - got.len, got.len}));
        cr_expect(eq(int, got.len == rows.len, offsets[i] == 0));
        cr_expect(eq(int, got.len == 0, offsets[i] == 60000));
        buf_done(&got);
        source->ops->free(source);
    }
    struct source *source = open_source(&(struct source_file_options){.path = place.path});
    cr_expect(eq(int, source->ops->seek(source, 0, 60001), ST_ENOTFOUND));
    cr_expect(ne(ptr, strstr(source->ops->error(source), "fewer rows"), NULL));
    source->ops->free(source);
    place_done(&place);
    buf_done(&text);
    buf_done(&rows);
}

/* A named pipe, filled drop by drop: the source says ST_EAGAIN while it is empty. */
Test(source_file, a_pipe_may_be_slow)
{
    struct place place = place_make("pipe.jsonl");
    cr_assert(eq(int, mkfifo(place.path, 0600), 0));
    int fd = open(place.path, O_RDWR);
    struct source *source = open_source(&(struct source_file_options){.path = place.path});
    struct record_in record;
    size_t n;
    cr_expect(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_EAGAIN));
    cr_assert(eq(i64, write(fd, "{1", 2), 2));
    cr_expect(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_EAGAIN));
    cr_assert(eq(i64, write(fd, "}\n{2}\n{3", 8), 8));
    cr_assert(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_OK));
    cr_expect(slice_eq(record.payload, slice_of("{1}")));
    cr_assert(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_OK));
    cr_expect(slice_eq(record.payload, slice_of("{2}")));
    cr_expect(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_EAGAIN));
    source->ops->wait(source, 1000);
    cr_assert(eq(i64, write(fd, "}", 1), 1));
    close(fd);
    struct buf rest = {0};
    cr_expect(eq(int, read_rows(source, 1, 2, &rest), ST_EEND));
    cr_expect(slice_eq(buf_slice(&rest), slice_of("{3}|")));
    cr_expect(isnan(source->ops->progress(source)));
    buf_done(&rest);
    source->ops->free(source);
    place_done(&place);
}

/* The rest of a row that is too long need not have come before its beginning is handed out. */
Test(source_file, a_pipe_may_bring_too_much)
{
    struct place place = place_make("pipe.jsonl");
    cr_assert(eq(int, mkfifo(place.path, 0600), 0));
    int fd = open(place.path, O_RDWR);
    struct source *source =
        open_source(&(struct source_file_options){.path = place.path, .record_max = 8});
    struct record_in record;
    size_t n;
    cr_assert(eq(i64, write(fd, "123456789", 9), 9));
    cr_assert(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_OK));
    cr_expect(slice_eq(record.payload, slice_of("12345678")));
    cr_expect(record.cut);
    cr_expect(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_EAGAIN));
    cr_assert(eq(i64, write(fd, "0\n{2}\n", 6), 6));
    cr_assert(eq(int, source->ops->fetch(source, 0, &record, 1, &n), ST_OK));
    cr_expect(slice_eq(record.payload, slice_of("{2}")));
    cr_expect(eq(int, record.cut, 0));
    close(fd);
    source->ops->free(source);
    place_done(&place);
}

Test(source_file, standard_input_needs_its_format)
{
    struct place place = place_make("in");
    struct buf packed = compress_text(slice_of("a,b\n1,2\n"), 8);
    write_file(place.path, packed.data, packed.len);
    int fd = open(place.path, O_RDONLY);
    cr_assert(ge(int, dup2(fd, STDIN_FILENO), 0));
    close(fd);
    struct source *source =
        open_source(&(struct source_file_options){.path = "-", .format = "csv", .stream = 2});
    struct buf rows = {0};
    cr_expect(eq(int, read_rows(source, 9, 0, &rows), ST_EEND));
    cr_expect(slice_eq(buf_slice(&rows), slice_of("1,2|")));
    cr_expect(eq(int, source->ops->lane(source, 0).stream, 2));
    buf_done(&rows);
    buf_done(&packed);
    source->ops->free(source);
    place_done(&place);
}

/* Refusals. */

struct refusal_case {
    char name[24];
    char file[16];
    char format[8]; /* empty: by the file's name */
    char text[16];
    bool missing;
    enum status st;
    char complaint[40];
};

ParameterizedTestParameters(source_file, refuses)
{
    static struct refusal_case cases[] = {
        {"no such file", "a.csv", "", "", true, ST_ENOTFOUND, "No such file"},
        {"no ending", "events", "", "a\n1\n", false, ST_EINVAL, "cannot tell its format"},
        {"other ending", "a.parquet", "", "a\n1\n", false, ST_EINVAL, "cannot tell its format"},
        {"only an ending", ".zst", "", "a\n1\n", false, ST_EINVAL, "cannot tell its format"},
        {"other format", "a.csv", "xml", "a\n1\n", false, ST_EINVAL, "unknown format"},
        {"empty csv", "a.csv", "", "", false, ST_EINVAL, "no first row"},
        {"blank csv", "a.csv", "", "\n \n", false, ST_EINVAL, "no first row"},
        {"no zstd inside", "a.csv", "", "\x28\xb5\x2f\xfd\xff\xff\xff", false, ST_ECORRUPT,
         "broken zstd"},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, source_file, refuses)
{
    struct place place = place_make(c->file);
    if (!c->missing)
        write_file(place.path, c->text, strlen(c->text));
    struct conf_errors errors = {0};
    struct source *source = NULL;
    struct source_file_options options = {.path = place.path,
                                          .format = c->format[0] ? c->format : NULL};
    cr_expect(eq(int, source_file_create(&options, &errors, &source), c->st), "%s", c->name);
    cr_expect(eq(ptr, source, NULL));
    buf_byte(&errors.text, '\0');
    cr_expect(ne(ptr, strstr(errors.text.data, c->complaint), NULL), "%s: %s", c->name,
              errors.text.data);
    cr_expect(ne(ptr, strstr(errors.text.data, place.path), NULL), "%s: %s", c->name,
              errors.text.data);
    conf_errors_done(&errors);
    place_done(&place);
}

Test(source_file, a_folder_is_no_file)
{
    struct place place = place_make("x.csv");
    cr_assert(eq(int, mkdir(place.path, 0700), 0));
    struct conf_errors errors = {0};
    struct source *source = NULL;
    struct source_file_options options = {.path = place.path};
    cr_expect(eq(int, source_file_create(&options, &errors, &source), ST_EIO));
    conf_errors_done(&errors);
    rmdir(place.path);
    rmdir(place.dir);
}

/* Compressed data that ends early is told, after all whole rows before that. */
Test(source_file, a_cut_zstd_file_is_no_end_of_file)
{
    struct buf text = {0}, rows = {0}, got = {0};
    make_long(&text, &rows);
    struct buf packed = compress_text(buf_slice(&text), 100000);
    struct place place = place_make("a.csv.zst");
    write_file(place.path, packed.data, packed.len - 1000);
    struct source *source = open_source(&(struct source_file_options){.path = place.path});
    cr_expect(eq(int, read_rows(source, 64, 0, &got), ST_ECORRUPT));
    cr_expect(ne(ptr, strstr(source->ops->error(source), "zstd"), NULL));
    cr_expect(gt(sz, got.len, rows.len / 2));
    cr_expect(eq(int, memcmp(got.data, rows.data, got.len), 0));
    source->ops->free(source);
    place_done(&place);
    buf_done(&text);
    buf_done(&rows);
    buf_done(&got);
    buf_done(&packed);
}
