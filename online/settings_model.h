/*
 * online/settings_model.h -- within settings: the `models:` list. A model's keys are those that
 * every model has and those of its kind, which the kind's own table brings.
 */
#ifndef ONLINE_SETTINGS_MODEL_H
#define ONLINE_SETTINGS_MODEL_H

#include "online/settings.h"

/* Sets settings->models and ->model from settings->models_node (none where there is none), each to
 * be freed with free(). Mistakes go to errors. */
void settings_read_models(struct settings *settings, struct conf_errors *errors);
/* What the list alone cannot say: who takes over needs a gate, and a champion that has one, and no
 * endpoint. */
void settings_check_takeovers(const struct settings *settings, struct conf_errors *errors);
/* settings_canary.c. */
void settings_check_canaries(const struct settings *settings, struct conf_errors *errors);

/* A section of the manual for each kind; the JSON Schema of the list. */
void settings_write_models_doc(struct buf *ret);
void settings_write_models_schema(struct buf *ret);

#endif
