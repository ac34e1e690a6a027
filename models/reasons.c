#include "models/reasons.h"

#include <math.h>

void reasons_offer(struct reasons *reasons, const char *name, double log_odds)
{
    double size = fabs(log_odds);
    size_t at = reasons->n;
    while (at > 0 && size > fabs(reasons->items[at - 1].log_odds))
        at--;
    if (size == 0 || at == reasons->max)
        return;
    if (reasons->n < reasons->max)
        reasons->n++;
    for (size_t i = reasons->n - 1; i > at; i--)
        reasons->items[i] = reasons->items[i - 1];
    reasons->items[at] = (struct reason){name, log_odds};
}
