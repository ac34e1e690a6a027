/*
 * online/terminal.h -- what a file descriptor can show, and lines drawn to fit it.
 *
 * A `struct pen` appends one line at a time to a buffer and never passes the terminal's width,
 * whatever it is given: what it writes is a pure function of the look and the calls, so that tests
 * compare frames as text.
 *
 *     struct pen pen = {.out = &buf, .look = terminal_look(STDOUT_FILENO)};
 *     pen_text(&pen, PEN_BOLD, "events");
 *     pen_to(&pen, 12);                          // blanks up to column 12
 *     pen_printf(&pen, PEN_PLAIN, "%d", n);
 *     pen_end(&pen);
 */
#ifndef ONLINE_TERMINAL_H
#define ONLINE_TERMINAL_H

#include "base/bytes.h"

struct look {
    bool redraws; /* lines can be drawn over: a terminal, and not a dumb one */
    bool colour;  /* and NO_COLOR is not set (https://no-color.org) */
    bool utf8;    /* block characters can be shown */
    unsigned width, height;
};

/* Reads the terminal's size and the environment: TERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG. */
struct look terminal_look(int fd);
/* Writes all of it, whatever write() takes at a time; a terminal that is gone is no failure. */
void terminal_write(int fd, struct slice text);

enum pen_style { PEN_PLAIN, PEN_BOLD, PEN_DIM, PEN_RED, PEN_YELLOW, PEN_GREEN, PEN_CYAN };

struct pen {
    struct buf *out;
    struct look look;
    unsigned at; /* columns of this line that are written */
};

/* ASCII or UTF-8 of our own; each character counts as one column. */
void pen_text(struct pen *pen, enum pen_style style, const char *text);
__attribute__((format(printf, 3, 4))) void pen_printf(struct pen *pen, enum pen_style style,
                                                      const char *format, ...);
/* Text from outside: what is not printable ASCII is shown as '?', so that it can neither move the
 * cursor nor widen the line. */
void pen_foreign(struct pen *pen, enum pen_style style, struct slice text);
/* Blanks up to a column; at least one, if anything is there already. */
void pen_to(struct pen *pen, unsigned column);
/* Text that ends before a column. */
void pen_right(struct pen *pen, enum pen_style style, unsigned column, const char *text);
void pen_end(struct pen *pen);

/* A bar of `cells` columns filled by a share in [0, 1], to an eighth of a column where the terminal
 * can show it. */
void pen_bar(struct pen *pen, enum pen_style style, double share, unsigned cells);
/* Values as columns of up to eight heights; the largest is the full height. */
void pen_spark(struct pen *pen, enum pen_style style, const double *values, size_t n);

#endif
