/* Records that are in the store alone: which are needed, and which may go there. */
#include <assert.h>
#include <stdlib.h>

#include "base/huge.h"
#include "ingest/state_internal.h"

bool state_complete(const struct state *state)
{
    return !state->incomplete;
}

void state_set_incomplete(struct state *state)
{
    state->incomplete = true;
}

static void add_missing(struct state *state, uint16_t family, struct key128 id)
{
    if (state->n_missing == state->cap_missing) {
        state->cap_missing = state->cap_missing ? state->cap_missing * 2 : 1024;
        state->missing = realloc(state->missing, state->cap_missing * sizeof *state->missing);
        if (!state->missing)
            abort();
    }
    state->missing[state->n_missing++] = (struct state_missing){family, id};
}

void state_need(struct state *state, uint16_t family, struct key128 id)
{
    struct record *rec = state_find(state, family, id);
    if (!rec) {
        add_missing(state, family, id);
        return;
    }
    rec->seen = state->turn;
    rec->flags |= RECORD_USED;
}

const struct state_missing *state_missing(const struct state *state, size_t *ret_n)
{
    *ret_n = state->n_missing;
    return state->missing;
}

void state_forget_missing(struct state *state)
{
    state->n_missing = 0;
}

void state_turn(struct state *state)
{
    state->turn++;
}

uint32_t state_turns(const struct state *state)
{
    return state->turn;
}

/* Two epochs may be sealed in one turn: of what was swept in this very one nothing is known. */
void state_durable(struct state *state, uint32_t turn)
{
    state->durable = turn;
}

void state_on_evict(struct state *state, uint16_t family, bool (*fn)(void *arg, struct record *rec),
                    void *arg)
{
    assert(family < FAMILIES_MAX);
    state->on_evict[family] = (struct evict_hook){fn, arg};
}

void state_set_whole(struct state *state, uint16_t family)
{
    assert(family < FAMILIES_MAX);
    state->whole[family / 64] |= UINT64_C(1) << family % 64;
}

/* Turns are counted modulo 2^32: only their distances mean something. */
static bool in_store(const struct state *state, const struct record *rec)
{
    return !rec->change && !rec->stale && (int32_t)(rec->seen - state->durable) < 0 &&
           state->turn - rec->seen > STATE_TURNS_KEPT;
}

/* Family 0 is the state's own directory. */
static bool may_go(const struct state *state, struct record *rec)
{
    if (rec->family == 0 || rec->family >= FAMILIES_MAX || !in_store(state, rec))
        return false;
    if (rec->flags & RECORD_USED) {
        rec->flags &= (uint16_t)~RECORD_USED;
        return false;
    }
    const struct evict_hook *hook = &state->on_evict[rec->family];
    return !hook->fn || hook->fn(hook->arg, rec);
}

/* The hand of a clock goes round: what was used since it last passed gets another round. */
size_t state_evict(struct state *state, size_t bytes)
{
    enum { LOOKS_MAX = 1 << 16 }; /* a few milliseconds; nor twice round, when nothing may go */
    size_t evicted = 0, mask = state->n_slots - 1;
    size_t looks = 2 * state->n_slots < LOOKS_MAX ? 2 * state->n_slots : LOOKS_MAX;
    for (size_t left = looks; left > 0 && state_bytes(state) > bytes; left--) {
        struct record *rec = state->slots[state->hand & mask].rec;
        if (!rec || !may_go(state, rec)) {
            state->hand++;
            continue;
        }
        state_take_out(state, state->hand & mask); /* another may move into the slot */
        huge_free(rec);
        evicted++;
    }
    state->incomplete |= evicted > 0;
    return evicted;
}
