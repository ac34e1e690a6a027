/* The trend of a streaming STL: an l1 trend filter that only goes forward. */
#include <math.h>

#include "features/stl_online_state.h"

/* Differences count as at least this many scales, or a still trend could never move again. */
#define DIFFERENCE_MIN 1e-3

struct penalties {
    double level, slope;
};

/* Adds weight (left - c)^2 + level (c - b - slope)^2 + slope (c - 2b + a)^2 to the quadratic in (a,
 * b) and takes out a: what remains is one in (b, c), kept about where it is least. */
static void pass_add(struct stl_pass *pass, double slope, double left, double weight,
                     const struct penalties *by)
{
    double b = pass->last, c = b + slope, bend = c - 2 * b + pass->before;
    double aa = pass->bb + by->slope, ab = pass->bl - 2 * by->slope, ac = by->slope;
    double bb = pass->ll + by->level + 4 * by->slope, bc = -by->level - 2 * by->slope;
    double cc = weight + by->level + by->slope;
    double down_a = -by->slope * bend, down_b = 2 * by->slope * bend;
    double down_c = weight * (left - c) - by->slope * bend;
    double per_aa = 1 / aa, ratio_b = ab * per_aa, ratio_c = ac * per_aa;
    bb -= ratio_b * ab;
    bc -= ratio_b * ac;
    cc -= ratio_c * ac;
    down_b -= ratio_b * down_a;
    down_c -= ratio_c * down_a;
    double per_det = 1 / (bb * cc - bc * bc);
    pass->before = b + (down_b * cc - down_c * bc) * per_det;
    pass->last = c + (down_c * bb - down_b * bc) * per_det;
    pass->bb = (float)bb;
    pass->bl = (float)bc;
    pass->ll = (float)cc;
}

static double at_least(double v, double least)
{
    return v > least ? v : least;
}

double stl_trend_add(const struct stl_online_params *params, struct stl_live *live, double left,
                     double weight)
{
    struct penalties by = {params->level_penalty, params->slope_penalty};
    double least = DIFFERENCE_MIN * live->scale;
    for (size_t i = 0; i < STL_PASSES; i++) {
        struct stl_pass *pass = &live->passes[i];
        double before = pass->before;
        pass_add(pass, live->slope, left, weight, &by);
        double step = fabs(pass->last - pass->before - live->slope);
        double bend = fabs(pass->last - 2 * pass->before + before);
        by.level = params->level_penalty * live->scale / at_least(step, least);
        by.slope = params->slope_penalty * live->scale / at_least(bend, least);
    }
    return live->passes[STL_PASSES - 1].last;
}

void stl_trend_restart(struct stl_live *live, double level, double points)
{
    for (size_t i = 0; i < STL_PASSES; i++)
        live->passes[i] = (struct stl_pass){.before = level, .last = level, .ll = (float)points};
}
