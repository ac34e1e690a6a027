/* freshet bin: numbers of a CSV file cut into bins that tell as much as they can of an event. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "online/bin_options.h"
#include "online/bin_write.h"
#include "online/command.h"
#include "online/csv_table.h"

struct bin_result {
    const char *name;
    struct bin_table table;
};

struct bin_job {
    struct bin_options options;
    struct csv_table file;
    bool *events; /* a row */
    struct bin_column *work;
    size_t n;
    struct bin_result *results; /* room for all columns */
};

/* The column must be there, and of numbers. */
static enum status find_column(const struct bin_job *job, struct slice name,
                               const struct csv_column **ret)
{
    const char *input = job->options.input;
    const struct csv_column *column = csv_table_find(&job->file, name);
    if (!column) {
        fprintf(stderr, "freshet bin: %s:1: there is no column \"%.*s\"\n", input, (int)name.len,
                name.data);
        return ST_EINVAL;
    }
    if (column->text_line > 0) {
        fprintf(stderr, "freshet bin: %s:%zu: \"%s\" is no finite number here\n", input,
                column->text_line, column->name);
        return ST_EINVAL;
    }
    *ret = column;
    return ST_OK;
}

static enum status read_events(struct bin_job *job)
{
    const struct csv_column *target = NULL;
    size_t events = 0, rows = job->file.n_rows;
    TRY(find_column(job, slice_of(job->options.target), &target));
    job->events = calloc(rows + 1, sizeof *job->events);
    if (!job->events)
        return ST_ENOMEM;
    for (size_t i = 0; i < rows; i++) {
        double v = target->values[i];
        if (v != 0 && v != 1) {
            fprintf(stderr, "freshet bin: %s: row %zu: \"%s\" is neither 0 nor 1\n",
                    job->options.input, i + 1, target->name);
            return ST_EINVAL;
        }
        job->events[i] = v == 1;
        events += v == 1;
    }
    if (events > 0 && events < rows)
        return ST_OK;
    fprintf(stderr, "freshet bin: %s: of %zu rows %zu are events; some must be and some must not\n",
            job->options.input, rows, events);
    return ST_EINVAL;
}

static enum status make_one(struct bin_job *job, const struct csv_column *column)
{
    struct bin_result *result = &job->results[job->n];
    result->name = column->name;
    TRY(bin_column_make(job->work, &job->options.binning, column->values, job->events,
                        job->file.n_rows, &result->table));
    job->n++;
    return ST_OK;
}

static enum status make_named(struct bin_job *job)
{
    for (const char *at = job->options.columns;;) {
        struct slice name = {at, strcspn(at, ",")};
        const struct csv_column *column = NULL;
        TRY(find_column(job, name, &column));
        if (job->n == job->file.n_columns) {
            fprintf(stderr, "freshet bin: --column: a column is named twice\n");
            return ST_EINVAL;
        }
        TRY(make_one(job, column));
        if (at[name.len] == '\0')
            return ST_OK;
        at += name.len + 1;
    }
}

static enum status make_all(struct bin_job *job)
{
    for (size_t i = 0; i < job->file.n_columns; i++) {
        const struct csv_column *column = &job->file.columns[i];
        if (strcmp(column->name, job->options.target) == 0)
            continue;
        if (column->text_line > 0)
            fprintf(stderr, "freshet bin: \"%s\" is passed over: no number in line %zu\n",
                    column->name, column->text_line);
        else
            TRY(make_one(job, column));
    }
    return ST_OK;
}

static int by_iv(const void *a, const void *b)
{
    double x = ((const struct bin_result *)a)->table.bins.iv;
    double y = ((const struct bin_result *)b)->table.bins.iv;
    return (x < y) - (x > y);
}

static void write_results(struct bin_job *job, struct buf *out)
{
    bool csv = job->options.csv, summary = job->options.summary;
    qsort(job->results, job->n, sizeof *job->results, by_iv);
    if (summary)
        bin_write_summary_header(csv, out);
    else if (csv)
        bin_write_csv_header(out);
    for (size_t i = 0; i < job->n; i++) {
        const struct bin_result *result = &job->results[i];
        if (summary) {
            bin_write_summary(result->name, &result->table, csv, out);
        } else if (csv) {
            bin_write_csv(result->name, &result->table, out);
        } else {
            bin_write_table(result->name, &result->table, out);
            if (i + 1 < job->n)
                buf_byte(out, '\n');
        }
    }
}

static enum status run_job(struct bin_job *job)
{
    const struct bin_options *options = &job->options;
    TRY(csv_table_read(options->input, stderr, &job->file));
    TRY(read_events(job));
    job->results = calloc(job->file.n_columns + 1, sizeof *job->results);
    if (!job->results)
        return ST_ENOMEM;
    TRY(bin_column_create(job->file.n_rows, options->prebins, options->binning.bins_max,
                          &job->work));
    bin_column_set_edges(job->work, options->edges, options->n_edges);
    TRY(options->columns ? make_named(job) : make_all(job));
    struct buf out = {0};
    write_results(job, &out);
    enum status st = file_write_all(STDOUT_FILENO, out.data, out.len);
    if (st < 0)
        fprintf(stderr, "freshet bin: standard output: %s\n", strerror(errno));
    buf_done(&out);
    return st;
}

static int run(int argc, char **argv)
{
    struct bin_job job = {0};
    int misused = bin_options_read(argc, argv, &job.options);
    if (misused)
        return misused;
    enum status st = run_job(&job);
    if (st == ST_ENOMEM)
        fprintf(stderr, "freshet bin: %s\n", status_text(st));
    bin_column_free(job.work);
    free(job.events);
    free(job.results);
    csv_table_done(&job.file);
    return st < 0 ? 1 : 0;
}

const struct command cmd_bin = {
    "bin",
    "--target COLUMN [OPTIONS] FILE.csv",
    "cuts numbers into bins that tell most of an event: WoE and IV of each\n"
    "\n"
    "Reads a CSV file with a header (- is standard input). The target is 1 for events and 0 for\n"
    "the rest. Each other column of numbers is cut into bins whose rate of events only rises or\n"
    "only falls, so that their information value is as high as it can be; the tables are sorted "
    "by\n"
    "it. Missing numbers (empty, NA, NaN, null) have a bin of their own. docs/binning.md explains\n"
    "what the figures mean.\n"
    "\n"
    "  --target NAME\n"
    "        the column of events\n"
    "  --column NAME[,NAME...]\n"
    "        only these columns\n"
    "  --bins N\n"
    "        at most so many bins, missing numbers' apart (10)\n"
    "  --trend auto|ascending|descending|peak|valley|none\n"
    "        of the rate of events from bin to bin; auto: up or down, whichever tells more\n"
    "  --share S\n"
    "        the least share of all rows in a bin (0.05)\n"
    "  --events N, --nonevents N\n"
    "        the least numbers of events and of others in a bin (1)\n"
    "  --prebins N\n"
    "        quantiles that bins are merged from (50)\n"
    "  --edges A[,B...]\n"
    "        in place of quantiles\n"
    "  --summary\n"
    "        a line a column\n"
    "  --csv\n"
    "        as CSV\n",
    run,
};
