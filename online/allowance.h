/*
 * online/allowance.h -- how long somebody has to wait who may use a share of the time, on average.
 *
 * What is not used is kept, up to `burst`, so that short work is not slowed down; what is used
 * beyond it is waited for afterwards, however long it was.
 */
#ifndef ONLINE_ALLOWANCE_H
#define ONLINE_ALLOWANCE_H

#include <stdint.h>

struct allowance {
    double share;  /* of the time, above 0 */
    int64_t burst; /* us */
    double left;   /* us; negative: owed */
    int64_t now, used;
};

/* now, used: clocks as of the beginning, us. */
struct allowance allowance_of(double share, int64_t burst, int64_t now, int64_t used);
/* us to wait, as both clocks are by now; 0: none. */
int64_t allowance_wait(struct allowance *allowance, int64_t now, int64_t used);

#endif
