/*
 * models/model.h -- what every learner can do: score a batch, learn a batch, save, load.
 *
 * A model is used by one thread at a time, except that any number may score a model that nobody
 * changes. The trainer owns the copy that learns; `publish` brings a second copy, made by the same
 * create, up to date with it for scoring.
 *
 * A row's score and what is learnt of it depend on that row and the model alone, not on the rows
 * around it in the batch, and are the same bits for any cut of the stream into batches.
 */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include "base/conf.h"
#include "base/status.h"
#include "base/vector.h"
#include "models/moves.h"
#include "models/reasons.h"
#include "models/safetensors.h"

struct model; /* each kind begins with a struct model_head {ops} */

struct example {
    struct vector vector;
    float label;     /* 0 or 1 */
    float weight;    /* 1/keep for thinned negatives, else 1 */
    int64_t time;    /* us, of the event */
    uint64_t item;   /* its number in the example log */
    bool correction; /* the same vector at the same time was an example with another label */
    bool aside;      /* taken for noise: it may judge, but model_learn() leaves it out */
};

struct model_ops {
    const char *name; /* `kind:` in the config */
    const char *help;
    const struct conf_table *options; /* keys beside those every model has (name, kind, publish) */
    /* Binds columns by name. fields of options may be read during create only. node: where the
     * options stand, for complaints about names. Returns ST_EINVAL (see errors). */
    enum status (*create)(const void *options, const struct vector_schema *schema,
                          const struct conf_node *node, struct conf_errors *errors,
                          struct model **ret);
    void (*free)(struct model *model);
    /* Probabilities of label 1, in (0, 1). */
    void (*score)(const struct model *model, const struct vector *rows, size_t n, float *ret);
    void (*learn)(struct model *model, const struct example *rows, size_t n);
    /* Makes `to` score as `from` does now. Costs what was touched since `to` was last published
     * from the same `from`, not the model's size. Only what scoring needs is copied. */
    void (*publish)(struct model *from, struct model *to);
    /* All of it: weights, optimiser state, transforms, counters, so that load + learn continues bit
     * for bit. */
    enum status (*save)(const struct model *model, struct tensors *ret);
    /* Columns are bound by name: those the file lacks start at zero, those it has too many are
     * dropped. Returns ST_ECORRUPT if it is not this kind's, ST_EVERSION if a
     * newer freshet wrote it. */
    enum status (*load)(struct model *model, const struct tensors *tensors);
    /* Makes `to` the same learner as `from`, so that both go on learning to the same bits. Costs
     * what was touched since `to` was last a copy of the same `from`, where the kind can tell.
     * NULL: model_copy() saves and loads. */
    void (*copy)(struct model *from, struct model *to);
    /* What each feature was and is in two files of this kind, the one that moved furthest first.
     * Returns ST_ECORRUPT for a file that is not this kind's. NULL: the kind cannot tell. */
    enum status (*compare)(const struct tensors *before, const struct tensors *after,
                           struct moves *ret);
    const char *compared_by; /* what these figures are, for people */
    /* Appends one line of figures for people (rows, non-zero weights). */
    void (*describe)(const struct model *model, struct buf *ret);
    /* Offers ret what each feature contributes to the row's logit, and returns what none does (the
     * bias). Names live as long as the model. NULL: the kind cannot tell. */
    double (*explain)(const struct model *model, const struct vector *row, struct reasons *ret);
    const char *explained_by; /* the method, for the manual; what it adds up to */

    /* For kinds that are made anew from many examples at a time; the others have none of these. */

    /* Before publish, in the thread that learns: the model as of all it has learnt. May take
     * minutes. ST_ESTOPPED once it was cancelled; else why says what is the matter. */
    enum status (*fit)(struct model *model, struct buf *why);
    /* Any thread: a fit that runs, and each later one, ends soon. */
    void (*cancel)(struct model *model);
    /* Of the log, after a load, all from this item on must be given to recall() again, in order;
     * UINT64_MAX: nothing. */
    uint64_t (*recalls_from)(const struct model *model);
    void (*recall)(struct model *model, const struct example *rows, size_t n);

    const char *publish_every; /* default of `publish`; NULL: 1h */
    bool unlabelled;           /* it looks at no label */
};

struct model {
    const struct model_ops *ops;
};

/* As ops->copy. Returns ST_ENOMEM, and what load returns. */
STATUS_CHECKED enum status model_copy(struct model *from, struct model *to);

/* ops->learn and ops->recall of all rows that were not set aside. */
void model_learn(struct model *model, const struct example *rows, size_t n);
void model_recall(struct model *model, const struct example *rows, size_t n);

/* All kinds, NULL-terminated: the one list to extend. */
extern const struct model_ops *const model_kinds[];
/* NULL if there is none of that name. */
const struct model_ops *model_find_kind(const char *name);

#endif
