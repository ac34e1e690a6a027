/*
 * Tests of online/endpoint/ over HTTP, on a model whose scores tell its version and first column.
 *
 * What is known without running it: the answer to each request, whole where the protocol leaves no
 * choice; that a request cut anywhere, and sent in any two pieces, is answered the same; and that
 * whatever was refused, the next connection is served.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "online/endpoint/endpoint.h"
#include "tests/endpoint_fixture.h"

static struct told told;

static void start(void)
{
    told_init(&told, 2);
    cr_assert(eq(int, told_start(&told), ST_OK));
}

static void stop(void)
{
    told_done(&told);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)endpoint_http_port(told.endpoint)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(eq(int, connect(fd, (struct sockaddr *)&to, sizeof to), 0));
    return fd;
}

static void put(int fd, const char *data, size_t len)
{
    cr_assert(eq(long, (long)send(fd, data, len, MSG_NOSIGNAL), (long)len));
}

/* Reads until the server closes. */
static void read_all(int fd, char *ret, size_t cap)
{
    size_t len = 0;
    for (ssize_t n; len < cap - 1 && (n = read(fd, ret + len, cap - 1 - len)) > 0;)
        len += (size_t)n;
    ret[len] = 0;
    close(fd);
}

static void post(const char *path, const char *body, char *ret, size_t cap)
{
    char text[2048];
    int len = snprintf(text, sizeof text,
                       "POST %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                       path, strlen(body), body);
    int fd = dial();
    put(fd, text, (size_t)len);
    read_all(fd, ret, cap);
}

#define INFER "/v2/models/told/infer"

struct post_case {
    char name[40];
    char path[48];
    char body[240];
    int status;
    char has[120]; /* words of the answer */
};

#define INPUTS(rest) "\"inputs\":[{\"name\":\"vector\",\"datatype\":\"FP32\"," rest "]}"
#define VECTOR(rest) "{" INPUTS(rest)

ParameterizedTestParameters(endpoint, posts)
{
    static struct post_case cases[] = {
        {"flat", INFER, VECTOR("\"shape\":[2,2],\"data\":[1,0,2.5,0]}"), 200,
         "{\"model_name\":\"told\",\"model_version\":\"1\",\"outputs\":[{\"name\":\"score\","},
        {"its scores", INFER, VECTOR("\"shape\":[2,2],\"data\":[1,0,2.5,0]}"), 200,
         "\"shape\":[2],\"data\":[1001,1002.5]}]}"},
        {"nested", INFER, VECTOR("\"shape\":[2,2],\"data\":[[1,0],[2,0]]}"), 200, "[1001,1002]"},
        {"data before the rest", INFER,
         "{\"inputs\":[{\"data\":[4,0],\"shape\":[1,2],\"datatype\":\"FP32\",\"name\":\"vector\"}]"
         "}",
         200, "[1004]"},
        {"by name", INFER,
         "{\"inputs\":[{\"name\":\"f0\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[7]}]}", 200,
         "[1007]"},
        {"an id", INFER, "{\"id\":\"\\u00e4\\\"\"," INPUTS("\"shape\":[1,2],\"data\":[1,0]}"), 200,
         "\"id\":"},
        {"this version", "/v2/models/told/versions/1/infer",
         VECTOR("\"shape\":[1,2],\"data\":[1,0]}"), 200, "[1001]"},
        {"another version", "/v2/models/told/versions/2/infer",
         VECTOR("\"shape\":[1,2],\"data\":[1,0]}"), 404, "version"},
        {"another model", "/v2/models/nix/infer", VECTOR("\"shape\":[1,2],\"data\":[1,0]}"), 404,
         "{\"error\":\"there is no model \\\"nix\\\"\"}"},
        {"no JSON", INFER, "{", 400, "{\"error\":"},
        {"empty", INFER, "", 400, "empty"},
        {"no object", INFER, "[]", 400, "not a JSON object"},
        {"no inputs", INFER, "{}", 400, "no inputs"},
        {"other columns", INFER, VECTOR("\"shape\":[1,3],\"data\":[1,0,1]}"), 400, "[rows, 2]"},
        {"too little data", INFER, VECTOR("\"shape\":[2,2],\"data\":[1,0]}"), 400, "less data"},
        {"too much data", INFER, VECTOR("\"shape\":[1,2],\"data\":[1,0,3]}"), 400, "more data"},
        {"a shape without end", INFER,
         VECTOR("\"shape\":[4611686018427387904,4],\"data\":[1,0,3]}"), 400, "no shape"},
        {"a large shape", INFER, VECTOR("\"shape\":[1000000000,2],\"data\":[1,0,3]}"), 400, "less"},
        {"a negative shape", INFER, VECTOR("\"shape\":[-1,2],\"data\":[1,0]}"), 400, "no shape"},
        {"no rows", INFER, VECTOR("\"shape\":[0,2],\"data\":[]}"), 400, "0 rows"},
        {"texts", INFER, VECTOR("\"shape\":[1,2],\"data\":[\"1\",0]}"), 400, "no numbers"},
        {"another type", INFER,
         "{\"inputs\":[{\"name\":\"vector\",\"datatype\":\"INT32\",\"shape\":[1,2],\"data\":[1,2]}]"
         "}",
         400, "expected FP32"},
        {"a type that is none", INFER,
         "{\"inputs\":[{\"name\":\"vector\",\"datatype\":\"FP31\",\"shape\":[1,2],\"data\":[1,2]}]"
         "}",
         400, "datatype"},
        {"binary data that are not there", INFER,
         VECTOR("\"shape\":[1,2],\"parameters\":{\"binary_data_size\":8}}"), 400, "binary"},
        {"an unknown output", INFER,
         "{\"outputs\":[{\"name\":\"x\"}]," INPUTS("\"shape\":[1,2],\"data\":[1,2]}"), 400,
         "no output"},
        {"features of a vector", INFER,
         "{\"outputs\":[{\"name\":\"features\"}]," INPUTS("\"shape\":[1,2],\"data\":[1,2]}"), 400,
         "features"},
        {"nowhere", "/v3", "{}", 404, "/v2"},
        {"metadata by POST", "/v2/models/told", "{}", 405, "method"},
    };
    return cr_make_param_array(struct post_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct post_case *c, endpoint, posts, .init = start, .fini = stop)
{
    char answer[4096], status[32];
    post(c->path, c->body, answer, sizeof answer);
    snprintf(status, sizeof status, "HTTP/1.1 %d ", c->status);
    cr_expect(eq(int, strncmp(answer, status, strlen(status)), 0), "%s: %s", c->name, answer);
    cr_expect(strstr(answer, c->has) != NULL, "%s: %s", c->name, answer);
}

static const char question[] =
    "POST " INFER " HTTP/1.1\r\nContent-Length: 100\r\nInference-Header-Content-Length: 92\r\n"
    "\r\n{\"inputs\":[{\"name\":\"f0\",\"datatype\":\"FP32\",\"shape\":[2],\"parameters\":"
    "{\"binary_data_size\":8}}]}\0\0\x80\x3f\0\0\0\x40GET /v2/health/live HTTP/1.1\r\n"
    "Connection: close\r\n\r\n";

Test(endpoint, a_request_in_any_two_pieces_is_answered, .init = start, .fini = stop, .timeout = 60)
{
    char answer[2048];
    for (size_t cut = 1; cut < sizeof question - 1; cut += 3) {
        int fd = dial();
        put(fd, question, cut);
        put(fd, question + cut, sizeof question - 1 - cut);
        read_all(fd, answer, sizeof answer);
        cr_assert(strstr(answer, "[1001,1002]") != NULL, "cut at %zu: %s", cut, answer);
        cr_assert(strstr(answer, "{\"live\":true}") != NULL, "cut at %zu: %s", cut, answer);
    }
}

Test(endpoint, what_is_cut_off_costs_nobody_else, .init = start, .fini = stop, .timeout = 60)
{
    char answer[2048];
    for (size_t cut = 1; cut < sizeof question - 1; cut += 7) {
        int fd = dial();
        put(fd, question, cut);
        close(fd);
    }
    post(INFER, VECTOR("\"shape\":[1,2],\"data\":[1,0]}"), answer, sizeof answer);
    cr_expect(strstr(answer, "[1001]") != NULL, "%s", answer);
}

Test(endpoint, too_large_a_request_is_refused_before_it_is_read, .init = start, .fini = stop)
{
    char answer[1024];
    static const char text[] = "POST " INFER " HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n";
    int fd = dial();
    put(fd, text, sizeof text - 1);
    read_all(fd, answer, sizeof answer);
    cr_expect(eq(int, strncmp(answer, "HTTP/1.1 413 ", 13), 0), "%s", answer);
}

Test(endpoint, drains, .init = start, .fini = stop, .timeout = 30)
{
    char byte;
    int idle = dial();
    told.ill = true;
    endpoint_drain(told.endpoint);
    cr_expect(eq(long, (long)read(idle, &byte, 1), 0)); /* the silent one was closed */
    close(idle);
}

Test(endpoint, a_server_that_is_ill_is_alive_but_not_ready, .init = start, .fini = stop)
{
    char answer[1024];
    static const char text[] = "GET /v2/health/live HTTP/1.1\r\n\r\n"
                               "GET /v2/health/ready HTTP/1.0\r\n\r\n";
    told.ill = true;
    int fd = dial();
    put(fd, text, sizeof text - 1);
    read_all(fd, answer, sizeof answer);
    cr_expect(strstr(answer, "HTTP/1.1 200 OK") != NULL, "%s", answer);
    cr_expect(strstr(answer, "HTTP/1.1 503 Service Unavailable") != NULL, "%s", answer);
    cr_expect(strstr(answer, "Retry-After") != NULL, "%s", answer);
}

/* A pipeline's model is whichever of several is the champion at that moment. */

static struct {
    _Atomic size_t champion;
    struct registry *registry;
} team;

static void start_team(void)
{
    told_init(&told, 2);
    cr_assert(eq(int, registry_create(told_make, &told, &team.registry), ST_OK));
    struct told_model *second = told_of(told.learner);
    second->version = 7;
    registry_publish(team.registry, told.learner, 7);
    struct catalog *catalog = &told.catalog;
    catalog->items[1] = catalog->items[0];
    catalog->items[1].name = "second";
    catalog->items[1].platform = "freshet_second";
    catalog->items[1].registry = team.registry;
    catalog->items[1].reasons = 0;
    catalog->items[2] = catalog->items[0];
    catalog->items[2].name = "line";
    catalog->items[2].models = catalog->items;
    catalog->items[2].champion = &team.champion;
    catalog->n = 3;
    team.champion = 0;
    cr_assert(eq(int, told_start(&told), ST_OK));
}

static void stop_team(void)
{
    told_done(&told);
    registry_free(team.registry);
}

static void expect_in(const char *answer, const char *words)
{
    cr_expect(strstr(answer, words) != NULL, "%s is not in %s", words, answer);
}

static void describe_line(char *ret, size_t cap)
{
    static const char text[] = "GET /v2/models/line HTTP/1.1\r\nConnection: close\r\n\r\n";
    int fd = dial();
    put(fd, text, strlen(text));
    read_all(fd, ret, cap);
}

#define ROW "\"shape\":[1,2],\"data\":[3,0]}"
static const char reasons_asked[] =
    "{\"outputs\":[{\"name\":\"score\"},{\"name\":\"reasons\"}]," INPUTS(ROW);

Test(endpoint, the_champion_answers_for_its_line, .init = start_team, .fini = stop_team)
{
    char answer[4096];
    post("/v2/models/line/infer", VECTOR(ROW), answer, sizeof answer);
    expect_in(answer, "{\"model_name\":\"line\",\"model_version\":\"1\",\"parameters\":"
                      "{\"model\":\"told\"},\"outputs\":[");
    expect_in(answer, "[1003]");
    post("/v2/models/line/infer", reasons_asked, answer, sizeof answer);
    expect_in(answer, "HTTP/1.1 200");
    describe_line(answer, sizeof answer);
    expect_in(answer, "\"versions\":[\"1\"],\"platform\":\"freshet_told\"");
    expect_in(answer, "\"reasons\"");
    expect_in(answer, "\"model\":\"told\"}}");
}

Test(endpoint, another_champion_answers_next, .init = start_team, .fini = stop_team)
{
    char answer[4096];
    team.champion = 1;
    post("/v2/models/line/versions/7/infer", VECTOR(ROW), answer, sizeof answer);
    expect_in(answer, "\"model_version\":\"7\",\"parameters\":{\"model\":\"second\"}");
    expect_in(answer, "[7003]");
    post("/v2/models/line/versions/1/infer", VECTOR(ROW), answer, sizeof answer);
    expect_in(answer, "HTTP/1.1 404");
    post("/v2/models/line/infer", reasons_asked, answer, sizeof answer);
    expect_in(answer, "HTTP/1.1 400");
    expect_in(answer, "cannot tell");
    describe_line(answer, sizeof answer);
    expect_in(answer, "\"versions\":[\"7\"],\"platform\":\"freshet_second\"");
    cr_expect(strstr(answer, "\"reasons\"") == NULL, "%s", answer);
    post(INFER, VECTOR(ROW), answer, sizeof answer);
    expect_in(answer, "[1003]");
    cr_expect(strstr(answer, "parameters") == NULL, "%s", answer);
}
