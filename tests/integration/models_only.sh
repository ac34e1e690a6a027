#!/bin/sh
# The learners build and work with a C and a C++ compiler and xxhash's header: no package is looked for, and
# a program links against base/ and models/ alone.
#
#     models_only.sh FRESHET REPOSITORY
set -eu
repository=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake -S "$repository" -B "$work/build" -G Ninja -DFRESHET_MODELS_ONLY=ON \
    -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON -DCMAKE_C_FLAGS=-O1 >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
cmake --build "$work/build" -j2 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <stdlib.h>

#include "models/model.h"

/* Learns that large numbers are positive. */
int main(void)
{
    static const char *const names[] = {"x"};
    struct vector_schema schema = {1, 0, names, NULL, 0};
    const struct model_ops *ops = model_find_kind("ftrl");
    struct conf_errors errors = {0};
    struct model *model = NULL;
    void *options = calloc(1, ops->options->size);
    if (conf_read(NULL, ops->options, &errors, options) < 0 ||
        ops->create(options, &schema, NULL, &errors, &model) < 0)
        return 1;
    for (int i = 0; i < 20000; i++) {
        float x = (float)(i * 37 % 101);
        struct example example = {{&x, NULL, 0}, x > 50 ? 1 : 0, 1, i};
        ops->learn(model, &example, 1);
    }
    float low = 10, high = 90, scores[2];
    struct vector rows[] = {{&low, NULL, 0}, {&high, NULL, 0}};
    ops->score(model, rows, 2, scores);
    printf("%g %g\n", (double)scores[0], (double)scores[1]);
    return scores[0] < 0.1f && scores[1] > 0.9f ? 0 : 1;
}
C
cc -std=gnu11 -I"$repository" "$work/program.c" -o "$work/program" "$work/build/libmodels.a" \
    "$work/build/libbase.a" -lm -lpthread -lstdc++
"$work/program"
