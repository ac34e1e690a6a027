#include "online/stl_follow.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "features/stl_online.h"
#include "online/command.h"
#include "online/stl_table.h"

struct follower {
    const struct stl_options *options;
    FILE *in;
    struct stl_online *stl;
    void *state;
    struct stl_table table; /* its columns and names */
    struct buf out;
    size_t line_number;
    size_t empty; /* lines just read; missing values, unless they are the end */
};

static const char *wrong_option(const struct stl_options *options)
{
    if (options->periods.n != 1)
        return "--online needs one --period";
    if (options->plot || options->boxcox != STL_BOXCOX_NONE || options->summary)
        return "--online goes with no --plot, --box-cox or --summary";
    if (strcmp(options->output, "-") != 0)
        return "--online writes to standard output alone";
    if (options->periods.values[0] > STL_ONLINE_PERIOD_MAX)
        return "--online takes periods up to 100,000";
    size_t period = options->periods.values[0];
    if (options->init != 0 && (options->init < 2 * period || options->init > 100 * period))
        return "--init must be 2 to 100 periods";
    return NULL;
}

static enum status begin(struct follower *follower)
{
    const struct stl_options *options = follower->options;
    struct stl_online_params params = stl_online_params_default(options->periods.values[0]);
    if (options->init > 0)
        params.init_points = options->init;
    bool standard = strcmp(options->input, "-") == 0;
    follower->in = standard ? stdin : fopen(options->input, "r");
    if (!follower->in) {
        fprintf(stderr, "freshet stl: %s: %s\n", options->input, strerror(errno));
        return ST_EIO;
    }
    TRY(stl_online_create(&params, &follower->stl));
    follower->state = calloc(1, stl_online_bytes_max(follower->stl));
    return follower->state ? ST_OK : ST_ENOMEM;
}

static void end(struct follower *follower)
{
    if (follower->in && follower->in != stdin)
        fclose(follower->in);
    stl_online_free(follower->stl);
    free(follower->state);
    buf_done(&follower->out);
}

/* Now, not when some more have come together. */
static enum status flush(struct follower *follower)
{
    fwrite(follower->out.data, 1, follower->out.len, stdout);
    buf_reset(&follower->out);
    if (fflush(stdout) == 0)
        return ST_OK;
    fprintf(stderr, "freshet stl: -: %s\n", strerror(errno));
    return ST_EIO;
}

static enum status take_header(struct follower *follower, struct slice line)
{
    const struct stl_options *options = follower->options;
    struct buf *out = &follower->out;
    TRY(stl_table_read_header(line, options->column, options->input, stderr, &follower->table));
    if (options->with_time && follower->table.columns.timed)
        buf_printf(out, "%s,", follower->table.time_name);
    buf_text(out, "y,trend,seasonal,remainder,forecast,score");
    for (size_t h = 1; h <= options->forecast; h++)
        buf_printf(out, ",f%zu", h);
    buf_byte(out, '\n');
    return flush(follower);
}

static void put_parts(struct buf *out, double y, const struct stl_online_point *point)
{
    const double cells[] = {
        y, point->trend, point->seasonal, point->remainder, point->forecast, point->score};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (i > 0)
            buf_byte(out, ',');
        stl_table_put_number(out, cells[i]);
    }
}

static enum status take_row(struct follower *follower, struct slice line, size_t line_number)
{
    const struct stl_options *options = follower->options;
    const struct stl_table_columns *columns = &follower->table.columns;
    struct stl_online_point point;
    struct slice time;
    double y;
    TRY(stl_table_read_row(columns, line, options->gaps, options->input, line_number, stderr, &y,
                           &time));
    stl_online_add(follower->stl, follower->state, y, &point);
    if (options->with_time && columns->timed)
        stl_table_put_time(&follower->out, time);
    put_parts(&follower->out, y, &point);
    for (size_t h = 1; h <= options->forecast; h++) {
        buf_byte(&follower->out, ',');
        stl_table_put_number(&follower->out, stl_online_forecast(follower->state, h));
    }
    buf_byte(&follower->out, '\n');
    return flush(follower);
}

static enum status take_line(struct follower *follower, struct slice line)
{
    follower->line_number++;
    if (follower->line_number == 1)
        return take_header(follower, line);
    if (line.len == 0) {
        follower->empty++;
        return ST_OK;
    }
    for (; follower->empty > 0; follower->empty--)
        TRY(take_row(follower, (struct slice){"", 0}, follower->line_number - follower->empty));
    return take_row(follower, line, follower->line_number);
}

static enum status take_lines(struct follower *follower)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    enum status st = ST_OK;
    while (st == ST_OK && (len = getline(&text, &size, follower->in)) > 0) {
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
            len--;
        st = take_line(follower, (struct slice){text, (size_t)len});
    }
    free(text);
    if (st == ST_OK && ferror(follower->in)) {
        fprintf(stderr, "%s: %s\n", follower->options->input, strerror(errno));
        st = ST_EIO;
    }
    if (st == ST_OK && follower->line_number == 0) {
        fprintf(stderr, "%s: it is empty\n", follower->options->input);
        st = ST_EINVAL;
    }
    return st;
}

int stl_follow(const struct stl_options *options)
{
    struct follower follower = {.options = options};
    const char *wrong = wrong_option(options);
    if (wrong)
        return command_misused(&cmd_stl, "%s", wrong);
    enum status st = begin(&follower);
    if (st == ST_OK)
        st = take_lines(&follower);
    if (st == ST_ENOMEM)
        fprintf(stderr, "freshet stl: %s\n", status_text(st));
    end(&follower);
    return st < 0 ? 1 : 0;
}
