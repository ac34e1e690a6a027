/*
 * features/fading.h -- what {decay: ...} and {sketch: ...} have in common: whose events count, what
 * their records are called in the state, and since when it has known them.
 */
#ifndef FEATURES_FADING_H
#define FEATURES_FADING_H

#include "features/window.h"

/* The unit of an item: whose events enter, and with what. What is wrong is complained of. option:
 * the key that names the kind. */
void fading_bind(const struct item *item, const char *option, struct unit *ret);
/* "KIND/STEM", where STEM is the item's `as`, or FIELD.by.ENTITY.KIND and what is put behind it.
 * The caller frees it. */
char *fading_name(const struct item *item, const char *kind, const char *behind);
/* Claims the unit's family, whose records mean what the lines of shape say (to which more are
 * added) and look `span` back. *ret_warm: events before it do not know it. With no state in making:
 * nothing. ST_EVERSION has been complained of. */
STATUS_CHECKED enum status fading_claim(struct unit *unit, const struct making *making,
                                        struct buf *shape, int64_t span, uint16_t *ret_family,
                                        int64_t *ret_warm);
void fading_prefetch(uint16_t family, struct state *state, struct key128 key,
                     enum plan_prefetch stage);
/* {"family":"STEM" */
void fading_put_family(const struct unit *unit, struct buf *ret);

#endif
