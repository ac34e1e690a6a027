#include "online/contest.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* Contests that one of the two has not come to yet, of one challenger. Where the trainers are far
 * apart the oldest go: only the newest will be asked for. */
enum { MEETINGS_MAX = 4 };

enum side { CHALLENGER, CHAMPION, SIDES };

struct meeting {
    struct act act;
    int64_t time;
    bool there[SIDES];
    struct contender_half halves[SIDES];
};

struct entrant {
    char name[CONTEST_NAME_MAX];
    struct contest_options options;
    size_t n_meetings;
    struct meeting meetings[MEETINGS_MAX];
    struct contest_verdict verdict;
    size_t n_decisions;
    struct contest_decision *decisions; /* CONTEST_DECISIONS_KEPT */
};

struct contest {
    struct entrant entrants[CONTEST_MODELS_MAX];
    contest_tell_fn tell;
    void *tell_arg;
    bool (*work)(void *arg);
    void *work_arg;
    bool stopped;
    pthread_mutex_t lock; /* taken once a contest and side */
    pthread_cond_t changed;
};

/* The scores of two kinds of model lie apart by nature: PSI up to 1.9 was seen between trees and a
 * linear model, as good and with as many alerts. */
struct contest_options contest_defaults(void)
{
    return (struct contest_options){.positives_max = 500,
                                    .positives_min = 250,
                                    .p_max = 0.05,
                                    .psi_max = 3,
                                    .alerts = 0.01,
                                    .alerts_ratio_max = 4};
}

enum status contest_create(contest_tell_fn tell, void *arg, struct contest **ret)
{
    struct contest *contest = calloc(1, sizeof *contest);
    if (!contest)
        return ST_ENOMEM;
    contest->tell = tell;
    contest->tell_arg = arg;
    pthread_mutex_init(&contest->lock, NULL);
    pthread_cond_init(&contest->changed, NULL);
    *ret = contest;
    return ST_OK;
}

static void meeting_done(struct meeting *meeting)
{
    contender_half_done(&meeting->halves[CHALLENGER]);
    contender_half_done(&meeting->halves[CHAMPION]);
}

void contest_free(struct contest *contest)
{
    if (!contest)
        return;
    for (size_t i = 0; i < CONTEST_MODELS_MAX; i++) {
        struct entrant *entrant = &contest->entrants[i];
        for (size_t j = 0; j < entrant->n_meetings; j++)
            meeting_done(&entrant->meetings[j]);
        free(entrant->decisions);
    }
    pthread_cond_destroy(&contest->changed);
    pthread_mutex_destroy(&contest->lock);
    free(contest);
}

void contest_add_model(struct contest *contest, uint32_t number, const char *name,
                       const struct contest_options *options)
{
    struct entrant *entrant = &contest->entrants[number];
    size_t len = strlen(name) < CONTEST_NAME_MAX ? strlen(name) : CONTEST_NAME_MAX - 1;
    memset(entrant->name, 0, CONTEST_NAME_MAX);
    memcpy(entrant->name, name, len);
    entrant->options = *options;
}

void contest_set_work(struct contest *contest, bool (*work)(void *arg), void *arg)
{
    contest->work = work;
    contest->work_arg = arg;
}

void contest_stop(struct contest *contest)
{
    pthread_mutex_lock(&contest->lock);
    contest->stopped = true;
    pthread_cond_broadcast(&contest->changed);
    pthread_mutex_unlock(&contest->lock);
}

/* Decisions, oldest first. */

static size_t find_place(const struct entrant *entrant, double version)
{
    size_t at = entrant->n_decisions;
    while (at > 0 && entrant->decisions[at - 1].decision.version >= version)
        at--;
    return at;
}

/* False if there is one of its version. */
static bool remember(struct entrant *entrant, const struct contest_decision *decision)
{
    struct contest_decision *all = entrant->decisions;
    if (!all)
        all = entrant->decisions = calloc(CONTEST_DECISIONS_KEPT, sizeof *all);
    if (!all)
        abort();
    size_t at = find_place(entrant, decision->decision.version);
    if (at < entrant->n_decisions && all[at].decision.version == decision->decision.version)
        return false;
    if (entrant->n_decisions == CONTEST_DECISIONS_KEPT) {
        if (at == 0)
            return false;
        memmove(all, all + 1, --at * sizeof *all);
    } else {
        memmove(all + at + 1, all + at, (entrant->n_decisions++ - at) * sizeof *all);
    }
    all[at] = *decision;
    return true;
}

void contest_remember(struct contest *contest, uint32_t model,
                      const struct contest_decision *decision)
{
    pthread_mutex_lock(&contest->lock);
    remember(&contest->entrants[model], decision);
    pthread_mutex_unlock(&contest->lock);
}

void contest_decisions(struct contest *contest, uint32_t model, struct buf *ret)
{
    pthread_mutex_lock(&contest->lock);
    const struct entrant *entrant = &contest->entrants[model];
    if (entrant->n_decisions > 0)
        buf_append(ret, entrant->decisions, entrant->n_decisions * sizeof *entrant->decisions);
    pthread_mutex_unlock(&contest->lock);
}

/* Meeting. */

static void remove_meeting(struct entrant *entrant, size_t at)
{
    entrant->n_meetings--;
    memmove(&entrant->meetings[at], &entrant->meetings[at + 1],
            (entrant->n_meetings - at) * sizeof entrant->meetings[0]);
}

static struct meeting *add_meeting(struct entrant *entrant, size_t at, const struct act *act,
                                   int64_t time)
{
    if (entrant->n_meetings == MEETINGS_MAX) {
        if (at == 0)
            return NULL;
        meeting_done(&entrant->meetings[0]);
        remove_meeting(entrant, 0);
        at--;
    }
    memmove(&entrant->meetings[at + 1], &entrant->meetings[at],
            (entrant->n_meetings++ - at) * sizeof entrant->meetings[0]);
    entrant->meetings[at] = (struct meeting){.act = *act, .time = time};
    return &entrant->meetings[at];
}

/* Oldest first; NULL: it is older than all that there is room for. */
static struct meeting *find_meeting(struct entrant *entrant, const struct act *act, int64_t time)
{
    size_t at = entrant->n_meetings;
    while (at > 0 && entrant->meetings[at - 1].act.version >= act->version)
        at--;
    if (at < entrant->n_meetings && entrant->meetings[at].act.version == act->version)
        return &entrant->meetings[at];
    return add_meeting(entrant, at, act, time);
}

static bool is_known(const struct entrant *entrant, uint32_t version)
{
    return entrant->verdict.version >= version;
}

/* Both are there: it is taken out. */
static enum status join(struct entrant *entrant, const struct act *act, int64_t time,
                        enum side side, const struct contender_half *half, struct meeting *ret)
{
    if (is_known(entrant, act->version))
        return ST_EAGAIN;
    struct meeting *meeting = find_meeting(entrant, act, time);
    if (!meeting)
        return ST_EAGAIN;
    TRY(contender_half_copy(&meeting->halves[side], half));
    meeting->there[side] = true;
    if (!meeting->there[CHALLENGER] || !meeting->there[CHAMPION])
        return ST_EAGAIN;
    *ret = *meeting;
    remove_meeting(entrant, (size_t)(meeting - entrant->meetings));
    return ST_OK;
}

static void announce(struct contest *contest, const struct act *act,
                     const struct contest_decision *decision)
{
    struct entrant *entrant = &contest->entrants[act->model];
    pthread_mutex_lock(&contest->lock);
    bool told = remember(entrant, decision);
    if (!is_known(entrant, act->version))
        entrant->verdict = (struct contest_verdict){act->version, act->source,
                                                    decision->decision.verdict == VERDICT_PROMOTED};
    pthread_cond_broadcast(&contest->changed);
    pthread_mutex_unlock(&contest->lock);
    if (told && contest->tell)
        contest->tell(contest->tell_arg, act->model, decision);
}

static enum status judge(struct contest *contest, const struct meeting *meeting)
{
    const struct act *act = &meeting->act;
    struct contest_decision made = {
        .decision = {.version = act->version, .time = (double)meeting->time}};
    TRY(contest_judge(&meeting->halves[CHALLENGER], &meeting->halves[CHAMPION],
                      &contest->entrants[act->model].options, &made.decision));
    memcpy(made.champion, contest->entrants[act->source].name, CONTEST_NAME_MAX);
    announce(contest, act, &made);
    return ST_OK;
}

enum status contest_hand_in(struct contest *contest, const struct act *act, int64_t time,
                            uint32_t by, const struct contender_half *half)
{
    if (act->model >= CONTEST_MODELS_MAX || act->source >= CONTEST_MODELS_MAX)
        return ST_ECORRUPT;
    struct meeting meeting;
    pthread_mutex_lock(&contest->lock);
    enum status st = join(&contest->entrants[act->model], act, time,
                          by == act->model ? CHALLENGER : CHAMPION, half, &meeting);
    pthread_mutex_unlock(&contest->lock);
    if (st < 0)
        return st == ST_EAGAIN ? ST_OK : st;
    st = judge(contest, &meeting);
    meeting_done(&meeting);
    return st;
}

/* False if nothing will come any more. */
static bool wait_for_change(struct contest *contest)
{
    if (contest->stopped)
        return false;
    if (!contest->work) {
        pthread_cond_wait(&contest->changed, &contest->lock);
        return !contest->stopped;
    }
    pthread_mutex_unlock(&contest->lock);
    bool worked = contest->work(contest->work_arg);
    pthread_mutex_lock(&contest->lock);
    return worked && !contest->stopped;
}

enum status contest_wait(struct contest *contest, uint32_t model, uint32_t version,
                         struct contest_verdict *ret)
{
    const struct entrant *entrant = &contest->entrants[model];
    pthread_mutex_lock(&contest->lock);
    while (!is_known(entrant, version) && wait_for_change(contest))
        continue;
    bool known = is_known(entrant, version);
    *ret = entrant->verdict;
    pthread_mutex_unlock(&contest->lock);
    return known ? ST_OK : ST_ESTOPPED;
}

struct contest_verdict contest_newest(struct contest *contest, uint32_t model)
{
    pthread_mutex_lock(&contest->lock);
    struct contest_verdict verdict = contest->entrants[model].verdict;
    pthread_mutex_unlock(&contest->lock);
    return verdict;
}
