/* A `gbdt` as tensors: the trees as XGBoost saves them, and what the window begins with. Python
 * reads them with xgboost.Booster().load_model(bytearray(tensor)). */
#include <stdlib.h>

#include "models/gbdt.h"

enum { FORMAT = 1 };

enum status gbdt_save(const struct model *model, struct tensors *ret)
{
    const struct gbdt *gbdt = gbdt_of(model);
    uint64_t counters[] = {FORMAT, gbdt->learnt};
    struct buf names = {0};
    chosen_write_names(&gbdt->chosen, &names);
    tensors_put_text(ret, "kind", gbdt_ops.name);
    tensors_put_text(ret, "columns", names.data);
    tensors_put(ret, "counters", TENSOR_U64, (size_t[]){2}, 1, counters);
    tensors_put(ret, "prior", TENSOR_F64, (size_t[]){1}, 1, &gbdt->prior);
    tensors_put(ret, "offset", TENSOR_F64, (size_t[]){1}, 1, &gbdt->offset);
    tensors_put(ret, "booster", TENSOR_U8, (size_t[]){gbdt->booster.len}, 1, gbdt->booster.data);
    buf_done(&names);
    return ST_OK;
}

/* A model from a file stays what the file says. */
static enum status take_trees(struct gbdt *gbdt, const struct tensor *booster)
{
    if (gbdt->options.file || booster->n == 0)
        return ST_OK;
    struct buf why = {0};
    enum status st = gbdt_take_booster(gbdt, (struct slice){booster->data, booster->n}, &why);
    buf_done(&why);
    if (st < 0)
        return st == ST_ENOMEM ? st : ST_ECORRUPT;
    buf_reset(&gbdt->booster);
    buf_append(&gbdt->booster, booster->data, booster->n);
    return ST_OK;
}

enum status gbdt_load(struct model *model, const struct tensors *tensors)
{
    struct gbdt *gbdt = gbdt_of(model);
    const char *kind = tensors_text(tensors, "kind");
    const struct tensor *counters = tensors_get(tensors, "counters");
    const struct tensor *booster = tensors_get(tensors, "booster");
    const struct tensor *prior = tensors_get_as(tensors, "prior", TENSOR_F64, 1);
    const struct tensor *offset = tensors_get_as(tensors, "offset", TENSOR_F64, 1);
    if (!kind || strcmp(kind, gbdt_ops.name) != 0 || !counters || counters->type != TENSOR_U64 ||
        counters->n < 1)
        return ST_ECORRUPT;
    if (((const uint64_t *)counters->data)[0] > FORMAT)
        return ST_EVERSION;
    if (counters->n != 2 || !prior || !booster || booster->type != TENSOR_U8)
        return ST_ECORRUPT;
    TRY(take_trees(gbdt, booster));
    gbdt->learnt = ((const uint64_t *)counters->data)[1];
    gbdt->prior = *(const double *)prior->data;
    gbdt->offset = offset ? *(const double *)offset->data : 0; /* older files have none */
    return ST_OK;
}
