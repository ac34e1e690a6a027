/* The head of a state directory: what is read is written as it was read; a refusal leaves what was
 * there before. */
#include "online/head.h"
#include "tests/fuzz/fuzz.h"

static void check_again(const struct head *head)
{
    struct buf first = {0}, second = {0};
    struct head again;
    head_init(&again);
    head_encode(head, &first);
    FUZZ_LAW(head_decode(buf_slice(&first), &again) == ST_OK, "what is written can be read");
    head_encode(&again, &second);
    FUZZ_LAW(slice_eq(buf_slice(&first), buf_slice(&second)), "it is written the same again");
    head_done(&again);
    buf_done(&first);
    buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head head;
    head_init(&head);
    head_lane(&head, "before", 3);
    if (head_decode(fuzz_slice(data, size), &head) == ST_OK)
        check_again(&head);
    else
        FUZZ_LAW(head.n_lanes == 1 && head.lanes[0].partition == 3, "a refusal changes nothing");
    head_done(&head);
    return 0;
}
