/*
 * Tests of ingest/sink_files.h and of its twin in memory.
 *
 * What is known without running it: the file is the header and the payloads, one behind the other,
 * however they were cut into writes and however often a write failed; and a row counts as
 * acknowledged exactly when its bytes are in the file.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ingest/sink_files.h"
#include "ingest/sink_memory.h"

struct folder {
    char path[64];
    char scores[96];
    char features[96];
};

static struct folder folder_make(void)
{
    struct folder folder = {.path = "/tmp/sink_files.XXXXXX"};
    cr_assert(mkdtemp(folder.path) != NULL);
    snprintf(folder.scores, sizeof folder.scores, "%s/scores.csv", folder.path);
    snprintf(folder.features, sizeof folder.features, "%s/features.csv", folder.path);
    return folder;
}

static void folder_remove(struct folder *folder)
{
    unlink(folder->scores);
    unlink(folder->features);
    rmdir(folder->path);
}

static struct sink *open_files(const char *scores, const char *features)
{
    struct sink_files_options options = {.channels = {
                                             [CHANNEL_SCORES] = {scores, slice_of("id,score\n")},
                                             [CHANNEL_FEATURES] = {features, slice_of("")},
                                         }};
    struct buf error = {0};
    struct sink *sink = NULL;
    cr_assert(eq(int, sink_files_create(&options, &error, &sink), ST_OK), "%.*s", (int)error.len,
              error.data);
    return sink;
}

static enum status send_text(struct sink *sink, enum channel channel, const char *text)
{
    struct row row = {.channel = channel, .topic = "tx", .payload = slice_of(text)};
    return sink->ops->send(sink, &row);
}

static uint64_t acked(struct sink *sink)
{
    uint64_t n = 0, refused = 1;
    cr_assert(eq(int, sink->ops->poll(sink, 0, &n, &refused), ST_OK), "%s", sink->ops->error(sink));
    cr_assert(eq(u64, refused, 0));
    return n;
}

static struct buf file_content(const char *path)
{
    struct buf content = {0};
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL);
    for (size_t n; (n = fread(buf_reserve(&content, 4096), 1, 4096, file)) > 0;)
        content.len += n;
    fclose(file);
    buf_byte(&content, 0);
    return content;
}

Test(sink_files, writes_each_channel_to_its_file)
{
    struct folder folder = folder_make();
    struct sink *sink = open_files(folder.scores, folder.features);
    cr_assert(eq(int, send_text(sink, CHANNEL_SCORES, "1,0.5\n"), ST_OK));
    cr_assert(eq(int, send_text(sink, CHANNEL_FEATURES, "a\n"), ST_OK));
    cr_assert(eq(int, send_text(sink, CHANNEL_DEAD, "nobody wants this\n"), ST_OK));
    cr_assert(eq(int, send_text(sink, CHANNEL_SCORES, "2,0.25\n"), ST_OK));
    cr_expect(eq(u64, acked(sink), 4));
    struct buf scores = file_content(folder.scores), features = file_content(folder.features);
    cr_expect(eq(str, scores.data, "id,score\n1,0.5\n2,0.25\n"));
    cr_expect(eq(str, features.data, "a\n"));
    buf_done(&scores);
    buf_done(&features);
    sink->ops->free(sink);
    folder_remove(&folder);
}

Test(sink_files, begins_anew)
{
    struct folder folder = folder_make();
    for (int i = 0; i < 2; i++) {
        struct sink *sink = open_files(folder.scores, NULL);
        cr_assert(eq(int, send_text(sink, CHANNEL_SCORES, "1,1\n"), ST_OK));
        cr_expect(eq(u64, acked(sink), 1));
        sink->ops->free(sink);
    }
    struct buf scores = file_content(folder.scores);
    cr_expect(eq(str, scores.data, "id,score\n1,1\n"));
    buf_done(&scores);
    folder_remove(&folder);
}

/* The limit on a file's size cuts writes short and then fails them, as a disk does that is full; it
 * is raised bit by bit. */
Test(sink_files, goes_on_where_a_full_disk_stopped_it)
{
    enum { ROWS = 100000, STEP = 100003 };
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {0, RLIM_INFINITY};
    struct folder folder = folder_make();
    struct sink *sink = open_files(folder.scores, NULL);
    struct buf expected = {0};
    buf_text(&expected, "id,score\n");
    size_t failures = 0;
    for (int i = 0; i < ROWS;) {
        char text[32];
        snprintf(text, sizeof text, "%d,0.125\n", i);
        setrlimit(RLIMIT_FSIZE, &limit);
        enum status st = send_text(sink, CHANNEL_SCORES, text);
        if (st == ST_OK) {
            buf_text(&expected, text);
            i++;
            continue;
        }
        cr_assert(eq(int, st, ST_EIO));
        cr_expect(strstr(sink->ops->error(sink), "scores.csv: File too large") != NULL, "%s",
                  sink->ops->error(sink));
        failures++;
        limit.rlim_cur += STEP;
    }
    cr_expect(gt(sz, failures, 5));
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    cr_expect(eq(u64, acked(sink), ROWS));
    struct buf scores = file_content(folder.scores);
    cr_expect(eq(sz, scores.len, expected.len + 1));
    cr_expect(memcmp(scores.data, expected.data, expected.len) == 0);
    buf_done(&scores);
    buf_done(&expected);
    sink->ops->free(sink);
    folder_remove(&folder);
}

Test(sink_files, acknowledges_nothing_that_is_not_written)
{
    struct sink *sink = open_files("/dev/full", NULL);
    cr_assert(eq(int, send_text(sink, CHANNEL_SCORES, "1,1\n"), ST_OK), "it is buffered");
    uint64_t n = 7, refused = 7;
    cr_expect(eq(int, sink->ops->poll(sink, 0, &n, &refused), ST_EIO));
    cr_expect(eq(u64, n, 7), "untouched");
    cr_expect(eq(str, (char *)sink->ops->error(sink), "/dev/full: No space left on device"));
    cr_expect(eq(int, sink->ops->flush(sink), ST_EIO));
    sink->ops->free(sink);
}

Test(sink_files, refuses_what_it_cannot_open)
{
    struct sink_files_options options = {.channels = {[CHANNEL_DEAD] = {"/none/x", {0}}}};
    struct buf error = {0};
    struct sink *sink = NULL;
    cr_expect(eq(int, sink_files_create(&options, &error, &sink), ST_EIO));
    buf_byte(&error, 0);
    cr_expect(eq(str, error.data, "/none/x: No such file or directory"));
    buf_done(&error);
}

Test(sink_memory, does_what_its_script_says)
{
    struct sink *sink = sink_memory_create();
    struct sink_memory_script *script = sink_memory_script(sink);
    uint64_t n = 0, refused = 0;
    *script = (struct sink_memory_script){.hold = 1, .full_at = 4, .refuse = 2, .repeat = 4};
    for (int i = 0; i < 4; i++)
        cr_assert(eq(int, send_text(sink, CHANNEL_SCORES, i % 2 ? "odd" : "even"), ST_OK));
    cr_expect(eq(int, send_text(sink, CHANNEL_SCORES, "x"), ST_EAGAIN));
    cr_expect(eq(int, sink->ops->poll(sink, 0, &n, &refused), ST_OK));
    cr_expect(eq(u64, n, 1));
    cr_expect(eq(u64, refused, 0));
    script->hold = 3;
    cr_expect(eq(int, sink->ops->poll(sink, 0, &n, &refused), ST_OK));
    cr_expect(eq(u64, n, 3));
    cr_expect(eq(u64, refused, 1));
    cr_assert(eq(sz, sink_memory_rows(sink), 4), "three that were taken, the last of them twice");
    const char *rows[] = {"even", "odd", "odd", "odd"};
    for (size_t i = 0; i < 4; i++)
        cr_expect(slice_eq(sink_memory_row(sink, i)->payload, slice_of(rows[i])));
    script->broken = ST_EIO;
    cr_expect(eq(int, sink->ops->poll(sink, 0, &n, &refused), ST_EIO));
    cr_expect(eq(int, send_text(sink, CHANNEL_SCORES, "x"), ST_EIO));
    sink->ops->free(sink);
}
