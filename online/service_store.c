/* The state directory: its store opened, and the state brought back from it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "features/ledger.h"
#include "online/checkpoint.h"
#include "online/service_internal.h"

static struct lane_name lane_name(void *arg, uint32_t lane)
{
    struct service *service = arg;
    const struct head_lane *named = &service->head.lanes[lane];
    return (struct lane_name){named->topic, named->partition};
}

uint64_t service_disk_left(const struct service *service)
{
    struct statvfs disk;
    if (statvfs(service->options.dir, &disk) < 0)
        return UINT64_MAX;
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* Opening a store takes room as well: what the log holds becomes tables. */
static enum status check_room(const struct service *service)
{
    uint64_t left = service_disk_left(service);
    if (left >= (uint64_t)service->settings->state.reserve)
        return ST_OK;
    log_error("disk.full",
              "dir=\"%s\" free=%" PRIu64 " why=\"less than state.reserve is free\" "
              "hint=\"make room and start again: nothing is lost\"",
              service->options.dir, left);
    return ST_EIO;
}

/* What can be done about RocksDB's message. */
static const char *hint_of(enum status st, const char *why)
{
    if (st == ST_EVERSION)
        return "start the freshet that wrote it, or a newer one; or restore a checkpoint from "
               "before";
    return why && strstr(why, "No space left")
               ? "make room on the disk and start again: nothing is lost"
               : "move the whole directory away and restore a checkpoint (freshet state restore)";
}

static enum status open_store(struct service *service)
{
    char *error = NULL;
    char path[4200];
    service->store = service->options.store;
    if (service->store)
        return ST_OK;
    snprintf(path, sizeof path, "%s/db", service->options.dir);
    if (checkpoint_is(service->options.dir)) {
        log_error("state.checkpoint",
                  "dir=\"%s\" why=\"it is a checkpoint, which would no longer be one\" "
                  "hint=\"freshet state restore copies it to a state directory\"",
                  service->options.dir);
        return ST_EINVAL;
    }
    TRY(check_room(service));
    enum status st = store_open_rocks(path, &service->store, &error);
    if (st == ST_EBUSY)
        log_error("state.busy", "dir=\"%s\" pid=%d why=\"another process uses it\"",
                  service->options.dir, store_holder(path));
    else if (st < 0)
        log_error("state.open", "dir=\"%s\" why=\"%s\" hint=\"%s\"", service->options.dir,
                  error ? error : status_text(st), hint_of(st, error));
    free(error);
    return st;
}

/* A start that reads more than this takes longer than a second or two. */
#define LOAD_MAX (UINT64_C(512) << 20)

static enum status open_commit(struct service *service)
{
    static const char *const loaded[] = {JOIN_FAMILY, LEDGER_FAMILY, LAYOUTS_FAMILY, NULL};
    uint64_t half = (uint64_t)service->settings->state.cache / 2;
    struct commit_options options = {
        .store = service->store,
        .sink = service->options.sink,
        .lane_name = lane_name,
        .lane_arg = service,
        .outbox_rows_max = 200000,
        .load_max = half < LOAD_MAX ? half : LOAD_MAX,
        .loaded_families = loaded,
        .load_later = true,
    };
    return commit_create(&options, &service->commit);
}

/* Of features that were removed the last records are gone: the store forgets what it has of them.
 */
static enum status settle_families(struct service *service)
{
    struct buf gone = {0};
    enum status st = ST_OK;
    state_families_settle(service->state, &gone);
    struct reader in = reader_of(buf_slice(&gone));
    while (st == ST_OK && reader_left(&in) > 0)
        st = store_drop_family(service->store, read_u16(&in));
    buf_done(&gone);
    return st;
}

static enum status recover_state(struct service *service)
{
    struct buf head = {0};
    uint64_t epoch;
    enum status st = commit_recover(service->commit, service->state, &head, &epoch);
    if (st == ST_OK)
        st = retention_recover(&service->retention, service->settings->state.runs_keep,
                               service->store);
    if (st == ST_OK && epoch > 0)
        st = head_decode(buf_slice(&head), &service->head);
    if (st < 0)
        log_error("state.recover", "dir=\"%s\" why=\"%s: %s\" hint=\"%s\"", service->options.dir,
                  status_text(st), commit_error(service->commit),
                  hint_of(st, commit_error(service->commit)));
    else if (epoch > 0)
        log_info("state.recovered",
                 "epoch=%" PRIu64 " records=%zu left_behind=%zu events=%" PRIu64 " rows=%" PRIu64,
                 epoch, state_count(service->state), state_held(service->state),
                 service->head.events, commit_outbox_depth(service->commit));
    buf_done(&head);
    return st;
}

enum status service_open_state(struct service *service)
{
    TRY(open_store(service));
    TRY(state_create(&service->state));
    TRY(open_commit(service));
    TRY(recover_state(service));
    return settle_families(service);
}
