/* Redo values: applying one again changes nothing, and what it left can be stored and read back,
 * as a redo value and as pages. */
#include "ingest/state.h"
#include "tests/fuzz/fuzz.h"
#include "tests/redo.h"

enum { SIZE_MAX_HERE = 1 << 16 };

static struct state *make_state(void)
{
    struct state *state = NULL;
    FUZZ_LAW(state_create(&state) == ST_OK, "there is memory");
    return state;
}

/* A few bytes may rightly ask for a record of a gigabyte, which would take the fuzzer's time. */
static bool is_small(struct slice redo)
{
    struct reader in = reader_of(redo);
    struct redo_record record;
    redo_skip_drops(&in);
    for (; redo_next_record(&in, &record); redo_skip_ranges(&in, &record))
        if (record.size > SIZE_MAX_HERE)
            return false;
    return true;
}

static void check_redo(struct slice redo, struct key128 digest)
{
    struct state *state = make_state();
    FUZZ_LAW(state_apply_redo(state, redo) == ST_OK && key_eq(state_digest(state), digest),
             "a sealed redo value makes the same records");
    state_free(state);
}

static void check_pages(struct slice pages, struct key128 digest)
{
    struct state *state = make_state();
    struct reader in = reader_of(pages);
    struct slice key, value;
    while (state_next_page(&in, &key, &value))
        if (value.len > 0) /* else dropped */
            FUZZ_LAW(state_load_page(state, key, value) == ST_OK, "pages can be read back");
    FUZZ_LAW(key_eq(state_digest(state), digest), "they hold the same records");
    state_free(state);
}

static void check_stored(struct state *state)
{
    struct key128 digest = state_digest(state);
    struct buf redo = {0}, drops = {0}, pages = {0};
    state_seal(state, &redo);
    check_redo(buf_slice(&redo), digest);
    state_take_drops(state, &drops);
    state_sweep_begin(state);
    while (state_sweep_some(state, 1000, &pages))
        ;
    check_pages(buf_slice(&pages), digest);
    FUZZ_LAW(key_eq(state_digest(state), digest), "storing changes nothing");
    buf_done(&redo);
    buf_done(&drops);
    buf_done(&pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice redo = fuzz_slice(data, size);
    if (!is_small(redo))
        return 0;
    struct state *state = make_state();
    enum status st = state_apply_redo(state, redo);
    FUZZ_LAW(st == ST_OK || st == ST_ECORRUPT, "it is applied or corrupt");
    if (st == ST_OK) {
        struct key128 digest = state_digest(state);
        FUZZ_LAW(state_apply_redo(state, redo) == ST_OK && key_eq(state_digest(state), digest),
                 "applying it again changes nothing");
    }
    check_stored(state);
    state_free(state);
    return 0;
}
