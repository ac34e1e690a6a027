/*
 * A contender as tensors beside its gate's, "gate.contest.*": what it saw, what it handed in last
 * to each contest that it was part of, and what was decided on it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "online/contender_internal.h"

enum { FORMAT = 1, AT_FORMAT = 0, AT_NEGATIVES, AT_POSITIVES, AT_STRIDE, COUNTERS };
/* Of one that was handed in. */
enum { MET_RIVAL, MET_VERSION, MET_SERVING, MET_TIME, MET_FIGURES };

enum { TENSOR_NAME_MAX = 48 };

static void put_rows(const char *name, const struct sighting *rows, size_t n, struct tensors *ret)
{
    tensors_put(ret, name, TENSOR_U8, (size_t[]){n, sizeof *rows}, 2, rows);
}

static void save_seen(const struct contender *contender, struct tensors *ret)
{
    static const char *const names[2] = {"gate.contest.negatives", "gate.contest.positives"};
    for (size_t label = 0; label < 2; label++) {
        const struct sighting_ring *ring = &contender->rings[label];
        struct buf rows = {0};
        buf_reserve(&rows, 1);
        for (size_t i = 0; i < ring->n; i++)
            buf_append(&rows, &ring->rows[(ring->first + i) % ring->max], sizeof *ring->rows);
        put_rows(names[label], (const struct sighting *)(const void *)rows.data, ring->n, ret);
        buf_done(&rows);
    }
}

static void name_met(uint32_t challenger, const char *what, char ret[TENSOR_NAME_MAX])
{
    snprintf(ret, TENSOR_NAME_MAX, "gate.contest.met.%u.%s", challenger, what);
}

static void save_met(const struct contender *contender, uint32_t challenger, struct tensors *ret)
{
    const struct contender_met *met = &contender->met[challenger];
    const struct contender_half *half = &met->half;
    const uint64_t figures[MET_FIGURES] = {
        [MET_RIVAL] = met->rival,
        [MET_VERSION] = met->version,
        [MET_SERVING] = half->version,
        [MET_TIME] = (uint64_t)met->time,
    };
    char name[TENSOR_NAME_MAX];
    name_met(challenger, "figures", name);
    tensors_put(ret, name, TENSOR_U64, (size_t[]){MET_FIGURES}, 1, figures);
    name_met(challenger, "negatives", name);
    put_rows(name, half->rows[0], half->n[0], ret);
    name_met(challenger, "positives", name);
    put_rows(name, half->rows[1], half->n[1], ret);
}

static void save_decisions(const struct contender *contender, struct tensors *ret)
{
    struct buf all = {0}, figures = {0}, champions = {0};
    contest_decisions(contender->contest, contender->number, &all);
    size_t n = all.len / sizeof(struct contest_decision);
    for (size_t i = 0; i < n; i++) {
        struct contest_decision decision;
        memcpy(&decision, all.data + i * sizeof decision, sizeof decision);
        buf_append(&figures, &decision.decision, sizeof decision.decision);
        buf_append(&champions, decision.champion, CONTEST_NAME_MAX);
    }
    if (n > 0) {
        tensors_put(ret, "gate.contest.decisions", TENSOR_F64, (size_t[]){n, DECISION_FIGURES}, 2,
                    figures.data);
        tensors_put(ret, "gate.contest.champions", TENSOR_U8, (size_t[]){n, CONTEST_NAME_MAX}, 2,
                    champions.data);
    }
    buf_done(&all);
    buf_done(&figures);
    buf_done(&champions);
}

void contender_save(const struct contender *contender, struct tensors *ret)
{
    const uint64_t counters[COUNTERS] = {
        [AT_FORMAT] = FORMAT,
        [AT_NEGATIVES] = contender->labels[0],
        [AT_POSITIVES] = contender->labels[1],
        [AT_STRIDE] = contender->stride,
    };
    tensors_put(ret, "gate.contest.counters", TENSOR_U64, (size_t[]){COUNTERS}, 1, counters);
    save_seen(contender, ret);
    for (uint32_t i = 0; i < CONTEST_MODELS_MAX; i++)
        if (contender->met[i].version > 0)
            save_met(contender, i, ret);
    save_decisions(contender, ret);
}

/* Loading. */

/* NULL: it is not there, or not rows. */
static const struct sighting *find_rows(const struct tensors *tensors, const char *name,
                                        size_t *ret_n)
{
    const struct tensor *rows = tensors_get(tensors, name);
    if (!rows || rows->type != TENSOR_U8 || rows->n % sizeof(struct sighting) != 0)
        return NULL;
    *ret_n = rows->n / sizeof(struct sighting);
    return rows->data;
}

static enum status load_seen(struct contender *contender, const struct tensors *tensors)
{
    static const char *const names[2] = {"gate.contest.negatives", "gate.contest.positives"};
    for (size_t label = 0; label < 2; label++) {
        size_t n = 0;
        const struct sighting *rows = find_rows(tensors, names[label], &n);
        if (!rows)
            return ST_ECORRUPT;
        for (size_t i = 0; i < n; i++)
            contender_push(&contender->rings[label], &rows[i]);
    }
    return ST_OK;
}

static enum status load_half(const struct tensors *tensors, uint32_t challenger, uint32_t serving,
                             struct contender_half *ret)
{
    char name[TENSOR_NAME_MAX];
    struct contender_half found = {.version = serving};
    for (size_t label = 0; label < 2; label++) {
        name_met(challenger, label ? "positives" : "negatives", name);
        const struct sighting *rows = find_rows(tensors, name, &found.n[label]);
        if (!rows)
            return ST_ECORRUPT;
        found.rows[label] = (struct sighting *)(uintptr_t)rows; /* only read */
    }
    return contender_half_copy(ret, &found);
}

static enum status load_met(struct contender *contender, uint32_t challenger,
                            const struct tensors *tensors)
{
    char name[TENSOR_NAME_MAX];
    name_met(challenger, "figures", name);
    const struct tensor *found = tensors_get_as(tensors, name, TENSOR_U64, MET_FIGURES);
    if (!found)
        return ST_OK;
    const uint64_t *figures = found->data;
    struct contender_met *met = &contender->met[challenger];
    if (figures[MET_RIVAL] >= CONTEST_MODELS_MAX || figures[MET_VERSION] > UINT32_MAX)
        return ST_ECORRUPT;
    TRY(load_half(tensors, challenger, (uint32_t)figures[MET_SERVING], &met->half));
    met->rival = (uint32_t)figures[MET_RIVAL];
    met->version = (uint32_t)figures[MET_VERSION];
    met->time = (int64_t)figures[MET_TIME];
    return ST_OK;
}

enum status contest_read_decisions(const struct tensors *tensors, struct buf *ret)
{
    const struct tensor *figures = tensors_get(tensors, "gate.contest.decisions");
    if (!figures)
        return ST_OK;
    size_t n = figures->n / DECISION_FIGURES;
    const struct tensor *champions =
        tensors_get_as(tensors, "gate.contest.champions", TENSOR_U8, n * CONTEST_NAME_MAX);
    if (figures->type != TENSOR_F64 || figures->n % DECISION_FIGURES != 0 || !champions)
        return ST_ECORRUPT;
    for (size_t i = 0; i < n; i++) {
        struct contest_decision decision;
        memcpy(&decision.decision, (const struct decision *)figures->data + i,
               sizeof decision.decision);
        memcpy(decision.champion, (const char *)champions->data + i * CONTEST_NAME_MAX,
               CONTEST_NAME_MAX);
        if (!decision_is_sound(&decision.decision) ||
            decision.champion[CONTEST_NAME_MAX - 1] != '\0')
            return ST_ECORRUPT;
        buf_append(ret, &decision, sizeof decision);
    }
    return ST_OK;
}

static enum status load_decisions(struct contender *contender, const struct tensors *tensors)
{
    struct buf all = {0};
    enum status st = contest_read_decisions(tensors, &all);
    for (size_t at = 0; st == ST_OK && at < all.len; at += sizeof(struct contest_decision)) {
        struct contest_decision decision;
        memcpy(&decision, all.data + at, sizeof decision);
        contest_remember(contender->contest, contender->number, &decision);
    }
    buf_done(&all);
    return st;
}

enum status contender_load(struct contender *contender, const struct tensors *tensors)
{
    const struct tensor *found =
        tensors_get_as(tensors, "gate.contest.counters", TENSOR_U64, COUNTERS);
    if (!found)
        return ST_OK;
    const uint64_t *counters = found->data;
    if (counters[AT_FORMAT] != FORMAT || counters[AT_STRIDE] == 0 ||
        (counters[AT_STRIDE] & (counters[AT_STRIDE] - 1)) != 0)
        return ST_ECORRUPT;
    contender->labels[0] = counters[AT_NEGATIVES];
    contender->labels[1] = counters[AT_POSITIVES];
    contender->stride = counters[AT_STRIDE];
    TRY(load_seen(contender, tensors));
    for (uint32_t i = 0; i < CONTEST_MODELS_MAX; i++)
        TRY(load_met(contender, i, tensors));
    TRY(load_decisions(contender, tensors));
    return contender_hand_in_again(contender);
}
