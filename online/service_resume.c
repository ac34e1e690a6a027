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
static int64_t known_below(const struct service *service, const struct life *life, size_t i)
{
    uint32_t lane = service->lane_of[i];
    int64_t next = service->head.lanes[lane].next;
    int64_t quiet = lane < life->n_quiet ? life->quiet_below[lane] : 0;
    return next > quiet ? next : quiet;
}

/* An older copy was put back: what the group has of it was committed later. */
static bool is_behind(const struct service *service, const struct life *life,
                      const struct group_offset *group, size_t i)
{
    return (life_knows(life, &group[i]) && group[i].epoch > service->head.epoch) ||
           group[i].next > known_below(service, life, i);
}

/* The first lane that shows that this is not the state which the group's offsets come from; the
 * number of lanes if none does. A copy that went its own way tells the group of all its lanes: if
 * one is known, a foreign one was only left out of the configuration for a time. */
static size_t find_unfit(const struct service *service, const struct life *life,
                         const struct group_offset *group)
{
    size_t n = merge_lanes(service->merge), foreign = n;
    bool known = false;
    for (size_t i = 0; i < n; i++) {
        if (is_behind(service, life, group, i))
            return i;
        known = known || life_knows(life, &group[i]);
        if (foreign == n && life_is_foreign(life, &group[i]))
            foreign = i;
    }
    return known ? n : foreign;
}

static enum status refuse(const struct service *service, const struct life *life,
                          const struct group_offset *group, size_t i)
{
    struct lane_info info = merge_lane(service->merge, i);
    log_error("state.behind",
              "dir=\"%s\" topic=\"%s\" partition=%d offset=%" PRId64 " group_offset=%" PRId64
              " why=\"scores were sent from a state that is not this one: an older copy was put "
              "back, or another began anew\" hint=\"run with --after-restore to compute it anew "
              "and send nothing below the group's offsets; or name another kafka.group to send "
              "everything\"",
              service->options.dir, info.topic, info.partition, known_below(service, life, i),
              group[i].next);
    return ST_EINVAL;
}

static enum status keep_quiet(const struct service *service, const struct group_offset *group,
                              struct life *life)
{
    size_t n = service->head.n_lanes;
    int64_t *below = calloc(n + 1, sizeof *below);
    if (!below)
        return ST_ENOMEM;
    for (size_t i = 0; i < life->n_quiet && i < n; i++)
        below[i] = life->quiet_below[i];
    for (size_t i = 0; i < merge_lanes(service->merge); i++) {
        int64_t *lane = &below[service->lane_of[i]];
        *lane = group[i].next > *lane ? group[i].next : *lane;
    }
    free(life->quiet_below);
    life->quiet_below = below;
    life->n_quiet = n;
    return ST_OK;
}

static enum status square(struct service *service, const struct group_offset *group,
                          struct life *life)
{
    size_t unfit = find_unfit(service, life, group);
    if (unfit == merge_lanes(service->merge))
        return ST_OK;
    if (!service->options.after_restore)
        return refuse(service, life, group, unfit);
    log_warn("state.quiet",
             "dir=\"%s\" why=\"what the group's offsets are past is computed anew and not sent\"",
             service->options.dir);
    life->number = life->before = 0; /* none of the group's epochs are ours */
    life->accepted = group[unfit].life;
    life->accepted_epoch = group[unfit].epoch;
    return keep_quiet(service, group, life);
}

static uint64_t sent_epoch(const struct service *service, const struct group_offset *group,
                           const struct life *life)
{
    uint64_t epoch = 0;
    for (size_t i = 0; i < merge_lanes(service->merge); i++)
        if (life_knows(life, &group[i]) && group[i].epoch > epoch)
            epoch = group[i].epoch;
    return epoch;
}

/* A life that the group has not heard of leaves no trace when the next one begins. */
static enum status begin_life(struct service *service, const struct group_offset *group,
                              struct life *life)
{
    bool heard = life->before == 0;
    for (size_t i = 0; i < merge_lanes(service->merge); i++)
        heard = heard || (group[i].life != 0 && group[i].life == life->number);
    if (heard) {
        life->before = life->number;
        life->before_epoch = service->head.epoch;
    }
    life->number = 0;
    while (life->number == 0)
        if (getrandom(&life->number, sizeof life->number, 0) < 0)
            return ST_EIO;
    return life_write(service->store, life);
}

static enum status resume_commit(struct service *service, const struct group_offset *group,
                                 struct life *life)
{
    struct buf positions = {0};
    uint64_t rows = commit_outbox_depth(service->commit);
    struct commit_resumption resumption = {.sent_epoch = sent_epoch(service, group, life),
                                           .quiet_below = life->quiet_below,
                                           .n_quiet = life->n_quiet};
    TRY(begin_life(service, group, life));
    service_put_positions(service, &positions);
    resumption.life = life->number;
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
    struct life life = {0};
    struct group_offset *group = calloc(merge_lanes(service->merge) + 1, sizeof *group);
    if (!group)
        return ST_ENOMEM;
    enum status st = service->options.resume(service->options.resume_arg, group);
    if (st == ST_OK) {
        st = life_read(service->store, &life);
        st = st == ST_ENOTFOUND ? ST_OK : st;
    }
    if (st == ST_OK)
        st = square(service, group, &life);
    if (st == ST_OK)
        st = resume_commit(service, group, &life);
    free(group);
    life_done(&life);
    return st;
}
