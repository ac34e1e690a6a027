/*
 * base/zone_file.c -- reads the tz database's compiled files (RFC 8536).
 *
 * By hand rather than through libc's localtime_r(), which heeds the TZ variable, takes a lock and
 * knows one zone at a time.
 */
#include "base/zone.h"

#include <stdlib.h>

enum { HEADER = 44, YEARS = 402, CHANGES_MAX = 4096, TYPES_MAX = 256, OFFSET_MAX = 7 * 86400 };
/* Keeps sums with offsets far from overflow; 2^40 s are 34,000 years. */
#define SECONDS_MAX (INT64_C(1) << 40)

struct header {
    char version;
    size_t n_utc, n_standard, n_leap, n_times, n_types, n_chars;
};

static uint32_t big32(const char *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return __builtin_bswap32(v);
}

static int64_t big64(const char *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return (int64_t)__builtin_bswap64(v);
}

static bool header_read(struct reader *in, struct header *ret)
{
    const char *at = read_bytes(in, HEADER);
    if (!at || memcmp(at, "TZif", 4) != 0)
        return false;
    *ret = (struct header){at[4],          big32(at + 20), big32(at + 24), big32(at + 28),
                           big32(at + 32), big32(at + 36), big32(at + 40)};
    return ret->n_leap == 0 && ret->n_times <= CHANGES_MAX && ret->n_types >= 1 &&
           ret->n_types <= TYPES_MAX && ret->n_chars <= TYPES_MAX * 8 &&
           ret->n_standard <= TYPES_MAX && ret->n_utc <= TYPES_MAX;
}

static size_t block_size(const struct header *h, size_t time_size)
{
    return h->n_times * (time_size + 1) + h->n_types * 6 + h->n_chars + h->n_standard + h->n_utc;
}

static enum status zone_make(size_t n_max, struct zone **ret)
{
    struct zone *zone = calloc(1, sizeof *zone + n_max * (2 * sizeof *zone->at + sizeof(int32_t)));
    if (!zone)
        return ST_ENOMEM;
    zone->at = (int64_t *)(zone + 1);
    zone->wall = zone->at + n_max;
    zone->offset = (int32_t *)(zone->wall + n_max);
    *ret = zone;
    return ST_OK;
}

void zone_free(struct zone *zone)
{
    free(zone);
}

static int32_t last_offset(const struct zone *zone)
{
    return zone->n > 0 ? zone->offset[zone->n - 1] : zone->first;
}

/* Changes that do not change the offset (of the abbreviation only) are left out. */
static void add_change(struct zone *zone, int64_t at, int32_t offset)
{
    int32_t before = last_offset(zone);
    if (offset == before)
        return;
    zone->at[zone->n] = at;
    zone->wall[zone->n] = at + (before > offset ? before : offset);
    zone->offset[zone->n++] = offset;
}

static bool offset_is_good(int32_t offset)
{
    return offset >= -OFFSET_MAX && offset <= OFFSET_MAX;
}

/* "Since ever" is written as a time before all others. */
static int64_t read_time(const char *block, size_t i, size_t size)
{
    int64_t at = size == 8 ? big64(block + i * 8) : (int32_t)big32(block + i * 4);
    return at < -SECONDS_MAX ? -SECONDS_MAX : at;
}

static bool add_listed(struct zone *zone, const struct header *h, const char *block, size_t size)
{
    const char *types_of = block + h->n_times * size, *types = types_of + h->n_times;
    zone->first = (int32_t)big32(types);
    int64_t previous = -SECONDS_MAX;
    for (size_t i = 0; i < h->n_times; i++) {
        int64_t at = read_time(block, i, size);
        size_t type = (uint8_t)types_of[i];
        if (type >= h->n_types)
            return false;
        int32_t offset = (int32_t)big32(types + 6 * type);
        if (at < previous || at > SECONDS_MAX || !offset_is_good(offset))
            return false;
        previous = at;
        add_change(zone, at, offset);
    }
    return offset_is_good(zone->first);
}

static void add_ruled(struct zone *zone, const struct zone_rule *rule, int64_t after, int year)
{
    int64_t start, end;
    zone_rule_year(rule, year, &start, &end);
    bool start_first = start <= end;
    int64_t first = start_first ? start : end, second = start_first ? end : start;
    if (first > after)
        add_change(zone, first, start_first ? rule->summer : rule->standard);
    if (second > after)
        add_change(zone, second, start_first ? rule->standard : rule->summer);
}

static void continue_by_rule(struct zone *zone, const struct zone_rule *rule, int64_t last)
{
    struct civil from = civil_of(last * 1000000, NULL);
    int year = from.year < 1900 ? 1900 : from.year;
    for (int i = 0; i < YEARS; i++)
        add_ruled(zone, rule, last, year + i);
    zone->repeats = true;
    zone->repeat_s = civil_days(year + YEARS, 1, 1) * 86400;
}

/* The footer: "\n", the rule or nothing, "\n". */
static bool footer_read(struct reader *in, struct zone *zone, int64_t last)
{
    if (read_byte(in) != '\n' || in->bad)
        return false;
    const char *end = memchr(in->at, '\n', reader_left(in));
    if (!end)
        return false;
    struct slice text = {in->at, (size_t)(end - in->at)};
    struct zone_rule rule;
    if (text.len == 0)
        return true;
    if (zone_rule_parse(text, &rule) < 0)
        return false;
    if (rule.has_summer)
        continue_by_rule(zone, &rule, last);
    return true;
}

/* Version 1 has 4-byte times; later ones repeat all of it with 8-byte times and add the footer. */
static bool find_block(struct reader *in, struct header *h, size_t *ret_size)
{
    if (!header_read(in, h))
        return false;
    *ret_size = 4;
    if (h->version == 0)
        return true;
    *ret_size = 8;
    return read_bytes(in, block_size(h, 4)) && header_read(in, h);
}

enum status zone_read(struct slice file, struct zone **ret)
{
    struct reader in = reader_of(file);
    struct header h;
    size_t size;
    if (!find_block(&in, &h, &size))
        return ST_ECORRUPT;
    const char *block = read_bytes(&in, block_size(&h, size));
    if (!block)
        return ST_ECORRUPT;
    struct zone *zone = NULL;
    TRY(zone_make(h.n_times + 2 * YEARS, &zone));
    int64_t last = h.n_times > 0 ? read_time(block, h.n_times - 1, size) : -SECONDS_MAX;
    bool good = add_listed(zone, &h, block, size) && (size == 4 || footer_read(&in, zone, last));
    if (!good) {
        zone_free(zone);
        return ST_ECORRUPT;
    }
    *ret = zone;
    return ST_OK;
}
