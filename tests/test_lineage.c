/*
 * Tests of ingest/lineage.h.
 *
 * What is known without running it: a lineage is read back as it was written, and anything cut or
 * lengthened is refused; a note is read back as it was written, and no other text is one; of what
 * the group has only this life and the one before it, up to its end, count, and what is neither of
 * these nor accepted by a restore is foreign.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <stdlib.h>

#include "ingest/lineage.h"

Test(lineage, is_read_back_as_written)
{
    struct store *store = NULL;
    cr_assert(eq(int, store_open_memory(&store), ST_OK));
    struct lineage read = {0};
    cr_expect(eq(int, lineage_read(store, &read), ST_ENOTFOUND));
    int64_t quiet[] = {0, INT64_MAX, 17};
    struct lineage written = {1, 2, 3, 4, 5, quiet, 3};
    cr_assert(eq(int, lineage_write(store, &written), ST_OK));
    cr_assert(eq(int, lineage_read(store, &read), ST_OK));
    cr_assert(eq(int, lineage_read(store, &read), ST_OK), "once more into what holds one");
    cr_expect(eq(u64, read.number, 1));
    cr_expect(eq(u64, read.before, 2));
    cr_expect(eq(u64, read.before_epoch, 3));
    cr_expect(eq(u64, read.accepted, 4));
    cr_expect(eq(u64, read.accepted_epoch, 5));
    cr_assert(eq(sz, read.n_quiet, 3));
    for (size_t i = 0; i < 3; i++)
        cr_expect(eq(i64, read.quiet_below[i], quiet[i]));
    lineage_done(&read);
    store_free(store);
}

Test(lineage, refuses_what_is_cut_or_longer)
{
    struct store *store = NULL;
    cr_assert(eq(int, store_open_memory(&store), ST_OK));
    int64_t quiet[] = {1, 300};
    struct lineage written = {1, 2, 3, 4, 5, quiet, 2};
    cr_assert(eq(int, lineage_write(store, &written), ST_OK));
    struct buf value = {0};
    cr_assert(eq(int, store->ops->get(store, slice_of("mlineage"), &value), ST_OK));
    buf_byte(&value, 0);
    struct store_batch *batch = store->ops->batch_create(store);
    for (size_t len = 0; len <= value.len; len++) {
        if (len == value.len - 1)
            continue;
        struct slice bytes = {value.data, len};
        store->ops->put(batch, slice_of("mlineage"), bytes);
        cr_assert(eq(int, store->ops->write(store, batch), ST_OK));
        struct lineage read = {0};
        cr_expect(eq(int, lineage_read(store, &read), ST_ECORRUPT), "%zu bytes", len);
    }
    store->ops->batch_free(batch);
    buf_done(&value);
    store_free(store);
}

struct note_case {
    char note[80];
    bool ours;
    uint64_t life, epoch;
};

ParameterizedTestParameters(lineage, reads_notes)
{
    static struct note_case cases[] = {
        {"freshet:1:00000000000000ff:17", true, 255, 17},
        {"freshet:1:ffffffffffffffff:18446744073709551615", true, UINT64_MAX, UINT64_MAX},
        {"freshet:1:0000000000000000:0", true, 0, 0},
        {"", false, 0, 0},
        {"freshet:1:ff:17", false, 0, 0},
        {"freshet:2:00000000000000ff:17", false, 0, 0},
        {"freshet:1:00000000000000ff:17 ", false, 0, 0},
        {"freshet:1:00000000000000ff:", false, 0, 0},
        {"freshet:1:00000000000000FF:17", false, 0, 0},
        {"freshet:1:00000000000000ff:-1", false, 0, 0},
        {"somebody else's note", false, 0, 0},
        {"freshet:1:00000000000000ff:17000000000000000000000000000000000000000000", false, 0, 0},
    };
    return cr_make_param_array(struct note_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct note_case *c, lineage, reads_notes)
{
    uint64_t life = 7, epoch = 7;
    cr_expect(eq(int, lineage_parse_note(slice_of(c->note), &life, &epoch), c->ours), "%s",
              c->note);
    cr_expect(eq(u64, life, c->ours ? c->life : 7));
    cr_expect(eq(u64, epoch, c->ours ? c->epoch : 7));
    char again[LINEAGE_NOTE_MAX];
    lineage_note(life, epoch, again);
    if (c->ours)
        cr_expect(eq(str, again, c->note));
}

struct group_case {
    char why[40];
    struct group_offset group;
    bool known, foreign;
};

ParameterizedTestParameters(lineage, knows_its_own)
{
    static struct group_case cases[] = {
        {"this life", {100, 1, 1000}, true, false},
        {"the one before, up to its end", {100, 2, 30}, true, false},
        {"the one before, past its end", {100, 2, 31}, false, true},
        {"accepted by a restore", {100, 4, 50}, false, false},
        {"that went on since", {100, 4, 51}, false, true},
        {"another copy's", {100, 5, 1}, false, true},
        {"another program's", {100, 0, 0}, false, false},
        {"nothing", {-1, 1, 1}, false, false},
    };
    return cr_make_param_array(struct group_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct group_case *c, lineage, knows_its_own)
{
    struct lineage lineage = {1, 2, 30, 4, 50, NULL, 0};
    cr_expect(eq(int, lineage_knows(&lineage, &c->group), c->known), "%s", c->why);
    cr_expect(eq(int, lineage_is_foreign(&lineage, &c->group), c->foreign), "%s", c->why);
}
