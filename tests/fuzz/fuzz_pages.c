/* Pages as the store may hold them: {u8 key length, key, u16 value length, value}*. */
#include "ingest/state.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE_MAX_HERE = 1 << 16 };

static struct slice take(struct reader *in, size_t len)
{
    const char *data = read_bytes(in, len);
    return (struct slice){data, data ? len : 0};
}

/* A page may rightly say that it is the first of a gigabyte, which would take the fuzzer's time. */
static bool is_small(struct slice value)
{
    uint32_t size = 0;
    if (value.len >= sizeof size)
        memcpy(&size, value.data, sizeof size);
    return size <= SIZE_MAX_HERE || size > STATE_RECORD_MAX;
}

static void check_key(struct slice key)
{
    char again[STATE_PAGE_KEY];
    struct key128 id;
    uint16_t family;
    uint32_t page = state_read_page_key(key, &family, &id);
    state_page_key(family, id, page, again);
    FUZZ_LAW(memcmp(again, key.data, sizeof again) == 0, "an accepted key is written the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_of(fuzz_slice(data, size));
    struct state *state = NULL;
    if (state_create(&state) < 0)
        abort();
    enum status st = ST_OK;
    while (st == ST_OK && reader_left(&in) > 0) {
        struct slice key = take(&in, read_byte(&in));
        struct slice value = take(&in, read_u16(&in));
        if (in.bad || !is_small(value))
            break;
        FUZZ_LAW(state_pages(value) <= STATE_RECORD_MAX / STATE_PAGE, "no record is too long");
        st = state_load_page(state, key, value);
        if (st == ST_OK)
            check_key(key);
    }
    struct buf redo = {0};
    state_seal(state, &redo);
    FUZZ_LAW(redo.len == 1, "what was read is unchanged");
    FUZZ_LAW(state_unswept(state) == 0, "and has not to be stored");
    buf_done(&redo);
    state_free(state);
    return 0;
}
