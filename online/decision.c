#include "online/decision.h"

#include <math.h>

#include "base/number.h"
#include "base/timefmt.h"

const char *const decision_names[DECISION_FIGURES] = {
    "version",
    "time",
    "verdict",
    "reason",
    "champion",
    "examples",
    "part",
    "positives",
    "negatives",
    "champion_auc",
    "candidate_auc",
    "difference",
    "lower",
    "upper",
    "p",
    "champion_average_precision",
    "candidate_average_precision",
    "champion_log_loss",
    "candidate_log_loss",
    "champion_calibration_error",
    "candidate_calibration_error",
    "all_positives",
    "all_negatives",
    "all_difference",
    "all_lower",
    "all_upper",
    "all_p",
    "psi",
    "champion_alerts",
    "candidate_alerts",
    "not_numbers",
    "missing",
    "worse_max",
    "psi_max",
    "alerts_ratio_max",
    "missing_max",
    "positives_min",
};

enum { AT_TIME = 1, AT_VERDICT = 2, AT_REASON = 3 };

const char *verdict_text(enum verdict verdict)
{
    static const char *const texts[VERDICTS] = {"promoted", "held", "refused", "confirmed",
                                                "rolled back"};
    return texts[verdict];
}

const char *decision_reason_text(enum decision_reason reason)
{
    static const char *const texts[DECISION_REASONS] = {
        [REASON_NOT_WORSE] = "not worse",
        [REASON_BETTER] = "better",
        [REASON_FEW] = "too few positives to judge",
        [REASON_FORGOT] = "worse on earlier examples",
        [REASON_WORSE] = "worse on the newest examples",
        [REASON_UNSURE] = "may be worse on the newest examples",
        [REASON_NOT_A_NUMBER] = "scores that are no numbers",
        [REASON_MISSING] = "learnt from examples that lack a feature",
        [REASON_DRIFT] = "scores lie elsewhere",
        [REASON_ALERTS] = "alerts far more or less often",
        [REASON_BY_HAND] = "by hand",
        [REASON_NOT_BETTER] = "not better beyond chance",
        [REASON_FEW_ROWS] = "too few rows to judge",
        [REASON_AWAY] = "its trial was not seen to its end",
    };
    return texts[reason];
}

struct decision decision_unknown(double version, double time)
{
    struct decision decision;
    double *figures = (double *)&decision;
    for (size_t i = 0; i < DECISION_FIGURES; i++)
        figures[i] = NAN;
    decision.version = version;
    decision.time = time;
    return decision;
}

static bool is_index(double v, int n)
{
    return v >= 0 && v < n && v == floor(v);
}

bool decision_is_sound(const struct decision *decision)
{
    return is_index(decision->verdict, VERDICTS) && is_index(decision->reason, DECISION_REASONS) &&
           decision->version >= 0 && decision->version <= UINT32_MAX && isfinite(decision->time);
}

static void put_figure(const struct decision *decision, size_t i, struct buf *ret)
{
    double figure = ((const double *)decision)[i];
    if (i == AT_TIME) {
        buf_byte(ret, '"');
        ret->len += time_format((int64_t)figure, buf_reserve(ret, 40));
        buf_byte(ret, '"');
    } else if (i == AT_VERDICT) {
        buf_printf(ret, "\"%s\"", verdict_text((enum verdict)figure));
    } else if (i == AT_REASON) {
        buf_printf(ret, "\"%s\"", decision_reason_text((enum decision_reason)figure));
    } else if (isfinite(figure)) {
        buf_double(ret, figure);
    } else {
        buf_text(ret, "null");
    }
}

void decision_render_json(const struct decision *decision, struct buf *ret)
{
    for (size_t i = 0; i < DECISION_FIGURES; i++) {
        buf_printf(ret, "%s\"%s\":", i > 0 ? "," : "{", decision_names[i]);
        put_figure(decision, i, ret);
    }
    buf_byte(ret, '}');
}
