#include "online/allowance.h"

#include <math.h>

struct allowance allowance_of(double share, int64_t burst, int64_t now, int64_t used)
{
    return (struct allowance){share, burst, (double)burst, now, used};
}

int64_t allowance_wait(struct allowance *allowance, int64_t now, int64_t used)
{
    double came = allowance->left + (double)(now - allowance->now) * allowance->share;
    allowance->left = fmin(came, (double)allowance->burst) - (double)(used - allowance->used);
    allowance->now = now;
    allowance->used = used;
    return allowance->left < 0 ? (int64_t)ceil(-allowance->left / allowance->share) : 0;
}
