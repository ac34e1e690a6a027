/*
 * tests/sim/write.h -- an input and what came of it without a crash, as files for the oracle.
 *
 *     config.yaml       the pipeline
 *     records.jsonl     {"topic", "partition", "offset", "broker_time", "payload"} of each record
 *     rows.jsonl        {"topic", "partition", "offset", "channel", "payload"} of each row
 *     examples.jsonl    the example log: {"version", "time"} of a boundary, else {"time",
 *                       "released_at", "label", "weight", "correction", "absent", "dense",
 * "sparse"} model.safetensors the model at the end
 */
#ifndef TESTS_SIM_WRITE_H
#define TESTS_SIM_WRITE_H

#include "tests/sim/trial.h"

/* Into a folder that is there; false if that fails. */
bool write_trial(const struct trial *trial, const char *dir);

#endif
