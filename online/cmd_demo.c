/* freshet demo: both examples, whole, in this process: broker, generator, service, live view. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/number.h"
#include "ingest/generator.h"
#include "ingest/loader_kafka.h"
#include "online/command.h"
#include "online/serve.h"
#include "online/temporary.h"

/* The configs of examples/, built in. */
extern const char demo_config_fraud[], demo_config_ctr[];

struct demo_case {
    const char *name, *config;
    enum generator_kind generator;
    const char *title;
};

static const struct demo_case cases[] = {
    {"fraud", demo_config_fraud, GENERATOR_PAYMENTS,
     "Card fraud: payments are scored, frauds are reported a week later, models learn hourly."},
    {"ctr", demo_config_ctr, GENERATOR_IMPRESSIONS,
     "Clicks: impressions are scored, no click within the hour is a label too."},
};

enum { N_CASES = sizeof cases / sizeof cases[0], OUTSTANDING_MAX = 20000 };

/* Feeds made-up events at a rate of wall time until the time is over or the service stops. */
struct feeder {
    const struct demo_case *which;
    const struct settings *settings;
    const char *brokers;
    double rate, seconds;
    volatile sig_atomic_t done;
    enum status status;
};

static double monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static bool over(const struct feeder *feeder, double begin)
{
    return feeder->done || command_stop ||
           (feeder->seconds > 0 && monotonic() - begin >= feeder->seconds);
}

/* The embedded broker drops what is not read in time: never send far ahead of the service. */
static bool must_wait(const struct feeder *feeder, double sent, double taken, double begin)
{
    return sent > feeder->rate * (monotonic() - begin) || sent - taken > OUTSTANDING_MAX;
}

static enum status send(const struct feeder *feeder, struct loader_kafka *loader,
                        const struct generated *made, struct buf *line)
{
    char id[24];
    struct slice key = {id, number_from_int((int64_t)made->id, id)};
    const struct schema *schema = &feeder->settings->schema;
    buf_reset(line);
    generator_write_json(made, false, line);
    return loader_kafka_send(loader,
                             made->is_label ? schema->labels.topic : schema->streams[0].topic, key,
                             buf_slice(line), made->time);
}

static enum status feed_from(struct feeder *feeder, struct generator *generator,
                             struct loader_kafka *loader)
{
    struct metric *taken = metric_find("freshet_events_total", NULL);
    double base = taken ? metric_value(taken) : 0, begin = monotonic(), sent = 0;
    struct buf line = {0};
    struct generated made;
    enum status st = ST_OK;
    while (st == ST_OK && !over(feeder, begin) && generator_next(generator, &made)) {
        st = send(feeder, loader, &made, &line);
        sent += !made.is_label;
        while (taken && must_wait(feeder, sent, metric_value(taken) - base, begin) &&
               !over(feeder, begin))
            nap();
    }
    buf_done(&line);
    return st < 0 ? st : loader_kafka_flush(loader, 5000);
}

static struct generator_options scaled(const struct demo_case *which)
{
    struct generator_options options = generator_defaults(which->generator);
    options.days = 0;
    options.label_all = true;
    /* A second here is days of event time: labels sent at the last minute would come after it. */
    if (which->generator == GENERATOR_PAYMENTS)
        options.label_delay -= DAY_US / 2;
    options.customers = 1500; /* three weeks of payments in some ten seconds */
    options.terminals = 3000;
    options.rate = 5; /* of event time: a day and more in some ten seconds */
    options.users = 20000;
    return options;
}

static void *feed(void *arg)
{
    struct feeder *feeder = arg;
    struct generator_options options = scaled(feeder->which);
    struct generator *generator = NULL;
    struct loader_kafka *loader = NULL;
    struct buf error = {0};
    feeder->status = generator_create(&options, &generator);
    if (feeder->status == ST_OK)
        feeder->status = loader_kafka_create(feeder->brokers, &error, &loader);
    if (feeder->status == ST_OK)
        feeder->status = feed_from(feeder, generator, loader);
    loader_kafka_free(loader);
    generator_free(generator);
    buf_done(&error);
    feeder->done = 1;
    return NULL;
}

static enum status show_on(const struct demo_case *which, struct settings *settings,
                           const char *dir, double rate, double seconds)
{
    struct kafka_ends ends = {0};
    TRY(kafka_ends_open(settings, &ends));
    struct feeder feeder = {.which = which,
                            .settings = settings,
                            .brokers = ends.brokers,
                            .rate = rate,
                            .seconds = seconds};
    struct serve_options options = {.settings = settings,
                                    .dir = dir,
                                    .ends = &ends,
                                    .live = true,
                                    .stop = &feeder.done,
                                    .feeder = feed,
                                    .feeder_arg = &feeder};
    enum status st = serve(&options);
    kafka_ends_close(&ends);
    return st < 0 ? st : feeder.status;
}

static enum status show(const struct demo_case *which, double rate, double seconds)
{
    struct temporary folder;
    struct settings *settings = NULL;
    if (temporary_make(&folder) < 0) {
        perror("freshet demo: cannot make a folder for state");
        return ST_EIO;
    }
    printf("\n%s\n", which->title);
    fflush(stdout);
    enum status st = settings_parse(which->name, slice_of(which->config), stderr, &settings);
    if (st == ST_OK)
        st = show_on(which, settings, folder.path, rate, seconds);
    settings_free(settings);
    temporary_remove(&folder);
    return st;
}

static const struct option options[] = {{"rate", required_argument, NULL, 'r'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {NULL, 0, NULL, 0}};

static int run(int argc, char **argv)
{
    double rate = 4000, seconds = 12;
    const char *only = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "r:s:", options, NULL)) != -1) {
        double *to = option == 'r' ? &rate : option == 's' ? &seconds : NULL;
        if (!to)
            return 2;
        if (number_to_double(slice_of(optarg), to) < 0 || *to < 0)
            return command_misused(&cmd_demo, "\"%s\" is no number", optarg);
    }
    if (optind < argc)
        only = argv[optind];
    command_catch_signals();
    log_set_level(LOG_WARN);
    int shown = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < N_CASES && st == ST_OK && !command_stop; i++) {
        if (only && strcmp(only, cases[i].name) != 0)
            continue;
        st = show(&cases[i], rate, seconds);
        shown++;
    }
    if (shown == 0)
        return command_misused(&cmd_demo, "no example \"%s\": fraud or ctr", only);
    return st < 0 ? 1 : 0;
}

const struct command cmd_demo = {
    "demo",
    "[fraud | ctr] [--rate N] [--seconds N]",
    "both examples in this process: broker, generator, service and live view\n"
    "\n"
    "Needs nothing and keeps nothing. Ends by itself; on a terminal also with Control-C.\n"
    "\n"
    "      --rate N     events a second (4000)\n"
    "      --seconds N  for each example (12); 0: until Control-C\n",
    run,
};
