/* At the start: the state directory and what the broker knows of it must fit each other. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"
#include "online/service_internal.h"

void service_put_positions(const struct service *service, struct buf *ret)
{
    for (size_t i = 0; i < merge_lanes(service->merge); i++)
        positions_put(ret, service->lane_of[i], service->head.lanes[service->lane_of[i]].next);
}

/* Below this offset of a lane all rows are out, or will be sent from the outbox. */
static int64_t known_below(const struct service *service, const struct lineage *lineage, size_t i)
{
    uint32_t lane = service->lane_of[i];
    int64_t next = service->head.lanes[lane].next;
    int64_t quiet = lane < lineage->n_quiet ? lineage->quiet_below[lane] : 0;
    return next > quiet ? next : quiet;
}

/* An older copy was put back: what the group has of it was committed later. */
static bool is_behind(const struct service *service, const struct lineage *lineage,
                      const struct group_offset *group, size_t i)
{
    return (lineage_knows(lineage, &group[i]) && group[i].epoch > service->head.epoch) ||
           group[i].next > known_below(service, lineage, i);
}

/* The first lane that shows that this is not the state which the group's offsets come from; the
 * number of lanes if none does. A copy that went its own way tells the group of all its lanes: if
 * one is known, a foreign one was only left out of the configuration for a time. */
static size_t find_unfit(const struct service *service, const struct lineage *lineage,
                         const struct group_offset *group)
{
    size_t n = merge_lanes(service->merge), foreign = n;
    bool known = false;
    for (size_t i = 0; i < n; i++) {
        if (is_behind(service, lineage, group, i))
            return i;
        known = known || lineage_knows(lineage, &group[i]);
        if (foreign == n && lineage_is_foreign(lineage, &group[i]))
            foreign = i;
    }
    return known ? n : foreign;
}

static enum status refuse(const struct service *service, const struct lineage *lineage,
                          const struct group_offset *group, size_t i)
{
    struct lane_info info = merge_lane(service->merge, i);
    log_error("state.behind",
              "dir=\"%s\" topic=\"%s\" partition=%d offset=%" PRId64 " group_offset=%" PRId64
              " why=\"scores were sent from a state that is not this one: an older copy was put "
              "back, or another began anew\" hint=\"run with --after-restore to compute it anew "
              "and send nothing below the group's offsets; or name another kafka.group to send "
              "everything\"",
              service->options.dir, info.topic, info.partition, known_below(service, lineage, i),
              group[i].next);
    return ST_EINVAL;
}

static enum status keep_quiet(const struct service *service, const struct group_offset *group,
                              struct lineage *lineage)
{
    size_t n = service->head.n_lanes;
    int64_t *below = calloc(n + 1, sizeof *below);
    if (!below)
        return ST_ENOMEM;
    for (size_t i = 0; i < lineage->n_quiet && i < n; i++)
        below[i] = lineage->quiet_below[i];
    for (size_t i = 0; i < merge_lanes(service->merge); i++) {
        int64_t *lane = &below[service->lane_of[i]];
        *lane = group[i].next > *lane ? group[i].next : *lane;
    }
    free(lineage->quiet_below);
    lineage->quiet_below = below;
    lineage->n_quiet = n;
    return ST_OK;
}

static enum status square(struct service *service, const struct group_offset *group,
                          struct lineage *lineage)
{
    size_t unfit = find_unfit(service, lineage, group);
    if (unfit == merge_lanes(service->merge))
        return ST_OK;
    if (!service->options.after_restore)
        return refuse(service, lineage, group, unfit);
    log_warn("state.quiet",
             "dir=\"%s\" why=\"what the group's offsets are past is computed anew and not sent\"",
             service->options.dir);
    lineage->number = lineage->before = 0; /* none of the group's epochs are ours */
    lineage->accepted = group[unfit].life;
    lineage->accepted_epoch = group[unfit].epoch;
    return keep_quiet(service, group, lineage);
}

static uint64_t sent_epoch(const struct service *service, const struct group_offset *group,
                           const struct lineage *lineage)
{
    uint64_t epoch = 0;
    for (size_t i = 0; i < merge_lanes(service->merge); i++)
        if (lineage_knows(lineage, &group[i]) && group[i].epoch > epoch)
            epoch = group[i].epoch;
    return epoch;
}

/* A life that the group has not heard of leaves no trace when the next one begins. */
static enum status begin_life(struct service *service, const struct group_offset *group,
                              struct lineage *lineage)
{
    bool heard = lineage->before == 0;
    for (size_t i = 0; i < merge_lanes(service->merge); i++)
        heard = heard || (group[i].life != 0 && group[i].life == lineage->number);
    if (heard) {
        lineage->before = lineage->number;
        lineage->before_epoch = service->head.epoch;
    }
    lineage->number = 0;
    while (lineage->number == 0)
        if (getrandom(&lineage->number, sizeof lineage->number, 0) < 0)
            return ST_EIO;
    return lineage_write(service->store, lineage);
}

static enum status resume_commit(struct service *service, const struct group_offset *group,
                                 struct lineage *lineage)
{
    struct buf positions = {0};
    uint64_t rows = commit_outbox_depth(service->commit);
    struct commit_resumption resumption = {.sent_epoch = sent_epoch(service, group, lineage),
                                           .quiet_below = lineage->quiet_below,
                                           .n_quiet = lineage->n_quiet};
    TRY(begin_life(service, group, lineage));
    service_put_positions(service, &positions);
    resumption.life = lineage->number;
    resumption.positions = buf_slice(&positions);
    enum status st = commit_resume(service->commit, &resumption);
    buf_done(&positions);
    if (st == ST_OK && rows > 0)
        log_info("rows.resent", "rows=%" PRIu64 " known=%" PRIu64,
                 commit_outbox_depth(service->commit), rows - commit_outbox_depth(service->commit));
    return st;
}

enum status service_resume(struct service *service)
{
    if (!service->options.resume)
        return ST_OK;
    struct lineage lineage = {0};
    struct group_offset *group = calloc(merge_lanes(service->merge) + 1, sizeof *group);
    if (!group)
        return ST_ENOMEM;
    enum status st = service->options.resume(service->options.resume_arg, group);
    if (st == ST_OK) {
        st = lineage_read(service->store, &lineage);
        st = st == ST_ENOTFOUND ? ST_OK : st;
    }
    if (st == ST_OK)
        st = square(service, group, &lineage);
    if (st == ST_OK)
        st = resume_commit(service, group, &lineage);
    free(group);
    lineage_done(&lineage);
    return st;
}
