#include "online/drift.h"

#include <math.h>
#include <stdlib.h>

#include "ingest/event.h"
#include "models/psi.h"

/* Event time between rows, so that a full sample spans what the header says. */
#define SCORED_STEP (DAY_US / DRIFT_ROWS)
#define LEARNT_STEP (7 * DAY_US / DRIFT_ROWS)

/* The newest DRIFT_ROWS rows, column by column. */
struct sample {
    float *values;
    size_t rows;  /* ever taken */
    int64_t next; /* event time of the next row, at least */
};

struct drift {
    size_t columns;
    size_t at; /* measured last */
    struct sample scored, learnt;
    double psi[DRIFT_COLUMNS_MAX];
};

enum status drift_create(size_t n_dense, struct drift **ret)
{
    struct drift *drift = calloc(1, sizeof *drift);
    if (!drift)
        return ST_ENOMEM;
    drift->columns = n_dense < DRIFT_COLUMNS_MAX ? n_dense : DRIFT_COLUMNS_MAX;
    size_t n = DRIFT_ROWS * drift->columns + 1;
    drift->scored = (struct sample){calloc(n, sizeof(float)), 0, INT64_MIN};
    drift->learnt = (struct sample){calloc(n, sizeof(float)), 0, INT64_MIN};
    for (size_t i = 0; i < drift->columns; i++)
        drift->psi[i] = NAN;
    if (!drift->scored.values || !drift->learnt.values) {
        drift_free(drift);
        return ST_ENOMEM;
    }
    *ret = drift;
    return ST_OK;
}

void drift_free(struct drift *drift)
{
    if (!drift)
        return;
    free(drift->scored.values);
    free(drift->learnt.values);
    free(drift);
}

bool drift_wants_scored(const struct drift *drift, int64_t time)
{
    return time >= drift->scored.next;
}

bool drift_wants_learnt(const struct drift *drift, int64_t time)
{
    return time >= drift->learnt.next;
}

/* The next row is due at the next multiple of the step: a restart does not shift the rest. */
static void take(struct sample *sample, size_t columns, int64_t step, int64_t time,
                 const float *dense)
{
    int64_t past = time % step;
    size_t row = sample->rows++ % DRIFT_ROWS;
    for (size_t i = 0; i < columns; i++)
        sample->values[i * DRIFT_ROWS + row] = dense[i];
    sample->next = time - past + (past < 0 ? 0 : step);
}

void drift_take_scored(struct drift *drift, int64_t time, const float *dense)
{
    take(&drift->scored, drift->columns, SCORED_STEP, time, dense);
}

void drift_take_learnt(struct drift *drift, int64_t time, const float *dense)
{
    take(&drift->learnt, drift->columns, LEARNT_STEP, time, dense);
}

size_t drift_columns(const struct drift *drift)
{
    return drift->columns;
}

static size_t held(const struct sample *sample)
{
    return sample->rows < DRIFT_ROWS ? sample->rows : DRIFT_ROWS;
}

size_t drift_measure(struct drift *drift)
{
    if (drift->columns == 0)
        return 0;
    size_t i = drift->at = (drift->at + 1) % drift->columns;
    size_t scored = held(&drift->scored), learnt = held(&drift->learnt);
    double psi = NAN;
    if (scored < DRIFT_ROWS_MIN || learnt < DRIFT_ROWS_MIN ||
        psi_of_samples(drift->learnt.values + i * DRIFT_ROWS, learnt,
                       drift->scored.values + i * DRIFT_ROWS, scored, &psi) < 0)
        psi = NAN;
    drift->psi[i] = psi;
    return i;
}

double drift_of(const struct drift *drift, size_t column)
{
    return drift->psi[column];
}
