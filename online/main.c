/* freshet: a streaming online-learning service. This file only picks the command. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "online/command.h"

static const struct command *const commands[] = {&cmd_run,   &cmd_replay, &cmd_demo,  &cmd_config,
                                                 &cmd_state, &cmd_audit,  &cmd_model, &cmd_generate,
                                                 &cmd_stl,   &cmd_bin};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_summary(const char *text)
{
    fprintf(stdout, "%.*s\n", (int)strcspn(text, "\n"), text);
}

static void print_overview(void)
{
    puts("freshet turns an event stream into scores, and keeps the models fresh that make them.\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        printf("  %-9s ", commands[i]->name);
        print_summary(commands[i]->help);
    }
    puts("\nfreshet COMMAND --help tells more.");
}

static void print_help(const struct command *command)
{
    printf("usage: freshet %s %s\n\n%s", command->name, command->usage, command->help);
}

static int dispatch(const struct command *command, int argc, char **argv)
{
    static char name[32]; /* what complaints of options begin with */
    snprintf(name, sizeof name, "freshet %s", command->name);
    argv[0] = name;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(command);
            return 0;
        }
    }
    return command->run(argc, argv);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    fprintf(stderr, "freshet: no command \"%s\"; freshet --help lists them\n", name);
    return NULL;
}

static int help(const char *name)
{
    const struct command *command = find_command(name);
    if (command)
        print_help(command);
    return command ? 0 : 2;
}

int main(int argc, char **argv)
{
    bool asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0);
    if (asks && argc > 2)
        return help(argv[2]);
    if (argc < 2 || asks) {
        print_overview();
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("freshet " FRESHET_VERSION);
        return 0;
    }
    const struct command *command = find_command(argv[1]);
    return command ? dispatch(command, argc - 1, argv + 1) : 2;
}
