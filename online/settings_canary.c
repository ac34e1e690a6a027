/* Trials of versions: what of the configuration goes together. */
#include <string.h>

#include "online/settings_model.h"

static const char *first_entity(const struct stream *stream)
{
    for (size_t i = 0; i < stream->n_fields; i++)
        if (stream->fields[i].type == FIELD_ENTITY)
            return stream->fields[i].entity_kind;
    return NULL;
}

/* NULL: no stream that is scored has an entity. */
static const char *kind_of(const struct settings *settings, const struct model_settings *model)
{
    const char *kind = model->canary_by;
    for (size_t i = 0; !kind && i < settings->schema.n_streams; i++)
        if (settings->schema.streams[i].score)
            kind = first_entity(&settings->schema.streams[i]);
    return kind;
}

struct canary_share settings_canary_share(const struct settings *settings,
                                          const struct model_settings *model)
{
    const char *kind = model->canary > 0 ? kind_of(settings, model) : NULL;
    if (!kind)
        return (struct canary_share){0};
    struct canary_options options = {model->canary_for > 0 ? model->canary_for : model->publish,
                                     (uint32_t)model->canary_rows, model->canary_psi};
    return canary_share_of(&settings->schema, kind, model->canary, &options);
}

static bool is_scored_by(const struct settings *settings, const char *kind)
{
    struct canary_share share =
        canary_share_of(&settings->schema, kind, 1, &(struct canary_options){0});
    for (size_t i = 0; i < settings->schema.n_streams && i < CANARY_STREAMS_MAX; i++)
        if (settings->schema.streams[i].score && share.fields[i] >= 0)
            return true;
    return false;
}

static void check(const struct settings *settings, const struct model_settings *model,
                  struct conf_errors *errors)
{
    const struct conf_node *node = conf_get(model->node, "canary");
    const char *kind = kind_of(settings, model);
    if (!model->gate)
        conf_complain(errors, node, "what a trial may cost is the gate's to say: it needs one");
    if (model->publish_at == PUBLISH_AT_READY)
        conf_complain(errors, node,
                      "a trial begins and ends at moments of event time: it needs `publish_at: "
                      "boundary`");
    if (model->canary_for > 0 && model->canary_for < SECOND_US)
        conf_complain(errors, conf_get(model->node, "canary_for"),
                      "a trial lasts a second at least");
    if (!kind)
        conf_complain(errors, node, "no stream that is scored has an entity to take a share of");
    else if (!is_scored_by(settings, kind))
        conf_complain(errors, conf_get(model->node, "canary_by"),
                      "no stream that is scored has an entity of the kind \"%s\"", kind);
}

void settings_check_canaries(const struct settings *settings, struct conf_errors *errors)
{
    for (size_t i = 0; i < settings->n_models; i++)
        if (settings->models[i]->canary > 0)
            check(settings, settings->models[i], errors);
}
