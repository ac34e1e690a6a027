#include "tests/sim/input.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/input_maker.h"

static void add_lanes(struct maker *maker, const char *topic, uint16_t stream, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        maker->input->lanes[maker->input->n_lanes++] =
            (struct input_lane){.topic = topic, .stream = stream, .partition = (int32_t)i};
}

static void put_record(struct maker *maker, size_t number, struct buf *payload, int64_t broker_time,
                       bool malformed)
{
    struct input_lane *lane = &maker->input->lanes[number];
    if (lane->n == lane->cap) {
        lane->cap = lane->cap ? 2 * lane->cap : 32;
        lane->records = realloc(lane->records, lane->cap * sizeof *lane->records);
        if (!lane->records)
            abort();
    }
    int64_t last = lane->n > 0 ? lane->records[lane->n - 1].offset : (int64_t)below(maker, 3) * 500;
    lane->records[lane->n++] = (struct input_record){
        .payload = buf_slice(payload), /* handed over */
        .offset = last + 1 + (chance(maker, 5) ? (int64_t)below(maker, 3) : 0),
        .broker_time = broker_time / 1000 * 1000,
        .malformed = malformed,
    };
    maker->input->n_records++;
    *payload = (struct buf){0};
}

static void put_malformed(struct maker *maker, size_t lane, int64_t now)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "not json",
                                        "{\"ID\": \"e1\", \"TIME\": \"yesterday\"}",
                                        "{\"TIME\": 17}",
                                        "{\"ID\": \"far\", \"TIME\": 4070908800000000, "
                                        "\"CARD\": \"c1\", \"SHOP\": \"s1\", \"AMOUNT\": 1}",
                                        NULL};
    struct buf payload = {0};
    buf_text(&payload, one_of(maker, texts));
    buf_byte(&payload, '\0');
    payload.len--;
    put_record(maker, lane, &payload, now, true);
}

static void put_payment_fields(struct maker *maker, struct buf *payload)
{
    static const char *const countries[] = {"DE", "FR", "CH", "é", NULL};
    static const char *const notes[] = {"rent for may", "thanks", "rent", "Order 77 thanks!", NULL};
    bool is_hot = chance(maker, maker->hot);
    if (!chance(maker, 2))
        buf_printf(payload, ", \"CARD\": \"c%u\"", is_hot ? 0 : (unsigned)below(maker, 12));
    if (!chance(maker, 2))
        buf_printf(payload, ", \"SHOP\": %u", is_hot ? 0 : (unsigned)below(maker, 6));
    if (!chance(maker, 5))
        buf_printf(payload, ", \"COUNTRY\": \"%s\"", one_of(maker, countries));
    if (!chance(maker, 3))
        buf_printf(payload, ", \"AMOUNT\": %s%u.%02u", chance(maker, 5) ? "-" : "",
                   (unsigned)below(maker, chance(maker, 10) ? 5000 : 100),
                   (unsigned)below(maker, 100));
    if (chance(maker, 50))
        buf_printf(payload, ", \"NOTE\": \"%s\"", one_of(maker, notes));
    if (chance(maker, 50))
        buf_printf(payload, ", \"RISK\": 0.%u", (unsigned)below(maker, 10));
}

static void put_payment(struct maker *maker, unsigned number, int64_t time, int64_t now)
{
    struct buf payload = {0};
    buf_printf(&payload, "{\"ID\": \"e%u\", \"TIME\": %" PRId64, number, time);
    put_payment_fields(maker, &payload);
    buf_text(&payload, "}");
    put_record(maker, below(maker, maker->payments), &payload, now, false);
}

static void put_login(struct maker *maker, int64_t now)
{
    struct buf payload = {0};
    buf_printf(&payload, "{\"CARD\": \"c%u\", \"RISK\": 0.%u}", (unsigned)below(maker, 12),
               (unsigned)below(maker, 10));
    put_record(maker, maker->payments + below(maker, maker->logins), &payload, now, false);
}

static int64_t floor_to(int64_t time, int64_t grain)
{
    return time - time % grain;
}

/* Some are late, by up to twice what is observed, and some in the instant of the one before. */
static int64_t event_time(struct maker *maker, int64_t now)
{
    return chance(maker, 6) ? floor_to(now - (int64_t)below(maker, 8 * HOUR_US), maker->grain)
                            : now;
}

static void make_payment(struct maker *maker, int64_t now)
{
    if (maker->n > 0 && chance(maker, 5)) { /* an id comes again */
        const struct made *again = &maker->made[below(maker, maker->n)];
        put_payment(maker, again->number, chance(maker, 50) ? again->time : now, now);
        return;
    }
    struct made *made = &maker->made[maker->n];
    *made = (struct made){.time = event_time(maker, now), .number = maker->n};
    made->label_known = made->time + (int64_t)below(maker, (uint64_t)maker->delay * 2);
    if (chance(maker, 10)) /* before its event */
        made->label_known = made->time - (int64_t)below(maker, 12 * HOUR_US);
    made->label_known = floor_to(made->label_known, maker->grain);
    made->positive = chance(maker, 30);
    maker->n++;
    put_payment(maker, made->number, made->time, now);
}

/* The time of the next; of large inputs two thirds come within a day, so that records grow and
 * shrink. */
static int64_t next_now(struct maker *maker, int64_t now, unsigned i, unsigned n)
{
    int64_t span = (int64_t)(8 + maker->number % 14) * 24 * HOUR_US;
    if (maker->hot > 0 && i < n / 3 * 2)
        span = 36 * HOUR_US;
    if (chance(maker, 10))
        return now;
    return now + (int64_t)below(maker, 2 * (uint64_t)(span / n));
}

static void make_events(struct maker *maker, unsigned n)
{
    int64_t exact = INPUT_BEGIN;
    for (unsigned i = 0; i < n; i++) {
        exact = next_now(maker, exact, i, n);
        int64_t now = floor_to(exact, maker->grain);
        if (chance(maker, 3))
            put_malformed(maker, below(maker, maker->payments), now);
        else if (maker->logins > 0 && chance(maker, 20))
            put_login(maker, now);
        else
            make_payment(maker, now);
    }
}

struct label_made {
    int64_t known;
    unsigned number;
    bool positive;
};

static int by_known(const void *a, const void *b)
{
    const struct label_made *x = a, *y = b;
    return (x->known > y->known) - (x->known < y->known);
}

static void put_label(struct maker *maker, const struct label_made *label)
{
    struct buf payload = {0};
    buf_printf(&payload, "{\"ID\": \"e%u\", \"FRAUD\": %d, \"KNOWN\": %" PRId64 "}", label->number,
               label->positive, label->known);
    size_t lane = maker->payments + maker->logins + label->number % maker->labels;
    if (chance(maker, 2))
        put_malformed(maker, lane, label->known);
    put_record(maker, lane, &payload, label->known, false);
}

static void make_labels(struct maker *maker)
{
    static struct label_made labels[3 * EVENTS_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < maker->n; i++) {
        const struct made *made = &maker->made[i];
        if (chance(maker, 25))
            continue;
        struct label_made label = {made->label_known, made->number, made->positive};
        if (chance(maker, 3)) /* of an event that nobody knows */
            label.number += 10000;
        labels[n++] = label;
        label.known += floor_to((int64_t)below(maker, 3 * 24 * HOUR_US), maker->grain);
        if (chance(maker, 8))
            labels[n++] = label;
        label.known += floor_to((int64_t)below(maker, 2 * 24 * HOUR_US), maker->grain);
        label.positive = !label.positive;
        if (chance(maker, 8))
            labels[n++] = label;
    }
    qsort(labels, n, sizeof *labels, by_known);
    for (size_t i = 0; i < n; i++)
        put_label(maker, &labels[i]);
}

/* Most inputs are small, because that makes crashes cheap. Some are large enough for models to make
 * bins, and for records to have several pages. */
static unsigned number_of_events(struct maker *maker)
{
    unsigned size = (unsigned)below(maker, 100);
    maker->hot = size < 3 ? 70 : 0;
    return size < 3 ? 700 + (unsigned)below(maker, 300)
                    : 40 + (unsigned)below(maker, size < 12 ? 340 : 120);
}

/* There are few labels: fewer than a configuration may say must do. */
static void judge_on_few(struct settings *settings)
{
    for (size_t i = 0; i < settings->n_models; i++)
        if (settings->models[i]->takeover)
            settings->models[i]->judged_on = 8;
}

struct input *input_create(uint64_t number, bool champion_stays)
{
    struct maker maker = {
        .rng = rng_part(number, 1), .number = number, .champion_stays = champion_stays};
    struct input *input = maker.input = calloc(1, sizeof *input);
    if (!input)
        abort();
    input->number = number;
    input_put_config(&maker, &input->config);
    enum status st =
        settings_parse("sim.yaml", buf_slice(&input->config), stderr, &input->settings);
    if (st < 0)
        abort();
    judge_on_few(input->settings);
    maker.payments = 1 + (unsigned)below(&maker, 3);
    maker.logins = (unsigned)below(&maker, 3);
    maker.labels = 1 + (unsigned)below(&maker, 2);
    add_lanes(&maker, "payments", 0, maker.payments);
    add_lanes(&maker, "logins", 1, maker.logins);
    add_lanes(&maker, "frauds", LABEL_STREAM, maker.labels);
    static const int64_t grains[] = {1, SECOND_US, HOUR_US};
    maker.grain = grains[below(&maker, 3)];
    make_events(&maker, number_of_events(&maker));
    make_labels(&maker);
    return input;
}

void input_free(struct input *input)
{
    if (!input)
        return;
    for (size_t i = 0; i < input->n_lanes; i++) {
        for (size_t j = 0; j < input->lanes[i].n; j++)
            free((void *)(uintptr_t)input->lanes[i].records[j].payload.data);
        free(input->lanes[i].records);
    }
    buf_done(&input->config);
    settings_free(input->settings);
    free(input);
}

size_t input_find(const struct input_lane *lane, int64_t offset)
{
    size_t low = 0, high = lane->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lane->records[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
