/* Vectors in, scores out: one version for all rows of a call. */
#include "base/number.h"
#include "models/model.h"
#include "online/endpoint/call.h"
#include "online/rows.h"

/* One text a row, as the scores topic has them: [{"name":...,"log_odds":...},...]. */
static void put_reasons(const struct served *scorer, const struct model *model,
                        const struct vector *vector, struct buf *ret)
{
    struct reason items[REASONS_MAX];
    struct reasons reasons = {items, 0, scorer->reasons};
    model->ops->explain(model, vector, &reasons);
    size_t at = ret->len;
    buf_u32(ret, 0);
    rows_json_reasons(ret, items, reasons.n);
    uint32_t len = (uint32_t)(ret->len - at - sizeof(uint32_t));
    memcpy(ret->data + at, &len, sizeof len);
}

static void explain(struct call *call, const struct model *model, const struct vector *vectors)
{
    struct buf texts = {0};
    for (size_t i = 0; i < call->n_rows; i++)
        put_reasons(call->scorer, model, &vectors[i], &texts);
    call->reasons = arena_copy(&call->arena, texts.data, texts.len);
    buf_done(&texts);
}

/* Another model may have become the champion since the call was checked. */
static bool can_explain(struct call *call)
{
    if (!call->wanted[OUTPUT_REASONS] || call->scorer->reasons > 0)
        return true;
    return call_refuse(
        call, REFUSED_INVALID,
        "there is no output \"reasons\": the model that scores now cannot tell them");
}

/* Events of one call are scored by one version, that of the first of them; or by the one that was
 * asked for, which serves all. */
static const struct model *acquire(struct call *call)
{
    if (call->served->kind == SERVED_EVENTS && call->n_rows > 0 && call->version.len == 0)
        return served_acquire_for(call->scorer, &call->request.events[0], &call->answered_version);
    return served_acquire(call->scorer, &call->answered_version);
}

void call_score(struct call *call, const struct vector *vectors)
{
    call->scorer = served_scorer(call->served);
    if (!can_explain(call))
        return;
    const struct model *model = acquire(call);
    if (!model) {
        call_refuse(call, REFUSED_UNAVAILABLE, "the service is ending");
        return;
    }
    float *scores = arena_take(&call->arena, call->n_rows * sizeof *scores);
    model->ops->score(model, vectors, call->n_rows, scores);
    if (call->wanted[OUTPUT_REASONS])
        explain(call, model, vectors);
    registry_release(call->scorer->registry, model);
    call->scores = scores;
}
