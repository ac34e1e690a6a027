#!/usr/bin/env python3
"""Writes golden.txt: what optbinning makes of made-up numbers, cut into given pre-bins.

    pip install optbinning==1.0.0 pandas==3.1.1 numpy==2.4.6
    tests/data/binning/make_golden.py >tests/data/binning/golden.txt

A case is a line: name, trend, most bins, least share, least events, least non-events, pre-bins, bins, IV
of all; then a line of missing numbers' non-events, events, WoE and IV; then a line a pre-bin: non-events,
events, and 1 where a bin ends; then a line a bin: WoE and IV. The pre-bins are given to optbinning as
`user_splits`. Its integer solver (`mip`) computes with IVs as they are; the other (`cp`), which rounds them to
a millionth, must come as near. In a case named pure_* some pre-bins have no events, which optbinning
merges beforehand: there a better answer than its own is possible.
"""
import numpy as np
from optbinning import OptimalBinning

LAWS = {
    "rising": lambda x: 0.02 + 0.3 * x,
    "falling": lambda x: 0.4 - 0.35 * x,
    "peak": lambda x: 0.05 + 0.4 * np.exp(-((x - 0.6) / 0.2) ** 2),
    "valley": lambda x: 0.05 + 0.9 * (x - 0.4) ** 2,
    "wave": lambda x: 0.2 + 0.15 * np.sin(9 * x),
    "rare": lambda x: 0.004 + 0.05 * x ** 4,
    "flat": lambda x: 0.3 + 0 * x,
}


def make(rng, law, n, missing):
    x = rng.random(n)
    y = (rng.random(n) < LAWS[law](x)).astype(int)
    x[rng.random(n) < missing] = np.nan
    return x, y


def count(x, y, splits):
    at = np.digitize(x, splits)
    return [(int(((at == i) & (y == 0)).sum()), int(((at == i) & (y == 1)).sum()))
            for i in range(len(splits) + 1)]


def solve(x, y, splits, solver, trend, bins, share, events, nonevents):
    fitted = OptimalBinning(user_splits=splits, monotonic_trend=None if trend == "none" else trend,
                            max_n_bins=bins, min_bin_size=share or None, min_bin_n_event=events,
                            min_bin_n_nonevent=nonevents, solver=solver, time_limit=60,
                            min_prebin_size=1e-6, max_n_prebins=200)
    fitted.fit(x, y)
    assert fitted.status == "OPTIMAL", fitted.status
    table = fitted.binning_table.build(show_digits=8)
    return fitted.splits, table


def put(name, x, y, splits, trend, bins, share, events, nonevents):
    options = (trend, bins, share, events, nonevents)
    kept, table = solve(x, y, splits, "mip", *options)
    _, by_cp = solve(x, y, splits, "cp", *options)
    iv, near = table.loc["Totals", "IV"], by_cp.loc["Totals", "IV"]
    assert abs(iv - near) < 1e-5, (name, iv, near)
    known = ~np.isnan(x)
    counts = count(x[known], y[known], splits)
    rows = table.iloc[:len(kept) + 1]
    missing = table.iloc[-2]
    print(name, *options, len(counts), len(rows), repr(float(iv)))
    print(int(missing["Non-event"]), int(missing["Event"]), float(missing["WoE"]), float(missing["IV"]))
    for i, (nonevent, event) in enumerate(counts):
        ends = i == len(splits) or any(splits[i] == kept)
        print(nonevent, event, int(ends))
    for _, row in rows.iterrows():
        print(repr(float(row["WoE"])), repr(float(row["IV"])))


def main():
    rng = np.random.default_rng(20240611)
    cases = [
        ("rising", "ascending", 6, 0.05, 1, 1, 0.0), ("rising", "descending", 6, 0.05, 1, 1, 0.0),
        ("rising", "none", 20, 0.0, 1, 1, 0.1), ("falling", "descending", 4, 0.1, 20, 1, 0.2),
        ("falling", "descending", 20, 0.02, 1, 1, 0.0), ("peak", "peak", 8, 0.05, 1, 1, 0.0),
        ("peak", "none", 5, 0.05, 1, 1, 0.05), ("peak", "ascending", 5, 0.05, 1, 1, 0.0),
        ("valley", "valley", 8, 0.04, 5, 5, 0.0), ("valley", "descending", 8, 0.04, 5, 5, 0.0),
        ("wave", "none", 6, 0.0, 1, 1, 0.0), ("wave", "peak", 20, 0.0, 1, 1, 0.0),
        ("rare", "ascending", 6, 0.05, 4, 1, 0.3), ("flat", "ascending", 10, 0.05, 1, 1, 0.0),
        ("flat", "none", 3, 0.2, 1, 1, 0.5),
    ]
    for law, trend, bins, share, events, nonevents, missing in cases:
        x, y = make(rng, law, 3000, missing)
        splits = np.quantile(x[~np.isnan(x)], np.arange(1, 20) / 20)
        least = min(min(pair) for pair in count(x[~np.isnan(x)], y[~np.isnan(x)], splits))
        name = law if least > 0 else f"pure_{law}"
        put(f"{name}_{trend}", x, y, splits, trend, bins, share, events, nonevents)


if __name__ == "__main__":
    main()
