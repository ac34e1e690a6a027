#include "online/model_diff.h"

#include <inttypes.h>

#include "online/model_files.h"
#include "online/readable.h"

enum { MOVES_SHOWN = 20 };

struct side {
    struct tensors *file;
    struct model_manifest manifest;
    char kind[32];
    const struct decision *decision; /* the last; NULL: there was no gate */
};

static enum status open_side(const char *path, struct side *ret, struct buf *error)
{
    const struct decision *decisions = NULL;
    size_t n = 0;
    enum status st = model_files_inspect(path, &ret->manifest, ret->kind, sizeof ret->kind);
    if (st == ST_OK)
        st = tensors_read(path, &ret->file);
    if (st == ST_OK)
        st = gate_read_decisions(ret->file, &decisions, &n);
    if (st < 0)
        buf_printf(error, "%s: %s", path, status_text(st));
    ret->decision = n > 0 ? &decisions[n - 1] : NULL;
    return st;
}

/* Some bytes of what is read are text that a file brings along. */
static const char *name_of(const struct side *side)
{
    const char *name = tensors_text(side->file, "freshet.model");
    return name ? name : "";
}

static void put_words(struct buf *ret, const char *what, const char *before, const char *after)
{
    buf_printf(ret, "%-28s %22s %22s\n", what, before, after);
}

static void put_counts(struct buf *ret, const char *what, uint64_t before, uint64_t after)
{
    char text[2][24];
    snprintf(text[0], sizeof text[0], "%" PRIu64, before);
    snprintf(text[1], sizeof text[1], "%" PRIu64, after);
    put_words(ret, what, text[0], text[1]);
}

static void put_learnt(const struct side *a, const struct side *b, struct buf *ret)
{
    const struct model_manifest *was = &a->manifest, *is = &b->manifest;
    put_words(ret, "model", name_of(a), name_of(b));
    put_words(ret, "kind", a->kind, b->kind);
    put_counts(ret, "version", was->version, is->version);
    if (was->source > 0 || is->source > 0)
        put_counts(ret, "made by hand of version", was->source, is->source);
    put_words(ret, "published", readable_time(was->published).text,
              readable_time(is->published).text);
    put_counts(ret, "learnt log items up to", was->cursor, is->cursor);
    put_words(ret, "newest example", readable_time(was->newest).text,
              readable_time(is->newest).text);
}

/* The candidate's: what the file holds, when it was judged. */
static void put_figures(const struct side *a, const struct side *b, struct buf *ret)
{
    static const char *const names[] = {"positives",
                                        "candidate_auc",
                                        "difference",
                                        "candidate_average_precision",
                                        "candidate_log_loss",
                                        "candidate_calibration_error",
                                        "psi"};
    if (!a->decision || !b->decision)
        return;
    put_words(ret, "verdict", verdict_text((enum verdict)a->decision->verdict),
              verdict_text((enum verdict)b->decision->verdict));
    for (size_t i = 0; i < DECISION_FIGURES; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            if (strcmp(decision_names[i], names[j]) == 0)
                put_words(ret, names[j], readable_real(((const double *)a->decision)[i], 4).text,
                          readable_real(((const double *)b->decision)[i], 4).text);
}

static void put_moves(const struct moves *moves, const char *by, struct buf *ret)
{
    size_t n = moves_count(moves), shown = n < MOVES_SHOWN ? n : MOVES_SHOWN;
    buf_printf(ret, "\nthe %zu of %zu features that moved furthest (%s):\n", shown, n, by);
    buf_printf(ret, "%10s %10s %10s  feature\n", "before", "after", "moved");
    for (size_t i = 0; i < shown; i++) {
        const struct move *move = moves_at(moves, i);
        buf_printf(ret, "%10s %10s %10s  %s\n", readable_real(move->before, 4).text,
                   readable_real(move->after, 4).text, readable_real(move->moved, 4).text,
                   move->name);
    }
}

static enum status compare(const struct side *a, const struct side *b, struct buf *ret,
                           struct buf *error)
{
    const struct model_ops *ops = model_find_kind(a->kind);
    struct moves moves = {0};
    if (!ops || strcmp(a->kind, b->kind) != 0) {
        buf_printf(error, "a %s and a %s: only models of one kind can be compared", a->kind,
                   b->kind);
        return ST_EINVAL;
    }
    put_learnt(a, b, ret);
    put_figures(a, b, ret);
    enum status st = ops->compare ? ops->compare(a->file, b->file, &moves) : ST_OK;
    if (st < 0)
        buf_printf(error, "the models cannot be compared: %s", status_text(st));
    else if (ops->compare)
        put_moves(&moves, ops->compared_by, ret);
    moves_done(&moves);
    return st;
}

enum status model_diff(const char *before, const char *after, struct buf *ret, struct buf *error)
{
    struct side a = {0}, b = {0};
    enum status st = open_side(before, &a, error);
    if (st == ST_OK)
        st = open_side(after, &b, error);
    if (st == ST_OK)
        st = compare(&a, &b, ret, error);
    tensors_free(a.file);
    tensors_free(b.file);
    return st;
}
