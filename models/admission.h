/*
 * models/admission.h -- how often a category was seen, before it is worth a row of its own.
 *
 * A counting sketch of one byte a counter (count-min with conservative update; Estan & Varghese,
 * ACM TOCS 21, 2003): two counters a key, of which only the lower one counts, so that a key is
 * let in too early now and then but never too late. All counters are halved whenever as many keys
 * were counted as there are counters, so that what was rare long ago is forgotten.
 */
#ifndef MODELS_ADMISSION_H
#define MODELS_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "models/safetensors.h"

enum { ADMISSION_MAX = 200 };

struct admission {
    uint8_t *counters; /* NULL: every key is let in at once */
    size_t mask;
    uint64_t counted; /* since the last halving */
    unsigned threshold;
};

/* threshold: 1 to ADMISSION_MAX. keys: about so many different ones between halvings. */
STATUS_CHECKED enum status admission_init(struct admission *admission, unsigned threshold,
                                          size_t keys);
void admission_done(struct admission *admission);

/* Counts the key (well mixed); true once it has been seen `threshold` times. */
bool admission_count(struct admission *admission, uint64_t key);

/* Makes `to`, made with the same sizes, the same as `from`. */
void admission_copy(const struct admission *from, struct admission *to);

void admission_save(const struct admission *admission, struct tensors *ret);
/* A file of another size, or none, leaves all counters at 0: that only delays admission. */
void admission_load(struct admission *admission, const struct tensors *tensors);

#endif
