#!/usr/bin/python3
"""`freshet bin` as a user runs it.

    bin.py FRESHET SOURCE_FOLDER

Known without running: counts, shares, rates, WoE and IV of each bin follow from the file and the bin's
bounds, and are computed here anew; rates keep their trend and bins their limits; tables come sorted by
IV; each mistake is refused with its place and its reason, and nothing is written then; the commands that
docs/binning.md begins with give what it says.
"""
import csv
import io
import math
import os
import random
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(sys.argv[2])

GOOD = "x,y\n" + "".join(f"{i},{int(i % 7 == 0 or i > 80)}\n" for i in range(100))
# What is wrong, options, input, words of the complaint, exit status.
REFUSALS = [
    ("no file named", ["--target", "y"], None, ["which file"], 2),
    ("no target named", ["-"], GOOD, ["--target"], 2),
    ("a file that is not there", ["--target", "y", "nowhere.csv"], None, ["nowhere.csv"], 1),
    ("unknown option", ["--taget", "y", "-"], GOOD, ["taget"], 2),
    ("a target that is not there", ["--target", "z", "-"], GOOD, ["no column \"z\""], 1),
    ("a column that is not there", ["--target", "y", "--column", "x,z", "-"], GOOD, ["\"z\""], 1),
    ("a target of other numbers", ["--target", "x", "-"], GOOD, ["row 3", "neither 0 nor 1"], 1),
    ("a target that is missing", ["--target", "y", "-"], GOOD + "3,\n", ["row 101", "neither"], 1),
    ("a target of words", ["--target", "y", "-"], GOOD + "3,yes\n", ["-:102", "\"y\""], 1),
    ("an infinite number", ["--target", "y", "--column", "x", "-"], GOOD + "inf,1\n",
     ["-:102", "\"x\""], 1),
    ("no rows", ["--target", "y", "-"], "x,y\n", ["0 rows"], 1),
    ("no events", ["--target", "y", "-"], "x,y\n1,0\n2,0\n", ["2 rows", "0 are events"], 1),
    ("events alone", ["--target", "y", "-"], "x,y\n1,1\n2,1\n", ["2 rows", "2 are events"], 1),
    ("an empty file", ["--target", "y", "-"], "", ["empty"], 1),
    ("no header", ["--target", "y", "-"], GOOD[4:], ["header"], 1),
    ("the same name twice", ["--target", "y", "-"], "y,y\n1,0\n", ["same name"], 1),
    ("a column without a name", ["--target", "y", "-"], "x,,y\n1,2,0\n", ["without a name"], 1),
    ("a row too short", ["--target", "y", "-"], GOOD + "3\n", ["-:102", "fewer"], 1),
    ("a row too long", ["--target", "y", "-"], GOOD + "3,1,4\n", ["-:102", "more"], 1),
    ("no bins", ["--target", "y", "--bins", "0", "-"], GOOD, ["--bins"], 2),
    ("too many bins", ["--target", "y", "--bins", "65", "-"], GOOD, ["--bins", "64"], 2),
    ("a share above 1", ["--target", "y", "--share", "1.5", "-"], GOOD, ["--share"], 2),
    ("a trend misspelt", ["--target", "y", "--trend", "ascendng", "-"], GOOD, ["ascending"], 2),
    ("edges that fall", ["--target", "y", "--edges", "3,2", "-"], GOOD, ["--edges"], 2),
]


def freshet(*arguments, text=None, cwd=None):
    return subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, text=True,
                          check=False, cwd=cwd)


def tables(*arguments, text):
    done = freshet("bin", "--csv", *arguments, "-", text=text)
    assert done.returncode == 0, (arguments, done.stderr)
    by_column = {}
    for row in csv.DictReader(io.StringIO(done.stdout)):
        by_column.setdefault(row["column"], []).append(row)
    return by_column


def near(a, b):
    return abs(float(a) - b) < 1e-9 * max(1, abs(b))


def check_line(line, events, rows, all_events, all_rows):
    n, e = len(rows), sum(events[i] for i in rows)
    assert near(line["count"], n) and near(line["events"], e), line
    assert near(line["share"], n / all_rows), line
    if n == 0:
        assert line["rate"] == "" and float(line["woe"]) == float(line["iv"]) == 0, line
        return 0
    assert near(line["rate"], e / n), line
    if e == 0 or e == n:
        n, e = n + 1, e + all_events / all_rows
    here, others = e / all_events, (n - e) / (all_rows - all_events)
    iv = (others - here) * math.log(others / here)
    assert near(line["woe"], math.log(others / here)) and near(line["iv"], iv), (line, iv)
    return iv


def check_table(lines, values, events):
    """Bins hold the rows that their bounds say, and the figures follow from these."""
    known = [i for i, v in enumerate(values) if v is not None]
    total, covered = 0, 0
    for line in lines[:-2]:
        above, up_to = (float(line[k] or s) for k, s in (("above", "-inf"), ("up_to", "inf")))
        rows = [i for i in known if above < values[i] <= up_to]
        total += check_line(line, events, rows, sum(events), len(events))
        covered += len(rows)
    assert covered == len(known)
    missing = [i for i, v in enumerate(values) if v is None]
    total += check_line(lines[-2], events, missing, sum(events), len(events))
    assert lines[-2]["bin"] == "missing" and lines[-1]["bin"] == "all"
    assert near(lines[-1]["iv"], total) and near(lines[-1]["count"], len(events))


def make(seed, n=4000):
    rng = random.Random(seed)
    x = [None if rng.random() < 0.1 else rng.choice((0, rng.expovariate(0.01))) for _ in range(n)]
    y = [int(rng.random() < (0.3 if v is None else 0.02 + min(v, 300) / 600)) for v in x]
    z = [rng.choice((-1, 2.5, 7)) for _ in range(n)]
    cells = ["NaN", "", "NA", "null"]
    text = "z,x,word,y\n" + "".join(
        f'{c},{cells[i % 4] if a is None else repr(a)},"a, b",{b}\n'
        for i, (a, b, c) in enumerate(zip(x, y, z)))
    return x, y, z, text


def check_figures():
    x, y, z, text = make(1)
    for options in ([], ["--trend", "none", "--share", "0", "--bins", "20"],
                    ["--trend", "peak", "--events", "30"], ["--edges", "0,10,20,500"]):
        found = tables("--target", "y", *options, text=text)
        assert list(found) == ["x", "z"], list(found)  # sorted by IV, the text left out
        check_table(found["x"], x, y)
        check_table(found["z"], z, y)


def check_limits():
    x, y, _, text = make(2)
    lines = tables("--target", "y", "--column", "x", "--bins", "4", "--share", "0.08",
                   "--events", "40", text=text)["x"][:-2]
    rates = [float(line["rate"]) for line in lines]
    assert 2 <= len(lines) <= 4 and rates == sorted(rates), rates
    assert all(float(line["share"]) >= 0.08 and float(line["events"]) >= 40 for line in lines)
    (only,) = tables("--target", "y", "--column", "x", "--trend", "descending", "--edges", "0",
                     text=text)["x"][:-2]
    assert only["above"] == only["up_to"] == ""
    same = tables("--target", "y", text="x,y\n" + "5,0\n5,1\n5,0\n")["x"]
    assert len(same) == 3 and float(same[-1]["iv"]) == 0  # a constant


def check_refusals():
    for what, options, text, words, status in REFUSALS:
        done = freshet("bin", *options, text=text)
        assert done.returncode == status, (what, done.returncode, done.stderr)
        assert done.stdout == "", what
        assert all(word in done.stderr for word in words), (what, done.stderr)


def check_docs():
    with open(os.path.join(SOURCE, "docs", "binning.md"), encoding="utf-8") as file:
        indented = [line[4:] for line in file if line.startswith("    ")]
    commands = [line.split() for line in indented if line.startswith("freshet ")]
    told = "".join(line for line in indented if not line.startswith("freshet "))
    assert len(commands) >= 3, commands
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.join(SOURCE, "examples"), os.path.join(folder, "examples"))
        for command in commands:
            done = freshet(*command[1:], cwd=folder)
            assert done.returncode == 0, (command, done.stderr)
            if command[1] == "bin":
                assert done.stdout == told, done.stdout


check_figures()
check_limits()
check_refusals()
check_docs()
