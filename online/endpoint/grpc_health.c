/* Health, as gRPC's own checking protocol has it: asked for once, or watched. */
#include "health.pb-c.h"
#include "online/endpoint/grpc_internal.h"

typedef Grpc__Health__V1__HealthCheckResponse response_message;

#define STATUS(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

bool grpc_is_ready(const struct worker *worker)
{
    bool ok = false;
    worker->options->health(worker->options->health_arg, &ok);
    return ok && !worker->shared->draining;
}

/* "" is the whole server. */
static bool is_known(const char *service)
{
    return !service[0] || strcmp(service, "inference.GRPCInferenceService") == 0;
}

static int status_of(bool ready)
{
    return ready ? STATUS(SERVING) : STATUS(NOT_SERVING);
}

void grpc_take_health(struct grpc_stream *stream, struct call *call, struct slice message)
{
    response_message out = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    Grpc__Health__V1__HealthCheckRequest *in =
        grpc_unpack(stream, call, &grpc__health__v1__health_check_request__descriptor, message);
    if (in && !is_known(in->service))
        grpc_refuse(stream, REFUSED_NOT_FOUND, "there is no such service");
    if (stream->ended) {
        call_give(call);
        return;
    }
    out.status = status_of(grpc_is_ready(call->worker));
    grpc_reply_at_once(stream, call, &out.base);
}

static void tell(struct grpc_stream *stream, int status)
{
    response_message out = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    out.status = stream->told = status;
    grpc_reply(stream, &out.base);
}

/* A service that is not there may come: who watches it is told so, and waits. */
void grpc_take_watch(struct grpc_stream *stream, struct call *call, struct slice message)
{
    Grpc__Health__V1__HealthCheckRequest *in =
        grpc_unpack(stream, call, &grpc__health__v1__health_check_request__descriptor, message);
    if (in) {
        stream->watching = true;
        tell(stream, is_known(in->service) ? status_of(grpc_is_ready(call->worker))
                                           : STATUS(SERVICE_UNKNOWN));
        grpc_stream_wait(stream);
    }
    stream->call = NULL;
    call_give(call);
}

/* Who does not read is told what holds when there is room. The end of the service ends it. */
void grpc_tell_health(struct grpc_stream *stream, bool ready)
{
    bool unsent = stream->out.len > stream->out_at;
    if (stream->told != STATUS(SERVICE_UNKNOWN) && stream->told != status_of(ready) && !unsent)
        tell(stream, status_of(ready));
    if (stream->grpc->link.worker->shared->draining)
        grpc_end(stream);
}
