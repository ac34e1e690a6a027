/*
 * Tests of models/ftrl_supervised.h, and of what `ftrl` makes of it.
 *
 * Known without running it: the evidence of a number of two values, from counts on paper; that all
 * that was counted is there again after each new cut (law); that a label which depends on the
 * middle of a number's range is learnt by its bins; that evidence keeps
 * the trend that was asked for; that a model with bins
 * of another kind takes over the rest of a file. That batches, files and copies change no bit is
 * shown where it is for all of `ftrl` (test_ftrl.c, test_ftrl_copy.c).
 */
#include "models/ftrl.h"
#include "models/ftrl_supervised.h"
#include "tests/ftrl_help.h"

enum { NUMBERS = 2 };

struct fixture {
    struct ftrl_supervised s;
    float *floats;
    double *doubles;
    struct quantile *sketch;
    struct quantile_point *points;
};

static void begin(struct fixture *f, size_t bins)
{
    struct binning_options options = {BINNING_NONE, bins, 0, 1, 1};
    f->floats = calloc(ftrl_supervised_floats(NUMBERS), sizeof *f->floats);
    f->doubles = calloc(ftrl_supervised_doubles(NUMBERS), sizeof *f->doubles);
    f->sketch = calloc(1, quantile_size(FTRL_SKETCH_K));
    quantile_init(f->sketch, FTRL_SKETCH_K, 1);
    f->points = calloc(quantile_points_max(f->sketch), sizeof *f->points);
    memset(&f->s, 0, sizeof f->s);
    cr_assert(
        eq(int, ftrl_supervised_init(&f->s, &options, NUMBERS, f->floats, f->doubles), ST_OK));
    ftrl_supervised_clear(&f->s);
}

static void end(struct fixture *f)
{
    ftrl_supervised_done(&f->s);
    free(f->floats);
    free(f->doubles);
    free(f->sketch);
    free(f->points);
}

static void add(struct fixture *f, float v, float label, float weight)
{
    ftrl_supervised_count(&f->s, (float[NUMBERS]){v, NAN}, label, weight);
    if (!isnan(v))
        quantile_add(f->sketch, v);
}

static void recut(struct fixture *f)
{
    ftrl_supervised_recut(&f->s, 0, f->points, quantile_points(f->sketch, f->points));
}

/* 0: 8 of 40 are events; 1: 24 of 40; missing: 8 of 20, which is the rate of all. */
Test(ftrl_supervised, evidence_on_paper)
{
    struct fixture f;
    float edges[8], woe[9];
    begin(&f, 8);
    add(&f, 0, 0, 0);
    add(&f, 1, 0, 0);
    recut(&f); /* so that 0 and 1 have pre-bins before anything counts */
    for (size_t i = 0; i < 40; i++) {
        add(&f, 0, i % 5 == 0, 1);
        add(&f, 1, i % 5 < 3, 0.5f); /* two of each for one: weights count */
        add(&f, 1, i % 5 < 3, 0.5f);
        if (i % 2 == 0)
            add(&f, NAN, i % 5 < 2, 1);
    }
    ftrl_supervised_merge(&f.s, 0, edges, woe);
    cr_expect(eq(flt, edges[0], 0));
    cr_expect(isinf(edges[1]));
    cr_expect(epsilon_eq(flt, woe[0], 0, 1e-6f));
    cr_expect(epsilon_eq(flt, woe[1], (float)log((8.0 / 40) / (32.0 / 60)), 1e-6f));
    cr_expect(epsilon_eq(flt, woe[2], (float)log((24.0 / 40) / (16.0 / 60)), 1e-6f));
    cr_expect(eq(flt, woe[3], 0));
    end(&f);
}

Test(ftrl_supervised, without_both_labels_bins_stay_as_they_are)
{
    struct fixture f;
    float edges[8] = {7, INFINITY}, woe[9] = {5};
    begin(&f, 8);
    for (size_t i = 0; i < 100; i++)
        add(&f, (float)i, 1, 1);
    ftrl_supervised_merge(&f.s, 0, edges, woe);
    cr_expect(edges[0] == 7 && woe[0] == 5);
    cr_expect(eq(int, ftrl_supervised_is_due(&f.s, 0), 0), "not asked again at once");
    end(&f);
}

/* Whatever is cut anew, nothing that was counted is lost. */
Test(ftrl_supervised, cuts_keep_all_that_was_counted)
{
    struct fixture f;
    uint64_t seed = 3;
    double counted[2] = {0};
    begin(&f, 8);
    for (size_t i = 0; i < 20000; i++) {
        float v = help_noise(&seed) < 0.1 ? NAN : (float)(help_noise(&seed) * (double)i);
        float label = help_noise(&seed) < 0.1 ? 1 : 0, weight = label > 0 ? 1 : 3.25f;
        add(&f, v, label, weight);
        counted[label > 0] += (double)weight;
        if (i % 1000 == 999)
            recut(&f);
    }
    for (size_t number = 0; number < NUMBERS; number++) {
        double sums[2] = {0};
        for (size_t i = 0; i < FTRL_PREBIN_CELLS; i++) {
            sums[0] += f.s.counts[number * FTRL_PREBIN_CELLS + i].nonevents;
            sums[1] += f.s.counts[number * FTRL_PREBIN_CELLS + i].events;
        }
        cr_expect(epsilon_eq(dbl, sums[0], counted[0], 1e-6));
        cr_expect(epsilon_eq(dbl, sums[1], counted[1], 1e-6));
    }
    end(&f);
}

/* Label 1 in the middle third of a number: no line through it helps. */
static double error_of(const char *yaml)
{
    struct model *model = help_model(yaml);
    struct help_rows rows = help_rows(20000, 5);
    double wrong = 0;
    for (size_t i = 0; i < rows.n; i++) {
        bool middle = rows.dense[i][0] > 20 && rows.dense[i][0] < 55;
        rows.examples[i].label = middle ? 1 : 0;
    }
    model->ops->learn(model, rows.examples, rows.n);
    for (size_t i = rows.n / 2; i < rows.n; i++)
        wrong += fabs((double)score_one(model, &rows.vectors[i]) - (double)rows.examples[i].label);
    help_rows_done(&rows);
    model->ops->free(model);
    return wrong / (double)(rows.n / 2);
}

Test(ftrl_supervised, learns_what_lies_in_the_middle)
{
    double supervised = error_of("{binning: supervised, bins: 4, columns: [amount]}");
    double woe = error_of("{binning: woe, bins: 4, columns: [amount]}");
    double none = error_of("{bins: 1, columns: [amount]}");
    cr_expect(supervised < 0.1 && woe < 0.1 && none > 0.2, "%g %g %g", supervised, woe, none);
}

Test(ftrl_supervised, evidence_keeps_its_trend)
{
    struct model *model = help_model("{binning: woe, bin_trend: ascending, bins: 12}");
    const struct ftrl *ftrl = (const struct ftrl *)(const void *)model;
    struct help_rows rows = help_rows(20000, 7);
    size_t steps = 0;
    model->ops->learn(model, rows.examples, rows.n);
    for (size_t i = 0; i < ftrl->n_numbers; i++) {
        const float *edges = ftrl->edges + i * ftrl->edges_size;
        const float *evidence = ftrl->evidence + i * ftrl->bin_cells;
        for (size_t bin = 1; edges[bin - 1] < INFINITY; bin++, steps++)
            cr_expect(evidence[bin] <= evidence[bin + 1], "number %zu, bin %zu", i, bin);
    }
    cr_expect(steps >= 4, "%zu", steps); /* amount and risk raise it */
    help_rows_done(&rows);
    model->ops->free(model);
}

/* All but the bins is taken over, and these are made anew from the sketches. */
Test(ftrl_supervised, other_bins_take_over_the_rest)
{
    struct help_rows rows = help_rows(6000, 6);
    for (size_t i = 0; i < HELP_WAYS * HELP_WAYS; i++) {
        struct model *from = help_model(help_ways[i % HELP_WAYS]),
                     *to = help_model(help_ways[i / HELP_WAYS]);
        struct tensors *saved = tensors_create();
        from->ops->learn(from, rows.examples, 3000);
        cr_assert(eq(int, from->ops->save(from, saved), ST_OK));
        cr_assert(eq(int, to->ops->load(to, saved), ST_OK));
        to->ops->learn(to, rows.examples + 3000, 3000);
        float edge = ((struct ftrl *)(void *)to)->edges[0];
        cr_expect(edge > 0 && edge < 100, "%g", (double)edge);
        tensors_free(saved);
        from->ops->free(from);
        to->ops->free(to);
    }
    help_rows_done(&rows);
}
