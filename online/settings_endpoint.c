#include "online/settings_endpoint.h"

#include "ingest/event.h"
#include "online/endpoint/endpoint.h"

static const struct conf_option tls_options[] = {
    {.name = "certificate",
     .type = CONF_TEXT,
     .at = offsetof(struct endpoint_tls_settings, certificate),
     .help = "PEM file of the server's certificate and those that vouch for it; plain text "
             "without."},
    {.name = "key",
     .type = CONF_TEXT,
     .at = offsetof(struct endpoint_tls_settings, key),
     .help = "PEM file of its private key; in the certificate's file by default."},
    {.name = "clients",
     .type = CONF_TEXT,
     .at = offsetof(struct endpoint_tls_settings, clients),
     .help = "PEM file of the authorities that vouch for clients: only their clients are served."},
    CONF_END};
static const struct conf_table tls_table = {"tls", "Encryption of the endpoint.", tls_options,
                                            sizeof(struct endpoint_tls_settings)};

static const struct conf_option options[] = {
    {.name = "http",
     .type = CONF_TEXT,
     .at = offsetof(struct endpoint_settings, http),
     .help = "`host:port`, or the port alone, of the Open Inference Protocol over HTTP; none by "
             "default."},
    {.name = "grpc",
     .type = CONF_TEXT,
     .at = offsetof(struct endpoint_settings, grpc),
     .help = "The same over gRPC."},
    {.name = "threads",
     .type = CONF_INT,
     .at = offsetof(struct endpoint_settings, threads),
     .fallback = "1",
     .min = 1,
     .max = ENDPOINT_THREADS_MAX,
     .help = "Threads that serve callers."},
    {.name = "connections",
     .type = CONF_INT,
     .at = offsetof(struct endpoint_settings, connections),
     .fallback = "16384",
     .min = 1,
     .max = 1e6,
     .help = "Connections of a thread; further ones are closed at once."},
    {.name = "queue",
     .type = CONF_INT,
     .at = offsetof(struct endpoint_settings, queue),
     .fallback = "256",
     .min = 1,
     .max = 65536,
     .help = "Requests of a thread that may be on their way; further ones are refused."},
    {.name = "rows",
     .type = CONF_INT,
     .at = offsetof(struct endpoint_settings, rows),
     .fallback = "65536",
     .min = 1,
     .max = 1 << 24,
     .help = "Rows of one request to a model."},
    {.name = "events",
     .type = CONF_INT,
     .at = offsetof(struct endpoint_settings, events),
     .fallback = "64",
     .min = 1,
     .max = 4096,
     .help = "Events of one request to the pipeline."},
    {.name = "message",
     .type = CONF_BYTES,
     .at = offsetof(struct endpoint_settings, message),
     .fallback = "8MiB",
     .min = 1024,
     .max = 1 << 30,
     .help = "Largest request."},
    {.name = "idle",
     .type = CONF_DURATION,
     .at = offsetof(struct endpoint_settings, idle),
     .fallback = "5m",
     .min = 1e5,
     .max = 30 * (double)DAY_US,
     .help = "A connection that is silent this long is closed."},
    {.name = "drain",
     .type = CONF_DURATION,
     .at = offsetof(struct endpoint_settings, drain),
     .fallback = "5s",
     .min = 0,
     .max = 3.6e9,
     .help = "At the end, how long connections may take to go."},
    {.name = "tls",
     .type = CONF_TABLE,
     .at = offsetof(struct endpoint_settings, tls),
     .table = &tls_table,
     .help = "Encryption of the endpoint."},
    {.name = "tokens",
     .type = CONF_TEXT,
     .at = offsetof(struct endpoint_settings, tokens),
     .help = "File of bearer tokens, a line each: the token, then its scopes (`score`, `admin`); "
             "read again when it changes. Anybody may ask without."},
    CONF_END};

const struct conf_table settings_endpoint_table = {"endpoint", "How callers are served.", options,
                                                   sizeof(struct endpoint_settings)};

void settings_check_endpoint(const struct endpoint_settings *endpoint, const struct conf_node *node,
                             struct conf_errors *errors)
{
    const struct endpoint_tls_settings *tls = &endpoint->tls;
    if (node && !endpoint->http && !endpoint->grpc)
        conf_complain(errors, node, "serves nobody without `http` or `grpc`");
    if (!tls->certificate && (tls->key || tls->clients))
        conf_complain(errors, conf_get(node, "tls"), "needs a `certificate`");
}
