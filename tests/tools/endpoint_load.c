/*
 * Load for the endpoint, and what it cost both sides.
 *
 *     endpoint_load --grpc PORT | --http PORT [--pid PID] [--seconds S] [--rate N]
 *                   [--connections N] [--streams N] [--live]
 *                   [--model NAME] [--rows N] [--columns N] [--json] [--typed] [--told]
 *                   [--event FORMAT] [--swaps N] [--look-us N]
 *
 * Without a rate each connection has so many streams on their way all the time. With one, requests
 * begin when they are due, and their latency counts from then until the answer is read: what they
 * had to wait for before they could be sent is in it, and what the answer waited for, because it
 * looks every 100 us only (--look-us; 0: without a rest). --live asks for what needs no model, with
 * the same request: the protocol's share. --pid is the server, whose processor time is printed
 * beside one's own. With --swaps the time is ten parts; in every second one the server
 * (endpoint_server) is told so many times in all to take its next version, and those parts'
 * latencies stand by themselves; `seen` is how often an answer came from a newer version.
 *
 * Prints one line of JSON, and fails where a request failed or an answer mixed two versions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/tools/load/load.h"

/* Waking up for each request, or each answer, would cost more than the endpoint does. */
enum { LINKS_MAX = 256, PARTS = 10, LOOK_US = 100 };

struct load {
    struct load_options options;
    struct load_bodies bodies;
    const struct load_protocol *protocol;
    struct load_link *links[LINKS_MAX];
    struct pollfd polls[LINKS_MAX];
    double seconds, rate;
    long swaps, swapped;
    struct load_versions versions;
    pid_t pid;
    int64_t look_us;
    int64_t now, begin, measured, end, look; /* us */
    uint64_t due_n;                          /* of a rate: begun so far */
    size_t turn;
    struct load_count counts[2]; /* without swaps, with */
};

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "endpoint_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Answers. */

static bool is_swapping(const struct load *load, int64_t us)
{
    int64_t part = (load->end - load->measured) / PARTS + 1;
    return load->swaps > 0 && (us - load->measured) / part % 2 == 1;
}

static void answered(void *arg, int64_t begun, bool good, struct slice data)
{
    struct load *load = arg;
    if (begun < load->measured)
        return;
    struct load_count *count = &load->counts[is_swapping(load, begun)];
    if (!good)
        count->failed++;
    else
        load_count_add(count, load->now - begun);
    size_t len = load->options.rows * sizeof(float);
    if (!good || !load->options.told || load->options.json || load->options.live || data.len < len)
        return;
    struct slice scores = {data.data + data.len - len, len};
    count->mixed += !load_is_of_one_version(scores);
    load_see_version(&load->versions, scores);
}

/* Connections. */

static struct load_link *open_link(struct load *load)
{
    int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)load->options.port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct load_link *link = calloc(1, sizeof *link);
    if (!link)
        die("memory");
    link->options = &load->options;
    link->bodies = &load->bodies;
    link->answered = answered;
    link->arg = load;
    link->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link->fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    load->protocol->greet(link);
    return link;
}

static void flush_link(struct load_link *link)
{
    while (link->out.len > link->out_at) {
        ssize_t n = send(link->fd, link->out.data + link->out_at, link->out.len - link->out_at,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            die("send");
        link->out_at += (size_t)n;
    }
    link->out.len = link->out_at = 0;
}

static void read_link(struct load *load, struct load_link *link)
{
    ssize_t n = recv(link->fd, link->in + link->in_len, LOAD_IN - link->in_len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the endpoint closed a connection");
    load->now = clock_us(CLOCK_MONOTONIC);
    link->in_len += (size_t)n;
    size_t taken = load->protocol->take(link, link->in, link->in_len);
    memmove(link->in, link->in + taken, link->in_len - taken);
    link->in_len -= taken;
}

/* When to ask. */

static void keep_full(struct load *load)
{
    for (size_t i = 0; i < load->options.connections; i++)
        while (load->links[i]->in_flight < load->options.streams)
            load->protocol->ask(load->links[i], load->now);
}

static int64_t due_at(const struct load *load)
{
    return load->begin + (int64_t)((double)load->due_n * 1e6 / load->rate);
}

static void ask_due(struct load *load)
{
    size_t full = 0;
    while (due_at(load) <= load->now && full < load->options.connections) {
        struct load_link *link = load->links[load->turn++ % load->options.connections];
        if (link->in_flight == load->options.streams) {
            full++;
            continue;
        }
        full = 0;
        load->protocol->ask(link, due_at(load));
        load->due_n++;
    }
}

/* So many swaps in all, evenly over the parts that have them. */
static void swap_due(struct load *load)
{
    if (!is_swapping(load, load->now) || load->now < load->measured)
        return;
    int64_t part = (load->end - load->measured) / PARTS + 1, gone = load->now - load->measured;
    int64_t among = gone / part / 2 * part + gone % part;
    if (among * load->swaps < load->swapped * part * PARTS / 2)
        return;
    load->swapped++;
    if (kill(load->pid, SIGUSR1) < 0)
        die("kill");
}

/* Of a closed loop. */
static void wait_for_answers(struct load *load)
{
    static const struct timespec most = {0, 10 * 1000 * 1000};
    for (size_t i = 0; i < load->options.connections; i++) {
        load->polls[i].fd = load->links[i]->fd;
        load->polls[i].events = (short)(POLLIN | (load->links[i]->out.len > 0 ? POLLOUT : 0));
    }
    if (ppoll(load->polls, load->options.connections, &most, NULL) < 0 && errno != EINTR)
        die("poll");
    load->now = clock_us(CLOCK_MONOTONIC);
}

/* Of an open one: at fixed times, whatever the endpoint does. Who is woken by each answer spends a
 * processor on it, and the endpoint is woken by each request then. */
static void wait_for_look(struct load *load)
{
    bool silent = true;
    for (size_t i = 0; i < load->options.connections; i++) {
        bool waits = load->links[i]->in_flight > 0;
        silent = silent && !waits;
        load->polls[i].revents = waits ? POLLIN : 0;
    }
    load->look += load->look_us;
    if (silent && load->look < due_at(load))
        load->look = due_at(load);
    struct timespec at = {load->look / 1000000, load->look % 1000000 * 1000};
    if (load->look > clock_us(CLOCK_MONOTONIC))
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    load->now = clock_us(CLOCK_MONOTONIC);
    if (load->look < load->now - load->look_us)
        load->look = load->now; /* it was kept from looking: one look makes up for those missed */
}

static void step(struct load *load)
{
    if (load->rate > 0)
        ask_due(load);
    else
        keep_full(load);
    for (size_t i = 0; i < load->options.connections; i++)
        flush_link(load->links[i]);
    if (load->rate > 0)
        wait_for_look(load);
    else
        wait_for_answers(load);
    for (size_t i = 0; i < load->options.connections; i++)
        if (load->polls[i].revents & POLLIN)
            read_link(load, load->links[i]);
    if (load->swaps > 0)
        swap_due(load);
}

/* The whole. */

struct cost {
    int64_t own, server;
};

static struct cost cost_now(const struct load *load)
{
    clockid_t clock;
    struct cost cost = {.own = clock_us(CLOCK_PROCESS_CPUTIME_ID)};
    if (load->pid > 0 && clock_getcpuclockid(load->pid, &clock) == 0)
        cost.server = clock_us(clock);
    return cost;
}

static void print_count(const char *name, const struct load_count *count)
{
    printf("\"%s\": {\"requests\": %llu, \"failed\": %llu, \"mixed\": %llu, \"mean_us\": %.1f, "
           "\"p50_us\": %lld, \"p90_us\": %lld, \"p99_us\": %lld, \"p999_us\": %lld, \"max_us\": "
           "%lld}, ",
           name, (unsigned long long)count->n, (unsigned long long)count->failed,
           (unsigned long long)count->mixed,
           (double)count->total_us / (double)(count->n + !count->n),
           (long long)load_count_quantile(count, .5), (long long)load_count_quantile(count, .9),
           (long long)load_count_quantile(count, .99), (long long)load_count_quantile(count, .999),
           (long long)load_count_quantile(count, 1 - 1e-9));
}

static int run(struct load *load)
{
    prctl(PR_SET_TIMERSLACK, 1UL); /* of 50 us: half a look */
    load->now = load->begin = load->look = clock_us(CLOCK_MONOTONIC);
    load->measured = load->begin + 300000; /* warm by then */
    load->end = load->measured + (int64_t)(load->seconds * 1e6);
    for (size_t i = 0; i < load->options.connections; i++)
        load->links[i] = open_link(load);
    while (load->now < load->measured)
        step(load);
    struct cost before = cost_now(load);
    int64_t begin = load->now;
    while (load->now < load->end)
        step(load);
    struct cost after = cost_now(load);
    uint64_t n = load->counts[0].n + load->counts[1].n;
    double seconds = (double)(load->now - begin) / 1e6, each = n > 0 ? (double)n : 1;
    printf("{\"requests_per_second\": %.0f, \"own_cpu_us\": %.2f, \"server_cpu_us\": %.2f, ",
           (double)n / seconds, (double)(after.own - before.own) / each,
           (double)(after.server - before.server) / each);
    print_count("steady", &load->counts[0]);
    print_count("swapping", &load->counts[1]);
    printf("\"swaps\": %ld, \"seen\": %ld}\n", load->swapped, load->versions.seen);
    return n == 0 || load->counts[0].failed + load->counts[1].failed > 0 ||
           load->counts[0].mixed + load->counts[1].mixed > 0;
}

static const char *text_of(char **args, const char *name, const char *fallback)
{
    for (; *args; args++)
        if (strcmp(*args, name) == 0)
            return args[1] ? args[1] : "";
    return fallback;
}

static double number_of(char **args, const char *name, double fallback)
{
    const char *text = text_of(args, name, NULL);
    return text ? strtod(text, NULL) : fallback;
}

static void read_options(struct load *load, char **args)
{
    struct load_options *options = &load->options;
    options->grpc = text_of(args, "--grpc", NULL) != NULL;
    options->port = (int)number_of(args, options->grpc ? "--grpc" : "--http", 0);
    options->live = text_of(args, "--live", NULL) != NULL;
    options->json = text_of(args, "--json", NULL) != NULL;
    options->typed = text_of(args, "--typed", NULL) != NULL;
    options->told = text_of(args, "--told", NULL) != NULL;
    options->connections = (size_t)number_of(args, "--connections", options->grpc ? 4 : 32);
    options->streams = (size_t)number_of(args, "--streams", options->grpc ? 8 : 1);
    options->model = text_of(args, "--model", "told");
    options->rows = (size_t)number_of(args, "--rows", 16);
    options->columns = (size_t)number_of(args, "--columns", 16);
    options->event = text_of(args, "--event", NULL);
    load->seconds = number_of(args, "--seconds", 3);
    load->rate = number_of(args, "--rate", 0);
    load->pid = (pid_t)number_of(args, "--pid", 0);
    load->swaps = (long)number_of(args, "--swaps", 0);
    load->look_us = (int64_t)number_of(args, "--look-us", LOOK_US);
    load->protocol = options->grpc ? &load_grpc : &load_http;
}

int main(int argc, char **argv)
{
    static struct load load;
    (void)argc;
    read_options(&load, argv);
    if (load.options.connections > LINKS_MAX || load.options.streams > LOAD_STREAMS_MAX ||
        load.options.port == 0) {
        fprintf(stderr, "endpoint_load: which port? And at most %d connections of %d streams\n",
                LINKS_MAX, LOAD_STREAMS_MAX);
        return 2;
    }
    load_make_bodies(&load.options, &load.bodies);
    return run(&load);
}
