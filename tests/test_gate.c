/*
 * Tests of online/gate.h: verdicts, and that they are exact.
 *
 * A learner whose quality is told to it by the examples (fixture below) makes candidates of any
 * kind. Known without running it: which verdict a change of quality must come to; that decisions,
 * and what is learnt, do not depend on how examples are cut into batches, nor on being saved and
 * loaded between any two hours; that a part of the evidence is enough where all is well; and what
 * is refused as not a gate's state.
 */
#include "online/gate.h"
#include "tests/gate_fixture.h"

/* The dial: column 0 is a hint that tells the label apart, column 1 is noise, column 2 sets the
 * quality. What it says of a row is quality * hint + (1 - quality) * noise; with 1 added to the
 * quality the noise is another. */

struct dial {
    struct model head;
    double quality;
};

static struct dial *dial_of(const struct model *model)
{
    return (struct dial *)(uintptr_t)model;
}

static void dial_free(struct model *model)
{
    free(model);
}

static void dial_score(const struct model *model, const struct vector *rows, size_t n, float *ret)
{
    double quality = dial_of(model)->quality, q = quality > 1 ? quality - 1 : quality;
    for (size_t i = 0; i < n; i++) {
        double noise = (double)rows[i].dense[1];
        noise = quality > 1 ? fmod(noise * 7, 1) : noise;
        double v = q * (double)rows[i].dense[0] + (1 - q) * noise;
        ret[i] = isnan(q) ? NAN : (float)(0.001 + 0.998 * v);
    }
}

static void dial_learn(struct model *model, const struct example *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].vector.dense[2] != 0)
            dial_of(model)->quality = rows[i].vector.dense[2] > 8 ? NAN : rows[i].vector.dense[2];
}

static enum status dial_save(const struct model *model, struct tensors *ret)
{
    tensors_put(ret, "quality", TENSOR_F64, (size_t[]){1}, 1, &dial_of(model)->quality);
    return ST_OK;
}

static enum status dial_load(struct model *model, const struct tensors *tensors)
{
    const struct tensor *quality = tensors_get_as(tensors, "quality", TENSOR_F64, 1);
    if (!quality)
        return ST_ECORRUPT;
    dial_of(model)->quality = *(const double *)quality->data;
    return ST_OK;
}

static struct model *dial_make(void)
{
    static const struct model_ops ops = {.name = "dial",
                                         .free = dial_free,
                                         .score = dial_score,
                                         .learn = dial_learn,
                                         .save = dial_save,
                                         .load = dial_load};
    struct dial *dial = calloc(1, sizeof *dial);
    dial->head.ops = &ops;
    dial->quality = 0.5;
    return &dial->head;
}

static struct gated dial_begin(const struct gate_options *options)
{
    struct gated gated = {.learner = dial_make()};
    cr_assert(eq(int, gate_create(options, &help_schema, dial_make(), &gated.gate), ST_OK));
    return gated;
}

enum { HOUR = 400 };

/* An hour in which a tenth are positives; its first row sets the quality, if it is not 0. */
struct hour {
    float dense[HOUR][HELP_DENSE];
    struct example examples[HOUR];
};

static struct hour *make_hour(double quality, uint64_t seed)
{
    struct hour *hour = calloc(1, sizeof *hour);
    seed = seed * 2 + 1;
    for (size_t i = 0; i < HOUR; i++) {
        bool one = i % 10 == 5;
        hour->dense[i][0] = (float)((one ? 0.3 : 0) + 0.7 * help_noise(&seed));
        hour->dense[i][1] = (float)help_noise(&seed);
        hour->dense[i][2] = i == 0 ? (float)quality : 0;
        hour->examples[i] = (struct example){
            .vector = {hour->dense[i], NULL, 0}, .label = one, .weight = 1, .time = (int64_t)i};
    }
    return hour;
}

static enum verdict live_hour(struct gated *gated, double quality, uint64_t seed, size_t batch)
{
    struct hour *hour = make_hour(quality, seed);
    enum verdict verdict = gated_hour(gated, hour->examples, HOUR, batch);
    free(hour);
    return verdict;
}

/* Verdicts. */

struct verdict_case {
    char name[32];
    double quality; /* of the candidate; the champion's is 0.5 */
    int verdict, reason;
};

ParameterizedTestParameters(gate, a_change_of_quality)
{
    static struct verdict_case cases[] = {
        {"none", 0, VERDICT_PROMOTED, REASON_NOT_WORSE},
        {"a little better", 0.505, VERDICT_PROMOTED, REASON_NOT_WORSE},
        {"much better", 0.9, VERDICT_PROMOTED, REASON_BETTER},
        {"much worse", 0.1, VERDICT_REFUSED, REASON_FORGOT},
        {"no number", 9, VERDICT_REFUSED, REASON_NOT_A_NUMBER},
    };
    return cr_make_param_array(struct verdict_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct verdict_case *c, gate, a_change_of_quality)
{
    struct gate_options options = small_gate();
    struct gated gated = dial_begin(&options);
    for (uint64_t i = 0; i < 30; i++)
        cr_assert(eq(int, (int)live_hour(&gated, 0, i, 7), VERDICT_PROMOTED));
    uint32_t version;
    cr_expect(eq(int, (int)live_hour(&gated, c->quality, 1000, 7), c->verdict), "%s", c->name);
    cr_expect(eq(int, (int)gated.decision.reason, c->reason), "%s: %s", c->name,
              decision_reason_text((enum decision_reason)gated.decision.reason));
    double serving = dial_of(gate_champion(gated.gate, &version))->quality;
    bool promoted = c->verdict == VERDICT_PROMOTED && c->quality > 0;
    cr_expect(epsilon_eq(dbl, serving, promoted ? c->quality : 0.5, 1e-6), "%s", c->name);
    cr_expect(eq(u32, version, c->verdict == VERDICT_PROMOTED ? 31 : 30), "%s", c->name);
    cr_expect(epsilon_eq(dbl, dial_of(gated.learner)->quality, serving, 1e-6), "%s", c->name);
    cr_expect(eq(dbl, gated.decision.champion, 30));
    gated_end(&gated);
}

/* As good, but in another way: a loss may be chance. The champion stays, and so does what the
 * candidate learns. */
Test(gate, what_may_be_chance_is_held)
{
    struct gate_options options = small_gate();
    options.positives_max = 120;
    struct gated gated = dial_begin(&options);
    for (uint64_t i = 0; i < 300; i++) /* what is usual takes its time to fade */
        live_hour(&gated, 0, i, 50);
    uint32_t version;
    cr_assert(eq(int, (int)live_hour(&gated, 1.5, 1000, 50), VERDICT_HELD), "%s, %g",
              decision_reason_text((enum decision_reason)gated.decision.reason),
              gated.decision.all_lower);
    cr_expect(eq(dbl, dial_of(gate_champion(gated.gate, &version))->quality, 0.5));
    cr_expect(eq(u32, version, 300));
    cr_expect(epsilon_eq(dbl, dial_of(gated.learner)->quality, 1.5, 1e-6));
    /* Then it gets much better: it takes over, with all that it learnt. */
    for (int i = 0; i < 10 && gated.decision.verdict != VERDICT_PROMOTED; i++)
        live_hour(&gated, 0.95, 1001, 50);
    cr_expect(epsilon_eq(dbl, dial_of(gate_champion(gated.gate, &version))->quality, 0.95, 1e-6));
    gated_end(&gated);
}

Test(gate, with_few_positives_all_are_promoted)
{
    struct gate_options options = small_gate();
    struct gated gated = dial_begin(&options);
    cr_expect(eq(int, (int)live_hour(&gated, 0.1, 1, 7), VERDICT_PROMOTED));
    cr_expect(eq(int, (int)gated.decision.reason, REASON_FEW));
    cr_expect(eq(dbl, gated.decision.all_positives, 40));
    cr_expect(eq(int, (int)live_hour(&gated, 9, 2, 7), VERDICT_REFUSED), "but for NaN");
    gated_end(&gated);
}

Test(gate, a_person_may_promote_what_it_would_refuse)
{
    struct gate_options options = small_gate();
    struct gated gated = dial_begin(&options);
    struct decision decision;
    for (uint64_t i = 0; i < 30; i++)
        live_hour(&gated, 0, i, 50);
    struct hour *bad = make_hour(0.1, 1000);
    gate_learn(gated.gate, gated.learner, bad->examples, HOUR);
    cr_assert(eq(
        int,
        gate_promote(gated.gate, gated.learner, &(struct gate_moment){31, 5, 0, false}, &decision),
        ST_OK));
    cr_expect(eq(int, (int)decision.reason, REASON_BY_HAND));
    cr_expect(decision.difference < -0.1, "the figures are told all the same");
    uint32_t version;
    cr_expect(epsilon_eq(dbl, dial_of(gate_champion(gated.gate, &version))->quality, 0.1, 1e-6));
    free(bad);
    gated_end(&gated);
}

/* A settled model's candidates are let through by a part of what there is. */
Test(gate, a_part_is_enough_where_all_is_well)
{
    struct gate_options options = gate_defaults();
    struct gated gated = dial_begin(&options);
    for (uint64_t i = 0; i < 40; i++)
        live_hour(&gated, 0, i, 50);
    cr_expect(gated.decision.part > 1, "all was looked at");
    cr_expect(eq(int, (int)live_hour(&gated, 0.1, 1000, 50), VERDICT_REFUSED));
    cr_expect(eq(dbl, gated.decision.part, 1));
    cr_expect(eq(dbl, gated.decision.positives, 500));
    gated_end(&gated);
}

/* Exactness: two gates in step. */

static void expect_same_decision(const struct decision *a, const struct decision *b)
{
    struct buf x = {0}, y = {0};
    decision_render_json(a, &x);
    decision_render_json(b, &y);
    cr_expect(slice_eq(buf_slice(&x), buf_slice(&y)), "%.*s\n%.*s", (int)x.len, x.data, (int)y.len,
              y.data);
    buf_done(&x);
    buf_done(&y);
}

/* An ftrl on hours of which some are flipped, some empty. */
static enum verdict odd_hour(struct gated *gated, struct help_rows *rows, size_t hour, size_t batch)
{
    enum { ROWS = 250 };
    struct example *part = rows->examples + hour * ROWS;
    return gated_hour(gated, part, hour % 11 == 10 ? 0 : ROWS, batch);
}

static struct help_rows odd_rows(size_t hours)
{
    struct help_rows rows = help_rows(hours * 250, 31);
    for (size_t i = 0; i < rows.n; i++)
        if (i / 250 % 7 == 6)
            rows.examples[i].label = 1 - rows.examples[i].label;
    return rows;
}

Test(gate, cuts_into_batches_do_not_matter)
{
    enum { HOURS = 40 };
    struct gate_options options = small_gate();
    struct gated a = gated_begin(&options), b = gated_begin(&options);
    struct help_rows rows = odd_rows(HOURS);
    size_t verdicts[VERDICTS] = {0};
    for (size_t hour = 0; hour < HOURS; hour++) {
        verdicts[odd_hour(&a, &rows, hour, 32)]++;
        odd_hour(&b, &rows, hour, 1 + hour * 7 % 100);
        expect_same_decision(&a.decision, &b.decision);
    }
    cr_expect(verdicts[VERDICT_REFUSED] > 0, "the test shows all verdicts");
    help_expect_same(a.learner, b.learner, &rows);
    gated_end(&a);
    gated_end(&b);
    help_rows_done(&rows);
}

/* A new process in the middle of it. */
static void reload(struct gated *gated, const struct gate_options *options)
{
    struct gated fresh = gated_begin(options);
    struct tensors *file = tensors_create(), *back = NULL;
    struct buf bytes = {0};
    cr_assert(eq(int, gated->learner->ops->save(gated->learner, file), ST_OK));
    cr_assert(eq(int, gate_save(gated->gate, file), ST_OK));
    tensors_render(file, &bytes);
    cr_assert(eq(int, tensors_parse(buf_slice(&bytes), &back), ST_OK));
    cr_assert(eq(int, fresh.learner->ops->load(fresh.learner, back), ST_OK));
    cr_assert(eq(int, gate_load(fresh.gate, fresh.learner, gated->version, back), ST_OK));
    fresh.version = gated->version;
    gated_end(gated);
    *gated = fresh;
    tensors_free(file);
    tensors_free(back);
    buf_done(&bytes);
}

Test(gate, goes_on_as_it_was_saved)
{
    enum { HOURS = 40 };
    struct gate_options options = small_gate();
    struct gated a = gated_begin(&options), b = gated_begin(&options);
    struct help_rows rows = odd_rows(HOURS);
    for (size_t hour = 0; hour < HOURS; hour++) {
        odd_hour(&a, &rows, hour, 32);
        odd_hour(&b, &rows, hour, 32);
        expect_same_decision(&a.decision, &b.decision);
        reload(&b, &options);
    }
    cr_assert(eq(sz, gate_decisions(a.gate), HOURS));
    cr_assert(eq(sz, gate_decisions(b.gate), HOURS));
    for (size_t i = 0; i < HOURS; i++)
        expect_same_decision(gate_decision(a.gate, i), gate_decision(b.gate, i));
    help_expect_same(a.learner, b.learner, &rows);
    gated_end(&a);
    gated_end(&b);
    help_rows_done(&rows);
}

/* A file of a model that had no gate, or another: the learner serves, and evidence is gathered
 * anew. */
Test(gate, begins_anew_where_the_file_has_none_of_its_own)
{
    struct gate_options options = small_gate(), larger = small_gate();
    larger.positives_max = 10;
    struct gated a = dial_begin(&larger), b = dial_begin(&options);
    struct tensors *plain = tensors_create(), *other = tensors_create();
    for (uint64_t i = 0; i < 20; i++)
        live_hour(&b, 0, i, 50);
    dial_of(b.learner)->quality = 0.8;
    dial_of(a.learner)->quality = 0.8;
    cr_assert(eq(int, dial_save(b.learner, plain), ST_OK));
    cr_assert(eq(int, gate_save(b.gate, other), ST_OK));
    uint32_t version;
    cr_expect(eq(int, gate_load(a.gate, a.learner, 12, plain), ST_OK));
    cr_expect(eq(dbl, dial_of(gate_champion(a.gate, &version))->quality, 0.8));
    cr_expect(eq(u32, version, 12));
    cr_expect(eq(int, gate_load(a.gate, a.learner, 12, other), ST_OK), "more rows than fit");
    cr_expect(eq(sz, gate_decisions(a.gate), 20));
    cr_expect(eq(int, (int)live_hour(&a, 0, 1, 50), VERDICT_PROMOTED));
    cr_expect(eq(int, (int)a.decision.reason, REASON_FEW), "nothing was taken over");
    tensors_free(plain);
    tensors_free(other);
    gated_end(&a);
    gated_end(&b);
}
