/*
 * Tests of online/requests.h and online/endpoint/ on a running pipeline: served = streamed.
 *
 * What is known without running it: what the endpoint answers about an event just before the stream
 * takes it is what the stream then makes of it -- each feature, and with the same version the
 * score, bit for bit -- and the state is as if nobody had asked. Where another model becomes the
 * champion, it is that model's score and name from the next question on.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/rng.h"
#include "ingest/sink_memory.h"
#include "ingest/source_memory.h"
#include "ingest/store_memory.h"
#include "online/endpoint/endpoint.h"
#include "online/service_internal.h"
#include "online/serving.h"

enum { EVENTS = 10000, COLUMNS_MAX = 64, MINUTE_MS = 60 * 1000 };

/* The pipeline without its models. */
static const char payments[] =
    "name: payments\n"
    "streams:\n"
    "  - {name: payments, id: ID, time: {field: TIME, format: epoch_ms}, score: true,\n"
    "     fields: {CARD: entity, SHOP: entity, COUNTRY: category, AMOUNT: number, NOTE: text}}\n"
    "labels: {topic: frauds, id: ID, value: FRAUD, delay: 1d, horizon: 2d}\n"
    "time: {tick: 0s}\n"
    "features:\n"
    "  - {value: AMOUNT}\n"
    "  - {category: COUNTRY}\n"
    "  - {window: AMOUNT, by: CARD, over: [1h, 1d], take: [count, mean, std, since]}\n"
    "  - {window: AMOUNT, by: SHOP, over: [1d], take: [count, max]}\n"
    "  - {window: label, by: SHOP, over: [1d, 3d], delay: 1d, take: [count, mean]}\n"
    "endpoint: {http: \"127.0.0.1:0\"}\n";

static const char one_model[] = "models: [{name: fraud, kind: ftrl, publish: 1h}]\n";
static const char tried[] =
    "models: [{name: fraud, kind: ftrl, publish: 1h, canary: 0.4, canary_by: SHOP}]\n";
/* They publish so differently that their versions are never the same number. */
static const char two_models[] = "models:\n"
                                 "  - {name: fraud, kind: ftrl, publish: 1h}\n"
                                 "  - {name: slow, kind: ftrl, publish: 8h}\n";

/* The last row that the stream scored. */
struct scored {
    uint32_t version;
    float score;
    double values[COLUMNS_MAX];
};

struct line {
    char dir[64];
    struct settings *settings;
    struct source *source;
    struct sink *sink;
    struct store *store;
    struct service *service;
    struct serving *serving;
    size_t events, labels; /* lanes of the source */
    size_t columns;
    struct scored streamed;
    uint64_t n_scored, fed;
    int socket;
    struct rng rng; /* of the events; the next one's number and time */
    uint64_t number;
    int64_t time_ms;
    char answered_by[16]; /* the model, as the endpoint says; "": it does not */
};

static void on_score(void *arg, const struct row_score *row)
{
    struct line *line = arg;
    line->n_scored++;
    line->streamed.version = row->version;
    line->streamed.score = row->score;
    memcpy(line->streamed.values, row->values, line->columns * sizeof(double));
}

static void read_settings(struct line *line, const char *models)
{
    struct buf config = {0};
    buf_text(&config, payments);
    buf_text(&config, models);
    cr_assert(
        eq(int, settings_parse("test.yaml", buf_slice(&config), stderr, &line->settings), ST_OK));
    buf_done(&config);
}

/* Trainers without threads of their own. */
static void begin(struct line *line)
{
    struct service_parts parts = service_parts(line->service);
    for (size_t i = 0; i < parts.n_models; i++)
        registry_set_work(parts.models[i].registry, trainer_step, parts.models[i].trainer);
    service_begin(line->service);
}

static void open_line(struct line *line, const char *models)
{
    *line = (struct line){.dir = "/tmp/freshet-served-XXXXXX",
                          .socket = -1,
                          .rng = rng_of(42),
                          .time_ms = INT64_C(1700000000000)};
    cr_assert(mkdtemp(line->dir) != NULL);
    read_settings(line, models);
    line->source = source_memory_create(true);
    line->events =
        source_memory_lane(line->source, &(struct lane_info){.stream = 0, .topic = "payments"});
    line->labels = source_memory_lane(
        line->source, &(struct lane_info){.stream = LABEL_STREAM, .topic = "frauds"});
    line->sink = sink_memory_create();
    cr_assert(eq(int, store_open_memory(&line->store), ST_OK));
    struct service_options options = {.settings = line->settings,
                                      .dir = line->dir,
                                      .store = line->store,
                                      .merge = {.ahead_max = INT64_MAX / 4, .until = INT64_MAX},
                                      .sources = &line->source,
                                      .n_sources = 1,
                                      .sink = line->sink,
                                      .rows_scores = true,
                                      .on_score = on_score,
                                      .on_score_arg = line};
    cr_assert(eq(int, service_open(&options, &line->service), 0));
    struct service_parts parts = service_parts(line->service);
    line->columns = plan_vector_schema(parts.plan)->n_dense;
    cr_assert(le(sz, line->columns, (size_t)COLUMNS_MAX));
    cr_assert(eq(int, serving_start(line->settings, line->service, &line->serving), 0));
    begin(line);
}

static void close_line(struct line *line)
{
    close(line->socket);
    serving_stop(line->serving);
    service_free(line->service);
    line->source->ops->free(line->source);
    line->sink->ops->free(line->sink);
    store_free(line->store);
    settings_free(line->settings);
    folder_remove(line->dir);
}

/* All that was fed is taken, committed and learnt. */
static void run_line(struct line *line)
{
    struct service *service = line->service;
    struct service_parts parts = service_parts(service);
    enum status state;
    do {
        cr_assert(ge(int, service_step_ingest(service), ST_EAGAIN));
        state = service_step_state(service);
        enum status commit = service_step_commit(service);
        if (commit == ST_EAGAIN)
            commit = commit_produce(service->commit, 0);
        cr_assert(eq(int, commit, ST_OK));
        for (size_t i = 0; i < parts.n_models; i++)
            trainer_step(parts.models[i].trainer);
    } while (parts.head->events < line->fed || state == ST_OK || service->commits_running > 0);
}

static void feed(struct line *line, size_t lane, const char *payload, int64_t time_ms)
{
    source_memory_add(line->source, lane, slice_of(payload), time_ms * 1000);
    line->fed++;
}

/* One of a few cards and shops, at the time, now and then without a country or an amount. */
static void make_event(struct rng *rng, uint64_t number, int64_t time_ms, struct buf *ret)
{
    static const char *const countries[] = {"DE", "FR", "\\u00d6", "US"};
    buf_reset(ret);
    buf_printf(ret, "{\"ID\":\"%llu\",\"TIME\":%lld,\"CARD\":%llu,\"SHOP\":\"s%llu\"",
               (unsigned long long)number, (long long)time_ms,
               (unsigned long long)rng_below(rng, 60), (unsigned long long)rng_below(rng, 12));
    if (rng_below(rng, 10) > 0)
        buf_printf(ret, ",\"COUNTRY\":\"%s\"", countries[rng_below(rng, 4)]);
    if (rng_below(rng, 10) > 0)
        buf_printf(ret, ",\"AMOUNT\":%llu.%02llu", (unsigned long long)rng_below(rng, 500),
                   (unsigned long long)rng_below(rng, 100));
    buf_text(ret, "}");
    buf_byte(ret, 0);
}

/* ---- the caller */

static void dial(struct line *line)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)serving_http_port(line->serving)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    line->socket = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(eq(int, connect(line->socket, (struct sockaddr *)&to, sizeof to), 0));
}

static void send_question(struct line *line, const char *event)
{
    struct buf body = {0}, all = {0};
    buf_text(&body,
             "{\"inputs\":[{\"name\":\"event\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[");
    rows_json_text(&body, slice_of(event));
    buf_text(&body, "]}],\"outputs\":[{\"name\":\"score\"},{\"name\":\"features\"}],"
                    "\"parameters\":{\"binary_data_output\":true}}");
    buf_printf(&all, "POST /v2/models/payments/infer HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%.*s",
               body.len, (int)body.len, body.data);
    cr_assert(eq(sz, (size_t)write(line->socket, all.data, all.len), all.len));
    buf_done(&body);
    buf_done(&all);
}

/* The state thread's part: it sleeps until it is asked. */
static void answer_question(struct line *line)
{
    struct service *service = line->service;
    uint64_t before = requests_figures(service->requests).answered;
    while (requests_figures(service->requests).answered == before) {
        uint32_t seen = bell_seen(&service->state_bell);
        enum status st = service_step_state(service);
        cr_assert(st == ST_OK || st == ST_EAGAIN);
        if (requests_figures(service->requests).answered == before)
            bell_wait(&service->state_bell, seen, 10 * 1000);
    }
}

static void read_answer(struct line *line, char *ret, size_t cap)
{
    size_t len = 0, whole = 0;
    while (whole == 0 || len < whole) {
        ssize_t n = read(line->socket, ret + len, cap - 1 - len);
        cr_assert(gt(long, (long)n, 0));
        ret[len += (size_t)n] = 0;
        const char *end = strstr(ret, "\r\n\r\n"), *length = strstr(ret, "Content-Length: ");
        if (end && length)
            whole = (size_t)(end + 4 - ret) + strtoul(length + 16, NULL, 10);
    }
}

static struct scored ask(struct line *line, const char *event)
{
    static char answer[16384];
    struct scored served = {0};
    send_question(line, event);
    answer_question(line);
    read_answer(line, answer, sizeof answer);
    cr_assert(eq(int, strncmp(answer, "HTTP/1.1 200", 12), 0), "%s", answer);
    const char *head = strstr(answer, "\r\n\r\n") + 4;
    size_t json = strtoul(strstr(answer, "Inference-Header-Content-Length: ") + 33, NULL, 10);
    const char *version = strstr(head, "\"model_version\":\"") + 17;
    served.version = (uint32_t)strtoul(version, NULL, 10);
    line->answered_by[0] = 0;
    const char *by = strstr(head, "\"parameters\":{\"model\":\"");
    if (by)
        sscanf(by + 23, "%15[a-z]", line->answered_by);
    memcpy(&served.score, head + json, sizeof(float));
    memcpy(served.values, head + json + sizeof(float), line->columns * sizeof(double));
    return served;
}

/* ---- the laws */

static size_t compare(const struct line *line, const struct scored *served)
{
    const struct scored *streamed = &line->streamed;
    for (size_t i = 0; i < line->columns; i++)
        cr_assert(eq(int, memcmp(&served->values[i], &streamed->values[i], sizeof(double)), 0),
                  "row %llu, column %zu: served %.17g, streamed %.17g",
                  (unsigned long long)line->n_scored, i, served->values[i], streamed->values[i]);
    if (served->version != streamed->version)
        return 0;
    cr_assert(eq(int, memcmp(&served->score, &streamed->score, sizeof(float)), 0));
    return 1;
}

/* Feeds the stream; what is asked before each event is compared with what comes of it. */
static void stream(struct line *line, uint64_t n, bool asks, size_t *ret_same)
{
    struct buf event = {0};
    char label[80];
    for (uint64_t until = line->number + n; line->number < until; line->number++) {
        uint64_t i = line->number;
        line->time_ms += (int64_t)rng_below(&line->rng, 2 * MINUTE_MS);
        make_event(&line->rng, i, line->time_ms, &event);
        bool fraud = rng_below(&line->rng, 9) == 0;
        struct scored served;
        if (asks)
            served = ask(line, event.data);
        feed(line, line->events, event.data, line->time_ms);
        run_line(line);
        cr_assert(eq(ulong, line->n_scored, i + 1));
        if (asks)
            *ret_same += compare(line, &served);
        snprintf(label, sizeof label, "{\"ID\":\"%llu\",\"FRAUD\":%d}", (unsigned long long)i,
                 fraud);
        line->time_ms += 10;
        if (i % 3 > 0)
            feed(line, line->labels, label, line->time_ms);
    }
    buf_done(&event);
}

Test(served, equals_streamed, .timeout = 100)
{
    static struct line line;
    size_t same = 0;
    open_line(&line, one_model);
    dial(&line);
    stream(&line, EVENTS, true, &same);
    cr_expect(gt(sz, same, (size_t)EVENTS * 9 / 10), "%zu with the same version", same);
    cr_expect(gt(uint, line.streamed.version, 100u), "versions: %u", line.streamed.version);
    cr_expect(eq(str, line.answered_by, ""));
    close_line(&line);
}

/* Each version but the first scores some shops alone for an hour, while the one before it scores
 * the others. */
Test(served, by_the_version_on_trial_where_the_stream_is, .timeout = 100)
{
    static struct line line;
    size_t same = 0, back = 0;
    open_line(&line, tried);
    dial(&line);
    for (size_t i = 0; i < EVENTS / 4; i++) {
        uint32_t before = line.streamed.version;
        stream(&line, 1, true, &same);
        back += line.streamed.version < before;
    }
    cr_expect(gt(sz, same, (size_t)EVENTS / 4 * 9 / 10), "%zu with the same version", same);
    cr_expect(gt(sz, back, (size_t)EVENTS / 4 / 20), "%zu times the version before", back);
    close_line(&line);
}

static struct key128 digest_of_stream(bool asked)
{
    static struct line line;
    size_t same = 0;
    open_line(&line, one_model);
    dial(&line);
    stream(&line, EVENTS / 10, asked, &same);
    struct key128 digest = state_digest(service_parts(line.service).state);
    close_line(&line);
    return digest;
}

Test(served, leaves_no_trace, .timeout = 100)
{
    struct key128 with = digest_of_stream(true);
    cr_expect(key_eq(with, digest_of_stream(false)));
}

/* As a person would: between two events. */
static void make_champion(struct line *line, uint32_t number)
{
    struct service *service = line->service;
    service_post_act(service, &(struct act){.kind = ACT_CHAMPION, .model = number});
    while (service->act_asked) {
        enum status st = service_step_state(service);
        cr_assert(st == ST_OK || st == ST_EAGAIN);
    }
    cr_assert(eq(int, service->act_status, ST_OK));
}

Test(served, by_whoever_is_the_champion, .timeout = 100)
{
    static struct line line;
    static const char *const names[] = {"fraud", "slow"};
    open_line(&line, two_models);
    dial(&line);
    uint32_t versions[2] = {0};
    for (uint32_t turn = 0; turn < 5; turn++) {
        uint32_t at = turn % 2;
        size_t same = 0;
        make_champion(&line, service_parts(line.service).models[at].number);
        stream(&line, EVENTS / 10, true, &same);
        cr_expect(eq(str, line.answered_by, (char *)(uintptr_t)names[at]));
        cr_expect(gt(sz, same, (size_t)EVENTS / 10 * 9 / 10), "%zu as streamed", same);
        versions[at] = line.streamed.version;
    }
    cr_expect(gt(uint, versions[1], 0u));
    cr_expect(gt(uint, versions[0], 2 * versions[1]));
    close_line(&line);
}
