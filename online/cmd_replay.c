/* freshet replay: a backtest. Files instead of topics; everything between is what `run` runs. */
#include <sched.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "ingest/sink_files.h"
#include "ingest/source_file.h"
#include "online/command.h"
#include "online/progress.h"
#include "online/report.h"
#include "online/service.h"
#include "online/temporary.h"

enum { FILES_MAX = 64 };

struct replay {
    const char *config, *scores, *features, *report, *state, *until_text, *format, *stream;
    bool no_labels, quiet;
    int n_files;
    char **files;
    int64_t until;
    struct settings *settings;
    struct temporary temporary;
    const char *dir;
    struct source *sources[FILES_MAX];
    size_t n_sources;
    struct sink *sink;
};

static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"scores", required_argument, NULL, 's'},
                                        {"features", required_argument, NULL, 'f'},
                                        {"report", required_argument, NULL, 'r'},
                                        {"state", required_argument, NULL, 'S'},
                                        {"until", required_argument, NULL, 'u'},
                                        {"format", required_argument, NULL, 'F'},
                                        {"stream", required_argument, NULL, 't'},
                                        {"no-labels", no_argument, NULL, 'n'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {NULL, 0, NULL, 0}};

static int parse_arguments(struct replay *replay, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "c:s:f:r:q", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            replay->config = optarg;
            break;
        case 's':
            replay->scores = optarg;
            break;
        case 'f':
            replay->features = optarg;
            break;
        case 'r':
            replay->report = optarg;
            break;
        case 'S':
            replay->state = optarg;
            break;
        case 'u':
            replay->until_text = optarg;
            break;
        case 'F':
            replay->format = optarg;
            break;
        case 't':
            replay->stream = optarg;
            break;
        case 'n':
            replay->no_labels = true;
            break;
        case 'q':
            replay->quiet = true;
            break;
        default:
            return 2;
        }
    }
    replay->files = argv + optind;
    replay->n_files = argc - optind;
    if (!replay->config)
        return command_misused(&cmd_replay, "which config? give it with -c");
    if (replay->n_files == 0)
        return command_misused(&cmd_replay, "which events? name a file, or - for standard input");
    if (replay->n_files > FILES_MAX)
        return command_misused(&cmd_replay, "at most %d files", FILES_MAX);
    return 0;
}

static int parse_until(struct replay *replay)
{
    static const char *const forms[] = {"rfc3339", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"};
    replay->until = INT64_MAX;
    if (!replay->until_text)
        return 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct timefmt format;
        if (timefmt_compile(slice_of(forms[i]), NULL, &format) == ST_OK &&
            timefmt_parse(&format, slice_of(replay->until_text), &replay->until) == ST_OK)
            return 0;
    }
    return command_misused(&cmd_replay, "--until \"%s\" is no time; write 2018-08-14T00:00:00Z",
                           replay->until_text);
}

static enum status open_sources(struct replay *replay)
{
    int stream = 0;
    const struct schema *schema = &replay->settings->schema;
    if (replay->stream && (stream = schema_find_stream(schema, replay->stream)) < 0) {
        fprintf(stderr, "%s: no stream \"%s\"\n", replay->config, replay->stream);
        return ST_EINVAL;
    }
    for (int i = 0; i < replay->n_files; i++) {
        struct source_file_options file = {
            .path = replay->files[i], .format = replay->format, .stream = (uint16_t)stream};
        struct conf_errors errors = {0};
        enum status st = source_file_create(&file, &errors, &replay->sources[replay->n_sources]);
        conf_errors_print(&errors, stderr);
        conf_errors_done(&errors);
        TRY(st);
        replay->n_sources++;
    }
    return ST_OK;
}

static enum status open_sink(struct replay *replay, const struct vector_schema *schema)
{
    struct buf scores = {0}, features = {0};
    rows_score_header(replay->settings->scores.reasons, &scores);
    rows_feature_header(schema, &features);
    struct sink_files_options files = {0};
    if (replay->scores)
        files.channels[CHANNEL_SCORES] =
            (struct sink_files_channel){replay->scores, buf_slice(&scores)};
    if (replay->features)
        files.channels[CHANNEL_FEATURES] =
            (struct sink_files_channel){replay->features, buf_slice(&features)};
    struct buf error = {0};
    enum status st = sink_files_create(&files, &error, &replay->sink);
    if (st < 0)
        fprintf(stderr, "freshet replay: %.*s\n", (int)error.len, error.data);
    buf_done(&scores);
    buf_done(&features);
    buf_done(&error);
    return st;
}

/* The plan's columns name those of --features; the state's part of it is made by the service. */
static enum status open_sink_for_plan(struct replay *replay)
{
    const struct settings *settings = replay->settings;
    struct conf_errors errors = {0};
    struct plan *plan = NULL;
    enum status st = plan_create(&settings->schema, settings->features_node,
                                 settings->time.lateness, NULL, &errors, &plan);
    conf_errors_print(&errors, stderr);
    conf_errors_done(&errors);
    if (st == ST_OK)
        st = open_sink(replay, plan_vector_schema(plan));
    plan_free(plan);
    return st;
}

static enum status pick_state_dir(struct replay *replay)
{
    replay->dir = replay->state;
    if (replay->state)
        return ST_OK;
    enum status st = temporary_make(&replay->temporary);
    if (st < 0)
        perror("freshet replay: cannot make a folder for temporary state");
    replay->dir = replay->temporary.path;
    return st;
}

static void close_all(struct replay *replay)
{
    for (size_t i = 0; i < replay->n_sources; i++)
        replay->sources[i]->ops->free(replay->sources[i]);
    if (replay->sink)
        replay->sink->ops->free(replay->sink);
    temporary_remove(&replay->temporary);
    settings_free(replay->settings);
}

static struct service_options service_options(const struct replay *replay)
{
    const struct settings *settings = replay->settings;
    const struct label_schema *labels = &settings->schema.labels;
    return (struct service_options){
        .settings = settings,
        .dir = replay->dir,
        .merge = {.idle_max = INT64_MAX / 4,
                  .ahead_max = settings->time.ahead_max,
                  .until = replay->until,
                  .label_column =
                      labels->present && !replay->no_labels ? labels->value_field : NULL},
        .sources = replay->sources,
        .n_sources = replay->n_sources,
        .sink = replay->sink,
        .format = ROWS_CSV,
        .rows_scores = replay->scores != NULL,
        .rows_features = replay->features != NULL,
        .replay = true,
        .stop = &command_stop,
    };
}

static enum status tell(const struct replay *replay, struct service *service, double seconds,
                        const struct pace_figures *pace)
{
    struct report report;
    report_gather(service, seconds, pace, &report);
    if (!replay->quiet)
        report_print(&report, stderr);
    return replay->report ? report_write(&report, replay->report) : ST_OK;
}

/* Nobody waits for a single score: threads that wake each other need not take turns at once, which
 * on one core they would four times a batch. Where it is not allowed nothing is lost. */
static void favour_throughput(void)
{
    struct sched_param param = {0};
    sched_setscheduler(0, SCHED_BATCH, &param);
}

static enum status replay_run(struct replay *replay)
{
    favour_throughput();
    TRY(open_sources(replay));
    TRY(open_sink_for_plan(replay));
    TRY(pick_state_dir(replay));
    struct service_options service_opts = service_options(replay);
    struct service *service = NULL;
    TRY(service_open(&service_opts, &service));
    struct progress *progress = replay->quiet ? NULL : progress_start();
    struct pace *pace = pace_start();
    int64_t begin = service_clock();
    enum status st = service_run(service);
    double seconds = (double)(service_clock() - begin) / SECOND_US;
    struct pace_figures figures = pace_stop(pace);
    progress_stop(progress);
    if (st == ST_OK)
        st = tell(replay, service, seconds, &figures);
    service_free(service);
    return st;
}

static int run(int argc, char **argv)
{
    struct replay replay = {0};
    int misused = parse_arguments(&replay, argc, argv);
    if (misused || (misused = parse_until(&replay)))
        return misused;
    command_catch_signals();
    if (settings_load(replay.config, stderr, &replay.settings) < 0)
        return 1;
    log_set_level(replay.settings->log == LOG_INFO ? LOG_WARN
                                                   : (enum log_level)replay.settings->log);
    enum status st = replay_run(&replay);
    if (st < 0)
        fprintf(stderr, "freshet replay: %s\n", status_text(st));
    close_all(&replay);
    return st < 0 ? 1 : 0;
}

const struct command cmd_replay = {
    "replay",
    "-c CONFIG FILE... [--scores F.csv] [--features F.csv] [--report F.json]",
    "backtest on files: what the service would have scored, learning as it goes\n"
    "\n"
    "FILE is .csv, .csv.zst, .jsonl, .jsonl.zst, or - for standard input (with --format), in time\n"
    "order. A label column (the config's labels.value) becomes known labels.delay after its "
    "event.\n"
    "\n"
    "  -c, --config FILE    the pipeline\n"
    "      --scores FILE    id,score,time,label,version of each scored event (- for standard "
    "output),\n"
    "                       and its reasons, where the config's scores include them\n"
    "      --features FILE  id and one column a feature\n"
    "      --report FILE    throughput and prequential figures as JSON\n"
    "      --state DIR      keep the state there, and go on from what is there; else it is "
    "temporary\n"
    "      --until TIME     stop before the first event after TIME; with --state, `run` goes on "
    "from\n"
    "                       there on the topics\n"
    "      --stream NAME    the stream that the files hold; the first of the config by default\n"
    "      --format F       csv or json, where the file's name does not say it\n"
    "      --no-labels      the files have no label column\n"
    "  -q, --quiet          no progress, no table\n",
    run,
};
