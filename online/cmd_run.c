/* freshet run: the service. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "online/command.h"
#include "online/serve.h"

static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"state", required_argument, NULL, 'S'},
                                        {"no-live", no_argument, NULL, 'n'},
                                        {NULL, 0, NULL, 0}};

static enum status run_settings(const struct settings *settings, const char *dir, bool live)
{
    struct kafka_ends ends = {0};
    TRY(kafka_ends_open(settings, &ends));
    struct serve_options serve_opts = {.settings = settings,
                                       .dir = dir ? dir : settings->state.dir,
                                       .ends = &ends,
                                       .live = live,
                                       .stop = &command_stop};
    enum status st = serve(&serve_opts);
    kafka_ends_close(&ends);
    return st;
}

static int run(int argc, char **argv)
{
    const char *config = NULL, *dir = NULL;
    bool live = isatty(STDOUT_FILENO);
    int option;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (option == 'c')
            config = optarg;
        else if (option == 'S')
            dir = optarg;
        else if (option == 'n')
            live = false;
        else
            return 2;
    }
    if (!config)
        return command_misused(&cmd_run, "which config? give it with -c");
    struct settings *settings = NULL;
    if (settings_load(config, stderr, &settings) < 0)
        return 1;
    log_set_level(live && settings->log == LOG_INFO ? LOG_WARN : (enum log_level)settings->log);
    command_catch_signals();
    enum status st = run_settings(settings, dir, live);
    settings_free(settings);
    return st < 0 ? 1 : 0;
}

const struct command cmd_run = {
    "run",
    "-c CONFIG [--state DIR]",
    "the service: scores a topic, learning as it goes\n"
    "\n"
    "Runs until SIGTERM or SIGINT, then takes in what it has read, commits it and ends with 0. On "
    "a\n"
    "terminal it shows a live view; elsewhere it logs lines on stderr.\n"
    "\n"
    "  -c, --config FILE  the pipeline\n"
    "      --state DIR    the state directory, over the config's\n"
    "      --no-live      lines on a terminal too\n",
    run,
};
