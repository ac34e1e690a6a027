/*
 * Tests of base/log.h.
 *
 * Known without running it: the shape of a line, that one entry is one line whatever its fields
 * hold, and which levels are let through. The clock is the only part that is not known.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/theories.h>

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/timefmt.h"

/* stderr goes to a pipe for as long as a test looks at it. */
static int pipe_ends[2], stderr_kept;

static void catch (void)
{
    cr_assert(eq(int, pipe(pipe_ends), 0));
    stderr_kept = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
}

/* What was written since catch(), and stderr as it was. */
static size_t caught(char *ret, size_t size)
{
    dup2(stderr_kept, STDERR_FILENO);
    close(stderr_kept);
    close(pipe_ends[1]);
    size_t len = 0;
    ssize_t n;
    while (len < size - 1 && (n = read(pipe_ends[0], ret + len, size - 1 - len)) > 0)
        len += (size_t)n;
    close(pipe_ends[0]);
    ret[len] = '\0';
    return len;
}

Test(log, writes_time_level_what_and_fields)
{
    char line[8192];
    catch ();
    log_info("commit.done", "epoch=%d rows=%d", 12, 40);
    log_error("x", "why=\"%s\"", "no");
    caught(line, sizeof line);
    cr_assert(line[24] == ' ', "%s", line);
    struct timefmt format;
    int64_t t;
    cr_assert(eq(int, timefmt_compile(slice_of("rfc3339"), NULL, &format), ST_OK));
    cr_expect(eq(int, timefmt_parse(&format, (struct slice){line, 24}, &t), ST_OK), "%s", line);
    char *second = strchr(line, '\n') + 1;
    second[-1] = '\0';
    cr_expect(eq(str, line + 24, " INFO  commit.done epoch=12 rows=40"));
    cr_expect(eq(str, second + 24, " ERROR x why=\"no\"\n"));
}

Test(log, one_entry_is_one_line)
{
    char line[16384], text[9000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[100] = '\n';
    text[200] = '\x1b';
    catch ();
    log_warn("long", "%s", text);
    size_t len = caught(line, sizeof line);
    cr_expect(len <= 4097);
    cr_expect(eq(ptr, strchr(line, '\n'), line + len - 1));
    cr_expect(eq(ptr, strchr(line, '\x1b'), NULL));
}

TheoryDataPoints(log, lower_levels_are_silent) = {
    DataPoints(int, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF),
    DataPoints(int, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF),
};

Theory((int least, int level), log, lower_levels_are_silent)
{
    char line[1024];
    log_set_level((enum log_level)least);
    catch ();
    log_write((enum log_level)level, "x", "y");
    size_t len = caught(line, sizeof line);
    bool written = level >= least && level != LOG_OFF;
    cr_assert(eq(int, len > 0, written));
    cr_assert(eq(int, log_enabled((enum log_level)level), written));
}

static void keep_line(void *arg, const char *line, size_t len)
{
    strncat(arg, line, len);
}

Test(log, lines_go_to_who_asks_for_them)
{
    char kept[1024] = "", line[1024];
    catch ();
    log_set_output(keep_line, kept);
    log_warn("first", "n=%d", 1);
    log_set_output(NULL, NULL);
    log_warn("second", "n=%d", 2);
    caught(line, sizeof line);
    cr_expect(eq(str, kept + 24, " WARN  first n=1\n"));
    cr_expect(eq(str, line + 24, " WARN  second n=2\n"));
}
