/*
 * online/model_export.h -- a version as a folder of its own, to read, keep or take elsewhere:
 *
 *     DIR/model.safetensors   weights, optimiser, transforms; nothing of the gate
 *     DIR/manifest.json       which version of what, how far it had learnt, the last decision
 *
 * Of a file whose candidate was held back, the model is the champion: what served.
 */
#ifndef ONLINE_MODEL_EXPORT_H
#define ONLINE_MODEL_EXPORT_H

#include "base/bytes.h"
#include "base/status.h"

/* The folder appears whole or not at all; it must not be there. error: why not, for people. */
STATUS_CHECKED enum status model_export(const char *file, const char *dir, struct buf *error);

#endif
