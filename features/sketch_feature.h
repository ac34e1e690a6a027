/* features/sketch_feature.h -- {sketch: ...} of a config: an item for each sketch that it needs. */
#ifndef FEATURES_SKETCH_FEATURE_H
#define FEATURES_SKETCH_FEATURE_H

#include "features/fading.h"
#include "features/panes.h"

enum sketch_take {
    SKETCH_DISTINCT, /* HyperLogLog */
    SKETCH_QUANTILE, /* KLL: p50, p99.9 */
    SKETCH_RANK,
    SKETCH_TOP, /* SpaceSaving */
    SKETCH_SHARE,
    SKETCH_TIMES, /* count-min */
};

enum { SKETCH_COLUMNS_MAX = 32 };

struct sketch_options {
    const char *sketch;
    struct conf_texts by;
    int64_t over;
    struct conf_texts take;
    int64_t panes, size;
    const char *where, *zone, *as;
};

struct sketch_item {
    struct unit unit;
    struct panes panes;
    int64_t warm; /* events before it do not know it */
    void *memory; /* to read a window in */
    size_t n_columns;
    struct sketch_column {
        uint32_t column;
        enum sketch_take take;
        double q; /* SKETCH_QUANTILE: 0 to 1 */
    } columns[SKETCH_COLUMNS_MAX];
};

void sketch_item_drop(void *item);
/* kind.h's add. */
void sketch_item_add(struct part *part, const struct making *making, const void *options,
                     const struct conf_node *node);
/* Claims the family. ST_EVERSION has been complained of. */
STATUS_CHECKED enum status sketch_item_ready(struct sketch_item *item, const struct making *making);

#endif
