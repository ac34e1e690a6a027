#include "base/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_LEN = 64, FILE_MAX = 64 * 1024 };
#define SECONDS_400_YEARS (INT64_C(146097) * 86400)

/* How many of the ascending times are at or before t. */
static size_t count_until(const int64_t *times, size_t n, int64_t t)
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        bool right = times[low + half] <= t;
        low = right ? low + half + 1 : low;
        n = right ? n - half - 1 : half;
    }
    return low;
}

static int32_t offset_at(const struct zone *zone, const int64_t *times, int64_t t)
{
    if (zone->repeats && t >= zone->repeat_s)
        t -= ((t - zone->repeat_s) / SECONDS_400_YEARS + 1) * SECONDS_400_YEARS;
    size_t i = count_until(times, zone->n, t);
    return i > 0 ? zone->offset[i - 1] : zone->first;
}

int32_t zone_offset(const struct zone *zone, int64_t t_s)
{
    return offset_at(zone, zone->at, t_s);
}

int32_t zone_offset_local(const struct zone *zone, int64_t local_s)
{
    return offset_at(zone, zone->wall, local_s);
}

/* A name is a path below the database's folder, and nothing else. */
static bool name_is_good(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
    return len > 0 && len < NAME_MAX_LEN && name[len] == '\0' && name[0] != '/';
}

static enum status read_file(const char *name, struct buf *ret)
{
    char path[NAME_MAX_LEN + 32];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rbe");
    if (!file)
        return ST_ENOTFOUND;
    ret->len = fread(buf_reserve(ret, FILE_MAX), 1, FILE_MAX, file);
    bool failed = ferror(file);
    fclose(file);
    return failed ? ST_ENOTFOUND : ST_OK;
}

static enum status load(const char *name, struct zone **ret)
{
    struct buf file = {0};
    struct zone *zone = NULL;
    enum status st = read_file(name, &file);
    if (st == ST_OK)
        st = zone_read(buf_slice(&file), &zone);
    buf_done(&file);
    char *copy = st == ST_OK ? strdup(name) : NULL;
    if (!copy) {
        zone_free(zone);
        return ST_ENOTFOUND;
    }
    zone->name = copy;
    *ret = zone;
    return ST_OK;
}

/* Zones are few, immutable and asked for at start: the list of them is never freed. UTC is known
 * where there is no tz database at all. */
static struct zone utc = {.name = "UTC"};
static struct zone *zones = &utc;
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;

static enum status find_locked(const char *name, const struct zone **ret)
{
    for (struct zone *zone = zones; zone; zone = zone->next) {
        if (strcmp(zone->name, name) == 0) {
            *ret = zone;
            return ST_OK;
        }
    }
    struct zone *zone = NULL;
    TRY(load(name, &zone));
    zone->next = zones;
    zones = zone;
    *ret = zone;
    return ST_OK;
}

enum status zone_find(const char *name, const struct zone **ret)
{
    if (!name || !name_is_good(name))
        return ST_ENOTFOUND;
    pthread_mutex_lock(&zones_lock);
    enum status st = find_locked(name, ret);
    pthread_mutex_unlock(&zones_lock);
    return st;
}
