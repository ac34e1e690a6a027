/*
 * An endpoint without a service behind it, for tests of clients and of abuse: the model of
 * tests/endpoint_fixture.h, in versions that take turns.
 *
 *     endpoint_server [--columns N] [--swap-us N] [--threads N] [--idle-ms N] [--weights-mib N]
 *                     [--publish-idle] [--tls CERTIFICATE KEY] [--clients CA] [--tokens FILE]
 *
 * The next version comes every so many microseconds, or at a SIGUSR1; with --publish-idle when
 * nothing else is to be done, as from the trainer of a model with `publish_at: ready`. Prints `http
 * PORT` and `grpc PORT`, and ends gracefully at SIGTERM or the end of its standard input.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "online/endpoint/endpoint.h"
#include "tests/endpoint_fixture.h"

static long number_after(char **args, const char *name, long fallback)
{
    for (; *args; args++)
        if (strcmp(*args, name) == 0 && args[1])
            return strtol(args[1], NULL, 10);
    return fallback;
}

static const char *text_after(char **args, const char *name, int skip)
{
    for (; *args; args++)
        if (strcmp(*args, name) == 0 && args[1])
            return args[skip];
    return NULL;
}

static bool has(char **args, const char *name)
{
    while (*args && strcmp(*args, name) != 0)
        args++;
    return *args != NULL;
}

/* Whether the next version is due; false: it is over. */
static bool wait_for_turn(int signals, long swap_us)
{
    char byte;
    struct signalfd_siginfo signal;
    struct pollfd polls[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = signals, .events = POLLIN}};
    for (;;) {
        int n = poll(polls, 2, swap_us > 0 ? 0 : -1);
        if (polls[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
            return false;
        if (n > 0 && polls[1].revents && read(signals, &signal, sizeof signal) > 0)
            return signal.ssi_signo == SIGUSR1;
        if (swap_us > 0) {
            usleep((useconds_t)swap_us);
            return true;
        }
    }
}

static void swap_until_end(struct told *told, int signals, long swap_us)
{
    for (uint32_t version = 2; wait_for_turn(signals, swap_us); version++)
        told_set_version(told, version % 1000 + 1);
}

/* Of signals that no thread gets otherwise. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Publishing gives way to serving; what a thread was made with stays its own. */
static void give_way(bool idle)
{
    sched_setscheduler(0, idle ? SCHED_IDLE : SCHED_BATCH, &(struct sched_param){0});
    setpriority(PRIO_PROCESS, 0, idle ? 0 : 10);
}

int main(int argc, char **argv)
{
    static struct told told;
    (void)argc;
    signal(SIGPIPE, SIG_IGN); /* as in the service: OpenSSL writes where nobody reads any more */
    int signals = open_signals();
    size_t weights = (size_t)number_after(argv, "--weights-mib", 0) << 20;
    told_init_sized(&told, (size_t)number_after(argv, "--columns", 16),
                    weights / sizeof(float) + 1);
    told.options.threads = (size_t)number_after(argv, "--threads", 1);
    told.options.idle = number_after(argv, "--idle-ms", 60000) * 1000;
    told.options.tls.certificate = text_after(argv, "--tls", 1);
    told.options.tls.key = text_after(argv, "--tls", 2);
    told.options.tls.clients = text_after(argv, "--clients", 1);
    told.options.tokens = text_after(argv, "--tokens", 1);
    if (told_start(&told) < 0)
        return 1;
    printf("http %d\ngrpc %d\n", endpoint_http_port(told.endpoint),
           endpoint_grpc_port(told.endpoint));
    fflush(stdout);
    give_way(has(argv, "--publish-idle"));
    swap_until_end(&told, signals, number_after(argv, "--swap-us", 0));
    endpoint_drain(told.endpoint);
    told_done(&told);
    return 0;
}
