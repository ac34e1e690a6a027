#include "tests/sim/input_maker.h"

static const char *const delays[] = {"6h", "1d", "2d", NULL};
static const int64_t delays_us[] = {6 * HOUR_US, 24 * HOUR_US, 48 * HOUR_US};

static void put_labels(struct maker *maker, struct buf *yaml)
{
    static const char *const absents[] = {"", ", absent: {is: 0, after: 3d}", ", absent: none",
                                          ", absent: {is: 1, after: 2d}", NULL};
    static const char *const keeps[] = {"", "", ", keep_negatives: 0.5", NULL};
    static const char *const horizons[] = {"4d", "8d", NULL};
    size_t delay = below(maker, 3);
    maker->delay = delays_us[delay];
    buf_printf(yaml,
               "labels: {topic: frauds, id: ID, value: FRAUD, time: {field: KNOWN, format: "
               "epoch_us}, delay: %s, horizon: %s%s%s}\n",
               delays[delay], one_of(maker, horizons), one_of(maker, absents),
               one_of(maker, keeps));
}

/* Kinds that came later, drawn by a generator of their own: all else of a seed stays as it was. */
static void put_further_features(const struct maker *maker, struct buf *yaml)
{
    static const char *const choices[] = {
        "{cycle: 7d, terms: 2}",
        "{window: AMOUNT, by: CARD, over: [3h, 2d], take: [gap, burst, velocity]}",
        "{decay: AMOUNT, by: CARD, half_life: [1h, 2d], take: [count, sum, mean]}",
        "{sketch: SHOP, by: CARD, over: 1d, panes: 4, size: 256, take: [distinct, top, share]}",
        "{sketch: SHOP, by: CARD, over: 6h, panes: 2, size: 1024, take: times}",
        "{sketch: AMOUNT, by: SHOP, over: 12h, size: 512, take: [p50, rank]}",
        "{outlier: AMOUNT, events: 8, trees: 5, depth: 4}",
        "{outlier: AMOUNT, by: CARD, events: 2, trees: 6}",
        NULL};
    struct rng rng = rng_part(maker->number, 2);
    for (size_t i = 0; choices[i]; i++)
        if (rng_below(&rng, 100) < 40)
            buf_printf(yaml, "  - %s\n", choices[i]);
}

/* AMOUNT is always a column; what crosses are made of is told by these. */
struct columns {
    bool hour, country, shop;
};

static struct columns put_features(struct maker *maker, struct buf *yaml)
{
    static const char *const choices[] = {
        "{calendar: hour}",
        "{category: COUNTRY}",
        "{category: SHOP}",
        "{calendar: weekend}",
        "{text: NOTE}",
        "{window: AMOUNT, by: CARD, over: [1h, 2d], take: [count, sum, mean, min, max, std, "
        "since]}",
        "{window: AMOUNT, by: SHOP, over: [6h, 3d], take: [count, mean, ratio]}",
        "{window: AMOUNT, by: [CARD, SHOP], over: [2d], take: [count, mean, since]}",
        "{window: AMOUNT, by: CARD, over: [1d], delay: 6h, take: [count, max]}",
        "{window: SHOP, by: CARD, over: [2d], take: [distinct]}",
        "{window: RISK, by: CARD, over: [1d], take: [count, mean]}",
        "{stl: AMOUNT, by: CARD, bucket: 2h, period: 6h, init: 2}",
        "{stl: events, by: SHOP, bucket: 1h, period: 3h, init: 3, fold: count, take: [z, open]}",
        "{window: label, by: CARD, over: [2d, 5d], take: [count, sum, mean]}",
        "{window: label, by: SHOP, over: [3d], take: [count, mean]}",
        NULL};
    bool chosen[3] = {false};
    buf_text(yaml, "features:\n  - {value: AMOUNT}\n");
    for (size_t i = 0; choices[i]; i++) {
        bool choose = chance(maker, 55);
        if (choose)
            buf_printf(yaml, "  - %s\n", choices[i]);
        if (i < 3)
            chosen[i] = choose;
    }
    put_further_features(maker, yaml);
    return (struct columns){chosen[0], chosen[1], chosen[2]};
}

static void put_crosses(struct maker *maker, const struct columns *columns, struct buf *yaml)
{
    const char *first = ", crosses: [";
    if (columns->hour && chance(maker, 60)) {
        buf_printf(yaml, "%s[AMOUNT, hour]", first);
        first = ", ";
    }
    if (columns->country && columns->shop && chance(maker, 60)) {
        buf_printf(yaml, "%s[COUNTRY, SHOP]", first);
        first = ", ";
    }
    if (columns->country && chance(maker, 40)) {
        buf_printf(yaml, "%s[AMOUNT, COUNTRY]", first);
        first = ", ";
    }
    if (first[2] == '\0')
        buf_text(yaml, "], cross_bins: 4");
}

/* Options that came later, as below. */
static const char *later_option(const struct maker *maker, bool trees)
{
    static const char *const of_lines[] = {
        "",
        ", replay: 0.3, replay_rows: 30, replay_half_life: 2h",
        ", binning: supervised",
        ", binning: woe, class_weight: 3",
        ", class_weight: balanced, replay: 1, replay_rows: 8",
        ", noise: 0.5, noise_rows: 5, noise_window: 4",
        ", replay: 0.3, replay_rows: 8, noise: 0.4, noise_window: 7"};
    static const char *const of_trees[] = {"", ", smote: 0.4, class_weight: 2",
                                           ", class_weight: balanced",
                                           ", noise: 0.5, noise_rows: 5, noise_window: 4"};
    struct rng rng = rng_part(maker->number, 4);
    return trees ? of_trees[rng_below(&rng, 4)] : of_lines[rng_below(&rng, 7)];
}

/* So does this. */
static const char *takes_over(const struct maker *maker)
{
    struct rng rng = rng_part(maker->number, 5);
    return !maker->champion_stays && rng_below(&rng, 100) < 60 ? ", takeover: on" : "";
}

/* And this: trials end well or badly by a few rows. */
static const char *tries(const struct maker *maker)
{
    static const char *const choices[] = {
        ", canary: 0.5, canary_rows: 3",
        ", canary: 0.3, canary_rows: 4, canary_by: CARD, canary_psi: 0.2",
        ", canary: 0.7, canary_rows: 2, canary_for: 40m, canary_by: SHOP, canary_psi: 0.1",
        ", canary: 0.4, canary_rows: 1, canary_for: 9h, canary_psi: 0.4"};
    struct rng rng = rng_part(maker->number, 6);
    return !maker->champion_stays && rng_below(&rng, 100) < 50 ? choices[rng_below(&rng, 4)] : "";
}

/* Trees are made from few examples here. */
static void put_other(struct maker *maker, struct buf *yaml)
{
    static const char *const publishes[] = {"1h", "6h", "1d", NULL};
    static const char *const hows[] = {"refit", "continue", NULL};
    static const char *const windows[] = {"12h", "90d", NULL};
    const char *publish = one_of(maker, publishes), *takeover = takes_over(maker);
    if (chance(maker, 80))
        buf_printf(yaml, "  - {name: other, kind: ftrl, publish: %s, bins: 4, table: 100%s%s%s}\n",
                   publish, later_option(maker, false), takeover, tries(maker));
    else
        buf_printf(yaml,
                   "  - {name: other, kind: gbdt, publish: %s, rounds: 2, depth: 2, rows: 100, "
                   "trees_max: 6, how: %s, window: %s%s%s}\n",
                   publish, one_of(maker, hows), one_of(maker, windows), later_option(maker, true),
                   takeover);
}

/* Kinds that came later, drawn by a generator of their own: all else of a seed stays as it was. */
static void put_unlabelled(const struct maker *maker, struct buf *yaml)
{
    static const char *const choices[] = {
        "{name: outliers, kind: iforest, publish: 6h, n_estimators: 3, max_samples: 16, rows: 60}",
        "{name: outliers, kind: hstrees, publish: 1h, trees: 3, depth: 4, window: 20}"};
    struct rng rng = rng_part(maker->number, 3);
    if (rng_below(&rng, 100) < 40)
        buf_printf(yaml, "  - %s\n", choices[rng_below(&rng, 2)]);
}

static void put_model(struct maker *maker, const struct columns *columns, struct buf *yaml)
{
    static const char *const publishes[] = {"1h", "6h", "1d", NULL};
    static const char *const bins[] = {"1", "8", "16", NULL};
    static const char *const l1s[] = {"0", "0.1", NULL};
    static const char *const expires[] = {"90d", "90d", "6d", NULL};
    buf_printf(yaml, "models:\n  - {name: fraud, kind: ftrl, publish: %s, bins: %s, l1: %s",
               one_of(maker, publishes), one_of(maker, bins), one_of(maker, l1s));
    buf_printf(yaml, ", table: 1000, admit: %u, expire: %s", 1 + (unsigned)below(maker, 2),
               one_of(maker, expires));
    put_crosses(maker, columns, yaml);
    buf_printf(yaml, "%s%s}\n", takes_over(maker), tries(maker));
    if (chance(maker, 50))
        put_other(maker, yaml);
    put_unlabelled(maker, yaml);
}

void input_put_config(struct maker *maker, struct buf *yaml)
{
    static const char *const latenesses[] = {"0s", "3h", NULL};
    buf_text(yaml, "name: sim\n"
                   "streams:\n"
                   "  - name: payments\n"
                   "    id: ID\n"
                   "    time: {field: TIME, format: epoch_us}\n"
                   "    fields: {CARD: entity, SHOP: entity, COUNTRY: category, AMOUNT: number, "
                   "NOTE: text, RISK: number}\n"
                   "    score: true\n"
                   "  - name: logins\n"
                   "    fields: {CARD: entity, RISK: number}\n");
    put_labels(maker, yaml);
    buf_printf(yaml, "time: {lateness: %s, ahead_max: 6h}\n", one_of(maker, latenesses));
    struct columns columns = put_features(maker, yaml);
    put_model(maker, &columns, yaml);
    buf_text(yaml, "scores: {include: [features]}\n");
}
