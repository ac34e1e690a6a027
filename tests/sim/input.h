/*
 * tests/sim/input.h -- a small made-up input: a pipeline's configuration and the topics that it
 * reads.
 *
 * Dozens to a few hundred payments on several partitions, logins beside them, and labels that come
 * early, late, twice, corrected, for unknown events or never. Ids come again, events come late or
 * in one instant, records are malformed. The same number gives the same input.
 */
#ifndef TESTS_SIM_INPUT_H
#define TESTS_SIM_INPUT_H

#include "online/settings.h"

enum { INPUT_LANES_MAX = 8 };
#define INPUT_BEGIN (INT64_C(1767571200) * SECOND_US) /* 2026-01-05 */

struct input_record {
    struct slice payload; /* owned */
    int64_t offset;       /* with gaps here and there */
    int64_t broker_time;
    bool malformed;
};

struct input_lane {
    const char *topic;
    uint16_t stream; /* or LABEL_STREAM */
    int32_t partition;
    size_t n, cap;
    struct input_record *records;
};

struct input {
    uint64_t number;
    struct buf config; /* YAML */
    struct settings *settings;
    size_t n_lanes;
    struct input_lane lanes[INPUT_LANES_MAX];
    size_t n_records;
};

struct input *input_create(uint64_t number, bool champion_stays);
void input_free(struct input *input);
/* The record at an offset of a lane, or one past its end. */
size_t input_find(const struct input_lane *lane, int64_t offset);

#endif
