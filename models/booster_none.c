/* Instead of booster.c where XGBoost is left out of the build. */
#include "models/booster.h"

static enum status left_out(struct buf *why)
{
    buf_text(why, "this build is without XGBoost");
    return ST_EINVAL;
}

enum status booster_train(const struct booster_options *options, const struct booster_rows *rows,
                          struct slice from, const _Atomic bool *cancel, struct buf *why,
                          struct buf *ret)
{
    (void)options, (void)rows, (void)from, (void)cancel, (void)ret;
    return left_out(why);
}

enum status booster_import(const char *path, struct buf *why, struct buf *ret)
{
    (void)path, (void)ret;
    return left_out(why);
}

enum status booster_predict(struct slice model, const struct booster_rows *rows, struct buf *why,
                            float *ret)
{
    (void)model, (void)rows, (void)ret;
    return left_out(why);
}
