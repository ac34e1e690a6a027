/* What is looked at beside the line, and changes nothing in it: drift, and the delays of labels. */
#include "ingest/pack.h"
#include "online/pipeline_internal.h"

/* Those thinned out, too: what is learnt stands for them. */
void pipeline_watch_release(struct pipeline *p, const struct released *example)
{
    struct drift *drift = p->options.drift;
    if (!drift || example->correction || !drift_wants_learnt(drift, example->released_at))
        return;
    float dense[VECTOR_DENSE_MAX];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    struct reader in = reader_of(example->packed);
    if (unpack_vector(&in, dense, p->n_dense, sparse, &n_sparse) == ST_OK)
        drift_take_learnt(drift, example->released_at, dense);
}

void pipeline_watch_scored(struct pipeline *p, int64_t time, size_t at)
{
    struct drift *drift = p->options.drift;
    if (drift && drift_wants_scored(drift, time))
        drift_take_scored(drift, time, p->dense + at * p->n_dense);
}

const struct newest *pipeline_label_delays(const struct pipeline *p)
{
    return &p->label_delays;
}
