/* online/settings_endpoint.h -- `endpoint:` of the configuration: how callers are served. */
#ifndef ONLINE_SETTINGS_ENDPOINT_H
#define ONLINE_SETTINGS_ENDPOINT_H

#include "base/conf.h"

struct endpoint_tls_settings {
    const char *certificate, *key, *clients;
};

struct endpoint_settings {
    const char *http, *grpc; /* both NULL: no endpoint */
    int64_t threads, connections, queue, rows, events;
    int64_t message;     /* bytes */
    int64_t idle, drain; /* us */
    struct endpoint_tls_settings tls;
    const char *tokens;
};

extern const struct conf_table settings_endpoint_table;

/* What the table cannot say. */
void settings_check_endpoint(const struct endpoint_settings *endpoint, const struct conf_node *node,
                             struct conf_errors *errors);

#endif
