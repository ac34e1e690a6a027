/*
 * ingest/generator_internal.h -- what the files of the generator share.
 *
 * generator.c merges events with the labels that are not known yet, generator_payments.c and
 * generator_impressions.c make the events of their kind, generator_write.c writes them.
 */
#ifndef INGEST_GENERATOR_INTERNAL_H
#define INGEST_GENERATOR_INTERNAL_H

#include "ingest/generator.h"

struct payments;
struct impressions;

/* Events of one kind in order of time, numbered. next: false at the end. */
STATUS_CHECKED enum status payments_create(const struct generator_options *options,
                                           struct payments **ret);
void payments_free(struct payments *payments);
bool payments_next(struct payments *payments, struct generated *ret);

STATUS_CHECKED enum status impressions_create(const struct generator_options *options,
                                              struct impressions **ret);
void impressions_free(struct impressions *impressions);
/* *ret_known: when a click comes, if the label is 1. */
bool impressions_next(struct impressions *impressions, struct generated *ret, int64_t *ret_known);

#endif
