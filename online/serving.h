/*
 * online/serving.h -- the scoring endpoint of a service: which models it offers, and its start and
 * end.
 */
#ifndef ONLINE_SERVING_H
#define ONLINE_SERVING_H

#include "online/service.h"

struct serving;

/* Nothing (NULL) where the config has no endpoint. Failures are logged. */
STATUS_CHECKED enum status serving_start(const struct settings *settings, struct service *service,
                                         struct serving **ret);
/* Before service_free(): the service has ended. NULL is allowed. */
void serving_stop(struct serving *serving);
/* Ports it listens on; 0: not served. */
int serving_http_port(const struct serving *serving);
int serving_grpc_port(const struct serving *serving);

#endif
