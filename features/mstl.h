/*
 * features/mstl.h -- decomposition of a series with several seasons (MSTL).
 *
 *     y[i] = trend[i] + seasonal[0][i] + ... + seasonal[k - 1][i] + remainder[i]
 *
 * Each season is taken by STL from what the others leave, the shortest first, and that is gone
 * through a few times; the trend is the last STL's. Bandara, Hyndman & Bergmeir, "MSTL",
 * arXiv:2107.13462 (2021). With one season it is STL itself.
 *
 *     struct mstl_params params;
 *     TRY(mstl_params_default((size_t[]){24, 168}, 2, &params)); // hours: days and weeks
 *     TRY(mstl_create(&params, n, &mstl));
 *     TRY(mstl_decompose(mstl, y, n, &parts));
 */
#ifndef FEATURES_MSTL_H
#define FEATURES_MSTL_H

#include "features/stl.h"

enum { MSTL_SEASONS_MAX = 8 };

struct mstl_params {
    size_t n_seasons;                            /* 1 .. MSTL_SEASONS_MAX */
    struct stl_params seasons[MSTL_SEASONS_MAX]; /* periods rise */
    unsigned iterations;                         /* how often all are gone through, >= 1 */
};

/* The caller owns all arrays, each at least n long; none may overlap y or another. */
struct mstl_parts {
    double *trend;
    double *seasonal[MSTL_SEASONS_MAX];
    double *remainder;
    double *weights; /* of the last STL; or NULL */
};

/* The paper's: seasonal spans 11, 15, 19, ... (one season alone: STL's 7), two iterations, the rest
 * as stl_params_default(). Returns ST_EINVAL unless periods rise and there are 1 to
 * MSTL_SEASONS_MAX. */
STATUS_CHECKED enum status mstl_params_default(const size_t *periods, size_t n,
                                               struct mstl_params *ret);

/* What is wrong with params for series of n samples, in words, and in *ret_season with which; NULL
 * if nothing is. */
const char *mstl_params_wrong(const struct mstl_params *params, size_t n, size_t *ret_season);

struct mstl;

/* As stl_create(); the memory of n_seasons of them. */
STATUS_CHECKED enum status mstl_create(const struct mstl_params *params, size_t n_max,
                                       struct mstl **ret);
void mstl_free(struct mstl *mstl);

/* As stl_decompose(). */
STATUS_CHECKED enum status mstl_decompose(struct mstl *mstl, const double *y, size_t n,
                                          const struct mstl_parts *ret);

/* The next h values after n: the trend goes on with the slope that it had over the last of the
 * longest seasons, which halves with every such season, and each season repeats its last shape. ret
 * may not overlap. */
void mstl_forecast(const struct mstl_params *params, const struct mstl_parts *parts, size_t n,
                   size_t h, double *ret);

#endif
