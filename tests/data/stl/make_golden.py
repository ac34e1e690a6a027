#!/usr/bin/python3
"""Writes statsmodels.txt: made-up series, and what statsmodels makes of them.

    pip install statsmodels        # 0.15.0 made the file that is here
    make_golden.py >statsmodels.txt

Each case is a line `stl NAME n period seasonal trend low_pass inner outer seasonal_deg trend_deg
low_pass_deg seasonal_jump trend_jump low_pass_jump periodic`, then n lines `y trend seasonal weight`; or
`boxcox NAME n period likelihood guerrero`, the two estimates of lambda, then n lines `y`.
"""
import random
import warnings

import numpy as np
from scipy.stats import boxcox
from statsmodels.base.transform import BoxCox
from statsmodels.tsa.seasonal import STL

# A constant fit over so long a window gives all weight alike: the mean of each phase.
ENDLESS = 100_000_001

# name, n, period, noise, outliers, and options of STL.
CASES = [
    ("hours", 96, 24, 0.3, 0, {}),
    ("ragged", 101, 7, 0.5, 0, {}),
    ("two_seasons", 48, 24, 0.2, 0, {}),
    ("shortest_period", 40, 2, 0.4, 0, {}),
    ("robust", 90, 12, 0.3, 4, {"robust": True}),
    ("robust_ragged", 65, 11, 0.3, 3, {"robust": True, "seasonal": 9}),
    ("constants", 84, 12, 0.4, 0, {"seasonal_deg": 0, "trend_deg": 0, "low_pass_deg": 0}),
    ("constants_robust", 84, 12, 0.4, 2,
     {"seasonal_deg": 0, "trend_deg": 0, "low_pass_deg": 0, "robust": True}),
    ("jumps", 130, 6, 0.4, 0,
     {"seasonal": 11, "seasonal_jump": 3, "trend_jump": 4, "low_pass_jump": 5}),
    ("long_jumps", 64, 5, 0.4, 2,
     {"seasonal": 7, "seasonal_jump": 9, "trend_jump": 13, "low_pass_jump": 70, "robust": True}),
    ("long_spans", 60, 10, 0.3, 0, {"seasonal": 41, "trend": 101, "low_pass": 61}),
    ("periodic", 80, 12, 0.3, 0, {"seasonal": ENDLESS, "seasonal_deg": 0}),
    ("periodic_robust", 77, 12, 0.3, 3, {"seasonal": ENDLESS, "seasonal_deg": 0, "robust": True}),
    ("large_level", 72, 8, 0.3, 0, {"level": 1e6}),
]


def series(seed, n, period, noise, outliers, level=20.0):
    """A bent trend, a season that grows, noise, and a few values far off."""
    dice = random.Random(seed)
    shape = [dice.gauss(0, 1) for _ in range(period)]
    y = [level + 0.05 * i + 2 * np.sin(i / 40) + (1 + i / n) * shape[i % period]
         + dice.gauss(0, noise) for i in range(n)]
    for at in dice.sample(range(n), outliers):
        y[at] += dice.choice([-20, 15])
    return np.array(y)


def stl_case(seed, name, n, period, noise, outliers, options):
    options = dict(options)
    y = series(seed, n, period, noise, outliers, options.pop("level", 20.0))
    model = STL(y, period=period, **options)
    result = model.fit()
    config = model.config
    inner, outer = (2, 15) if config["robust"] else (5, 0)
    names = ["seasonal", "trend", "low_pass"]
    numbers = [n, period] + [config[k] for k in names] + [inner, outer]
    numbers += [config[k + "_deg"] for k in names] + [config[k + "_jump"] for k in names]
    numbers.append(int(config["seasonal"] == ENDLESS))
    print("stl", name, *numbers)
    for row in zip(y, result.trend, result.seasonal, result.weights):
        print(*(f"{x:.17g}" for x in row))


def boxcox_case(seed, name, power, n, period):
    """A series that is even once its power-th root is taken; power 0: its logarithm."""
    y = series(seed, n, period, 0.3, 0) + np.linspace(0, 30, n)
    y = np.exp(y / 10) if power == 0 else y ** power
    _, likelihood = boxcox(y)
    _, guerrero = BoxCox().transform_boxcox(y, method="guerrero", window_length=period,
                                            options={"maxiter": 500, "xatol": 1e-10})
    print("boxcox", name, n, period, f"{likelihood:.17g} {guerrero:.17g}")
    for value in y:
        print(f"{value:.17g}")


def main():
    warnings.simplefilter("error")
    for seed, case in enumerate(CASES):
        stl_case(seed, *case)
    boxcox_case(100, "logarithm", 0, 72, 12)
    boxcox_case(101, "square", 2, 60, 6)
    boxcox_case(103, "falling", -0.5, 80, 8)
    boxcox_case(102, "identity", 1, 56, 7)


if __name__ == "__main__":
    main()
