#include "online/bin_write.h"

#include <math.h>
#include <stdio.h>

#include "base/number.h"

/* A line of the table, whatever it stands for. */
struct line {
    char bin[24];
    double above, up_to; /* infinite: without a bound */
    struct binning_counts counts;
    double share, woe, iv;
};

static double rows_of(struct binning_counts counts)
{
    return counts.events + counts.nonevents;
}

static struct line line_of(const struct bin_table *table, const struct binning_bin *bin)
{
    return (struct line){.above = NAN,
                         .up_to = NAN,
                         .counts = bin->counts,
                         .share = rows_of(bin->counts) / rows_of(table->bins.all),
                         .woe = bin->woe,
                         .iv = bin->iv};
}

/* Line i: a bin, then missing numbers, then all. False behind the last. */
static bool line_at(const struct bin_table *table, size_t i, struct line *ret)
{
    const struct binning_table *bins = &table->bins;
    if (i < bins->n) {
        *ret = line_of(table, &bins->bins[i]);
        snprintf(ret->bin, sizeof ret->bin, "%zu", i + 1);
        ret->above = i == 0 ? -INFINITY : table->edges[i - 1];
        ret->up_to = table->edges[i];
    } else if (i == bins->n) {
        *ret = line_of(table, &bins->missing);
        snprintf(ret->bin, sizeof ret->bin, "missing");
    } else if (i == bins->n + 1) {
        struct binning_bin all = {.counts = bins->all, .iv = bins->iv};
        *ret = line_of(table, &all);
        snprintf(ret->bin, sizeof ret->bin, "all");
    } else {
        return false;
    }
    return true;
}

static void put_range(const struct line *line, char *ret, size_t size)
{
    if (isnan(line->up_to))
        snprintf(ret, size, "%s", line->bin);
    else if (isinf(line->above) && isinf(line->up_to))
        snprintf(ret, size, "any number");
    else if (isinf(line->above))
        snprintf(ret, size, "up to %.6g", line->up_to);
    else if (isinf(line->up_to))
        snprintf(ret, size, "above %.6g", line->above);
    else
        snprintf(ret, size, "%.6g to %.6g", line->above, line->up_to);
}

void bin_write_table(const char *name, const struct bin_table *table, struct buf *out)
{
    struct line line;
    buf_printf(out, "%s: IV %.4f, %s\n", name, table->bins.iv,
               table->bins.trend == BINNING_NONE ? "no trend asked"
                                                 : binning_trend_names[table->bins.trend]);
    buf_printf(out, "  %-27s%10s%9s%10s%10s%10s%9s\n", "", "count", "share", "events", "rate",
               "WoE", "IV");
    for (size_t i = 0; line_at(table, i, &line); i++) {
        char range[64];
        double rows = rows_of(line.counts);
        put_range(&line, range, sizeof range);
        buf_printf(out, "  %-27s%10.0f%8.2f%%%10.0f%9.3f%%%10.4f%9.4f\n", range, rows,
                   100 * line.share, line.counts.events,
                   rows > 0 ? 100 * line.counts.events / rows : 0, line.woe, line.iv);
    }
}

void bin_write_csv_header(struct buf *out)
{
    buf_text(out, "column,bin,above,up_to,count,share,events,rate,woe,iv\n");
}

/* Bounds that are not there are empty, so that the file is numbers. */
static void put_number(struct buf *out, double v)
{
    buf_byte(out, ',');
    if (isfinite(v))
        buf_double(out, v + 0.0); /* no -0 */
}

static void put_name(struct buf *out, const char *name)
{
    bool quoted = strpbrk(name, ",\"") != NULL;
    buf_printf(out, quoted ? "\"%s\"" : "%s",
               name); /* quotes inside are doubled as they were read */
}

void bin_write_csv(const char *name, const struct bin_table *table, struct buf *out)
{
    struct line line;
    for (size_t i = 0; line_at(table, i, &line); i++) {
        double rows = rows_of(line.counts);
        put_name(out, name);
        buf_printf(out, ",%s", line.bin);
        const double numbers[] = {
            line.above, line.up_to, rows, line.share, line.counts.events, line.counts.events / rows,
            line.woe,   line.iv};
        for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
            put_number(out, numbers[j]);
        buf_byte(out, '\n');
    }
}

void bin_write_summary_header(bool csv, struct buf *out)
{
    if (csv)
        buf_text(out, "column,iv,trend,bins,missing\n");
    else
        buf_printf(out, "%-40s%9s  %-10s%6s%10s\n", "", "IV", "trend", "bins", "missing");
}

void bin_write_summary(const char *name, const struct bin_table *table, bool csv, struct buf *out)
{
    const struct binning_table *bins = &table->bins;
    double missing = rows_of(bins->missing.counts) / rows_of(bins->all);
    const char *trend = binning_trend_names[bins->trend];
    if (!csv) {
        buf_printf(out, "%-40s%9.4f  %-10s%6zu%9.2f%%\n", name, bins->iv, trend, bins->n,
                   100 * missing);
        return;
    }
    put_name(out, name);
    put_number(out, bins->iv);
    buf_printf(out, ",%s,%zu", trend, bins->n);
    put_number(out, missing);
    buf_byte(out, '\n');
}
