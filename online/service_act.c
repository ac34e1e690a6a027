/* Acts that a person asks for: another thread puts one down, the state thread does it between two
 * batches, and it is told once it is durable. */
#include "online/service_internal.h"

#define LOOK_US (100 * 1000)

void service_post_act(struct service *service, const struct act *act)
{
    service->act = *act;
    service->act_status = ST_EAGAIN;
    service->act_asked = true;
    bell_ring(&service->state_bell);
}

enum status service_take_act(struct service *service)
{
    if (!service->act_asked)
        return ST_OK;
    service->act_status = pipeline_act(service->pipeline, &service->act);
    service->act_epoch = service->filling->epoch.number;
    if (service->filling_since == 0)
        service->filling_since = service_clock();
    service->act_asked = false;
    bell_ring(&service->act_bell);
    return service->act_status == ST_ESTOPPED ? ST_ESTOPPED : ST_OK;
}

static bool is_durable(const struct service *service)
{
    return !service->act_asked && service->act_status == ST_OK &&
           service->committed_epoch >= service->act_epoch;
}

/* It failed, or nobody will do it, or write it, any more. */
static bool is_lost(const struct service *service)
{
    return (!service->act_asked && service->act_status < 0) || service->commit_failed ||
           (service->state_ended && service->commits_running == 0);
}

enum status service_act(struct service *service, struct act *act)
{
    pthread_mutex_lock(&service->act_lock);
    service_post_act(service, act);
    for (;;) {
        uint32_t seen = bell_seen(&service->act_bell);
        if (is_durable(service) || is_lost(service))
            break;
        bell_wait(&service->act_bell, seen, LOOK_US);
    }
    enum status st = is_durable(service)                   ? ST_OK
                     : service->act_status == ST_ENOTFOUND ? ST_ENOTFOUND
                                                           : ST_ESTOPPED;
    *act = service->act;
    pthread_mutex_unlock(&service->act_lock);
    return st;
}
