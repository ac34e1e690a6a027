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

/* Says on stderr what is wrong. Returns ST_EBUSY while a service runs on it, ST_ENOTFOUND if
 * nothing was ever committed there, ST_ECORRUPT, ST_EVERSION, ST_EINVAL (config). */
STATUS_CHECKED enum status inspect_open(const struct settings *settings, const char *dir,
                                        struct inspect *ret);
/* The store alone. Returns ST_EBUSY, ST_ENOTFOUND, ST_ECORRUPT, ST_EIO. */
STATUS_CHECKED enum status inspect_open_store(const char *dir, struct store **ret);
void inspect_close(struct inspect *inspect);

#endif
