#!/usr/bin/python3
"""Compares two tables of features, row by row and column by column.

    tests/oracle/compare_features.py expected.csv got.csv
    tests/oracle/compare_features.py --names 'TX_DURING_WEEKEND=weekend,...' reference.csv.zst got.csv

Rows are matched by the first column, the id; every row of `expected` must be in `got` and, unless
--subset is given, the other way round. Counts must be equal (columns whose name ends in `count`,
`distinct`, or says NB_TX; what fades is no count); all else to within 1e-8 x max(1, |expected|); NaN equals NaN. The first
differences are printed, and the status is then 1.
"""

import argparse
import csv
import math
import re
import subprocess
import sys

TOLERANCE = 1e-8
SHOWN = 20


def read_table(path, wanted=None):
    """Column names, and {id: row of texts}; with wanted, only those ids."""
    if path.endswith(".zst"):
        file = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE, text=True).stdout
    else:
        file = open(path, newline="")
    rows = csv.reader(file)
    header = next(rows, None) or sys.exit(f"{path} is empty")
    table = {}
    for row in rows:
        if wanted is not None and row[0] not in wanted:
            continue
        if len(row) != len(header):
            sys.exit(f"{path}:{rows.line_num}: {len(row)} columns, the header has {len(header)}")
        if row[0] in table:
            sys.exit(f"{path}:{rows.line_num}: a second row for id {row[0]}")
        table[row[0]] = row
    return header, table


def is_count(name):
    return ".decay." not in name and bool(re.search(r"(\.count|\.distinct|_NB_TX_\w+)$", name))


def number(text):
    return math.nan if text == "" else float(text)


def equal(name, expected, got):
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if is_count(name) or math.isinf(expected):
        return expected == got
    return abs(expected - got) <= TOLERANCE * max(1.0, abs(expected))


def pair_columns(expected, got, names):
    """[(name in expected, its index, index in got)] for all but the id."""
    lacking = [name for name in expected[1:] if names.get(name, name) not in got]
    if lacking:
        sys.exit(f"columns that are missing: {', '.join(lacking)}\nthere are: {', '.join(got)}")
    if not names and expected[1:] != got[1:]:
        sys.exit(f"other columns, or another order:\nexpected {expected[1:]}\ngot      {got[1:]}")
    return [(name, i, got.index(names.get(name, name)))
            for i, name in enumerate(expected) if i > 0]


def main():
    parser = argparse.ArgumentParser(description="Compares two tables of features.")
    parser.add_argument("expected")
    parser.add_argument("got")
    parser.add_argument("--names", default="", help="EXPECTED=GOT,... where columns differ in name")
    parser.add_argument("--subset", action="store_true", help="`got` may have more rows")
    args = parser.parse_args()

    names = dict(pair.split("=", 1) for pair in args.names.split(",") if pair)
    expected_header, expected = read_table(args.expected)
    got_header, got = read_table(args.got, expected.keys() if args.subset else None)
    columns = pair_columns(expected_header, got_header, names)

    differences = 0
    worst = (0.0, "")
    for id, row in expected.items():
        if id not in got:
            differences += 1
            if differences <= SHOWN:
                print(f"id {id}: there is no such row")
            continue
        for name, i, j in columns:
            want, have = number(row[i]), number(got[id][j])
            if not equal(name, want, have):
                differences += 1
                if differences <= SHOWN:
                    print(f"id {id}: {name} is {got[id][j]}, expected {row[i]}")
            elif want == want and not math.isinf(want):
                worst = max(worst, (abs(want - have) / max(1.0, abs(want)), name))
    extra = [id for id in got if id not in expected]
    if extra:
        differences += len(extra)
        print(f"{len(extra)} rows that are not expected, such as id {extra[0]}")
    print(f"{len(expected)} rows x {len(columns)} features: {differences} differences; "
          f"where equal, off by at most {worst[0]:.1e} {worst[1]}".rstrip())
    sys.exit(1 if differences or not expected else 0)


if __name__ == "__main__":
    main()
