/*
 * models/logistic.h -- exp and log for the learners, of our own arithmetic.
 *
 * libm picks its code by the processor at hand, and its last bits with it; these are plain IEEE
 * operations, so that a score is the same bits on every machine and in every vector width. They are
 * written without branches, in loops that become vector code.
 */
#ifndef MODELS_LOGISTIC_H
#define MODELS_LOGISTIC_H

#include <stdint.h>
#include <string.h>

/* exp(v), relative error below 1e-13; v in [-700, 700]. */
static inline double logistic_exp(double v)
{
    const double to_log2 = 1.4426950408889634, ln2_hi = 0.693147180369123816490,
                 ln2_lo = 1.90821492927058770002e-10, round = 6755399441055744.0; /* 1.5 * 2^52 */
    double k = v * to_log2 + round;
    uint64_t bits;
    memcpy(&bits, &k, sizeof bits);
    k -= round;
    double r = v - k * ln2_hi - k * ln2_lo; /* |r| <= ln 2 / 2 */
    double sum = 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    bits = (bits + 1023) << 52; /* 2^k: the low bits of k + round are k itself */
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

/* 1 / (1 + exp(-logit)). The logit is held between -80 and 16, so that the result, rounded to
 * float, is neither 0 nor 1. */
static inline double logistic(double logit)
{
    logit = logit < -80 ? -80 : logit;
    logit = logit > 16 ? 16 : logit;
    return 1.0 / (1.0 + logistic_exp(-logit));
}

enum { LOGISTIC_LANES = 8 };

/* log(1 + v) of eight numbers in [0, 1e30], relative error below 1e-6. */
static inline void logistic_log1p(const float *v, float *ret)
{
    const float ln2 = 0.693147180559945f;
    float y[LOGISTIC_LANES], m[LOGISTIC_LANES];
    uint32_t bits[LOGISTIC_LANES];
    int32_t e[LOGISTIC_LANES];
    for (int i = 0; i < LOGISTIC_LANES; i++)
        y[i] = 1.0f + v[i];
    /* y = m * 2^e with m in [sqrt(1/2), sqrt(2)); 0x3f3504f3 is sqrt(1/2). */
    memcpy(bits, y, sizeof bits);
    for (int i = 0; i < LOGISTIC_LANES; i++) {
        e[i] = (int32_t)(bits[i] - 0x3f3504f3) >> 23;
        bits[i] -= (uint32_t)e[i] << 23;
    }
    memcpy(m, bits, sizeof m);
    /* log(m) = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172; what rounding 1 + v lost is added
     * by the logarithm's derivative. */
    for (int i = 0; i < LOGISTIC_LANES; i++) {
        float lost = (v[i] - (y[i] - 1.0f)) / y[i], s = (m[i] - 1.0f) / (m[i] + 1.0f), s2 = s * s;
        float artanh = s * (1.0f + s2 * (1.0f / 3 + s2 * (1.0f / 5 + s2 * (1.0f / 7))));
        ret[i] = (float)e[i] * ln2 + (2.0f * artanh + lost);
    }
}

#endif
