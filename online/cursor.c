#include "online/cursor.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static const int signals[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
                              SIGSEGV, SIGBUS,  SIGFPE, SIGILL,  SIGABRT};

enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

/* A handler gets no argument of ours: hence these. */
static volatile sig_atomic_t hidden_on = -1; /* a file descriptor */
static struct sigaction before[N_SIGNALS];

static void show(void)
{
    static const char sequence[] = "\033[?25h";
    if (hidden_on >= 0 && write(hidden_on, sequence, sizeof sequence - 1) < 0)
        return; /* nobody sees it then */
    hidden_on = -1;
}

/* Shows the cursor, puts back what was to happen, and lets it happen: the signal is held until this
 * returns and comes again then. */
static void on_signal(int number)
{
    show();
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (signals[i] == number)
            sigaction(number, &before[i], NULL);
    raise(number);
}

static bool is_ours(const struct sigaction *action)
{
    return !(action->sa_flags & (int)SA_SIGINFO) && action->sa_handler == on_signal;
}

void cursor_hide(int fd)
{
    static const char sequence[] = "\033[?25l";
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i], &action, &before[i]);
    atexit(show);
    if (write(fd, sequence, sizeof sequence - 1) > 0)
        hidden_on = fd;
}

/* Handlers that somebody set since then stay. */
void cursor_show(void)
{
    show();
    for (size_t i = 0; i < N_SIGNALS; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now) == 0 && is_ours(&now))
            sigaction(signals[i], &before[i], NULL);
    }
}
