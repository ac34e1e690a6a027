#include "online/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* NULL if it is empty: https://no-color.org and setlocale() take that for not set. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The first of the three that is set decides. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < 3 && !locale; i++)
        locale = environment(names[i]);
    return locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

static void measure(int fd, struct look *look)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0)
        return;
    if (size.ws_col > 0)
        look->width = size.ws_col;
    if (size.ws_row > 0)
        look->height = size.ws_row;
}

struct look terminal_look(int fd)
{
    struct look look = {.width = 80, .height = 24};
    const char *term = environment("TERM");
    look.redraws = isatty(fd) && term && strcmp(term, "dumb") != 0;
    look.colour = look.redraws && !environment("NO_COLOR");
    look.utf8 = locale_is_utf8();
    measure(fd, &look);
    return look;
}

void terminal_write(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text.data += n;
        text.len -= (size_t)n;
    }
}

static const char *const style_codes[] = {
    [PEN_BOLD] = "1",    [PEN_DIM] = "2",    [PEN_RED] = "1;31",
    [PEN_YELLOW] = "33", [PEN_GREEN] = "32", [PEN_CYAN] = "36",
};

static void begin_style(struct pen *pen, enum pen_style style)
{
    if (pen->look.colour && style != PEN_PLAIN)
        buf_printf(pen->out, "\033[%sm", style_codes[style]);
}

static void end_style(struct pen *pen, enum pen_style style)
{
    if (pen->look.colour && style != PEN_PLAIN)
        buf_text(pen->out, "\033[0m");
}

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* As many whole characters as there is room for. */
static void put_clipped(struct pen *pen, struct slice text)
{
    size_t i = 0;
    while (i < text.len && pen->at < pen->look.width) {
        i++;
        while (i < text.len && continues_character(text.data[i]))
            i++;
        pen->at++;
    }
    buf_append(pen->out, text.data, i);
}

static void put(struct pen *pen, enum pen_style style, struct slice text)
{
    if (text.len == 0 || pen->at >= pen->look.width)
        return;
    begin_style(pen, style);
    put_clipped(pen, text);
    end_style(pen, style);
}

void pen_text(struct pen *pen, enum pen_style style, const char *text)
{
    put(pen, style, slice_of(text));
}

void pen_printf(struct pen *pen, enum pen_style style, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(pen, style, slice_of(text));
}

void pen_foreign(struct pen *pen, enum pen_style style, struct slice text)
{
    char clean[256];
    size_t n = text.len < sizeof clean ? text.len : sizeof clean;
    for (size_t i = 0; i < n; i++)
        clean[i] = text.data[i] >= ' ' && text.data[i] < 127 ? text.data[i] : '?';
    put(pen, style, (struct slice){clean, n});
}

void pen_to(struct pen *pen, unsigned column)
{
    static const char blanks[] = "                                                                ";
    unsigned n = column > pen->at ? column - pen->at : pen->at > 0;
    while (n > 0 && pen->at < pen->look.width) {
        unsigned part = n < sizeof blanks - 1 ? n : (unsigned)sizeof blanks - 1;
        put_clipped(pen, (struct slice){blanks, part});
        n -= part;
    }
}

static unsigned columns_of(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += !continues_character(*text);
    return n;
}

void pen_right(struct pen *pen, enum pen_style style, unsigned column, const char *text)
{
    unsigned width = columns_of(text);
    pen_to(pen, column > width ? column - width : 0);
    pen_text(pen, style, text);
}

/* Blanks at the end of a line say nothing. */
void pen_end(struct pen *pen)
{
    while (pen->out->len > 0 && pen->out->data[pen->out->len - 1] == ' ')
        pen->out->len--;
    buf_byte(pen->out, '\n');
    pen->at = 0;
}

static const char *const eighths_across[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const eighths_up[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii_up[] = {" ", "_", "_", ".", ".", "-", "-", "=", "#"};

static double clamp(double v)
{
    return v >= 0 ? (v <= 1 ? v : 1) : 0; /* NaN: 0 */
}

static const char *bar_cell(const struct pen *pen, unsigned eighths)
{
    if (pen->look.utf8)
        return eighths_across[eighths];
    return eighths >= 4 ? "#" : ".";
}

void pen_bar(struct pen *pen, enum pen_style style, double share, unsigned cells)
{
    char text[4 * 256];
    size_t len = 0;
    if (cells > 255)
        cells = 255;
    unsigned filled = (unsigned)(clamp(share) * 8 * cells + 1e-9);
    for (unsigned i = 0; i < cells; i++) {
        unsigned eighths = filled > i * 8 ? filled - i * 8 : 0;
        const char *cell = bar_cell(pen, eighths < 8 ? eighths : 8);
        memcpy(text + len, cell, strlen(cell));
        len += strlen(cell);
    }
    put(pen, style, (struct slice){text, len});
}

void pen_spark(struct pen *pen, enum pen_style style, const double *values, size_t n)
{
    char text[4 * 256];
    size_t len = 0;
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = values[i] > most ? values[i] : most;
    for (size_t i = 0; i < n && i < 255; i++) {
        double share = most > 0 ? clamp(values[i] / most) : 0;
        unsigned height = share > 0 ? (unsigned)(share * 7.999) + 1 : 0;
        const char *cell = (pen->look.utf8 ? eighths_up : ascii_up)[height];
        memcpy(text + len, cell, strlen(cell));
        len += strlen(cell);
    }
    put(pen, style, (struct slice){text, len});
}
