#include "models/admission.h"

#include <stdlib.h>
#include <string.h>

enum { COUNTERS_A_KEY = 2 };

enum status admission_init(struct admission *admission, unsigned threshold, size_t keys)
{
    *admission = (struct admission){.threshold = threshold};
    if (threshold <= 1)
        return ST_OK;
    size_t counters = 1024;
    while (counters < COUNTERS_A_KEY * keys)
        counters *= 2;
    admission->mask = counters - 1;
    admission->counters = calloc(counters, 1);
    return admission->counters ? ST_OK : ST_ENOMEM;
}

void admission_done(struct admission *admission)
{
    free(admission->counters);
    *admission = (struct admission){0};
}

static void halve(struct admission *admission)
{
    for (size_t i = 0; i <= admission->mask; i++)
        admission->counters[i] >>= 1;
    admission->counted = 0;
}

bool admission_count(struct admission *admission, uint64_t key)
{
    if (!admission->counters)
        return true;
    uint8_t *a = &admission->counters[key & admission->mask];
    uint8_t *b = &admission->counters[(key >> 32) & admission->mask];
    unsigned count = (*a < *b ? *a : *b) + 1U;
    if (count >= admission->threshold)
        return true;
    *a = (uint8_t)(*a < count ? count : *a);
    *b = (uint8_t)(*b < count ? count : *b);
    if (++admission->counted > admission->mask)
        halve(admission);
    return false;
}

void admission_copy(const struct admission *from, struct admission *to)
{
    if (!from->counters)
        return;
    memcpy(to->counters, from->counters, from->mask + 1);
    to->counted = from->counted;
}

void admission_save(const struct admission *admission, struct tensors *ret)
{
    if (!admission->counters)
        return;
    size_t n = admission->mask + 1;
    tensors_put(ret, "admission.counters", TENSOR_U8, &n, 1, admission->counters);
    tensors_put(ret, "admission.counted", TENSOR_U64, (size_t[]){1}, 1, &admission->counted);
}

void admission_load(struct admission *admission, const struct tensors *tensors)
{
    if (!admission->counters)
        return;
    size_t n = admission->mask + 1;
    const struct tensor *counters = tensors_get_as(tensors, "admission.counters", TENSOR_U8, n);
    const struct tensor *counted = tensors_get_as(tensors, "admission.counted", TENSOR_U64, 1);
    admission->counted = 0;
    memset(admission->counters, 0, n);
    if (counters && counted) {
        memcpy(admission->counters, counters->data, n);
        admission->counted = *(const uint64_t *)counted->data;
    }
}
