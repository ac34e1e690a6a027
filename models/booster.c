#include "models/booster.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include <xgboost/c_api.h>

#define FORMAT "{\"format\": \"ubj\"}"

/* XGBoost's last error without the stack trace behind it. */
static enum status complain(struct buf *why)
{
    const char *text = XGBGetLastError(), *end = strstr(text, "\n");
    buf_printf(why, "XGBoost: %.*s", (int)(end ? end - text : (ptrdiff_t)strlen(text)), text);
    return ST_EINVAL;
}

static int set_real(BoosterHandle booster, const char *name, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    return XGBoosterSetParam(booster, name, text);
}

static int set_options(BoosterHandle booster, const struct booster_options *options)
{
    const struct {
        const char *name;
        double value;
    } reals[] = {
        {"max_depth", options->max_depth},
        {"learning_rate", options->learning_rate},
        {"subsample", options->subsample},
        {"colsample_bytree", options->colsample},
        {"min_child_weight", options->min_child_weight},
        {"reg_lambda", options->reg_lambda},
        {"scale_pos_weight", options->scale_pos_weight},
        {"seed", (double)options->seed},
        {"nthread", 1},
        {"verbosity", 0},
    };
    int failed = XGBoosterSetParam(booster, "objective", "binary:logistic") |
                 XGBoosterSetParam(booster, "tree_method", "hist");
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        failed |= set_real(booster, reals[i].name, reals[i].value);
    return failed;
}

static enum status make_matrix(const struct booster_rows *rows, struct buf *why, DMatrixHandle *ret)
{
    DMatrixHandle matrix = NULL;
    if (XGDMatrixCreateFromMat_omp(rows->values, rows->n, rows->n_columns, NAN, &matrix, 1) != 0)
        return complain(why);
    if ((rows->labels && XGDMatrixSetFloatInfo(matrix, "label", rows->labels, rows->n) != 0) ||
        (rows->weights && XGDMatrixSetFloatInfo(matrix, "weight", rows->weights, rows->n) != 0)) {
        XGDMatrixFree(matrix);
        return complain(why);
    }
    *ret = matrix;
    return ST_OK;
}

static enum status save(BoosterHandle booster, struct buf *why, struct buf *ret)
{
    const char *bytes;
    bst_ulong n;
    if (XGBoosterSaveModelToBuffer(booster, FORMAT, &n, &bytes) != 0)
        return complain(why);
    buf_append(ret, bytes, n);
    return ST_OK;
}

static enum status boost(BoosterHandle booster, DMatrixHandle matrix, unsigned rounds,
                         const _Atomic bool *cancel, struct buf *why)
{
    int first;
    if (XGBoosterBoostedRounds(booster, &first) != 0)
        return complain(why);
    for (unsigned i = 0; i < rounds; i++) {
        if (*cancel)
            return ST_ESTOPPED;
        if (XGBoosterUpdateOneIter(booster, first + (int)i, matrix) != 0)
            return complain(why);
    }
    return ST_OK;
}

static enum status train(BoosterHandle booster, DMatrixHandle matrix,
                         const struct booster_options *options, const struct booster_rows *rows,
                         struct slice from, const _Atomic bool *cancel, struct buf *why)
{
    if (from.len > 0 && XGBoosterLoadModelFromBuffer(booster, from.data, from.len) != 0)
        return complain(why);
    if (set_options(booster, options) != 0 ||
        XGBoosterSetStrFeatureInfo(booster, "feature_name", (const char **)(uintptr_t)rows->names,
                                   rows->n_columns) != 0)
        return complain(why);
    return boost(booster, matrix, options->rounds, cancel, why);
}

enum status booster_train(const struct booster_options *options, const struct booster_rows *rows,
                          struct slice from, const _Atomic bool *cancel, struct buf *why,
                          struct buf *ret)
{
    DMatrixHandle matrix = NULL;
    BoosterHandle booster = NULL;
    TRY(make_matrix(rows, why, &matrix));
    enum status st = XGBoosterCreate(&matrix, 1, &booster) == 0 ? ST_OK : complain(why);
    if (st == ST_OK)
        st = train(booster, matrix, options, rows, from, cancel, why);
    if (st == ST_OK)
        st = save(booster, why, ret);
    if (booster)
        XGBoosterFree(booster);
    XGDMatrixFree(matrix);
    return st;
}

/* Its way of reading a file goes by the file's name: .ubj, .json, or its own older format. */
enum status booster_import(const char *path, struct buf *why, struct buf *ret)
{
    BoosterHandle booster = NULL;
    if (access(path, R_OK) != 0) {
        buf_text(why, "there is no such file, or it may not be read");
        return ST_EIO;
    }
    if (XGBoosterCreate(NULL, 0, &booster) != 0)
        return complain(why);
    enum status st = XGBoosterLoadModel(booster, path) == 0 ? ST_OK : complain(why);
    if (st == ST_OK)
        st = save(booster, why, ret);
    XGBoosterFree(booster);
    return st;
}

static enum status predict(BoosterHandle booster, DMatrixHandle matrix, size_t n, struct buf *why,
                           float *ret)
{
    bst_ulong n_out;
    const float *out;
    if (XGBoosterPredict(booster, matrix, 0, 0, 0, &n_out, &out) != 0)
        return complain(why);
    if (n_out != n)
        return ST_EINVAL;
    memcpy(ret, out, n * sizeof *ret);
    return ST_OK;
}

enum status booster_predict(struct slice model, const struct booster_rows *rows, struct buf *why,
                            float *ret)
{
    DMatrixHandle matrix = NULL;
    BoosterHandle booster = NULL;
    TRY(make_matrix(rows, why, &matrix));
    enum status st = XGBoosterCreate(NULL, 0, &booster) == 0 &&
                             XGBoosterLoadModelFromBuffer(booster, model.data, model.len) == 0
                         ? ST_OK
                         : complain(why);
    if (st == ST_OK && XGBoosterSetParam(booster, "nthread", "1") != 0)
        st = complain(why);
    if (st == ST_OK)
        st = predict(booster, matrix, rows->n, why, ret);
    if (booster)
        XGBoosterFree(booster);
    XGDMatrixFree(matrix);
    return st;
}
