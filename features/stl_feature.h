/* features/stl_feature.h -- {stl: ...} of a config: an item, and how one is made. */
#ifndef FEATURES_STL_FEATURE_H
#define FEATURES_STL_FEATURE_H

#include "features/stl_buckets.h"
#include "features/window.h"

enum { STL_TAKES = 6 };

/* In the order of struct stl_reading's doubles; NULL-terminated. */
extern const char *const stl_take_names[];
extern const char *const stl_fold_names[];
extern const char *const stl_empty_names[];

struct stl_options {
    const char *stl;
    struct conf_texts by;
    int64_t bucket, period;
    struct conf_texts take;
    int fold, empty;
    int64_t init;
    const char *where, *zone, *as;
};

struct stl_item {
    struct unit unit; /* whose events, and which; it has neither series nor columns */
    struct stl_buckets buckets;
    struct stl_online_params params;
    size_t n_columns;
    struct {
        uint32_t column;
        uint32_t take; /* index of stl_take_names */
    } columns[STL_TAKES];
};

void stl_item_drop(void *item);
/* kind.h's add. */
void stl_item_add(struct part *part, const struct making *making, const void *options,
                  const struct conf_node *node);
/* Readies the decomposer and claims the family. ST_EVERSION has been complained of. */
STATUS_CHECKED enum status stl_item_ready(struct stl_item *item, const struct making *making);

#endif
