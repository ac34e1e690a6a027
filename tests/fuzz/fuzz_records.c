/* Records that hold anything: a small state is made, some of its records are overwritten or cut
 * ({u8 record, u8 how, u16 from, u8 length, bytes}*), and the line is opened over it and goes on.
 * It may refuse to, or compute nonsense, but must neither crash nor hang. */
#include "tests/fuzz/line.h"
#include "tests/redo.h"

enum { BEFORE = 48, AFTER = 24, RECORDS_MAX = 256 };

/* The state as it was, and its records in the order in which they were first changed. */
struct template
{
    struct buf redo;
    size_t n;
    struct redo_record records[RECORDS_MAX];
};

static int64_t time_of(unsigned i)
{
    return INT64_C(1522540800) * SECOND_US + (int64_t)i * 1800 * SECOND_US;
}

static void list_records(struct template *template)
{
    struct reader in = reader_of(buf_slice(&template->redo));
    redo_skip_drops(&in);
    while (template->n < RECORDS_MAX && redo_next_record(&in, &template->records[template->n]))
        redo_skip_ranges(&in, &template->records[template->n++]);
}

static const struct template *make_template(void)
{
    static struct template template;
    if (template.n > 0)
        return &template;
    struct line line = {.now = INT64_MIN};
    if (state_create(&line.state) < 0 || line_open(&line) < 0)
        abort();
    for (unsigned i = 1; i <= BEFORE; i++) {
        line_take(&line, i, time_of(i));
        if (i % 5 == 0)
            line_label(&line, i - 3, time_of(i), 1);
    }
    state_seal(line.state, &template.redo);
    list_records(&template);
    line_done(&line);
    return &template;
}

static void spoil(struct state *state, const struct template *template, struct reader *in)
{
    size_t which = read_byte(in) % template->n;
    uint8_t how = read_byte(in);
    size_t from = read_u16(in), len = read_byte(in);
    const char *bytes = read_bytes(in, len);
    struct record *rec =
        state_find(state, template->records[which].family, template->records[which].id);
    if (!rec || !bytes)
        return;
    if (how % 4 == 1)
        rec = state_resize(state, rec, from);
    if (how % 4 == 2)
        rec = state_resize(state, rec, rec->size + len);
    from = rec->size > 0 ? from % rec->size : 0;
    len = len < rec->size - from ? len : rec->size - from;
    memcpy(rec->data + from, bytes, len);
    rec->hint = 0;
}

static void go_on(struct line *line)
{
    for (unsigned i = BEFORE - 2; i < BEFORE + AFTER; i++) {
        line_take(line, i, time_of(i));
        line_label(line, i - 5, time_of(i), i % 2);
    }
    join_release(line->join, time_of(BEFORE + 48 * 9), true, line_released, line);
    line_take(line, 1000, time_of(BEFORE + 48 * 100));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct template *template = make_template();
    struct line line = {.now = time_of(BEFORE)};
    struct reader in = reader_of(fuzz_slice(data, size));
    if (state_create(&line.state) < 0 ||
        state_apply_redo(line.state, buf_slice(&template->redo)) < 0)
        abort();
    state_redone(line.state);
    while (reader_left(&in) > 0 && !in.bad)
        spoil(line.state, template, &in);
    if (line_open(&line) == ST_OK)
        go_on(&line);
    line_done(&line);
    return 0;
}
