/*
 * online/control.h -- how a command reaches the service that has a state directory open: a socket
 * DIR/control, for processes of the same user on the same machine.
 *
 *     TRY(control_start(dir, answer, service, &control));     // in the service
 *     ...
 *     control_stop(control);
 *
 *     st = control_ask(dir, "checkpoint /backup/fraud", &reply);   // in another process
 *
 * A request is one line, a reply is one: "ok TEXT" or "error TEXT". A thread of its own answers,
 * one asker at a time.
 */
#ifndef ONLINE_CONTROL_H
#define ONLINE_CONTROL_H

#include "base/bytes.h"
#include "base/status.h"

struct control;

/* Does what a request says and puts a line without its end into reply; a failure's is why. request
 * ends with NUL. Called on the control's thread. */
typedef enum status (*control_fn)(void *arg, const char *request, struct buf *reply);

/* A socket that a dead process left there is replaced: the caller has the directory to itself.
 * Returns ST_EIO (errno says why), ST_ENOMEM. */
STATUS_CHECKED enum status control_start(const char *dir, control_fn fn, void *arg,
                                         struct control **ret);
/* Waits for the answer that is being worked out. NULL is allowed. */
void control_stop(struct control *control);

/* Asks and waits for the answer, which is appended to reply. Returns ST_ENOTFOUND: nobody listens
 * there; ST_EIO: the service ended before it answered; ST_EINVAL: it could not do it, and reply
 * says why. */
STATUS_CHECKED enum status control_ask(const char *dir, const char *request, struct buf *reply);

#endif
