/*
 * The live view and the progress bar on a terminal of the test's own (a pty): the cursor is hidden
 * and given back, however the process ends; log lines come out whole, before the last frame; the
 * last frame stays, the bar goes. Several threads log while frames are drawn.
 */
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "online/live.h"
#include "online/progress.h"

#define HIDE "\033[?25l"
#define SHOW "\033[?25h"

enum { LOGGERS = 3, LINES = 20, ROUNDS = 5 };

struct outcome {
    int status;
    char text[1 << 20];
};

static struct outcome outcome;

/* Runs fn in a process whose terminal is ours, and keeps all that it wrote and how it ended. */
static void run_on_terminal(int (*fn)(void), const char *term)
{
    int master;
    struct winsize size = {.ws_row = 30, .ws_col = 100};
    fflush(stdout);
    pid_t child = forkpty(&master, NULL, NULL, &size);
    if (child == 0) {
        setenv("TERM", term, 1);
        setenv("LC_ALL", "C", 1);
        _exit(fn());
    }
    size_t len = 0;
    ssize_t n;
    while (len + 1 < sizeof outcome.text &&
           ((n = read(master, outcome.text + len, sizeof outcome.text - 1 - len)) > 0 ||
            (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    outcome.text[len] = '\0';
    close(master);
    waitpid(child, &outcome.status, 0);
}

/* What a person sees of it: the few sequences that the view uses, on a screen that keeps all. */

enum { ROWS = 4096, COLUMNS = 256 };

static struct screen {
    char rows[ROWS][COLUMNS];
    int row, column;
} screen;

static void erase_row(int row, int from)
{
    memset(screen.rows[row] + from, 0, (size_t)(COLUMNS - from));
}

/* at: behind ESC [. Returns what follows the sequence. */
static const char *obey(const char *at)
{
    int n = 0;
    for (; *at && !isalpha((unsigned char)*at); at++)
        n = isdigit((unsigned char)*at) ? 10 * n + (*at - '0') : n;
    if (*at == 'A')
        screen.row = screen.row > n ? screen.row - n : 0;
    if (*at == 'K' || *at == 'J')
        erase_row(screen.row, screen.column);
    for (int row = screen.row + 1; *at == 'J' && row < ROWS; row++)
        erase_row(row, 0);
    return *at ? at + 1 : at;
}

static void put_on_screen(char c)
{
    if (c == '\r')
        screen.column = 0;
    else if (c == '\n' && screen.row + 1 < ROWS)
        screen.row++;
    else if (c != '\n' && screen.column + 1 < COLUMNS)
        screen.rows[screen.row][screen.column++] = c;
}

static void show_on_screen(const char *text)
{
    memset(&screen, 0, sizeof screen);
    while (*text) {
        if (text[0] == '\033' && text[1] == '[')
            text = obey(text + 2);
        else
            put_on_screen(*text++);
    }
}

/* Rows that begin and end like this. */
static int count_rows(const char *begin, const char *end)
{
    int n = 0;
    for (int row = 0; row < ROWS; row++) {
        const char *text = screen.rows[row];
        size_t len = strlen(text);
        n += strncmp(text, begin, strlen(begin)) == 0 && len >= strlen(end) &&
             strcmp(text + len - strlen(end), end) == 0;
    }
    return n;
}

static int bad;

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "thread_live: %s\n", what);
    bad = 1;
}

static const char *last(const char *text, const char *needle)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, needle)); at++)
        found = at;
    return found;
}

static void *log_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_warn("test.line", "logger=%d line=%d end=yes", *(int *)arg, i);
    return NULL;
}

static int show_and_log(void)
{
    pthread_t threads[LOGGERS];
    int numbers[LOGGERS];
    metric_add(metric_counter("freshet_events_total", "", NULL, NULL), 51234);
    for (int round = 0; round < ROUNDS; round++) {
        struct live *live = live_start("fraud", NULL);
        for (int i = 0; i < LOGGERS; i++) {
            numbers[i] = i;
            pthread_create(&threads[i], NULL, log_lines, &numbers[i]);
        }
        for (int i = 0; i < LOGGERS; i++)
            pthread_join(threads[i], NULL);
        live_stop(live);
    }
    return 0;
}

static void test_view(void)
{
    run_on_terminal(show_and_log, "xterm");
    const char *text = outcome.text;
    expect(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0, "view: ends with 0");
    expect(strstr(text, HIDE) != NULL, "view: hides the cursor");
    expect(last(text, SHOW) > last(text, HIDE), "view: gives the cursor back");
    show_on_screen(text);
    expect(count_rows("20", " end=yes") == ROUNDS * LOGGERS * LINES,
           "view: every log line stands there whole");
    expect(count_rows(" freshet fraud", "no events yet") == ROUNDS,
           "view: one frame of each stays, drawn over the others");
    expect(count_rows(" taken     51,234", "dead 0") == ROUNDS, "view: its figures are there");
    expect(strstr(screen.rows[screen.row - 1], " state ") != NULL,
           "view: the last frame is the last there is");
}

static int show_and_die(void)
{
    live_start("fraud", NULL);
    raise(SIGTERM);
    return 0;
}

static int show_and_exit(void)
{
    live_start("fraud", NULL);
    exit(3);
}

static void test_ends(void)
{
    run_on_terminal(show_and_die, "xterm");
    expect(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGTERM,
           "signal: ends by it, as it would have");
    expect(last(outcome.text, SHOW) > last(outcome.text, HIDE), "signal: gives the cursor back");
    run_on_terminal(show_and_exit, "xterm");
    expect(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 3, "exit: its status");
    expect(last(outcome.text, SHOW) > last(outcome.text, HIDE), "exit: gives the cursor back");
}

/* A dumb terminal gets a line and no escape sequence. */
static void test_dumb(void)
{
    run_on_terminal(show_and_log, "dumb");
    expect(!strchr(outcome.text, '\033'), "dumb: no escape sequences");
    expect(strstr(outcome.text, " events=51234 ") != NULL, "dumb: a line of figures");
}

static int show_progress(void)
{
    struct progress *progress = progress_start();
    progress_stop(progress);
    return progress ? 0 : 1;
}

static void test_progress(void)
{
    run_on_terminal(show_progress, "xterm");
    expect(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0, "progress: is shown");
    size_t len = strlen(outcome.text);
    expect(len >= 4 && strcmp(outcome.text + len - 4, "\r\033[K") == 0, "progress: goes again");
}

int main(void)
{
    test_view();
    test_ends();
    test_dumb();
    test_progress();
    return bad;
}
