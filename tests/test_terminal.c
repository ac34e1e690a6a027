/*
 * Tests of online/terminal.h. Whatever is drawn, a line is no wider than the look and holds no
 * character of another's that could move the cursor; with colours off it holds no escape at all.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <unistd.h>

#include "online/terminal.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct look plain = {.redraws = true, .utf8 = true, .width = 40, .height = 24};

/* The line so far, as text. The caller frees it. */
static char *text_of(struct buf *buf)
{
    buf_byte(buf, 0);
    return buf->data;
}

static unsigned columns(const struct buf *buf)
{
    unsigned n = 0;
    for (size_t i = 0; i < buf->len; i++)
        n += ((unsigned char)buf->data[i] & 0xc0) != 0x80 && buf->data[i] != '\n';
    return n;
}

struct bar_case {
    double share;
    unsigned cells;
    bool utf8;
    char text[64];
};

ParameterizedTestParameters(terminal, bar_is_filled_to_an_eighth)
{
    static struct bar_case cases[] = {
        {0, 4, true, "    "},       {1, 4, true, "████"},      {0.5, 4, true, "██  "},
        {0.53125, 4, true, "██▏ "}, {0.999, 1, true, "▉"},     {2, 2, true, "██"},
        {-1, 2, true, "  "},        {NAN, 2, true, "  "},      {0.5, 4, false, "##.."},
        {0.624, 4, false, "##.."},  {0.625, 4, false, "###."}, {1, 0, true, ""},
    };
    return cr_make_param_array(struct bar_case, cases, LEN(cases));
}

ParameterizedTest(struct bar_case *c, terminal, bar_is_filled_to_an_eighth)
{
    struct buf buf = {0};
    struct pen pen = {.out = &buf, .look = plain};
    pen.look.utf8 = c->utf8;
    pen_bar(&pen, PEN_PLAIN, c->share, c->cells);
    cr_expect(eq(str, text_of(&buf), c->text), "%g of %u", c->share, c->cells);
    cr_expect(eq(u32, pen.at, c->cells));
    buf_done(&buf);
}

Test(terminal, spark_has_its_largest_at_full_height)
{
    static const double values[] = {0, 1, 4, 8, 0.001};
    struct buf buf = {0};
    struct pen pen = {.out = &buf, .look = plain};
    pen_spark(&pen, PEN_PLAIN, values, LEN(values));
    cr_expect(eq(str, text_of(&buf), " ▁▄█▁"));
    buf_reset(&buf);
    pen_spark(&pen, PEN_PLAIN, (double[]){0, 0, NAN}, 3);
    cr_expect(eq(str, text_of(&buf), "   "));
    buf_done(&buf);
}

TheoryDataPoints(terminal, no_line_is_wider_than_the_look) = {
    DataPoints(unsigned, 0, 1, 2, 7, 40, 79, 200), /* width */
    DataPoints(unsigned, 0, 1, 6, 39, 41, 500),    /* columns moved to, cells */
    DataPoints(bool, false, true),                 /* utf8 */
};

Theory((unsigned width, unsigned n, bool utf8), terminal, no_line_is_wider_than_the_look)
{
    struct buf buf = {0};
    struct pen pen = {.out = &buf, .look = {.utf8 = utf8, .width = width}};
    pen_text(&pen, PEN_RED, "a grüner Text ▏▏");
    pen_to(&pen, n);
    pen_bar(&pen, PEN_CYAN, 0.37, n);
    pen_right(&pen, PEN_DIM, n, "right");
    pen_foreign(&pen, PEN_PLAIN, slice_of("\033[2J\xff\xff"));
    cr_expect(le(u32, columns(&buf), width));
    cr_expect(eq(ptr, memchr(buf.data ? buf.data : "", '\033', buf.len), NULL));
    pen_end(&pen);
    cr_expect(eq(chr, buf.data[buf.len - 1], '\n'));
    buf_done(&buf);
}

Test(terminal, foreign_text_cannot_move_the_cursor)
{
    struct buf buf = {0};
    struct pen pen = {.out = &buf, .look = plain};
    pen_foreign(&pen, PEN_PLAIN,
                slice_of("a\033[2J\n\x7f\xc2\x9b"
                         "z"));
    cr_expect(eq(str, text_of(&buf), "a?[2J????z"));
    buf_done(&buf);
}

Test(terminal, colours_are_closed_where_text_is_cut)
{
    struct buf buf = {0};
    struct pen pen = {.out = &buf, .look = plain};
    pen.look.colour = true;
    pen.look.width = 3;
    pen_text(&pen, PEN_RED, "abcdef");
    pen_text(&pen, PEN_RED, "nothing");
    pen_end(&pen);
    cr_expect(eq(str, text_of(&buf), "\033[1;31mabc\033[0m\n"));
    buf_done(&buf);
}

Test(terminal, words_keep_apart_and_lines_end_in_no_blanks)
{
    struct buf buf = {0};
    struct pen pen = {.out = &buf, .look = plain};
    pen_to(&pen, 0);
    pen_text(&pen, PEN_PLAIN, "abc");
    pen_to(&pen, 2);
    pen_text(&pen, PEN_PLAIN, "d");
    pen_right(&pen, PEN_PLAIN, 10, "xyz");
    pen_to(&pen, 20);
    pen_end(&pen);
    cr_expect(eq(str, text_of(&buf), "abc d  xyz\n"));
    buf_done(&buf);
}

/* What the environment says; the test's own stdout is no terminal. */

struct look_case {
    char lc_all[16], lang[16];
    bool utf8;
};

ParameterizedTestParameters(terminal, locale_says_what_can_be_shown)
{
    static struct look_case cases[] = {
        {"", "", false},         {"", "C.UTF-8", true},  {"", "de_DE.utf8", true},
        {"C", "C.UTF-8", false}, {"C.UTF-8", "C", true},
    };
    return cr_make_param_array(struct look_case, cases, LEN(cases));
}

ParameterizedTest(struct look_case *c, terminal, locale_says_what_can_be_shown)
{
    int fds[2];
    cr_assert(eq(int, pipe(fds), 0));
    unsetenv("LC_CTYPE");
    setenv("LC_ALL", c->lc_all, 1);
    setenv("LANG", c->lang, 1);
    setenv("TERM", "xterm", 1);
    struct look look = terminal_look(fds[1]);
    cr_expect(eq(int, look.utf8, c->utf8), "%s %s", c->lc_all, c->lang);
    cr_expect(not(look.redraws), "a pipe is no terminal");
    cr_expect(not(look.colour));
    close(fds[0]);
    close(fds[1]);
}
