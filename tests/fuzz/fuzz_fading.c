/* Records of {sketch: ...}, {decay: ...} and {outlier: ...} that hold anything: those of a few
 * entities are made, overwritten or cut ({u8 record, u8 how, u16 from, u8 length, bytes}*), then
 * read and gone on with. What comes out may be nonsense, but it must neither crash nor hang, and a
 * read must change nothing. */
#include "features/plan.h"
#include "tests/fuzz/fuzz.h"

#define HOUR_US (3600 * SECOND_US)

enum { ENTITIES = 3, BEFORE = 120, AFTER = 60, RECORDS_MAX = 64 };

static const struct field fields[] = {{"CARD", FIELD_ENTITY, "CARD"},
                                      {"AMOUNT", FIELD_NUMBER, NULL}};
static const struct stream streams[] = {
    {.name = "payments", .n_fields = 2, .fields = fields, .score = true}};
static const struct schema schema = {.n_streams = 1, .streams = streams};

static const char yaml[] =
    "- {sketch: AMOUNT, by: CARD, over: 1d, panes: 4, size: 32, take: [distinct, p50, rank, top, "
    "share, times]}\n"
    "- {decay: AMOUNT, by: CARD, half_life: [1h, 1d], take: [count, sum, mean]}\n"
    "- {value: AMOUNT}\n"
    "- {outlier: AMOUNT, by: CARD, events: 16}\n"
    "- {outlier: [AMOUNT, outlier.by.CARD], by: CARD, events: 300, depth: 2, as: wide}\n";

struct run {
    struct conf *conf;
    struct conf_errors errors;
    struct state *state;
    struct plan *plan;
    uint16_t families; /* 1 to this */
};

static void begin(struct run *run)
{
    if (state_create(&run->state) < 0 ||
        conf_parse("fuzz", slice_of(yaml), &run->errors, &run->conf) < 0 ||
        plan_create(&schema, conf_root(run->conf), HOUR_US, run->state, &run->errors, &run->plan) <
            0)
        abort();
    size_t len;
    while (state_family_name(run->state, (uint16_t)(run->families + 1), &len))
        run->families++;
}

static struct key128 id_of(unsigned entity)
{
    return hash_entity(slice_of("CARD"), slice_of((const char *const[]){"a", "b", "c"}[entity]));
}

static void take(struct run *run, unsigned entity, int64_t time, bool observe)
{
    union value values[2] = {{.entity = id_of(entity)}, {.number = (double)(time / HOUR_US % 97)}};
    struct event event = {.time = time, .id_key = {(uint64_t)time, 1}, .values = values};
    double dense[64];
    struct sparse sparse[VECTOR_SPARSE_MAX];
    size_t n_sparse;
    struct key128 before = observe ? (struct key128){0} : state_digest(run->state);
    plan_extract(run->plan, run->state, &event, dense, sparse, &n_sparse);
    if (observe)
        plan_observe(run->plan, run->state, &event, dense);
    else
        FUZZ_LAW(key_eq(before, state_digest(run->state)), "a read changes nothing");
}

/* The first gets many values in a pane, the others few. */
static void take_hours(struct run *run, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        for (unsigned e = 0; e < ENTITIES; e++)
            for (unsigned k = 0; k < (e == 0 ? 20 : 1); k++)
                take(run, e, (int64_t)i * HOUR_US + (int64_t)k * 60 * SECOND_US, true);
}

static void spoil(struct run *run, struct reader *in)
{
    unsigned which = read_byte(in);
    uint8_t how = read_byte(in);
    size_t from = read_u16(in), len = read_byte(in);
    const char *bytes = read_bytes(in, len);
    struct record *rec = state_find(run->state, (uint16_t)(1 + which / ENTITIES % run->families),
                                    id_of(which % ENTITIES));
    if (!rec || !bytes)
        return;
    if (how % 4 == 1)
        rec = state_resize(run->state, rec, from % 2048);
    from = rec->size > 0 ? from % rec->size : 0;
    len = len < rec->size - from ? len : rec->size - from;
    memcpy(rec->data + from, bytes, len);
    rec->hint = 0; /* as if it came from the store */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {0};
    struct reader in = reader_of(fuzz_slice(data, size));
    begin(&run);
    take_hours(&run, 0, BEFORE);
    while (reader_left(&in) > 0 && !in.bad)
        spoil(&run, &in);
    for (unsigned e = 0; e < ENTITIES; e++) {
        take(&run, e, (int64_t)BEFORE * HOUR_US, false);
        take(&run, e, INT64_MIN, false);
        take(&run, e, INT64_MAX, false);
    }
    take_hours(&run, BEFORE, BEFORE + AFTER);
    plan_free(run.plan);
    state_free(run.state);
    conf_errors_done(&run.errors);
    conf_free(run.conf);
    return 0;
}
