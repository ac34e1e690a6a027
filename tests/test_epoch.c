/*
 * Tests of ingest/epoch.h: runs and outbox rows as they are stored.
 *
 * What is known without running it: runs written out say which records were taken in which order,
 * so expanding them gives back the order; a row reads back as it was put; bytes that were cut or
 * bent are refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <criterion/theories.h>

#include <stdio.h>

#include "ingest/epoch.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Input is a text of words: "2:7" is offset 7 of lane 2, "t5" a tick at 5, "|" the epoch's end. */
static void take_words(const char *words, struct runs *runs, struct buf *buf)
{
    char text[256];
    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        unsigned lane;
        long long n;
        if (sscanf(word, "t%lld", &n) == 1)
            runs_tick(runs, buf, n);
        else if (sscanf(word, "a%lld", &n) == 1)
            runs_act(runs, buf, &(struct act){ACT_PUBLISH, 3, (uint32_t)n, UINT32_MAX});
        else if (sscanf(word, "%u:%lld", &lane, &n) == 2)
            runs_take(runs, buf, (struct origin){lane, n});
        else
            runs_close(runs, buf);
    }
    runs_close(runs, buf);
}

static void tell_runs(struct slice bytes, char *ret, size_t size)
{
    struct reader in = reader_of(bytes);
    struct run run;
    enum status st;
    ret[0] = '\0';
    while ((st = runs_next(&in, &run)) == ST_OK) {
        size_t len = strlen(ret);
        if (run.tick)
            snprintf(ret + len, size - len, "t%lld ", (long long)run.time);
        else if (run.is_act)
            snprintf(ret + len, size - len, "a%u:%u-%u-%u ", run.act.kind, run.act.model,
                     run.act.version, run.act.source);
        else
            snprintf(ret + len, size - len, "%u:%lld-%lld ", run.lane, (long long)run.first,
                     (long long)run.last);
    }
    cr_assert(eq(int, st, ST_EEND));
}

struct runs_case {
    char input[80], runs[80];
};

ParameterizedTestParameters(epoch, runs_are_what_was_taken_in_order)
{
    static struct runs_case cases[] = {
        {"", ""},
        {"|", ""},
        {"0:0", "0:0-0 "},
        {"0:0 0:1 0:2", "0:0-2 "},
        {"0:0 1:5 0:1", "0:0-0 1:5-5 0:1-1 "},
        {"0:7 0:9", "0:7-7 0:9-9 "},
        {"0:7 0:6", "0:7-7 0:6-6 "},
        {"0:7 0:7", "0:7-7 0:7-7 "},
        {"0:1 0:2 | 0:3", "0:1-2 0:3-3 "},
        {"0:1 t99 0:2", "0:1-1 t99 0:2-2 "},
        {"t-1 t-1", "t-1 t-1 "},
        {"4294967295:9223372036854775806 4294967295:9223372036854775807",
         "4294967295:9223372036854775806-9223372036854775807 "},
    };
    return cr_make_param_array(struct runs_case, cases, LEN(cases));
}

ParameterizedTest(struct runs_case *c, epoch, runs_are_what_was_taken_in_order)
{
    struct runs runs = {0};
    struct buf buf = {0};
    char told[160];
    take_words(c->input, &runs, &buf);
    tell_runs(buf_slice(&buf), told, sizeof told);
    cr_expect(eq(str, told, c->runs), "%s", c->input);
    buf_done(&buf);
}

struct corrupt_case {
    char why[32];
    uint64_t lane;
    int64_t first;
    uint64_t more;
};

ParameterizedTestParameters(epoch, refuses_corrupt_runs)
{
    static struct corrupt_case cases[] = {
        {"lane out of range", (UINT64_C(1) << 32) + 2, 0, 1},
        {"ends past all offsets", 1, INT64_MAX, 1},
        {"longer than all offsets", 1, 0, UINT64_MAX},
    };
    return cr_make_param_array(struct corrupt_case, cases, LEN(cases));
}

ParameterizedTest(struct corrupt_case *c, epoch, refuses_corrupt_runs)
{
    struct buf buf = {0};
    struct run run = {.lane = 9};
    buf_varint(&buf, c->lane);
    buf_varint_signed(&buf, c->first);
    buf_varint(&buf, c->more);
    struct reader in = reader_of(buf_slice(&buf));
    cr_expect(eq(int, runs_next(&in, &run), ST_ECORRUPT), "%s", c->why);
    buf.len--;
    in = reader_of(buf_slice(&buf));
    cr_expect(eq(int, runs_next(&in, &run), ST_ECORRUPT), "cut off");
    cr_expect(eq(u32, run.lane, 9), "untouched");
    buf_done(&buf);
}

/* Outbox. */

static const struct slice texts[] = {
    {"", 0}, {"x", 1}, {"{\"id\":\"7\",\"score\":0.5}", 22}, {"\0\xff\n", 3}};

TheoryDataPoints(epoch, rows_read_back_as_they_were_put) = {
    DataPoints(int, CHANNEL_SCORES, CHANNEL_DEAD, CHANNEL_FEATURES),
    DataPoints(uint32_t, 0, 127, 128, UINT32_MAX), DataPoints(int64_t, -1, 0, 64, INT64_MAX),
    DataPoints(size_t, 0, 1, 2, 3), /* texts */
};

Theory((int channel, uint32_t lane, int64_t offset, size_t text), epoch,
       rows_read_back_as_they_were_put)
{
    struct slice key = texts[text], payload = texts[(text + 1) % 4], reason = texts[(text + 2) % 4];
    struct buf buf = {0};
    for (uint32_t i = 0; i < 3; i++)
        outbox_put(&buf, (enum channel)channel, lane, offset, i, key, payload, reason);
    struct reader in = reader_of(buf_slice(&buf));
    struct outbox_row out;
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert(eq(int, outbox_next(&in, &out), ST_OK));
        cr_assert(eq(int, (int)out.row.channel, channel));
        cr_assert(eq(u32, out.lane, lane));
        cr_assert(eq(i64, out.row.offset, offset));
        cr_assert(eq(u32, out.row.ordinal, i));
        cr_assert(slice_eq(out.row.key, key) && slice_eq(out.row.payload, payload) &&
                  slice_eq(out.row.reason, reason));
    }
    cr_assert(eq(int, outbox_next(&in, &out), ST_EEND));
    buf_done(&buf);
}

Test(epoch, refuses_every_cut_of_a_row)
{
    struct buf buf = {0};
    outbox_put(&buf, CHANNEL_DEAD, 300, 70, 1, texts[1], texts[2], texts[3]);
    for (size_t len = 1; len < buf.len; len++) {
        struct reader in = reader_of((struct slice){buf.data, len});
        struct outbox_row out = {.lane = 9};
        cr_expect(eq(int, outbox_next(&in, &out), ST_ECORRUPT));
        cr_expect(eq(u32, out.lane, 9), "untouched");
    }
    buf.data[0] = CHANNEL_COUNT;
    struct reader in = reader_of(buf_slice(&buf));
    struct outbox_row out;
    cr_expect(eq(int, outbox_next(&in, &out), ST_ECORRUPT), "no such channel");
    buf_done(&buf);
}

Test(epoch, reset_empties_all_of_it)
{
    struct epoch epoch = {0};
    epoch_reset(&epoch, 7);
    cr_expect(epoch_empty(&epoch));
    struct buf *all[] = {&epoch.head, &epoch.redo,     &epoch.pages,
                         &epoch.runs, &epoch.examples, &epoch.outbox};
    for (size_t i = 0; i < LEN(all); i++)
        buf_text(all[i], "x");
    epoch.examples_n = epoch.outbox_rows = epoch.redo_needed = epoch.events = 3;
    cr_expect(not(epoch_empty(&epoch)));
    epoch_reset(&epoch, 8);
    cr_expect(epoch_empty(&epoch));
    for (size_t i = 0; i < LEN(all); i++)
        cr_expect(eq(sz, all[i]->len, 0));
    cr_expect(eq(u64, epoch.number, 8));
    cr_expect(eq(u64,
                 epoch.examples_n + epoch.outbox_rows + epoch.redo_needed + epoch.events +
                     epoch.examples_first,
                 0));
    cr_expect(eq(i64, epoch.oldest_arrival, INT64_MAX));
    epoch_done(&epoch);
}
