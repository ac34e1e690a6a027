/*
 * online/inspect.h -- a state directory opened by a tool: everything recovered, nothing running.
 */
#ifndef ONLINE_INSPECT_H
#define ONLINE_INSPECT_H

#include "features/plan.h"
#include "ingest/commit.h"
#include "ingest/join.h"
#include "online/head.h"
#include "online/settings.h"

struct inspect {
    struct store *store;
    struct commit *commit;
    struct state *state;
    struct plan *plan;
    struct layouts *layouts;
    struct join *join;
    struct head head;
};

/* What is in memory: all that is stored, or what a start of a large state keeps there (which events
 * wait for labels, what changed last). */
enum inspect_depth { INSPECT_ALL, INSPECT_NEEDED };

/* Says on stderr what is wrong. Returns ST_EBUSY while a service runs on it, ST_ENOTFOUND if
 * nothing was ever committed there, ST_ECORRUPT, ST_EVERSION, ST_EINVAL (config). */
STATUS_CHECKED enum status inspect_open(const struct settings *settings, const char *dir,
                                        enum inspect_depth depth, struct inspect *ret);
/* The store alone. Returns ST_EBUSY, ST_ENOTFOUND, ST_ECORRUPT, ST_EIO. */
STATUS_CHECKED enum status inspect_open_store(const char *dir, struct store **ret);
void inspect_close(struct inspect *inspect);

#endif
