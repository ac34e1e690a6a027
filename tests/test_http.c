/*
 * Tests of online/http.h.
 *
 * What is known without running it: which status and body each request must get, byte for byte
 * where the body is ours, and that whatever is sent the server answers the next one.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metrics.h"
#include "online/http.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct health {
    bool ok;
    const char *detail;
};

static const char *tell(void *arg, bool *ret_ok)
{
    const struct health *health = arg;
    *ret_ok = health->ok;
    return health->detail;
}

static struct http *start(struct health *health)
{
    struct http_options options = {.listen = "127.0.0.1:0", .health = tell, .health_arg = health};
    struct buf error = {0};
    struct http *http = NULL;
    cr_assert(eq(int, http_start(&options, &error, &http), ST_OK), "%.*s", (int)error.len,
              error.data);
    return http;
}

static int dial(const struct http *http)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_port(http)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(eq(int, connect(fd, (struct sockaddr *)&to, sizeof to), 0));
    return fd;
}

/* Sends bytes as they are and reads until the server closes. */
static void talk(const struct http *http, const char *request, char *ret, size_t cap)
{
    int fd = dial(http);
    cr_assert(eq(sz, (size_t)write(fd, request, strlen(request)), strlen(request)));
    size_t len = 0;
    for (ssize_t n; len < cap - 1 && (n = read(fd, ret + len, cap - 1 - len)) > 0;)
        len += (size_t)n;
    ret[len] = 0;
    close(fd);
}

struct answer_case {
    char name[24];
    char request[32];
    bool ok;
    char detail[32];
    char status[48];
    char body[64];
};

ParameterizedTestParameters(http, answers)
{
    static struct answer_case cases[] = {
        {"well", "GET /health", true, "ok", "HTTP/1.1 200 OK",
         "{\"status\":\"ok\",\"detail\":\"ok\"}\n"},
        {"with a query", "GET /health?full=1", true, "ok", "HTTP/1.1 200 OK",
         "{\"status\":\"ok\",\"detail\":\"ok\"}\n"},
        {"unwell", "GET /health", false, "disk \"full\"", "HTTP/1.1 503 Service Unavailable",
         "{\"status\":\"failing\",\"detail\":\"disk \\\"full\\\"\"}\n"},
        {"not one line", "GET /health", false, "a\n\\b", "HTTP/1.1 503 Service Unavailable",
         "{\"status\":\"failing\",\"detail\":\"a\\u000a\\\\b\"}\n"},
        {"elsewhere", "GET /", true, "", "HTTP/1.1 404 Not Found",
         "{\"error\":\"not found: there are /metrics and /health\"}\n"},
        {"not to be changed", "POST /metrics", true, "", "HTTP/1.1 405 Method Not Allowed",
         "{\"error\":\"only GET is answered here\"}\n"},
        {"no body", "HEAD /health", true, "ok", "HTTP/1.1 200 OK", ""},
    };
    return cr_make_param_array(struct answer_case, cases, LEN(cases));
}

ParameterizedTest(struct answer_case *c, http, answers)
{
    struct health health = {c->ok, c->detail};
    struct http *http = start(&health);
    char request[128], reply[4096];
    snprintf(request, sizeof request,
             "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
             c->request);
    talk(http, request, reply, sizeof reply);
    cr_expect(strncmp(reply, c->status, strlen(c->status)) == 0, "%s: %s", c->name, reply);
    char *body = strstr(reply, "\r\n\r\n");
    cr_assert(body != NULL, "%s: %s", c->name, reply);
    cr_expect(eq(str, body + 4, c->body), "%s", c->name);
    cr_expect(strstr(reply, "Content-Type: application/json\r\n") != NULL, "%s", reply);
    http_stop(http);
}

Test(http, gives_the_metrics)
{
    metric_add(metric_counter("freshet_test_total", "A counter.", NULL, NULL), 3);
    struct health health = {true, ""};
    struct http *http = start(&health);
    char reply[8192];
    for (int i = 0; i < 3; i++)
        talk(http, "GET /metrics HTTP/1.0\r\n\r\n", reply, sizeof reply);
    cr_expect(strstr(reply, "200 OK") != NULL, "%s", reply);
    cr_expect(strstr(reply, "text/plain; version=0.0.4") != NULL, "%s", reply);
    cr_expect(strstr(reply, "freshet_test_total 3\n") != NULL, "%s", reply);
    http_stop(http);
}

Test(http, outlives_what_is_no_request)
{
    static char large[200000];
    memset(large, 'a', sizeof large - 1);
    const char *rubbish[] = {"",
                             "\r\n\r\n",
                             "GET\r\n\r\n",
                             "GET /health HTTP/9.9\r\n\r\n",
                             "\x16\x03\x01\x02",
                             "GET /health HTTP/1.1\r\nContent-Length: -1\r\n\r\n"};
    struct health health = {true, "fine"};
    struct http *http = start(&health);
    char reply[4096];
    for (size_t i = 0; i <= LEN(rubbish); i++) {
        const char *text = i < LEN(rubbish) ? rubbish[i] : large;
        int fd = dial(http);
        send(fd, text, strlen(text), MSG_NOSIGNAL);
        close(fd); /* in the middle of it */
        talk(http, "GET /health HTTP/1.0\r\n\r\n", reply, sizeof reply);
        cr_expect(strstr(reply, "fine") != NULL, "after %zu: %s", i, reply);
    }
    http_stop(http);
}

Test(http, stops_under_open_connections)
{
    struct health health = {true, ""};
    struct http *http = start(&health);
    int fd = dial(http);
    cr_assert(write(fd, "GET /hea", 8) == 8);
    http_stop(http);
    char byte;
    cr_expect(le(int, (int)read(fd, &byte, 1), 0));
    close(fd);
    http_stop(NULL);
}

struct listen_case {
    char listen[32], says[48];
    enum status st;
};

ParameterizedTestParameters(http, start_refuses)
{
    static struct listen_case cases[] = {
        {"", "is not HOST:PORT", ST_EINVAL},
        {"9464", "is not HOST:PORT", ST_EINVAL},
        {"127.0.0.1:", "is not HOST:PORT", ST_EINVAL},
        {"127.0.0.1:http", "is not HOST:PORT", ST_EINVAL},
        {"127.0.0.1:65536", "is not HOST:PORT", ST_EINVAL},
        {"127.0.0.1:-1", "is not HOST:PORT", ST_EINVAL},
        {"192.0.2.1:9464", "cannot listen on 192.0.2.1:9464", ST_EIO},
        {"no.such.host.invalid:0", "cannot listen on", ST_EIO},
    };
    return cr_make_param_array(struct listen_case, cases, LEN(cases));
}

ParameterizedTest(struct listen_case *c, http, start_refuses)
{
    struct http_options options = {.listen = c->listen, .health = tell};
    struct buf error = {0};
    struct http *http = NULL;
    cr_expect(eq(int, http_start(&options, &error, &http), c->st), "%s", c->listen);
    cr_expect(http == NULL);
    buf_byte(&error, 0);
    cr_expect(strstr(error.data, c->says) != NULL, "%s: %s", c->listen, error.data);
    buf_done(&error);
}

Test(http, a_taken_port_is_refused)
{
    struct health health = {true, ""};
    struct http *first = start(&health);
    char listen_at[32];
    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%d", http_port(first));
    struct http_options options = {.listen = listen_at, .health = tell};
    struct buf error = {0};
    struct http *second = NULL;
    cr_expect(eq(int, http_start(&options, &error, &second), ST_EIO));
    buf_byte(&error, 0);
    cr_expect(strstr(error.data, "in use") != NULL, "%s", error.data);
    buf_done(&error);
    http_stop(first);
}
