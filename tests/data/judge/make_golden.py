#!/usr/bin/env python3
"""Writes golden.txt: what scikit-learn, SciPy and DeLong's formulas say of made-up scores.

    pip install numpy scipy scikit-learn
    tests/data/judge/make_golden.py >tests/data/judge/golden.txt

A case is a line of names and figures, then a row a line: label, weight, two models' scores.
DeLong's test is written here from the paper's definition, over all pairs, with NumPy; areas, average
precision and log loss are scikit-learn's, the normal distribution SciPy's.
"""
import numpy as np
from scipy.stats import norm
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score


def kernel(positives, negatives):
    return (positives[:, None] > negatives[None, :]) + 0.5 * (positives[:, None] == negatives[None, :])


def delong(label, first, second):
    pairs = [kernel(s[label == 1], s[label == 0]) for s in (first, second)]
    ones = np.cov([k.mean(axis=1) for k in pairs])
    zeros = np.cov([k.mean(axis=0) for k in pairs])
    covariance = ones / (label == 1).sum() + zeros / (label == 0).sum()
    difference = pairs[1].mean() - pairs[0].mean()
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    reach = norm.ppf(0.975) * error
    return [covariance[0, 0], covariance[1, 1], covariance[0, 1], difference, error,
            difference - reach, difference + reach, 2 * norm.sf(abs(difference) / error)]


def calibration_error(label, score):
    """Of tenths by score; not told where scores tie, because then it depends on who splits the tie."""
    if len(np.unique(score)) < len(score):
        return np.nan
    order = np.argsort(score, kind="stable")
    return np.mean([abs(score[part].mean() - label[part].mean()) for part in np.split(order, 10)])


def psi(a, b):
    known = np.sort(a[~np.isnan(a)])
    edges = np.quantile(known, np.arange(1, 10) / 10, method="inverted_cdf")
    edges = np.unique(edges[edges < known[-1]])

    def counts(x):
        kept = np.bincount(np.searchsorted(edges, x[~np.isnan(x)], side="left"), minlength=len(edges) + 1)
        return np.append(np.isnan(x).sum(), kept).astype(float)

    in_a, in_b = counts(a), counts(b)
    if in_a[0] == 0 and in_b[0] == 0:
        in_a, in_b = in_a[1:], in_b[1:]
    share_a = (in_a + 0.5) / (in_a.sum() + 0.5 * len(in_a))
    share_b = (in_b + 0.5) / (in_b.sum() + 0.5 * len(in_b))
    return np.sum((share_b - share_a) * np.log(share_b / share_a))


def put(name, label, weight, first, second):
    figures = delong(label, first, second)
    for score in (first, second):
        figures += [roc_auc_score(label, score), average_precision_score(label, score),
                    log_loss(label, score), roc_auc_score(label, score, sample_weight=weight),
                    average_precision_score(label, score, sample_weight=weight),
                    log_loss(label, score, sample_weight=weight)]
    figures += [calibration_error(label, first), psi(first, second)]
    print(name, len(label), *(repr(float(f)) for f in figures))
    for row in zip(label, weight, first, second):
        print("%d %.9g %.9g %.9g" % row)


def make(rng, n, rate, apart, ties):
    """The second model sees the same logit with other noise; ties: scores rounded to so many levels."""
    logit = np.log(rate / (1 - rate)) + 1.5 * rng.standard_normal(n)
    label = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    label[:3], label[3:6] = 1, 0
    scores = []
    for noise in (0.5, 0.5 + apart):
        score = 1 / (1 + np.exp(-(logit + noise * rng.standard_normal(n))))
        score = np.ceil(score * ties) / (ties + 1) if ties else score
        scores.append(score.astype(np.float32).astype(float))
    return label, rng.integers(1, 5, n).astype(float), *scores


def main():
    rng = np.random.default_rng(20240607)
    put("alike", *make(rng, 300, 0.2, 0.0, 0))
    put("worse", *make(rng, 300, 0.2, 3.0, 0))
    put("rare", *make(rng, 500, 0.02, 1.0, 0))
    put("common", *make(rng, 200, 0.9, 1.0, 0))
    label, weight, first, second = make(rng, 300, 0.3, 1.0, 0)
    put("upside_down", label, weight, first, (1 - second).astype(np.float32).astype(float))
    put("tied", *make(rng, 300, 0.2, 1.0, 12))
    put("few", *make(rng, 20, 0.4, 1.0, 0))


if __name__ == "__main__":
    main()
