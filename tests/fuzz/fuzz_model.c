/* Model files: what is no safetensors file is refused; a model that takes one over can score,
 * learn, and save what another one loads and scores alike. A refusal leaves a model that works. */
#include "tests/fuzz/model.h"

static void list(const struct tensors *tensors)
{
    for (size_t i = 0; i < tensors_count(tensors); i++) {
        const struct tensor *tensor = tensors_at(tensors, i);
        FUZZ_LAW(tensors_get(tensors, tensor->name) == tensor, "what is listed can be looked up");
        size_t n = 1;
        for (size_t d = 0; d < tensor->n_dims; d++)
            n *= tensor->shape[d];
        FUZZ_LAW(n == tensor->n, "there are as many elements as the shape says");
    }
}

static void check_saved(struct model *model, struct model *other)
{
    float a[MODEL_ROWS], b[MODEL_ROWS];
    struct tensors *saved = tensors_create();
    FUZZ_LAW(model->ops->save(model, saved) == ST_OK, "it can be saved");
    enum status st = other->ops->load(other, saved);
    tensors_free(saved);
    if (st < 0) /* numbers of the file may have overflowed while learning */
        return;
    use_model(model, a);
    use_model(other, b);
    for (size_t i = 0; i < MODEL_ROWS; i++)
        FUZZ_LAW(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])), "both score alike");
}

/* Scores of the forests are in (0, 1) whatever a file says. */
static void check_scores(const struct model *model, const float *scores)
{
    for (size_t i = 0; strcmp(model->ops->name, "ftrl") != 0 && i < MODEL_ROWS; i++)
        FUZZ_LAW(scores[i] > 0 && scores[i] < 1, "a score lies between 0 and 1");
}

static void take_over(const struct tensors *tensors, struct model *model, struct model *other)
{
    float scores[MODEL_ROWS];
    enum status st = model->ops->load(model, tensors);
    FUZZ_LAW(st == ST_OK || st == ST_ECORRUPT || st == ST_EVERSION, "it is its kind or corrupt");
    use_model(model, scores);
    check_scores(model, scores);
    if (st == ST_OK)
        check_saved(model, other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model *models[MODEL_KINDS], *others[MODEL_KINDS];
    struct tensors *tensors = NULL;
    for (size_t i = 0; i < MODEL_KINDS && !others[i]; i++) {
        models[i] = make_model(&model_cases[i]);
        others[i] = make_model(&model_cases[i]);
    }
    enum status st = tensors_parse(fuzz_slice(data, size), &tensors);
    FUZZ_LAW(st == ST_OK || st == ST_ECORRUPT, "it is a file or corrupt");
    if (st < 0)
        return 0;
    list(tensors);
    for (size_t i = 0; i < MODEL_KINDS; i++)
        take_over(tensors, models[i], others[i]);
    tensors_free(tensors);
    return 0;
}
