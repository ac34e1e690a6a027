/*
 * Tests of features/cycle.h and of {cycle: ...}.
 *
 * What is known without running it: quarters of a period are 0, 1 and -1 exactly; every point lies
 * on the unit circle; the k-th term comes round k times as often, and a period later all terms are
 * where they were, however far from 1970. Hours, weekdays and months of some dates.
 */
#include "features/plan.h"
#include "tests/plan_fixture.h"

#include "features/cycle.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

Test(cycle, quarters_are_exact)
{
    static const double expected[4][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
    for (uint64_t quarter = 0; quarter < 4; quarter++)
        for (uint32_t k = 1; k < 12; k++) {
            struct cycle_point point = cycle_at(quarter * 6, 24, k);
            cr_expect(point.sin == expected[quarter * k % 4][0], "%u", k);
            cr_expect(point.cos == expected[quarter * k % 4][1], "%u", k);
        }
}

Test(cycle, points_are_those_of_the_circle)
{
    for (uint64_t phase = 0; phase < 1000; phase++)
        for (uint32_t k = 1; k <= CYCLE_TERMS_MAX; k++) {
            struct cycle_point point = cycle_at(phase, 1000, k);
            double angle = 2 * acos(-1) * (double)k * (double)phase / 1000;
            cr_assert(fabs(point.sin - sin(angle)) < 2e-13 && fabs(point.cos - cos(angle)) < 2e-13);
            cr_assert(fabs(point.sin * point.sin + point.cos * point.cos - 1) < 1e-15);
        }
}

Test(cycle, a_period_later_it_is_where_it_was)
{
    for (int64_t time = 0; time < 3 * DAY_US; time += 7 * HOUR_US + 12345)
        for (int64_t round = -900000; round <= 900000; round += 300000)
            cr_assert(eq(u64, cycle_phase(time, 7 * DAY_US, NULL),
                         cycle_phase(time + round * 7 * DAY_US, 7 * DAY_US, NULL)));
    struct cycle_point last = cycle_at(CYCLE_PERIOD_MAX - 1, CYCLE_PERIOD_MAX, CYCLE_TERMS_MAX);
    cr_assert(last.cos == 1 && last.sin < 0 && last.sin > -1e-12);
}

Test(cycle, names_its_columns)
{
    struct fixture f = begin("- {cycle: hour}\n- {cycle: 7d, terms: 2}\n- {cycle: 1d, as: day}\n");
    static const char *const names[] = {"cycle.hour.sin", "cycle.hour.cos", "cycle.7d.sin",
                                        "cycle.7d.cos",   "cycle.7d.sin2",  "cycle.7d.cos2",
                                        "day.sin",        "day.cos"};
    const struct vector_schema *schema = plan_vector_schema(f.plan);
    cr_assert(eq(sz, schema->n_dense, LEN(names)));
    for (size_t i = 0; i < LEN(names); i++)
        cr_assert(eq(str, (char *)schema->dense[i], (char *)names[i]));
    end(&f);
}

/* 1970-01-01 was a Thursday. */
struct turn_case {
    char item[64];
    double hour;
    double turns; /* of the first term */
};

ParameterizedTestParameters(cycle, items)
{
    static struct turn_case cases[] = {
        {"cycle: hour", 5.99, 5 / 24.0},
        {"cycle: hour, zone: Asia/Kolkata", 5.99, 11 / 24.0},
        {"cycle: weekday", 0, 3 / 7.0},
        {"cycle: weekday", 4 * 24, 0},
        {"cycle: month", 0, 0},
        {"cycle: month", 24 * 40, 1 / 12.0},
        {"cycle: month", -1, 11 / 12.0},
        {"cycle: 1d", 6, 1 / 4.0},
        {"cycle: 1d", -6, 3 / 4.0},
        {"cycle: 1d, zone: Asia/Kolkata", 0.5, 1 / 4.0},
        {"cycle: 7d", 24, 1 / 7.0},
        {"cycle: 2h", 3, 1 / 2.0},
        {"cycle: 365d6h", 365.25 * 24 * 3 + 365.25 * 6, 1 / 4.0},
    };
    return cr_make_param_array(struct turn_case, cases, LEN(cases));
}

ParameterizedTest(struct turn_case *c, cycle, items)
{
    char yaml[100];
    snprintf(yaml, sizeof yaml, "- {%s}\n", c->item);
    struct fixture f = begin(yaml);
    double *dense = extract(&f, &(struct event_parts){.hour = c->hour});
    double angle = 2 * acos(-1) * c->turns;
    cr_expect(fabs(dense[0] - sin(angle)) < 1e-14, "%s: %g", c->item, dense[0]);
    cr_expect(fabs(dense[1] - cos(angle)) < 1e-14, "%s: %g", c->item, dense[1]);
    end(&f);
}

ParameterizedTestParameters(cycle, refuses)
{
    static struct refusal_case cases[] = {
        {"cycle: hours", "did you mean \"hour\""},
        {"cycle: 1us", "does not come round"},
        {"cycle: 40000d", "does not come round"},
        {"cycle: 0s", "does not come round"},
        {"cycle: hour, terms: 12", "at most 11 terms of hour"},
        {"cycle: weekday, terms: 4", "at most 3 terms"},
        {"cycle: 1d, terms: 65", "terms"},
        {"cycle: 1d, zone: Berlin", "is no time zone"},
    };
    return cr_make_param_array(struct refusal_case, cases, LEN(cases));
}

ParameterizedTest(struct refusal_case *c, cycle, refuses)
{
    expect_refused(c);
}
