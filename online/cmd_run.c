/* freshet run: the service. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "online/command.h"
#include "online/serve.h"

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"state", required_argument, NULL, 'S'},
    {"no-live", no_argument, NULL, 'n'},      {"after-restore", no_argument, NULL, 'R'},
    {"accept-gap", no_argument, NULL, 'G'},   {NULL, 0, NULL, 0}};

static enum status run_settings(struct serve_options *serve_opts)
{
    struct kafka_ends ends = {0};
    TRY(kafka_ends_open(serve_opts->settings, &ends));
    serve_opts->ends = &ends;
    enum status st = serve(serve_opts);
    kafka_ends_close(&ends);
    return st;
}

/* What files bring along and topics do not. */
static enum status check_topics(const struct settings *settings)
{
    const struct label_schema *labels = &settings->schema.labels;
    if (!labels->present || labels->topic)
        return ST_OK;
    struct conf_errors errors = {0};
    conf_complain(&errors, settings->labels_node,
                  "`topic` is missing: which topic do labels come on?");
    conf_errors_print(&errors, stderr);
    conf_errors_done(&errors);
    return ST_EINVAL;
}

static int run(int argc, char **argv)
{
    const char *config = NULL;
    struct serve_options serve_opts = {.live = isatty(STDOUT_FILENO), .stop = &command_stop};
    int option;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (option == 'c')
            config = optarg;
        else if (option == 'S')
            serve_opts.dir = optarg;
        else if (option == 'n')
            serve_opts.live = false;
        else if (option == 'R')
            serve_opts.after_restore = true;
        else if (option == 'G')
            serve_opts.accept_gap = true;
        else
            return 2;
    }
    if (!config)
        return command_misused(&cmd_run, "which config? give it with -c");
    struct settings *settings = NULL;
    if (settings_load(config, stderr, &settings) < 0)
        return 1;
    if (check_topics(settings) < 0) {
        settings_free(settings);
        return 1;
    }
    bool quiet = serve_opts.live && settings->log == LOG_INFO;
    log_set_level(quiet ? LOG_WARN : (enum log_level)settings->log);
    command_catch_signals();
    serve_opts.settings = settings;
    if (!serve_opts.dir)
        serve_opts.dir = settings->state.dir;
    enum status st = run_settings(&serve_opts);
    settings_free(settings);
    return st < 0 ? 1 : 0;
}

const struct command cmd_run = {
    "run",
    "-c CONFIG [--state DIR] [--after-restore] [--accept-gap]",
    "the service: scores a topic, learning as it goes\n"
    "\n"
    "Runs until SIGTERM or SIGINT, then takes in what it has read, commits it and ends with 0. On "
    "a\n"
    "terminal it shows a live view; elsewhere it logs lines on stderr.\n"
    "\n"
    "  -c, --config FILE  the pipeline\n"
    "      --state DIR    the state directory, over the config's\n"
    "      --no-live      lines on a terminal too\n"
    "      --after-restore  the state is an older copy, or a new one: compute it anew, and send\n"
    "                     nothing for records below the group's offsets\n"
    "      --accept-gap   where records were deleted before they were read, go on behind them\n",
    run,
};
