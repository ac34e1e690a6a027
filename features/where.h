/*
 * features/where.h -- rules on an event: `TX_AMOUNT > 200 and (hour <= 6 or weekend)`.
 *
 *     rule       = test, joined by `and`, `or`, `not` and parentheses (`not` binds tightest)
 *     test       = operand (== | != | < | <= | > | >=) operand
 *                | operand [not] in [literal, literal, ...]
 *                | operand                                    a number: is it other than 0?
 *     operand    = a field's name | hour | weekday | weekend | night | day | month | literal
 *     literal    = 12.5 | "text" | 'text'
 *
 * A field's name that is not letters, digits, _ and . stands in backticks. Fields come before the
 * calendar where both have a name. Entities, categories and texts can be compared with == != and
 * in; a number is then its text. A test of something that is missing is false, also != and `not
 * in`.
 *
 *     struct where *where = NULL;
 *     TRY(where_create(&making, node, "where", "TX_AMOUNT > 200 and night", NULL, &where));
 *     if (where_usable(where, event->stream) && where_holds(where, event)) ...
 *
 * Parsed once for each stream into a short program; about 3 ns a test, 10 more for one of a text.
 */
#ifndef FEATURES_WHERE_H
#define FEATURES_WHERE_H

#include "features/kind.h"

struct where;

/* What is wrong is complained of at the item's key `option`, with the column in the rule. zone: of
 * the calendar's words, NULL for UTC. Returns ST_EINVAL. */
STATUS_CHECKED enum status where_create(const struct making *making, const struct conf_node *node,
                                        const char *option, const char *text,
                                        const struct zone *zone, struct where **ret);
void where_free(struct where *where);

/* Whether a stream has all the fields that the rule needs. */
bool where_usable(const struct where *where, uint16_t stream);
/* Only of a usable stream's events. */
bool where_holds(const struct where *where, const struct event *event);

#endif
