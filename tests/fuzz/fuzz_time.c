/* Times, durations and numbers as people write them: a line with a format, then a line with a text.
 * What is read is written and read again as the same. */
#include <math.h>

#include "base/number.h"
#include "base/timefmt.h"
#include "ingest/event.h"
#include "tests/fuzz/fuzz.h"

static void check_time(int64_t t)
{
    struct timefmt rfc3339;
    char text[32];
    int64_t again = 0;
    FUZZ_LAW(timefmt_compile(slice_of("rfc3339"), NULL, &rfc3339) == ST_OK, "there is RFC 3339");
    size_t len = time_format(t, text);
    FUZZ_LAW(len < sizeof text, "it fits");
    FUZZ_LAW(timefmt_parse(&rfc3339, (struct slice){text, len}, &again) == ST_OK && again == t,
             "a time is written and read again as the same");
}

static void check_duration(struct slice text)
{
    char written[48];
    int64_t us, again = 0;
    if (duration_parse(text, &us) < 0)
        return;
    size_t len = duration_format(us, written);
    FUZZ_LAW(duration_parse((struct slice){written, len}, &again) == ST_OK && again == us,
             "a duration is written and read again as the same");
}

static void check_number(struct slice text)
{
    char written[NUMBER_TEXT_MAX];
    double v, v_again = 0;
    int64_t i, i_again = 0;
    if (number_to_double(text, &v) == ST_OK) {
        FUZZ_LAW(isfinite(v), "nan and inf are no numbers");
        struct slice out = {written, number_from_double(v, written)};
        FUZZ_LAW(number_to_double(out, &v_again) == ST_OK && memcmp(&v, &v_again, sizeof v) == 0,
                 "a number is written and read again as the same");
    }
    if (number_to_int(text, &i) == ST_OK) {
        struct slice out = {written, number_from_int(i, written)};
        FUZZ_LAW(number_to_int(out, &i_again) == ST_OK && i == i_again,
                 "an integer is written and read again as the same");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct zone *berlin;
    struct slice text = fuzz_slice(data, size), pattern = fuzz_line(&text);
    struct timefmt format;
    int64_t t;
    if (!berlin && zone_find("Europe/Berlin", &berlin) < 0)
        abort();
    const struct zone *zones[] = {NULL, berlin};
    for (size_t i = 0; i < 2; i++)
        if (timefmt_compile(pattern, zones[i], &format) == ST_OK &&
            timefmt_parse(&format, text, &t) == ST_OK)
            check_time(t);
    check_duration(text);
    check_number(text);
    return 0;
}
