/* freshet generate: made-up events, for trying things out. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/timefmt.h"
#include "ingest/generator.h"
#include "ingest/loader_kafka.h"
#include "online/command.h"

enum {
    OPT_SEED = 256,
    OPT_DAYS,
    OPT_CUSTOMERS,
    OPT_TERMINALS,
    OPT_USERS,
    OPT_ADS,
    OPT_SITES,
    OPT_RATE,
    OPT_SKEW,
    OPT_DELAY,
    OPT_CHANGE,
    OPT_FORMAT,
    OPT_LABELS,
    OPT_BROKERS,
    OPT_TOPIC,
    OPT_LABEL_TOPIC,
};

static const struct option options[] = {{"seed", required_argument, NULL, OPT_SEED},
                                        {"days", required_argument, NULL, OPT_DAYS},
                                        {"customers", required_argument, NULL, OPT_CUSTOMERS},
                                        {"terminals", required_argument, NULL, OPT_TERMINALS},
                                        {"users", required_argument, NULL, OPT_USERS},
                                        {"ads", required_argument, NULL, OPT_ADS},
                                        {"sites", required_argument, NULL, OPT_SITES},
                                        {"rate", required_argument, NULL, OPT_RATE},
                                        {"skew", required_argument, NULL, OPT_SKEW},
                                        {"label-delay", required_argument, NULL, OPT_DELAY},
                                        {"change-day", required_argument, NULL, OPT_CHANGE},
                                        {"format", required_argument, NULL, OPT_FORMAT},
                                        {"output", required_argument, NULL, 'o'},
                                        {"labels", required_argument, NULL, OPT_LABELS},
                                        {"brokers", required_argument, NULL, OPT_BROKERS},
                                        {"topic", required_argument, NULL, OPT_TOPIC},
                                        {"label-topic", required_argument, NULL, OPT_LABEL_TOPIC},
                                        {NULL, 0, NULL, 0}};

struct generate {
    struct generator_options generator;
    bool csv;
    const char *output, *labels, *brokers, *topic, *label_topic;
    FILE *events_to, *labels_to;
    struct loader_kafka *loader;
};

static bool take_count(const char *text, uint32_t *ret)
{
    int64_t v;
    if (number_to_int(slice_of(text), &v) < 0 || v < 1 || v > UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

static bool take_real(const char *text, double *ret)
{
    return number_to_double(slice_of(text), ret) == ST_OK;
}

static bool take_seed(const char *text, uint64_t *ret)
{
    int64_t v;
    if (number_to_int(slice_of(text), &v) < 0 || v < 0)
        return false;
    *ret = (uint64_t)v;
    return true;
}

static bool take_option(struct generate *generate, int option, const char *text)
{
    struct generator_options *generator = &generate->generator;
    switch (option) {
    case OPT_SEED:
        return take_seed(text, &generator->seed);
    case OPT_DAYS:
        return number_to_int(slice_of(text), &generator->days) == ST_OK && generator->days > 0;
    case OPT_CUSTOMERS:
        return take_count(text, &generator->customers);
    case OPT_TERMINALS:
        return take_count(text, &generator->terminals);
    case OPT_USERS:
        return take_count(text, &generator->users);
    case OPT_ADS:
        return take_count(text, &generator->ads);
    case OPT_SITES:
        return take_count(text, &generator->sites);
    case OPT_RATE:
        return take_real(text, &generator->rate);
    case OPT_SKEW:
        return take_real(text, &generator->skew);
    case OPT_DELAY:
        return duration_parse(slice_of(text), &generator->label_delay) == ST_OK;
    case OPT_CHANGE:
        return number_to_int(slice_of(text), &generator->change_day) == ST_OK &&
               generator->change_day > 0;
    case OPT_FORMAT:
        generate->csv = strcmp(text, "csv") == 0;
        return generate->csv || strcmp(text, "json") == 0;
    case OPT_LABELS:
        generate->labels = text;
        return true;
    case OPT_BROKERS:
        generate->brokers = text;
        return true;
    case OPT_TOPIC:
        generate->topic = text;
        return true;
    case OPT_LABEL_TOPIC:
        generate->label_topic = text;
        return true;
    default:
        generate->output = text;
        return option == 'o';
    }
}

static int parse_arguments(struct generate *generate, int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool payments = strcmp(what, "payments") == 0;
    if (!payments && strcmp(what, "impressions") != 0)
        return command_misused(&cmd_generate, "payments or impressions?");
    generate->generator = generator_defaults(payments ? GENERATOR_PAYMENTS : GENERATOR_IMPRESSIONS);
    generate->csv = true;
    optind = 2;
    int option;
    while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        if (option == '?')
            return 2;
        if (!take_option(generate, option, optarg))
            return command_misused(&cmd_generate, "\"%s\" does not fit its option", optarg);
    }
    if (generate->brokers && !generate->topic)
        return command_misused(&cmd_generate, "which topic? give it with --topic");
    return 0;
}

static FILE *open_output(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!file)
        fprintf(stderr, "freshet generate: %s: %s\n", path, strerror(errno));
    return file;
}

static enum status open_ends(struct generate *generate)
{
    if (!generate->brokers) {
        generate->events_to = open_output(generate->output ? generate->output : "-");
        if (generate->labels)
            generate->labels_to = open_output(generate->labels);
        return generate->events_to && (!generate->labels || generate->labels_to) ? ST_OK : ST_EIO;
    }
    struct buf error = {0};
    enum status st = loader_kafka_create(generate->brokers, &error, &generate->loader);
    if (st < 0)
        fprintf(stderr, "freshet generate: %.*s\n", (int)error.len, error.data);
    buf_done(&error);
    return st;
}

static enum status put_line(FILE *file, struct buf *line, bool newline)
{
    if (newline)
        buf_byte(line, '\n');
    return fwrite(line->data, 1, line->len, file) == line->len ? ST_OK : ST_EIO;
}

static enum status to_topic(struct generate *generate, const struct generated *made,
                            struct buf *line)
{
    const char *topic = made->is_label ? generate->label_topic : generate->topic;
    char id[24];
    struct slice key = {id, number_from_int((int64_t)made->id, id)};
    if (!topic)
        return ST_OK;
    generator_write_json(made, false, line);
    return loader_kafka_send(generate->loader, topic, key, buf_slice(line), made->time);
}

/* Without a place for labels, events carry their own. */
static enum status put(struct generate *generate, const struct generated *made, struct buf *line)
{
    buf_reset(line);
    if (generate->loader)
        return to_topic(generate, made, line);
    if (made->is_label) {
        if (!generate->labels_to)
            return ST_OK;
        generator_write_json(made, false, line);
        return put_line(generate->labels_to, line, true);
    }
    if (generate->csv)
        generator_write_csv(made, line);
    else
        generator_write_json(made, !generate->labels_to, line);
    return put_line(generate->events_to, line, !generate->csv);
}

static enum status make_all(struct generate *generate)
{
    struct generator *generator = NULL;
    TRY(generator_create(&generate->generator, &generator));
    struct buf line = {0};
    struct generated made;
    enum status st = ST_OK;
    if (generate->csv && !generate->loader) {
        generator_write_csv_header(generate->generator.kind, &line);
        st = put_line(generate->events_to, &line, false);
    }
    while (st == ST_OK && !command_stop && generator_next(generator, &made))
        st = put(generate, &made, &line);
    if (st == ST_OK && generate->loader)
        st = loader_kafka_flush(generate->loader, 30000);
    buf_done(&line);
    generator_free(generator);
    return st;
}

static enum status close_ends(struct generate *generate, enum status st)
{
    FILE *files[] = {generate->events_to, generate->labels_to};
    for (size_t i = 0; i < 2; i++)
        if (files[i] && fclose(files[i]) != 0 && st == ST_OK)
            st = ST_EIO;
    loader_kafka_free(generate->loader);
    return st;
}

static int run(int argc, char **argv)
{
    struct generate generate = {0};
    int misused = parse_arguments(&generate, argc, argv);
    if (misused)
        return misused;
    command_catch_signals();
    enum status st = open_ends(&generate);
    if (st == ST_OK)
        st = make_all(&generate);
    st = close_ends(&generate, st);
    if (st < 0)
        fprintf(stderr, "freshet generate: %s\n", status_text(st));
    return st < 0 ? 1 : 0;
}

const struct command cmd_generate = {
    "generate",
    "payments | impressions [OPTIONS]",
    "made-up events to try things on: card payments, or ads and clicks\n"
    "\n"
    "The same options give the same events everywhere. CSV rows carry their label; so do JSON "
    "lines,\n"
    "unless --labels says where labels go.\n"
    "\n"
    "      --seed N             another stream (0)\n"
    "      --days N             how long it goes on (payments 183, impressions 7)\n"
    "      --customers N        payments: cards (5000)\n"
    "      --terminals N        payments: terminals (10000)\n"
    "      --users N, --ads N, --sites N, --rate R, --skew S\n"
    "                           impressions: how many, how many a second, and how uneven\n"
    "      --label-delay D      how long after the event its label is known\n"
    "      --change-day N       payments: from this day on frauds are others, small amounts "
    "instead "
    "of\n"
    "                           high ones, as if thieves had learnt\n"
    "      --format csv|json    what files hold (csv)\n"
    "  -o, --output FILE        events (standard output)\n"
    "      --labels FILE        labels as JSON lines, when they are known\n"
    "      --brokers B --topic T [--label-topic L]\n"
    "                           onto topics, stamped with event time\n",
    run,
};
