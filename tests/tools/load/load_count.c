#include <string.h>

#include "tests/tools/load/load.h"

/* As in tests/endpoint_fixture.h and endpoint_server.c. */
enum { VERSION_STEP = 1000, VERSIONS = 1000 };

void load_count_add(struct load_count *count, int64_t us)
{
    count->n++;
    count->total_us += (uint64_t)us;
    count->us[us < LOAD_US_MAX ? us : LOAD_US_MAX - 1]++;
}

int64_t load_count_quantile(const struct load_count *count, double share)
{
    uint64_t target = (uint64_t)(share * (double)count->n), seen = 0;
    for (int64_t us = 0; us < LOAD_US_MAX; us++) {
        seen += count->us[us];
        if (seen > target)
            return us;
    }
    return LOAD_US_MAX;
}

/* Row i begins with i, as load_body.c makes it. */
bool load_is_of_one_version(struct slice scores)
{
    float first, other;
    memcpy(&first, scores.data, sizeof first);
    for (size_t i = 1; i < scores.len / sizeof(float); i++) {
        memcpy(&other, scores.data + i * sizeof(float), sizeof other);
        if (other - first != (float)i)
            return false;
    }
    return true;
}

/* Answers of several connections may be read in another order than they were made, so that the
 * version before shows again; versions go round at a thousand. */
void load_see_version(struct load_versions *versions, struct slice scores)
{
    float first;
    memcpy(&first, scores.data, sizeof first);
    int version = (int)(first / VERSION_STEP), ahead = version - versions->newest;
    if (versions->newest > 0 && ahead < 0)
        ahead += VERSIONS;
    if (ahead == 0 || ahead > VERSIONS / 2)
        return;
    versions->seen += versions->newest > 0;
    versions->newest = version;
}
