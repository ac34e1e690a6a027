/*
 * tests/gate_fixture.h -- a learner behind its gate, fed by the hour.
 */
#ifndef TESTS_GATE_FIXTURE_H
#define TESTS_GATE_FIXTURE_H

#include "online/gate.h"
#include "tests/ftrl_help.h"

struct gated {
    struct model *learner;
    struct gate *gate;
    uint32_t version;
    bool tries;               /* versions, before they serve all */
    struct decision decision; /* the last */
};

static inline struct gate_options small_gate(void)
{
    struct gate_options options = gate_defaults();
    options.positives_max = 300;
    options.positives_min = 100;
    return options;
}

static inline struct gated gated_begin(const struct gate_options *options)
{
    struct gated gated = {.learner = help_model("")};
    struct model *champion = help_model("");
    cr_assert(eq(int, gate_create(options, &help_schema, champion, &gated.gate), ST_OK));
    return gated;
}

static inline void gated_end(struct gated *gated)
{
    gate_free(gated->gate);
    gated->learner->ops->free(gated->learner);
}

/* Learns n examples, so many at a time, and comes to a boundary. */
static inline enum verdict gated_hour(struct gated *gated, const struct example *rows, size_t n,
                                      size_t batch)
{
    for (size_t at = 0; at < n; at += batch)
        gate_learn(gated->gate, gated->learner, rows + at, n - at < batch ? n - at : batch);
    gated->version++;
    struct gate_moment moment = {gated->version, gated->version * INT64_C(3600000000),
                                 gated->version, gated->tries};
    cr_assert(eq(int, gate_judge(gated->gate, gated->learner, &moment, &gated->decision), ST_OK));
    return (enum verdict)gated->decision.verdict;
}

static inline const struct model *gated_serving(struct gated *gated)
{
    uint32_t version;
    return gate_champion(gated->gate, &version);
}

#endif
