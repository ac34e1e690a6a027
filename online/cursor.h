/*
 * online/cursor.h -- hides the terminal's cursor, and gives it back however the process ends.
 *
 * A process has one terminal and signals have one handler, so this is the process's and not an
 * object. While the cursor is hidden, any signal that would end or stop the process shows it first
 * and then does what it did before.
 */
#ifndef ONLINE_CURSOR_H
#define ONLINE_CURSOR_H

/* Once; fd must be a terminal. */
void cursor_hide(int fd);
void cursor_show(void);

#endif
