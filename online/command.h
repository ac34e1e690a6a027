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
    cmd_generate;

/* Says on stderr what is wrong with the arguments and where the help is. Returns 2. */
__attribute__((format(printf, 2, 3))) int command_misused(const struct command *command,
                                                          const char *format, ...);

/* Set by SIGINT and SIGTERM once command_catch_signals() was called: the one flag a handler writes.
 */
extern volatile sig_atomic_t command_stop;
void command_catch_signals(void);

#endif
