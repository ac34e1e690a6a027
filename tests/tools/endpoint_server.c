/*
 * An endpoint without a service behind it, for tests of clients and of abuse: the model of
 * tests/endpoint_fixture.h, in versions that take turns.
 *
 *     endpoint_server [--columns N] [--swap-us N] [--threads N] [--idle-ms N]
 *                     [--tls CERTIFICATE KEY] [--clients CA] [--tokens FILE]
 *
 * Prints `http PORT` and `grpc PORT`, and ends gracefully at the end of its standard input.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
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

/* The next version every so often, until nobody is there any more. */
static void swap_until_end(struct told *told, long swap_us)
{
    char byte;
    struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
    for (uint32_t version = 2;; version++) {
        if (poll(&end, 1, swap_us > 0 ? 0 : -1) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            return;
        if (swap_us == 0)
            continue;
        usleep((useconds_t)swap_us);
        told_set_version(told, version % 1000 + 1);
    }
}

int main(int argc, char **argv)
{
    static struct told told;
    (void)argc;
    signal(SIGPIPE, SIG_IGN); /* as in the service: OpenSSL writes where nobody reads any more */
    told_init(&told, (size_t)number_after(argv, "--columns", 16));
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
    swap_until_end(&told, number_after(argv, "--swap-us", 0));
    endpoint_drain(told.endpoint);
    told_done(&told);
    return 0;
}
