/* Time zone files (TZif), and the rule that they end in. */
#include "base/zone.h"
#include "ingest/event.h"
#include "tests/fuzz/fuzz.h"

static void read_zone(const struct zone *zone)
{
    for (int year = 1; year < 9999; year += 997) {
        int64_t s = civil_days(year, 6, 30) * 86400;
        (void)zone_offset_local(zone, s);
        struct civil civil = civil_of(s * SECOND_US, zone);
        FUZZ_LAW(civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= 31 &&
                     civil.hour >= 0 && civil.hour < 24,
                 "there is such a time of day");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *zone = NULL;
    struct zone_rule rule;
    int64_t start, end;
    if (zone_read(fuzz_slice(data, size), &zone) == ST_OK)
        read_zone(zone);
    zone_free(zone);
    if (zone_rule_parse(fuzz_slice(data, size), &rule) == ST_OK && rule.has_summer)
        zone_rule_year(&rule, 2024, &start, &end);
    return 0;
}
