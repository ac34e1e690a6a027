/*
 * Tests of online/drift.h.
 *
 * Known without running it: one row at most in each step of event time is wanted, and steps begin
 * at fixed moments; nothing is known of fewer rows than DRIFT_ROWS_MIN; samples of one distribution
 * differ by about 9 (1/n + 1/m); a shift by a standard deviation, or a value that goes missing,
 * moves that column alone; what is older than DRIFT_ROWS rows is forgotten; columns past the last
 * are not looked at.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <math.h>

#include "base/rng.h"
#include "ingest/event.h"
#include "online/drift.h"

enum { STILL, MOVES, VANISHES, COLUMNS };

static struct drift *make(size_t columns)
{
    struct drift *drift;
    cr_assert(eq(int, drift_create(columns, &drift), ST_OK));
    return drift;
}

/* One row. moved: by a standard deviation, and one in five of the last column is missing. */
static void draw(struct rng *rng, bool moved, float *ret)
{
    for (int i = 0; i < COLUMNS; i++)
        ret[i] = (float)rng_normal(rng, 0, 1);
    ret[MOVES] += moved;
    if (moved && rng_uniform(rng) < 0.2)
        ret[VANISHES] = NAN;
}

static void fill(struct drift *drift, size_t scored, size_t learnt, bool moved)
{
    struct rng rng = rng_of(11);
    float row[COLUMNS];
    for (size_t i = 0; i < learnt; i++) {
        draw(&rng, false, row);
        drift_take_learnt(drift, (int64_t)i * DAY_US, row);
    }
    for (size_t i = 0; i < scored; i++) {
        draw(&rng, moved, row);
        drift_take_scored(drift, (int64_t)i * DAY_US, row);
    }
    for (size_t i = 0; i < drift_columns(drift); i++)
        drift_measure(drift);
}

Test(drift, one_row_of_each_step_is_wanted)
{
    struct drift *drift = make(1);
    size_t scored = 0, learnt = 0;
    for (int64_t t = -DAY_US; t < DAY_US; t += 5 * SECOND_US) {
        if (drift_wants_scored(drift, t)) {
            drift_take_scored(drift, t, (float[]){1});
            scored++;
        }
        if (drift_wants_learnt(drift, t)) {
            drift_take_learnt(drift, t, (float[]){1});
            learnt++;
        }
    }
    cr_expect(eq(sz, scored, 2 * DRIFT_ROWS));
    cr_expect(eq(sz, learnt, 2 * DRIFT_ROWS / 7 + 1)); /* a part step at either end */
    drift_free(drift);
}

Test(drift, too_few_rows_say_nothing)
{
    struct drift *drift = make(COLUMNS);
    fill(drift, DRIFT_ROWS_MIN - 1, DRIFT_ROWS_MIN, true);
    cr_expect(isnan(drift_of(drift, MOVES)));
    drift_free(drift);
    drift = make(COLUMNS);
    fill(drift, DRIFT_ROWS_MIN, DRIFT_ROWS_MIN - 1, true);
    cr_expect(isnan(drift_of(drift, MOVES)));
    drift_free(drift);
}

Test(drift, the_same_stays)
{
    struct drift *drift = make(COLUMNS);
    fill(drift, DRIFT_ROWS, DRIFT_ROWS, false);
    for (size_t i = 0; i < COLUMNS; i++)
        cr_expect(drift_of(drift, i) >= 0 && drift_of(drift, i) < 0.03, "%zu: %g", i,
                  drift_of(drift, i));
    drift_free(drift);
}

Test(drift, what_moves_is_told_from_what_does_not)
{
    struct drift *drift = make(COLUMNS);
    fill(drift, 1000, DRIFT_ROWS, true);
    cr_expect(lt(dbl, drift_of(drift, STILL), 0.05));
    cr_expect(
        gt(dbl, drift_of(drift, MOVES), 0.5)); /* that of normals is 1, of tenths a bit less */
    cr_expect(gt(dbl, drift_of(drift, VANISHES), DRIFT_MUCH));
    drift_free(drift);
}

Test(drift, what_is_old_is_forgotten)
{
    struct drift *drift = make(COLUMNS);
    fill(drift, DRIFT_ROWS, DRIFT_ROWS, true);
    fill(drift, DRIFT_ROWS, 0, false);
    cr_expect(lt(dbl, drift_of(drift, MOVES), 0.03));
    cr_expect(lt(dbl, drift_of(drift, VANISHES), 0.03));
    drift_free(drift);
}

Test(drift, columns_past_the_last_are_not_looked_at)
{
    static float row[DRIFT_COLUMNS_MAX + 5];
    struct drift *drift = make(DRIFT_COLUMNS_MAX + 5), *none = make(0);
    cr_expect(eq(sz, drift_columns(drift), DRIFT_COLUMNS_MAX));
    for (size_t i = 0; i < DRIFT_ROWS_MIN; i++) {
        drift_take_scored(drift, (int64_t)i, row);
        drift_take_learnt(drift, (int64_t)i, row);
    }
    for (size_t i = 0; i < DRIFT_COLUMNS_MAX; i++)
        cr_expect(lt(sz, drift_measure(drift), DRIFT_COLUMNS_MAX));
    cr_expect(eq(dbl, drift_of(drift, DRIFT_COLUMNS_MAX - 1), 0));
    cr_expect(eq(sz, drift_measure(none), 0));
    drift_free(drift);
    drift_free(none);
}
