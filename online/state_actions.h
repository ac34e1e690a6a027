/*
 * online/state_actions.h -- the actions of `freshet state`, and what each is given. For cmd_state.c
 * and state_*.c alone.
 */
#ifndef ONLINE_STATE_ACTIONS_H
#define ONLINE_STATE_ACTIONS_H

#include "online/command.h"
#include "online/inspect.h"

struct state_request {
    const struct settings *settings; /* NULL where none was given and none is needed */
    const char *dir;                 /* the state directory */
    int n;                           /* words behind the action's */
    char **words;
    bool parked; /* list: the rows that Kafka refused */
};

/* Each returns the exit status, having said what is wrong. */
int state_verify(const struct state_request *request);
int state_list_parked(const struct state_request *request);
int state_checkpoint(const struct state_request *request);
int state_restore(const struct state_request *request);

#endif
