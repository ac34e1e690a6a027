/* freshet audit: takes the recorded input once more, in the recorded order, and says what comes of
 * it. */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/log.h"
#include "online/checkpoint.h"
#include "online/command.h"
#include "online/kafka_ends.h"
#include "online/model_files.h"
#include "online/progress.h"
#include "online/recorded.h"
#include "online/service.h"
#include "online/sink_lines.h"
#include "online/temporary.h"

struct audit {
    const char *config, *dir, *from, *into, *id;
    bool features, quiet;
    struct settings *settings;
    struct temporary temporary;
    const char *work; /* the state that is computed */
    uint64_t after;   /* commit of the checkpoint that it begins at; 0: with nothing */
    struct recorded *recorded;
    struct source *source;
    struct sink *sink;
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"state", required_argument, NULL, 'S'},
    {"from", required_argument, NULL, 'f'},   {"into", required_argument, NULL, 'i'},
    {"id", required_argument, NULL, 'd'},     {"features", no_argument, NULL, 'F'},
    {"quiet", no_argument, NULL, 'q'},        {NULL, 0, NULL, 0}};

static bool take_option(struct audit *audit, int option)
{
    const char **texts[] = {['c'] = &audit->config, ['S'] = &audit->dir, ['f'] = &audit->from,
                            ['i'] = &audit->into,   ['d'] = &audit->id,  ['q'] = NULL};
    if (option == 'F')
        audit->features = true;
    else if (option == 'q')
        audit->quiet = true;
    else if (option == '?')
        return false;
    else
        *texts[option] = optarg;
    return true;
}

static int parse_arguments(struct audit *audit, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "c:q", options, NULL)) != -1)
        if (!take_option(audit, option))
            return 2;
    if (!audit->config)
        return command_misused(&cmd_audit, "which config? give it with -c");
    if (optind < argc)
        return command_misused(&cmd_audit, "what is \"%s\"?", argv[optind]);
    return 0;
}

/* Where nothing is to be kept, a folder that goes away. */
static enum status pick_work(struct audit *audit)
{
    audit->work = audit->into;
    if (audit->into && access(audit->into, F_OK) == 0) {
        fprintf(stderr, "freshet audit: %s is there already\n", audit->into);
        return ST_EINVAL;
    }
    if (audit->into)
        return ST_OK;
    enum status st = temporary_make(&audit->temporary);
    if (st < 0)
        perror("freshet audit: cannot make a folder for temporary state");
    audit->work = audit->temporary.path;
    return st;
}

static enum status restore(struct audit *audit)
{
    struct checkpoint checkpoint;
    struct buf error = {0};
    if (!audit->from)
        return ST_OK;
    enum status st = checkpoint_read(audit->from, &checkpoint, &error);
    if (st == ST_OK) {
        audit->after = checkpoint.epoch;
        st = checkpoint_restore(audit->from, &checkpoint, audit->work, &error);
        checkpoint_done(&checkpoint);
    }
    if (st < 0)
        fprintf(stderr, "freshet audit: %.*s\n", (int)error.len, error.len ? error.data : "");
    buf_done(&error);
    return st;
}

/* What was promoted by hand then is promoted again, from the same file. */
static void bring_kept(void *arg, const char *file)
{
    struct audit *audit = arg;
    char from[PATH_MAX], to[PATH_MAX];
    struct file_sum sum;
    if (!strstr(file, MODEL_FILE_KEPT) ||
        snprintf(from, sizeof from, "%s/models/%s", audit->dir, file) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/models/%s", audit->work, file) >= (int)sizeof to ||
        access(to, F_OK) == 0)
        return;
    if (file_copy(from, to, &sum) < 0)
        fprintf(stderr, "freshet audit: cannot copy %s\n", from);
}

static enum status bring_models(struct audit *audit)
{
    char from[PATH_MAX], to[PATH_MAX];
    if (snprintf(from, sizeof from, "%s/models", audit->dir) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/models", audit->work) >= (int)sizeof to)
        return ST_EINVAL;
    TRY(folder_make(to));
    enum status st = model_files_each(from, NULL, bring_kept, audit);
    return st == ST_ENOTFOUND ? ST_OK : st;
}

static enum status open_ends(struct audit *audit)
{
    if (strcmp(audit->settings->kafka.brokers, "embedded") == 0) {
        fputs("freshet audit: the embedded broker keeps nothing that could be taken again\n",
              stderr);
        return ST_EINVAL;
    }
    TRY(pick_work(audit));
    TRY(restore(audit));
    TRY(bring_models(audit));
    TRY(recorded_open(audit->dir, audit->after, &audit->recorded));
    TRY(kafka_ends_open_source(audit->settings, &audit->source));
    TRY(recorded_bind(audit->recorded, audit->source));
    return sink_lines_create(stdout, audit->id, &audit->sink);
}

static struct service_options service_options(const struct audit *audit)
{
    return (struct service_options){
        .settings = audit->settings,
        .dir = audit->work,
        .merge = {.ahead_max = audit->settings->time.ahead_max,
                  .until = INT64_MAX,
                  .next_run = recorded_next,
                  .runs_arg = audit->recorded},
        .sources = &audit->source,
        .n_sources = 1,
        .sink = audit->sink,
        .format = ROWS_JSON,
        .rows_scores = true,
        .rows_features = audit->features || audit->settings->scores.features,
        .stop = &command_stop,
    };
}

/* All that was taken then, and nothing else, was taken now. */
static enum status compare(const struct audit *audit, const struct head *now)
{
    const struct head *then = recorded_head(audit->recorded);
    if (command_stop)
        return ST_ESTOPPED;
    if (!audit->quiet)
        fprintf(stderr,
                "audit of %s: %" PRIu64 " records taken up to commit %" PRIu64 ", %" PRIu64
                " rows\n",
                audit->settings->name, now->events, then->epoch, sink_lines_written(audit->sink));
    if (now->events == then->events && now->clock == then->clock &&
        head_version(now) == head_version(then))
        return ST_OK;
    fprintf(stderr,
            "freshet audit: records, stream time or model version differ from those of %s: is it "
            "of this config?\n",
            audit->dir);
    return ST_ECORRUPT;
}

static enum status take_again(struct audit *audit)
{
    struct service_options service_opts = service_options(audit);
    struct service *service = NULL;
    TRY(service_open(&service_opts, &service));
    struct progress *progress = audit->quiet ? NULL : progress_start();
    enum status st = service_run(service);
    progress_stop(progress);
    if (st == ST_OK)
        st = compare(audit, service_parts(service).head);
    service_free(service);
    return st;
}

static void close_all(struct audit *audit)
{
    if (audit->source)
        audit->source->ops->free(audit->source);
    if (audit->sink)
        audit->sink->ops->free(audit->sink);
    recorded_free(audit->recorded);
    temporary_remove(&audit->temporary);
    settings_free(audit->settings);
}

static int run(int argc, char **argv)
{
    struct audit audit = {0};
    int misused = parse_arguments(&audit, argc, argv);
    if (misused)
        return misused;
    command_catch_signals();
    if (settings_load(audit.config, stderr, &audit.settings) < 0)
        return 1;
    if (!audit.dir)
        audit.dir = audit.settings->state.dir;
    log_set_level(audit.settings->log == LOG_INFO ? LOG_WARN : (enum log_level)audit.settings->log);
    enum status st = open_ends(&audit);
    if (st == ST_OK)
        st = take_again(&audit);
    if (st < 0)
        fprintf(stderr, "freshet audit: %s\n", status_text(st));
    close_all(&audit);
    return st < 0 ? 1 : 0;
}

const struct command cmd_audit = {
    "audit",
    "-c CONFIG [--state DIR] [--from CHECKPOINT] [--id ID] [--features]",
    "why an event got its score: takes the recorded input again\n"
    "\n"
    "A state directory records in which order it took its input. This reads the same records from\n"
    "the topics again, in that order, into a state of its own, and prints each score and dead "
    "letter\n"
    "that comes of it as a JSON line: source, key, and the payload, which is what was sent. It "
    "sends\n"
    "nothing, and tells the broker's group nothing.\n"
    "\n"
    "  -c, --config FILE    the pipeline, as it was then\n"
    "      --state DIR      the state directory whose order it is, or a checkpoint of it, over "
    "the\n"
    "                       config's; no process may have it open\n"
    "      --from DIR       begin at this checkpoint; without it, with nothing: then the order "
    "must "
    "be\n"
    "                       recorded, and the records be on the topics, from the beginning\n"
    "      --id ID          print the rows of this event alone\n"
    "      --features       scores carry the vector by name, whatever the config says\n"
    "      --into DIR       keep the state that comes of it in this new folder\n"
    "  -q, --quiet          no progress, no last line\n",
    run,
};
