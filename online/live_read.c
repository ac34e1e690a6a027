/* The figures of online/live.h, read from the metrics by name. */
#include <math.h>
#include <stdio.h>

#include "ingest/event.h"
#include "online/live.h"

/* NaN where there is no such metric. */
static double value(const char *name)
{
    return metric_value(metric_find(name, NULL));
}

static double value_of(const char *name, const char *label)
{
    return metric_value(metric_find(name, label));
}

/* What came since the older of two marks, which are half a minute apart. */
static double recent_quantile(const struct live_recent *recent, const char *name, double q)
{
    return metric_quantile_since(metric_find(name, NULL), &recent->older, q);
}

/* The first time both marks are set: what was before the view began is none of its business. */
static void move_on(struct live_recent *recent, const char *name, double now)
{
    if (recent->set && now - recent->newer_at < LIVE_SECONDS / 2.0)
        return;
    recent->older = recent->newer;
    metric_mark(metric_find(name, NULL), &recent->newer);
    recent->newer_at = now;
    if (!recent->set)
        recent->older = recent->newer;
    recent->set = true;
}

/* Unknown counts as none where figures are added up. */
static double or_zero(double v)
{
    return isnan(v) ? 0 : v;
}

/* A lane is "topic/partition". The last place stands for all topics there is no room for. */
static struct live_lag *lag_of_topic(struct live_figures *figures, const char *lane)
{
    char topic[LIVE_NAME_MAX + 1];
    const char *slash = strrchr(lane, '/');
    int len = (int)(slash ? slash - lane : (ptrdiff_t)strlen(lane));
    snprintf(topic, sizeof topic, "%.*s", len, lane);
    for (size_t i = 0; i < figures->n_lags; i++)
        if (strcmp(figures->lags[i].topic, topic) == 0)
            return &figures->lags[i];
    if (figures->n_lags == LIVE_LAGS) {
        struct live_lag *others = &figures->lags[LIVE_LAGS - 1];
        snprintf(others->topic, sizeof others->topic, "others");
        return others;
    }
    struct live_lag *lag = &figures->lags[figures->n_lags++];
    memcpy(lag->topic, topic, sizeof topic);
    return lag;
}

static void add_lag(void *arg, const char *lane, const struct metric *metric)
{
    double records = metric_value(metric);
    if (!isnan(records))
        lag_of_topic(arg, lane ? lane : "")->records += records;
}

static void take_model(void *arg, const char *model, const struct metric *metric)
{
    struct live_figures *figures = arg;
    if (isnan(metric_value(metric)) || figures->model[0]) /* the champion comes first */
        return;
    snprintf(figures->model, sizeof figures->model, "%s", model ? model : "");
    figures->version = metric_value(metric);
}

static void read_events(struct live_figures *ret)
{
    ret->events = or_zero(value("freshet_events_total"));
    ret->scored = value("freshet_events_scored_total");
    ret->repeated = value("freshet_events_repeated_total");
    ret->late_events = value("freshet_events_late_total");
    ret->dead_letters = or_zero(value("freshet_dead_letters_total"));
    ret->outbox_rows = value("freshet_outbox_rows");
    double seconds = value("freshet_event_time_seconds");
    ret->stream_time = isnan(seconds) ? INT64_MIN : (int64_t)(seconds * 1e6);
    metric_each("freshet_lag_records", add_lag, ret);
}

static void read_model(struct live_figures *ret)
{
    metric_each("freshet_model_version", take_model, ret);
    ret->model_age = value("freshet_model_age_seconds");
    ret->learnt = value("freshet_examples_learnt_total");
    ret->behind = value("freshet_examples_behind");
    ret->auc = value("freshet_prequential_auc");
    ret->average_precision = value("freshet_prequential_average_precision");
    ret->log_loss = value("freshet_prequential_log_loss");
    ret->judged = value_of("freshet_prequential_judged_total", "positive") +
                  value_of("freshet_prequential_judged_total", "negative");
}

static void read_state(struct live_figures *ret)
{
    ret->labels_joined = value_of("freshet_labels_total", "joined");
    ret->labels_early = value_of("freshet_labels_total", "early");
    ret->labels_late = value("freshet_examples_corrected_total");
    ret->labels_absent = value("freshet_labels_absent_total");
    ret->pending = value("freshet_pending_events");
    ret->state_records = value("freshet_state_records");
    ret->state_bytes = value("freshet_state_bytes");
    ret->resident_bytes = value("freshet_memory_resident_bytes");
}

static void read_delays(struct live_source *source, double now, struct live_figures *ret)
{
    static const char scoring[] = "freshet_event_to_score_seconds";
    static const char committing[] = "freshet_commit_seconds";
    move_on(&source->scoring, scoring, now);
    move_on(&source->committing, committing, now);
    ret->score_p50 = recent_quantile(&source->scoring, scoring, 0.5);
    ret->score_p99 = recent_quantile(&source->scoring, scoring, 0.99);
    ret->commit_p99 = recent_quantile(&source->committing, committing, 0.99);
}

/* One figure a whole second; a late tick spreads what it found over the seconds it missed. */
static void keep_rates(struct live_source *source, double now, double events)
{
    if (source->second_at == 0) {
        source->second_at = now;
        source->second_events = events;
    }
    int seconds = (int)(now - source->second_at);
    if (seconds < 1)
        return;
    double rate = (events - source->second_events) / seconds;
    source->second_at += seconds;
    source->second_events = events;
    for (int i = 0; i < seconds && i < LIVE_SECONDS; i++)
        source->rates[source->n_rates++ % LIVE_SECONDS] = rate;
}

static void read_rates(struct live_source *source, double now, struct live_figures *ret)
{
    keep_rates(source, now, ret->events);
    ret->n_rates = source->n_rates < LIVE_SECONDS ? source->n_rates : LIVE_SECONDS;
    for (size_t i = 0; i < ret->n_rates; i++)
        ret->rates[i] = source->rates[(source->n_rates - ret->n_rates + i) % LIVE_SECONDS];
    meter_advance(&source->events, now - source->began, ret->events);
    meter_advance(&source->commits, now - source->began, or_zero(value("freshet_commits_total")));
    ret->event_rate = source->events.rate;
    ret->commit_rate = source->commits.rate;
}

void live_read(struct live_source *source, double now, int64_t wall, struct live_figures *ret)
{
    *ret = (struct live_figures){
        .name = source->name, .uptime = now - source->began, .now = wall, .version = NAN};
    read_events(ret);
    read_model(ret);
    read_state(ret);
    read_delays(source, now, ret);
    read_rates(source, now, ret);
    if (source->top)
        ret->n_top = top_read(source->top, ret->top);
}
