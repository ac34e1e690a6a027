/*
 * Tests of ingest/join.h.
 *
 * What is known without running it: the life of a label is a matter of a few rules, so each rule is
 * a row of one table, with every release and outcome written out. And whatever happens, a join
 * recovered from the state at any moment goes on as the one that was never interrupted: the same
 * releases in the same order.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/join.h"
#include "ingest/pack.h"
#include "tests/state_copy.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { N_DENSE = 2, N_KEYS = 1 };

/* A join under test: time goes on as the pipeline makes it, and all that happens is written down.
 */
struct run {
    struct state *state;
    struct join_options options;
    struct join *join;
    int64_t clock, offset;
    struct buf trace;
};

static void write_release(void *arg, const struct released *out)
{
    struct run *run = arg;
    float dense[N_DENSE];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    struct reader in = reader_of(out->packed);
    cr_assert(eq(int, unpack_vector(&in, dense, N_DENSE, sparse, &n_sparse), ST_OK));
    cr_assert(reader_done(&in));
    cr_assert(eq(flt, dense[1], (float)out->time), "the vector of that event");
    cr_assert(eq(flt, out->score, (float)out->time / 8), "and its score");
    buf_printf(&run->trace, "%c@%lld=%g", (char)dense[0], (long long)out->released_at,
               (double)out->label);
    if (out->weight != 1)
        buf_printf(&run->trace, "*%g", (double)out->weight);
    buf_text(&run->trace, out->correction ? "!" : "");
    buf_text(&run->trace, out->absent ? "?" : "");
    buf_text(&run->trace, out->kept ? " " : "~ ");
}

static struct key128 id_of(char name)
{
    return hash_event_id((struct slice){&name, 1});
}

static void advance(struct run *run, int64_t t, bool inclusive)
{
    run->clock = t > run->clock ? t : run->clock;
    join_release(run->join, run->clock, inclusive, write_release, run);
}

/* Flavours: 'e' scored and observed, 'n' scored alone (too late to be observed), 'o' observed
 * alone (a stream that is not scored). */
static void take_event(struct run *run, char flavour, int64_t t, char name)
{
    advance(run, t, true);
    struct pending known;
    struct pending_ref ref;
    if (join_find(run->join, id_of(name), run->clock, &known, &ref)) {
        buf_text(&run->trace, "= ");
        return;
    }
    float dense[N_DENSE] = {(float)name, (float)t};
    struct key128 key = {(uint64_t)t, (uint64_t)name};
    struct pending_parts parts = {.id = id_of(name),
                                  .time = t,
                                  .scored = flavour != 'o',
                                  .keys = flavour == 'n' ? NULL : &key,
                                  .dense = flavour == 'o' ? NULL : dense};
    double label;
    if (join_add(run->join, &parts, run->clock, &ref, &label))
        buf_printf(&run->trace, "+=%g ", label);
    else
        buf_text(&run->trace, "+ ");
    if (parts.scored)
        join_set_score(run->join, ref, (float)t / 8, 1);
}

static void take_label(struct run *run, int64_t t, char name, double value, int64_t offset)
{
    static const char *const texts[] = {"early ", "applied", "corrected", "repeated "};
    advance(run, t, false);
    struct label label = {id_of(name), value, run->clock, offset};
    struct labelled out = {-1, NULL};
    enum label_outcome outcome = join_label(run->join, &label, write_release, run, &out);
    buf_text(&run->trace, texts[outcome]);
    if (outcome != LABEL_APPLIED && outcome != LABEL_CORRECTED)
        return;
    if (out.keys)
        cr_assert(key_eq(out.keys[0], (struct key128){(uint64_t)out.time, (uint64_t)name}));
    buf_printf(&run->trace, "(%c%lld%s) ", name, (long long)out.time, out.keys ? "" : "-");
}

static struct run run_begin(const struct label_schema *labels)
{
    struct run run = {.options = {*labels, N_DENSE, N_KEYS}, .clock = INT64_MIN, .trace = {0}};
    run.options.labels.present = true;
    cr_assert(eq(int, state_create(&run.state), ST_OK));
    cr_assert(eq(int, join_create(&run.options, run.state, &run.join), ST_OK));
    cr_assert(eq(int, join_recover(run.join), ST_OK));
    return run;
}

static void run_end(struct run *run)
{
    join_free(run->join);
    state_free(run->state);
    buf_done(&run->trace);
}

/* Words: "e5:A" an event A at 5 (also n and o), "l7:A=1" a label for it known at 7 with the next
 * offset, "l7:A=1@3" with offset 3, "t9" a tick. Each writes what is released by it, then what
 * became of it: events + or, if repeated, =; a tick a dot. */
static void take_words(struct run *run, const char *words)
{
    char text[256];
    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        long long t = atoll(word + 1), offset = ++run->offset;
        char name;
        double value;
        if (word[0] == 't') {
            advance(run, t, false);
            buf_text(&run->trace, ". ");
        } else if (sscanf(word, "l%lld:%c=%lf@%lld", &t, &name, &value, &offset) >= 3) {
            take_label(run, t, name, value, offset);
        } else {
            take_event(run, word[0], t, strchr(word, ':')[1]);
        }
    }
    buf_byte(&run->trace, '\0');
    run->trace.len--;
}

/* The label life cycle. */

struct life_case {
    char name[48];
    int64_t delay, horizon, after; /* of absence */
    double is;                     /* what absent events count as */
    char words[96], trace[128];
};

static struct life_case life_cases[] = {
    /* in time */
    {"timely", 10, 50, 10, 0, "e5:A l7:A=1 t14 t15 t16", "+ applied(A5) . . A@15=1 . "},
    {"released before the event at that time", 10, 50, 10, 0, "e5:A l7:A=1 e15:B",
     "+ applied(A5) A@15=1 + "},
    {"label at exactly event time + delay", 10, 50, 10, 0, "e5:A l15:A=1 t16",
     "+ applied(A5) A@15=1 . "},
    {"the same, behind an event of that time", 10, 50, 10, 0, "e5:A e15:B l15:A=1 t16",
     "+ A@15=0? + A@15=1! applied(A5) . "},
    {"the same, with absence later", 10, 50, 20, 0, "e5:A e15:B l15:A=1 t30",
     "+ + A@15=1 applied(A5) . "},
    {"at once", 0, 50, 0, 0, "e5:A l5:A=1 e5:B t6", "+ applied(A5) A@5=1 + B@5=0? . "},
    {"ties in order of arrival", 10, 50, 10, 0, "e5:B e5:A e4:C t16",
     "+ + + C@14=0? B@15=0? A@15=0? . "},
    /* late */
    {"late: a correction of absent", 10, 50, 10, 0, "e5:A t16 l20:A=1",
     "+ A@15=0? . A@20=1! applied(A5) "},
    {"late: it only confirms absent", 10, 50, 10, 0, "e5:A t16 l20:A=0 l21:A=1",
     "+ A@15=0? . applied(A5) A@21=1! corrected(A5) "},
    {"an event so late that it is due", 10, 50, 10, 0, "e30:A e5:B t31", "+ + B@15=0? . "},
    /* repeated and corrected */
    {"repeated", 10, 50, 10, 0, "e5:A l6:A=1 l7:A=1 t16", "+ applied(A5) repeated A@15=1 . "},
    {"corrected in time", 10, 50, 10, 0, "e5:A l6:A=1 l7:A=0 t16",
     "+ applied(A5) corrected(A5) A@15=0 . "},
    {"corrected late", 10, 50, 10, 0, "e5:A l6:A=1 t16 l20:A=0",
     "+ applied(A5) A@15=1 . A@20=0! corrected(A5) "},
    {"corrected twice", 10, 50, 10, 0, "e5:A l6:A=1 t16 l20:A=0 l21:A=1",
     "+ applied(A5) A@15=1 . A@20=0! corrected(A5) A@21=1! corrected(A5) "},
    {"the highest offset wins", 10, 50, 10, 0, "e5:A l6:A=1@9 l7:A=0@8 l8:A=0@9 t16",
     "+ applied(A5) repeated repeated A@15=1 . "},
    {"a repeated value moves the offset on", 10, 50, 10, 0, "e5:A l6:A=1@5 l7:A=1@9 l8:A=0@7 t16",
     "+ applied(A5) repeated repeated A@15=1 . "},
    /* early */
    {"early", 10, 50, 10, 0, "l3:A=1 e5:A t16", "early +=1 A@15=1 . "},
    {"early and corrected", 10, 50, 10, 0, "l3:A=1 l4:A=0 e5:A t16", "early early +=0 A@15=0 . "},
    {"early and repeated", 10, 50, 10, 0, "l3:A=1 l4:A=1 e5:A l6:A=1 t16",
     "early repeated +=1 repeated A@15=1 . "},
    {"early, then corrected in time", 10, 50, 10, 0, "l3:A=1 e5:A l6:A=0 t16",
     "early +=1 corrected(A5) A@15=0 . "},
    {"early, the event past its horizon", 10, 50, 10, 0, "l3:A=1 e54:A t65", "early + A@64=0? . "},
    {"early, the event at its horizon", 10, 50, 10, 0, "l3:A=1 e53:A t65", "early +=1 A@63=1 . "},
    {"unknown", 10, 50, 10, 0, "e5:A l6:B=1 t16", "+ early A@15=0? . "},
    /* absent */
    {"absent later than delay", 10, 50, 20, 0, "e5:A t16 t25 t26", "+ . . A@25=0? . "},
    {"label between delay and absence", 10, 50, 20, 0, "e5:A t16 l20:A=1 t26",
     "+ . A@20=1 applied(A5) . "},
    {"negative label between them", 10, 50, 20, 0, "e5:A t16 l20:A=0 t26",
     "+ . A@20=0 applied(A5) . "},
    {"absent counts before delay", 10, 50, 3, 0, "e5:A t9 t16", "+ . A@15=0? . "},
    {"absent is something else", 10, 50, 10, 0.5, "e5:A t16 l20:A=0.5 l21:A=0",
     "+ A@15=0.5? . applied(A5) A@21=0! corrected(A5) "},
    {"absent: none", 10, 50, 10, NAN, "e5:A t40", "+ . "},
    {"absent: none, label in time", 10, 50, 10, NAN, "e5:A l6:A=0 t40", "+ applied(A5) A@15=0 . "},
    {"absent: none, label late", 10, 50, 10, NAN, "e5:A t16 l20:A=0 l21:A=1",
     "+ . A@20=0 applied(A5) A@21=1! corrected(A5) "},
    {"absent: none, label at the very instant", 10, 50, 10, NAN, "e5:A e15:B l15:A=1 t40",
     "+ + A@15=1 applied(A5) . "},
    /* the horizon */
    {"label at the horizon", 10, 50, 10, 0, "e5:A l55:A=1", "+ A@15=0? A@55=1! applied(A5) "},
    {"label past the horizon", 10, 50, 10, 0, "e5:A l56:A=1", "+ A@15=0? early "},
    {"correction past the horizon", 10, 50, 10, 0, "e5:A l6:A=1 l56:A=0",
     "+ applied(A5) A@15=1 early "},
    {"absence at the horizon", 10, 50, 50, 0, "e5:A e55:B t56", "+ A@55=0? + . "},
    {"a repeated event", 10, 50, 10, 0, "e5:A e7:A e55:A", "+ = A@15=0? = "},
    {"a repeated event past its horizon", 10, 50, 10, 0, "e5:A e56:A t67",
     "+ A@15=0? + A@66=0? . "},
    {"a repeated event keeps its label", 10, 50, 10, 0, "e5:A l6:A=1 e7:A t16",
     "+ applied(A5) = A@15=1 . "},
    /* what is not learnt from, or not observed */
    {"not scored", 10, 50, 10, 0, "o5:A t16 l20:A=1", "+ . applied(A5) "},
    {"not observed", 10, 50, 10, 0, "n5:A l6:A=1 t16", "+ applied(A5-) A@15=1 . "},
};

ParameterizedTestParameters(join, label_life_cycle)
{
    return cr_make_param_array(struct life_case, life_cases, LEN(life_cases));
}

ParameterizedTest(struct life_case *c, join, label_life_cycle)
{
    struct label_schema labels = {
        .delay = c->delay, .horizon = c->horizon, .absent = {c->is, c->after}, .keep_negatives = 1};
    struct run run = run_begin(&labels);
    take_words(&run, c->words);
    cr_expect(eq(str, run.trace.data, c->trace), "%s", c->name);
    run_end(&run);
}

/* Thinning: which negatives stay depends on their ids alone, and they weigh for the others. */
Test(join, thinned_negatives_are_the_same_every_time)
{
    struct label_schema labels = {
        .delay = 10, .horizon = 50, .absent = {0, 10}, .keep_negatives = 0.25};
    char kept[2][256] = {{0}};
    for (int time = 0; time < 2; time++) {
        struct run run = run_begin(&labels);
        for (char name = 33; name < 127; name++)
            take_event(&run, 'e', time ? name : 127 - name, name);
        advance(&run, 1000, true);
        buf_byte(&run.trace, '\0');
        for (char *at = run.trace.data; (at = strchr(at, '@')); at++) {
            bool thinned = *strchr(at, '?') && strchr(at, '?')[1] == '~';
            cr_expect(eq(int, strncmp(strchr(at, '='), "=0*4?", 5), 0));
            kept[time][(int)at[-1]] = thinned ? '-' : '+';
        }
        run_end(&run);
    }
    cr_expect(eq(int, memcmp(kept[0], kept[1], sizeof kept[0]), 0));
    int n = 0;
    for (size_t i = 0; i < sizeof kept[0]; i++)
        n += kept[0][i] == '+';
    cr_expect(12 < n && n < 35, "about a quarter of 94: %d", n);
}

Test(join, positives_are_not_thinned)
{
    struct label_schema labels = {
        .delay = 10, .horizon = 50, .absent = {0, 10}, .keep_negatives = 1e-9};
    struct run run = run_begin(&labels);
    take_words(&run, "e5:A l6:A=1 t16 l20:A=0 l21:A=1");
    cr_expect(eq(str, run.trace.data,
                 "+ applied(A5) A@15=1 . A@20=0*1e+09!~ corrected(A5) A@21=1! corrected(A5) "));
    run_end(&run);
}

/* Without `labels:` entries tell repeated ids, with their scores, and nothing is released. */
Test(join, without_labels_it_knows_repeats)
{
    struct run run = {.options = {{.horizon = 50, .keep_negatives = 1}, N_DENSE, 0}};
    cr_assert(eq(int, state_create(&run.state), ST_OK));
    cr_assert(eq(int, join_create(&run.options, run.state, &run.join), ST_OK));
    take_words(&run, "e5:A e6:A t60 e61:A");
    cr_expect(eq(str, run.trace.data, "+ = . + "));
    struct pending known = {0};
    struct pending_ref ref;
    cr_assert(join_find(run.join, id_of('A'), 61, &known, &ref));
    cr_expect(eq(flt, known.score, 61.0f / 8));
    cr_expect(eq(i64, known.time, 61));
    cr_expect(eq(i64, join_next_due(run.join), INT64_MAX));
    run_end(&run);
}

Test(join, figures)
{
    struct label_schema labels = {
        .delay = 10, .horizon = 50, .absent = {0, 10}, .keep_negatives = 1};
    struct run run = run_begin(&labels);
    take_words(&run, "l1:Z=1 e5:A e6:B l7:Y=1 e8:Z t16");
    struct join_figures figures = join_figures(run.join);
    cr_expect(eq(u64, figures.waiting, 3));
    cr_expect(eq(u64, figures.early, 1));
    cr_expect(eq(u64, figures.unreleased, 2));
    cr_expect(eq(i64, join_next_due(run.join), 16));
    run_end(&run);
}

/* The law of recovery. */

/* Dies; all that is left is what was sealed into the mirror. */
static void crash(struct run *run, struct state **mirror)
{
    struct state *left = *mirror;
    *mirror = state_copy(left);
    join_free(run->join);
    state_free(run->state);
    run->state = left;
    cr_assert(eq(int, join_create(&run->options, run->state, &run->join), ST_OK));
    cr_assert(eq(int, join_recover(run->join), ST_OK));
}

static void seal_into(struct state *state, struct state *mirror)
{
    struct buf redo = {0};
    state_seal(state, &redo);
    cr_assert(eq(int, state_apply_redo(mirror, buf_slice(&redo)), ST_OK));
    buf_done(&redo);
}

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static void take_anything(struct run *run, uint64_t *seed, int64_t *now)
{
    *now += draw(seed, 4) == 0 ? draw(seed, 12) : 0;
    char name = (char)(33 + draw(seed, 90));
    int64_t late = draw(seed, 6) == 0 ? draw(seed, 15) : 0;
    uint32_t what = draw(seed, 10), offset = draw(seed, 5);
    if (what < 5)
        take_event(run, "eeeno"[draw(seed, 5)], *now - late, name);
    else if (what < 9)
        take_label(run, *now - late, name, draw(seed, 2), run->offset++ - offset);
    else
        advance(run, *now, false);
}

struct schema_case {
    int64_t delay, horizon, after;
    double is;
};

static const struct schema_case schemas[] = {
    {10, 60, 10, 0}, {10, 60, 25, 0}, {10, 60, 10, NAN}, {0, 30, 0, 0},
    {20, 20, 20, 0}, {10, 40, 40, 0}, {0, 30, 9, NAN},
};

TheoryDataPoints(join, goes_on_after_a_crash_as_if_nothing_had_happened) = {
    DataPoints(size_t, 0, 1, 2, 3, 4, 5, 6), /* schema */
    DataPoints(uint64_t, 1, 2),              /* seed */
    DataPoints(uint32_t, 2, 30),             /* of how many calls one is followed by a crash */
};

Theory((size_t schema, uint64_t seed, uint32_t every), join,
       goes_on_after_a_crash_as_if_nothing_had_happened)
{
    const struct schema_case *c = &schemas[schema];
    struct label_schema labels = {.delay = c->delay,
                                  .horizon = c->horizon,
                                  .absent = {c->is, c->after},
                                  .keep_negatives = 0.5};
    struct run steady = run_begin(&labels), crashing = run_begin(&labels);
    uint64_t steady_seed = seed, crashing_seed = seed, crash_seed = seed * 977;
    int64_t steady_now = 0, crashing_now = 0;
    struct state *mirror = NULL;
    cr_assert(eq(int, state_create(&mirror), ST_OK));
    for (int i = 0; i < 600; i++) {
        take_anything(&steady, &steady_seed, &steady_now);
        take_anything(&crashing, &crashing_seed, &crashing_now);
        seal_into(crashing.state, mirror);
        if (draw(&crash_seed, every) > 0)
            continue;
        crash(&crashing, &mirror);
        cr_assert(key_eq(state_digest(steady.state), state_digest(crashing.state)));
    }
    advance(&steady, 1000000, true);
    advance(&crashing, 1000000, true);
    buf_byte(&steady.trace, '\0');
    buf_byte(&crashing.trace, '\0');
    cr_assert(eq(str, crashing.trace.data, steady.trace.data));
    cr_assert(key_eq(state_digest(steady.state), state_digest(crashing.state)));
    state_free(mirror);
    run_end(&steady);
    run_end(&crashing);
}
