#include "online/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

volatile sig_atomic_t command_stop;

static void on_signal(int number)
{
    (void)number;
    command_stop = 1;
}

/* A second signal of the same kind ends the process at once, for whoever does not want to wait. */
void command_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "freshet %s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nfreshet %s --help tells more\n", command->name);
    return 2;
}

bool command_state_options(int argc, char **argv, const char **ret_config, const char **ret_dir)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"state", required_argument, NULL, 'S'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (option == 'c')
            *ret_config = optarg;
        else if (option == 'S')
            *ret_dir = optarg;
        else
            return false;
    }
    return true;
}
