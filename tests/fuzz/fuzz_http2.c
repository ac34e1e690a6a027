/* Frames of HTTP/2 after a good beginning: whatever comes of them, the connection can be ended and
 * leaves nothing behind. */
#include "tests/fuzz/endpoint.h"

static const char beginning[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct link *link = fuzz_dial(grpc_accept);
    FUZZ_LAW(fuzz_say(link, (struct slice){beginning, sizeof beginning - 1}) > 0,
             "a good beginning is taken");
    if (fuzz_say(link, fuzz_slice(data, size / 2)) >= 0 && !link->ending)
        fuzz_say(link, fuzz_slice(data + size / 2, size - size / 2));
    fuzz_hang_up(link);
    return 0;
}
