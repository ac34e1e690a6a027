/* Configuration files: settings, schema, features and model, as `freshet config check` reads them.
 */
#include "features/plan.h"
#include "online/settings.h"
#include "tests/fuzz/fuzz.h"

static void check_model(const struct model_settings *kind, const struct plan *plan)
{
    struct conf_errors errors = {0};
    struct model *model = NULL;
    enum status st =
        kind->ops->create(kind->options, plan_vector_schema(plan), kind->node, &errors, &model);
    FUZZ_LAW(st != ST_EINVAL || errors.n > 0, "a model is refused with a reason");
    if (st == ST_OK)
        kind->ops->free(model);
    conf_errors_done(&errors);
}

static void check_plan(const struct settings *settings)
{
    struct conf_errors errors = {0};
    struct plan *plan = NULL;
    enum status st = plan_create(&settings->schema, settings->features_node,
                                 settings->time.lateness, NULL, &errors, &plan);
    FUZZ_LAW((st == ST_OK) == (errors.n == 0), "features are refused with a reason");
    for (size_t i = 0; st == ST_OK && i < settings->n_models; i++)
        check_model(settings->models[i], plan);
    plan_free(plan);
    conf_errors_done(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *text;
    static size_t text_len;
    static FILE *complaints;
    if (!complaints)
        complaints = open_memstream(&text, &text_len);
    rewind(complaints);
    struct settings *settings = NULL;
    enum status st = settings_parse("fuzz.yaml", fuzz_slice(data, size), complaints, &settings);
    fflush(complaints);
    FUZZ_LAW((st < 0) == (text_len > 0), "a config is refused with a reason");
    if (st == ST_OK)
        check_plan(settings);
    settings_free(settings);
    return 0;
}
