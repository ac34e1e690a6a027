/*
 * models/reasons.h -- why a score is what it is: the strongest of a row's contributions, in
 * log-odds.
 *
 *     struct reason strongest[3];
 *     struct reasons reasons = {strongest, 0, 3};
 *     reasons_offer(&reasons, "TX_AMOUNT", 1.2);        // for each contribution
 *
 * Contributions of 0 are none. Of equal ones the first offered comes first.
 */
#ifndef MODELS_REASONS_H
#define MODELS_REASONS_H

#include <stddef.h>

struct reason {
    const char *name; /* of a feature, or of several that count together: "a*b" */
    double log_odds;  /* above 0: it speaks for label 1 */
};

struct reasons {
    struct reason *items; /* by falling size of log_odds; the user's */
    size_t n, max;
};

enum { REASONS_MAX = 16 }; /* that a config may ask for */

/* The name is borrowed. */
void reasons_offer(struct reasons *reasons, const char *name, double log_odds);

#endif
