/* Is the outcome of a trial what it must be? */
#include <inttypes.h>

#include "tests/sim/trial.h"

static bool compare_row(struct trial *trial, const struct input_lane *lane, size_t at,
                        const struct arrival *got, const struct arrival *calm)
{
    const struct input_record *record = &lane->records[at];
    bool scored = lane->stream == 0;
    if (got->times == 0 && !got->parked && (scored || record->malformed))
        return trial_wrong(trial, "%s/%d offset %" PRId64 ": its row never came", lane->topic,
                           (int)lane->partition, record->offset);
    if (got->bytes.len > 0 && (got->channel == CHANNEL_DEAD) != record->malformed)
        return trial_wrong(trial, "%s/%d offset %" PRId64 ": %s: %.*s", lane->topic,
                           (int)lane->partition, record->offset,
                           record->malformed ? "was not refused" : "was refused",
                           (int)got->payload.len, got->payload.data);
    if (got->bytes.len > 0 && calm && !slice_eq(buf_slice(&got->bytes), buf_slice(&calm->bytes)))
        return trial_wrong(trial, "%s/%d offset %" PRId64 ": %.*s\nwithout a crash: %.*s",
                           lane->topic, (int)lane->partition, record->offset, 200,
                           got->payload.data, 200, calm->payload.data);
    return true;
}

static bool compare_rows(struct trial *trial, const struct trial *calm)
{
    const struct input *input = trial->options.input;
    for (size_t i = 0; i < input->n_lanes; i++)
        for (size_t j = 0; j < input->lanes[i].n; j++)
            if (!compare_row(trial, &input->lanes[i], j, &trial->outcome.arrivals[i][j],
                             calm ? &calm->outcome.arrivals[i][j] : NULL))
                return false;
    return true;
}

bool trial_compare(struct trial *trial, const struct trial *calm)
{
    if (!compare_rows(trial, calm))
        return false;
    if (!calm)
        return true;
    const struct outcome *got = &trial->outcome, *expected = &calm->outcome;
    if (got->events != expected->events || got->clock != expected->clock ||
        got->version != expected->version || got->examples_n != expected->examples_n)
        return trial_wrong(trial,
                           "events %" PRIu64 ", clock %" PRId64 ", version %u, items %" PRIu64
                           "; without a crash: %" PRIu64 ", %" PRId64 ", %u, %" PRIu64,
                           got->events, got->clock, got->version, got->examples_n, expected->events,
                           expected->clock, expected->version, expected->examples_n);
    if (got->digest.lo != expected->digest.lo || got->digest.hi != expected->digest.hi)
        return trial_wrong(trial, "the state is another than without a crash");
    if (!slice_eq(buf_slice(&got->examples), buf_slice(&expected->examples)))
        return trial_wrong(trial, "the examples are others than without a crash");
    if (!slice_eq(buf_slice(&got->model), buf_slice(&expected->model)))
        return trial_wrong(trial, "the model is another than without a crash");
    if (!slice_eq(buf_slice(&got->others), buf_slice(&expected->others)))
        return trial_wrong(trial, "the challengers are others than without a crash");
    return true;
}
