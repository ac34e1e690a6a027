/*
 * ingest/lineage.h -- which life of a state directory this is, as far as the broker's group knows.
 *
 * Epochs are numbered by the state directory, and the group's offsets carry an epoch's number. On a
 * copy of the directory the same numbers come again and mean something else: so every start draws a
 * random number for the life that begins, and an epoch found at the group counts only if it is of
 * this life or of the one before it, up to where that one ended. Anything else was written by
 * another copy that went its own way.
 *
 * After a restore the state also knows below which offsets an earlier life has sent all rows: there
 * it recomputes, and keeps quiet.
 */
#ifndef INGEST_LINEAGE_H
#define INGEST_LINEAGE_H

#include "ingest/store.h"

struct lineage {
    uint64_t number;
    uint64_t before; /* the last life that the group had heard of when this one began; 0: none */
    uint64_t before_epoch;             /* it ended with this epoch */
    uint64_t accepted, accepted_epoch; /* what a restore found at the group: not ours, and known */
    int64_t *quiet_below;              /* by the head's lanes; 0: nothing is quiet */
    size_t n_quiet;
};

void lineage_done(struct lineage *lineage);
/* ret must be {0} or hold a life. ST_ENOTFOUND: the directory has none yet; ST_ECORRUPT. */
STATUS_CHECKED enum status lineage_read(struct store *store, struct lineage *ret);
/* Durable when it returns. */
STATUS_CHECKED enum status lineage_write(struct store *store, const struct lineage *lineage);

/* What the broker's group has committed in a lane. */
struct group_offset {
    int64_t next;   /* -1: nothing */
    uint64_t life;  /* that wrote it; 0: not a freshet */
    uint64_t epoch; /* rows of epochs up to this one are out */
};
/* Is what the group has of this life, or of the one before? Then its epoch counts. */
bool lineage_knows(const struct lineage *lineage, const struct group_offset *group);
/* Did another copy of this state write it, which a restore has not come to terms with? */
bool lineage_is_foreign(const struct lineage *lineage, const struct group_offset *group);

/* The metadata of group offsets. */
enum { LINEAGE_NOTE_MAX = 64 };
void lineage_note(uint64_t life, uint64_t epoch, char ret[LINEAGE_NOTE_MAX]);
/* False if it is not ours. */
bool lineage_parse_note(struct slice note, uint64_t *ret_life, uint64_t *ret_epoch);

#endif
