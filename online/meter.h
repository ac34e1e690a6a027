/*
 * online/meter.h -- how fast a total grows, smoothed for the eye.
 *
 *     struct meter meter = {0};
 *     meter_advance(&meter, elapsed, total);       // now and then
 *     meter.rate                                   // a second; NaN before there is one
 */
#ifndef ONLINE_METER_H
#define ONLINE_METER_H

#include <math.h>

/* What was long before counts less and less, with this time constant, s. */
#define METER_MEMORY 3.0

struct meter {
    double elapsed; /* s since the start, as of the last time */
    double total;
    double rate; /* a second */
    int n;       /* times it was advanced */
};

/* The first call only says where the total stands. */
static inline void meter_advance(struct meter *meter, double elapsed, double total)
{
    double passed = elapsed - meter->elapsed;
    if (meter->n == 0)
        meter->rate = NAN;
    else if (passed <= 0)
        return;
    else if (meter->n == 1)
        meter->rate = (total - meter->total) / passed;
    else
        meter->rate +=
            (1 - exp(-passed / METER_MEMORY)) * ((total - meter->total) / passed - meter->rate);
    meter->elapsed = elapsed;
    meter->total = total;
    meter->n++;
}

#endif
