/*
 * ingest/act.h -- what happened to the models of a stream at a moment that nothing in the stream
 * decides: a version was ready, or a person said so.
 *
 * An act takes place between two records. It is kept with the order in which the input was taken
 * (runs), so that whoever takes that input again does the same at the same place.
 */
#ifndef INGEST_ACT_H
#define INGEST_ACT_H

#include <stdint.h>

enum act_kind {
    ACT_SERVE,   /* a version that was made beside the scoring takes over */
    ACT_PUBLISH, /* `version` is what the version `source` was, from its file */
    /* from here on the model's scores leave; version: that was about to be published when it was
     * found to be better than the model `source` (ACT_CONTEST); 0: a person says so */
    ACT_CHAMPION,
    /* in the example log alone: about to publish `version`, the model is compared with the model
     * `source`, whose scores leave */
    ACT_CONTEST,
    /* the trial of `version` ends (canary.h of online/): it scores all events, or none */
    ACT_CONFIRM,
    ACT_ROLL_BACK, /* with the order of the input only where a person says so */
    ACT_KINDS
};

struct act {
    enum act_kind kind;
    uint32_t model; /* its number: see head.h of online/ */
    uint32_t version, source;
};

#endif
