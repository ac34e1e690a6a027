/* The lanes of the input: merged, and each read on from where the state has it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "online/service_internal.h"

/* What a replay of files has seen is not read again from the topics. */
static void skip_replayed(struct service *service, size_t lane, const struct lane_info *info)
{
    int64_t replayed = service->head.replayed;
    if (replayed != INT64_MIN && !info->is_file && !service->options.inputs_anew)
        merge_skip(service->merge, lane, replayed - service->settings->time.lateness);
}

/* Lanes keep their numbers over restarts; each is read on from where the last commit left it. */
static enum status seek_lanes(struct service *service)
{
    size_t n = merge_lanes(service->merge);
    service->lane_of = calloc(n + 1, sizeof *service->lane_of);
    if (!service->lane_of)
        return ST_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct lane_info info = merge_lane(service->merge, i);
        uint32_t lane = head_lane(&service->head, info.topic, info.partition);
        service->lane_of[i] = lane;
        if (service->options.inputs_anew)
            service->head.lanes[lane].next = -1;
        int64_t next = service->head.lanes[lane].next;
        enum status st = next >= 0 ? merge_seek(service->merge, i, next) : ST_OK;
        if (next < 0)
            skip_replayed(service, i, &info);
        if (st == ST_ENOTFOUND && service->options.accept_gap) {
            log_warn("source.gap", "topic=\"%s\" partition=%d offset=%" PRId64 " why=\"%s\"",
                     info.topic, info.partition, next, merge_error(service->merge));
            continue;
        }
        if (st < 0) {
            log_error("source.seek",
                      "topic=\"%s\" partition=%d offset=%" PRId64 " why=\"%s\" hint=\"%s\"",
                      info.topic, info.partition, next, merge_error(service->merge),
                      st == ST_ENOTFOUND ? SERVICE_GAP_HINT : "");
            return st;
        }
    }
    return ST_OK;
}

enum status service_open_lanes(struct service *service)
{
    const struct service_options *options = &service->options;
    struct merge_options merge = options->merge;
    struct conf_errors errors = {0};
    merge.errors = &errors;
    enum status st = merge_create(&merge, &service->settings->schema, options->sources,
                                  options->n_sources, &service->merge);
    conf_errors_print(&errors, stderr);
    conf_errors_done(&errors);
    if (st < 0)
        return st;
    if (service->head.clock != INT64_MIN)
        merge_set_time(service->merge, service->head.clock);
    return seek_lanes(service);
}
