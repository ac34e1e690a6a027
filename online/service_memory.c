/* What the state may take: sweeps, so that records may go, and their going. */
#include "online/service_internal.h"

/* A sweep of changed pages begins after this much redo, or time if there was any. */
#define SWEEP_REDO_BYTES (UINT64_C(512) << 20)
#define SWEEP_EVERY_US   (30 * SECOND_US)

/* What may go is what was swept, so a small working set is swept sooner. */
#define SWEEP_CACHE_PART 32
#define SWEEP_REDO_LEAST (UINT64_C(4) << 20)
/* A share of a sweep on which input waits. */
#define SWEEP_SHARE_PRESSED (16u << 20)

static size_t budget(const struct service *service)
{
    return (size_t)service->settings->state.cache;
}

bool service_pressed(const struct service *service)
{
    return state_bytes(service->state) > budget(service) &&
           (state_unswept(service->state) > 0 || service->commits_running > 0);
}

void service_keep_within_budget(struct service *service)
{
    if (state_bytes(service->state) > budget(service))
        service->evicted += state_evict(service->state, budget(service) / 16 * 15);
}

static bool sweep_is_due(const struct service *service, int64_t now)
{
    uint64_t most = SWEEP_REDO_BYTES;
    if (!state_complete(service->state) && budget(service) / SWEEP_CACHE_PART < most)
        most = budget(service) / SWEEP_CACHE_PART;
    if (most < SWEEP_REDO_LEAST)
        most = SWEEP_REDO_LEAST;
    return service->redo_bytes > most || service_pressed(service) ||
           (service->redo_bytes > 0 && now - service->swept_at > SWEEP_EVERY_US);
}

void service_sweep_share(struct service *service, struct epoch *epoch, int64_t now)
{
    service->redo_bytes += epoch->redo.len;
    state_take_drops(service->state, &epoch->pages); /* before pages of records made again */
    if (!service->sweeping && sweep_is_due(service, now)) {
        state_sweep_begin(service->state);
        service->sweeping = true;
        service->swept_at = now;
        service->redo_bytes = 0;
        bool all_here = state_held(service->state) == 0;
        service->sweep_floor = all_here ? epoch->number + 1 : service->redo_needed;
    }
    size_t share = service_pressed(service) ? SWEEP_SHARE_PRESSED : 2 * epoch->redo.len + 65536;
    if (service->sweeping && !state_sweep_some(service->state, share, &epoch->pages)) {
        service->sweeping = false;
        service->redo_needed = service->sweep_floor;
    }
    /* Epochs written after the sweep's last share may drop them; this one still holds its pages. */
    epoch->redo_needed = service->redo_needed;
}
