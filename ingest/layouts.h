/*
 * ingest/layouts.h -- which columns a stored vector has, and what a stored event's keys are for.
 *
 * Vectors wait for their labels, and lie in the example log, as numbers without names. When the
 * config's features change between two starts, what is stored is still laid out as it was. So each
 * layout that a state has seen has a number and is stored with its names; an event that waits and a
 * block of the log tell their number; and what is laid out otherwise than today is brought into
 * today's order by name when it is read: columns that it lacks are unknown (NaN), those that are no
 * more are left out.
 *
 *     TRY(layouts_open(state, plan_vector_schema(plan), names, n_names, &layouts));
 *     TRY(layouts_unpack(layouts, number, &in, dense, sparse, &n_sparse));
 *
 * Numbers count up from 0, which costs nothing where nothing ever changed. Nothing here changes
 * after it is opened: any thread may use it.
 */
#ifndef INGEST_LAYOUTS_H
#define INGEST_LAYOUTS_H

#include "base/vector.h"
#include "ingest/state.h"

struct layouts;

/* The family of its records: in memory when it is opened. */
#define LAYOUTS_FAMILY "layouts"
enum { LAYOUTS_MAX = 256 };

/* Reads those that the state has, and adds today's if it is none of them. keys: names of what keys
 * are for. All names must outlive it. Returns ST_ECORRUPT, ST_EVERSION (a newer freshet wrote it),
 * ST_EINVAL: there have been LAYOUTS_MAX already. */
STATUS_CHECKED enum status layouts_open(struct state *state, const struct vector_schema *schema,
                                        const char *const *keys, size_t n_keys,
                                        struct layouts **ret);
void layouts_free(struct layouts *layouts);

/* Today's. */
unsigned layouts_current(const struct layouts *layouts);

/* As unpack_vector(), of a vector laid out as `number` says, into today's columns. ST_ECORRUPT:
 * also where there is no such layout. */
STATUS_CHECKED enum status layouts_unpack(const struct layouts *layouts, unsigned number,
                                          struct reader *in, float *dense, struct sparse *sparse,
                                          size_t *ret_n_sparse);
/* Appends a packed vector, laid out as today. */
STATUS_CHECKED enum status layouts_repack(const struct layouts *layouts, unsigned number,
                                          struct slice packed, struct buf *ret);
/* Appends a packed vector of which nothing is known. */
void layouts_pack_unknown(const struct layouts *layouts, struct buf *ret);
/* Keys of an event, in today's order: none where the event has none. ret has room for today's. */
void layouts_map_keys(const struct layouts *layouts, unsigned number, const struct key128 *keys,
                      size_t n, struct key128 *ret);

#endif
