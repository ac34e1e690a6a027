#include "models/moves.h"

#include <stdio.h>
#include <stdlib.h>

void moves_done(struct moves *moves)
{
    buf_done(&moves->list);
}

void moves_add(struct moves *moves, struct slice name, double before, double after, double moved)
{
    struct move move = {.before = before, .after = after, .moved = moved};
    snprintf(move.name, sizeof move.name, "%.*s", (int)name.len, name.data);
    buf_append(&moves->list, &move, sizeof move);
}

static int further_first(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    if (x->moved != y->moved)
        return x->moved > y->moved ? -1 : 1;
    return strcmp(x->name, y->name);
}

void moves_sort(struct moves *moves)
{
    if (moves_count(moves) > 0)
        qsort(moves->list.data, moves_count(moves), sizeof(struct move), further_first);
}

size_t moves_count(const struct moves *moves)
{
    return moves->list.len / sizeof(struct move);
}

const struct move *moves_at(const struct moves *moves, size_t i)
{
    return (const struct move *)(const void *)moves->list.data + i;
}
