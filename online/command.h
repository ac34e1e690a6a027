/*
 * online/command.h -- the commands of the program: one row here and one cmd_*.c each.
 */
#ifndef ONLINE_COMMAND_H
#define ONLINE_COMMAND_H

#include <signal.h>
#include <stdbool.h>

struct command {
    const char *name;
    const char *usage; /* the arguments, for the first line of its help */
    const char *help;  /* what it does and its options, whole lines */
    /* argv[0] is the command's name. Returns the exit status: 0 done, 1 failed (and said why), 2
     * the arguments are off. */
    int (*run)(int argc, char **argv);
};

extern const struct command cmd_run, cmd_replay, cmd_demo, cmd_config, cmd_state, cmd_model,
    cmd_generate, cmd_audit, cmd_stl, cmd_bin;

/* Says on stderr what is wrong with the arguments and where the help is. Returns 2. */
__attribute__((format(printf, 2, 3))) int command_misused(const struct command *command,
                                                          const char *format, ...);

/* Reads -c (--config) and --state, the options of commands that look at a state directory; what is
 * not given stays. optind is then the first word behind them. False: an option is off, and getopt
 * has said so. */
bool command_state_options(int argc, char **argv, const char **ret_config, const char **ret_dir);

/* Set by SIGINT and SIGTERM once command_catch_signals() was called: the one flag a handler writes.
 */
extern volatile sig_atomic_t command_stop;
void command_catch_signals(void);

#endif
