/* How far features have moved, by their names. */
#include <math.h>

#include "online/service_internal.h"

struct metric *service_drift_metric(const char *feature)
{
    return metric_gauge("freshet_feature_drift",
                        "PSI of a feature: a day's scored events against a week's examples.",
                        "feature", feature);
}

/* What follows from the clock moves with it, and says nothing. */
enum status service_drift_make(struct service *service)
{
    const struct vector_schema *schema = plan_vector_schema(service->plan);
    if (service->n_models == 0)
        return ST_OK;
    TRY(drift_create(schema->n_dense, &service->drift));
    for (size_t i = 0; i < drift_columns(service->drift); i++) {
        if (plan_is_of_clock(service->plan, i))
            continue;
        service->metrics.drift[i] = service_drift_metric(schema->dense[i]);
        metric_set(service->metrics.drift[i], NAN);
    }
    return ST_OK;
}

static void count_moved(struct service *service)
{
    size_t known = 0, moved = 0;
    for (size_t i = 0; i < drift_columns(service->drift); i++) {
        double psi = drift_of(service->drift, i);
        known += service->metrics.drift[i] && !isnan(psi);
        moved += service->metrics.drift[i] && psi > DRIFT_MUCH;
    }
    metric_set(service->metrics.moved, known > 0 ? (double)moved : NAN);
}

void service_drift_update(struct service *service)
{
    if (!service->drift || drift_columns(service->drift) == 0)
        return;
    size_t i = drift_measure(service->drift);
    metric_set(service->metrics.drift[i], drift_of(service->drift, i));
    count_moved(service);
}

/* The names of features are those of this service. */
void service_drift_done(struct service *service)
{
    for (size_t i = 0; i < DRIFT_COLUMNS_MAX; i++)
        metric_set(service->metrics.drift[i], NAN);
    metric_set(service->metrics.moved, NAN);
}
