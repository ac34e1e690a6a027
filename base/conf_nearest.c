/* base/conf_nearest.c -- which name a misspelt one was meant to be. */
#include "base/conf.h"

enum { NAME_MAX_LEN = 64 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Letters inserted, left out, replaced, or swapped with their neighbour ("optimal string
 * alignment"), without heed of case. Both texts are at most NAME_MAX_LEN long. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][NAME_MAX_LEN + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
            bool swapped = i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y;
            if (swapped && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        unsigned *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_len];
}

/* One letter wrong in three, and at least one. */
static unsigned allowed(size_t len)
{
    return len < 6 ? 1 : (unsigned)(len / 3);
}

const char *conf_nearest(const char *text, const char *const *names)
{
    size_t len = strlen(text);
    const char *best = NULL;
    unsigned best_distance = len <= NAME_MAX_LEN ? allowed(len) + 1 : 0;
    for (; *names; names++) {
        size_t name_len = strlen(*names);
        if (name_len > NAME_MAX_LEN || len > NAME_MAX_LEN)
            continue;
        unsigned d = distance(text, len, *names, name_len);
        if (d < best_distance && d < len) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}
