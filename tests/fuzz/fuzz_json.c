/* Events and labels as JSON, of any bytes. */
#include "tests/fuzz/decode_laws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *events, *labels;
    static const char good_event[] = "{\"ID\": 7, \"TIME\": \"2018-04-01T00:00:31Z\"}";
    static const char good_label[] =
        "{\"ID\": 7, \"TIME\": \"2018-04-01T00:00:31Z\", \"LABEL\": 1}";
    if (!events) {
        events = make_decoder("json", "", false);
        labels = make_decoder("json", "", true);
    }
    check_decoder(events, fuzz_slice(data, size), good_event);
    check_decoder(labels, fuzz_slice(data, size), good_label);
    return 0;
}
