/* Bodies of requests to infer over HTTP, JSON with or without binary tensors behind it: scored, or
 * refused with a reason that any client can read. The first byte says how much of it is JSON. */
#include <math.h>

#include "ingest/decode_json.h"
#include "tests/fuzz/endpoint.h"

static void check(struct call *call)
{
    if (call->refusal != REFUSED_NOT) {
        FUZZ_LAW(call->why[0] != 0, "a refusal has a reason");
        FUZZ_LAW(json_is_utf8(call->why, strlen(call->why)), "a reason is UTF-8");
    } else {
        FUZZ_LAW(call->n_rows > 0 && call->n_rows <= call->worker->options->rows_max,
                 "what is scored has rows");
        FUZZ_LAW(call->scores != NULL, "what is scored has scores");
    }
    call_give(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct worker *worker = fuzz_worker();
    if (size == 0 || size > FUZZ_MESSAGE_MAX)
        return 0;
    struct slice body = fuzz_slice(data + 1, size - 1);
    struct http1_head head = {.infer_length = -1};
    if (data[0] != '\n')
        head.infer_length = (int64_t)(size * data[0] / 250);
    struct call *call = call_take(worker);
    call->model = slice_of("told");
    call->done = check;
    rest_read_infer(call, &head, body);
    call_start(call);
    return 0;
}
