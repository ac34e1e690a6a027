#!/usr/bin/python3
"""`freshet stl` as a user runs it.

    stl.py FRESHET SOURCE_FOLDER

Known without running: the decompositions by the authors' Fortran and by R that lie in
tests/data/stl; parts add up; a constant is all trend; each mistake is refused with its place and
its reason, and nothing is written then; a picture is XML with a panel a part; the example's outage
and rush stand out.
"""
import csv
import io
import math
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

PROGRAM = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(sys.argv[2])
DATA = os.path.join(SOURCE, "tests", "data", "stl")
EXAMPLE = os.path.join(SOURCE, "examples", "payments-by-hour.csv")

# What is wrong, options, input, words of the complaint, exit status.
SEASON = [5, 7, 9, 3]
GOOD = "y\n" + "".join(f"{10 + SEASON[i % 4]}\n" for i in range(40))
REFUSALS = [
    ("no file named", [], None, ["which file"], 2),
    ("a file that is not there", ["nowhere.csv"], None, ["nowhere.csv", "No such file"], 1),
    ("unknown option", ["--perod", "4", "-"], GOOD, ["perod"], 2),
    ("period 1", ["--period", "1", "-"], GOOD, ["--period", "2"], 2),
    ("period 0", ["--period", "0", "-"], GOOD, ["--period"], 2),
    ("period no number", ["--period", "24h", "-"], GOOD, ["--period", "24h"], 2),
    ("period twice", ["--period", "4,4", "-"], GOOD, ["period 4", "twice"], 2),
    ("period list with a hole", ["--period", "4,,8", "-"], GOOD, ["--period"], 2),
    ("fewer than two periods", ["--period", "24", "-"], GOOD,
     ["40 values", "24", "two periods"], 1),
    ("even span", ["--period", "4", "--seasonal", "8", "-"], GOOD, ["seasonal span", "odd"], 1),
    ("span too short", ["--period", "4", "--seasonal", "5", "-"], GOOD, ["--seasonal", "7"], 2),
    ("trend shorter than the period", ["--period", "8", "--trend", "7", "-"], GOOD,
     ["trend span", "longer"], 1),
    ("even low-pass", ["--period", "4", "--low-pass", "4", "-"], GOOD, ["low-pass", "odd"], 1),
    ("degree 2", ["--period", "4", "--trend-deg", "2", "-"], GOOD, ["--trend-deg"], 2),
    ("jump 0", ["--period", "4", "--trend-jump", "0", "-"], GOOD, ["--trend-jump"], 2),
    ("no passes", ["--period", "4", "--inner", "0", "-"], GOOD, ["--inner"], 2),
    ("more spans than periods", ["--period", "4", "--seasonal", "7,9", "-"], GOOD,
     ["1 periods", "2 spans"], 2),
    ("huge span number", ["--period", "4", "--trend", "99999999999999999999", "-"], GOOD,
     ["--trend"], 2),
    ("empty file", ["--period", "4", "-"], "", ["empty"], 1),
    ("a header alone", ["--period", "4", "-"], "y\n", ["0 values"], 1),
    ("no header", ["--period", "4", "-"], GOOD[2:], ["header"], 1),
    ("a word", ["--period", "4", "-"], GOOD + "abc\n", ["-:42", "abc", "no number"], 1),
    ("infinity", ["--period", "4", "-"], GOOD + "inf\n", ["-:42", "inf"], 1),
    ("minus infinity", ["--period", "4", "-"], GOOD + "-Infinity\n", ["-:42", "-Infinity"], 1),
    ("NaN", ["--period", "4", "-"], GOOD + "NaN\n", ["-:42", "missing", "--gaps"], 1),
    ("empty cell", ["--period", "4", "-"], GOOD + "\n3\n", ["-:42", "missing"], 1),
    ("beyond a double", ["--period", "4", "-"], GOOD + "1e400\n", ["-:42", "1e400"], 1),
    ("beyond what parts can hold", ["--period", "4", "-"], GOOD + "1e305\n", ["-:42", "1e300"], 1),
    ("infinity in spite of --gaps", ["--gaps", "--period", "4", "-"], GOOD + "inf\n", ["-:42"], 1),
    ("a phase never known", ["--gaps", "--period", "4", "-"],
     "y\n" + "1\n2\n3\nNA\n" * 10, ["phase"], 1),
    ("a cell too many", ["--period", "4", "-"], GOOD + "3,4\n", ["-:42", "2 cells"], 1),
    ("three columns", ["--period", "4", "-"], "a,b,c\n1,2,3\n", ["3 columns", "--column"], 1),
    ("no such column", ["--period", "4", "--column", "z", "-"], "a,b,c\n1,2,3\n", ["\"z\""], 1),
    ("no season to detect", ["-"], "y\n" + "7\n" * 30, ["no season", "--period"], 1),
    ("Box-Cox of what is not above 0", ["--period", "4", "--box-cox", "auto", "-"],
     GOOD + "0\n", ["-:42", "above 0"], 1),
    ("Box-Cox by no number", ["--period", "4", "--box-cox", "much", "-"], GOOD, ["--box-cox"], 2),
    ("a picture that cannot be written", ["--period", "4", "--plot", "/nowhere/x.svg", "-"],
     GOOD, ["/nowhere/x.svg"], 1),
    ("a table that cannot be written", ["--period", "4", "-o", "/nowhere/x.csv", "-"], GOOD,
     ["/nowhere/x.csv"], 1),
]

failures = 0


def check(holds, *what):
    global failures
    if not holds:
        failures += 1
        print("does not hold:", *what)


def stl(*arguments, given=None):
    return subprocess.run([PROGRAM, "stl", *map(str, arguments)], input=given, text=True,
                          capture_output=True, check=False, timeout=100)


def table(*arguments, given=None):
    """The columns by name."""
    done = stl(*arguments, given=given)
    assert done.returncode == 0, (arguments, done.stderr)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}


def numbers(column):
    return [float(cell) for cell in column]


def near(is_, want, relative):
    return len(is_) == len(want) and all(abs(a - b) <= relative * abs(b)
                                         for a, b in zip(is_, want))


def equals_r():
    parts = table("--period", "168,24", "--seasonal-deg", 0, "--inner", 2, "--outer", 0,
                  os.path.join(DATA, "mstl_elec_vic.csv"))
    check(list(parts) == ["y", "trend", "seasonal_24", "seasonal_168", "remainder"], list(parts))
    with open(os.path.join(DATA, "mstl_test_results.csv"), encoding="utf-8") as file:
        want = list(csv.DictReader(file))
    for ours, theirs in (("y", "Data"), ("trend", "Trend"), ("seasonal_24", "Seasonal24"),
                         ("seasonal_168", "Seasonal168"), ("remainder", "Remainder")):
        check(near(numbers(parts[ours]), [float(row[theirs]) for row in want], 1e-7), "R", ours)


def equals_fortran():
    with open(os.path.join(DATA, "stl_co2.csv"), encoding="utf-8") as file:
        given = "co2\n" + file.read()
    parts = table(*"--period 12 --seasonal 35 --trend 19 --low-pass 13 --seasonal-deg 1 "
                   "--trend-deg 1 --low-pass-deg 1 --seasonal-jump 4 --trend-jump 2 "
                   "--low-pass-jump 2 --inner 1 --outer 2 -".split(), given=given)
    check(list(parts) == ["y", "trend", "seasonal", "remainder"], list(parts))
    with open(os.path.join(DATA, "stl_test_results.csv"), encoding="utf-8") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    rows = [row for row in rows if row[0] == "baseline"]
    check(near(numbers(parts["seasonal"]), [float(row[2]) for row in rows], 1e-7), "Fortran season")
    check(near(numbers(parts["trend"]), [float(row[3]) for row in rows], 1e-7), "Fortran trend")


def adds_up():
    for options in ([], ["--robust"], ["--periodic"], ["--period", "24", "--period", "168"]):
        parts = table("--period", 24, *options, EXAMPLE) if "168" not in options \
            else table(*options, EXAMPLE)
        names = [name for name in parts if name != "y"]
        for row in zip(numbers(parts["y"]), *(numbers(parts[name]) for name in names)):
            check(abs(sum(row[1:]) - row[0]) < 1e-9, "adds up", options, row)


def example_stands_out():
    done = stl("--robust", "--forecast", 5, "--with-time", "--summary", EXAMPLE)
    check("period is 24" in done.stderr and "strength" in done.stderr, done.stderr)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    far = sorted(rows, key=lambda row: -abs(float(row["remainder"])))[:3]
    check({row["hour"] for row in far} == {"2018-04-21 12:00", "2018-04-21 13:00",
                                           "2018-04-27 23:00"}, "stands out", far)
    check(all(row["f1"] == "" for row in rows[:-1]), "forecasts are in the last line")
    ahead = [float(rows[-1][f"f{i}"]) for i in range(1, 6)]
    before = [float(row["trend"]) + float(row["seasonal"]) for row in rows[-24:-19]]
    check(all(abs(a - b) < 5 for a, b in zip(ahead, before)), "forecasts repeat the day", ahead)


def right_answers():
    for value in ("5", "-0.0", "1e300", "-1e300", "5e-324", "0.1"):
        parts = table("--period", 4, "--robust", "-", given="y\n" + f"{value}\n" * 12)
        check(numbers(parts["trend"]) == [float(value)] * 12, "constant", value, parts["trend"])
        check(parts["seasonal"] == ["0"] * 12 and parts["remainder"] == ["0"] * 12,
              "constant", value, parts)
    plain = table("--period", 4, "-", given=GOOD)
    for scale in (1e290, 1e-290):
        given = "y\n" + "".join(f"{(10 + SEASON[i % 4]) * scale!r}\n" for i in range(40))
        parts = table("--period", 4, "-", given=given)
        check(all(math.isclose(a, b * scale, rel_tol=1e-12)
                  for name in ("trend", "seasonal")
                  for a, b in zip(numbers(parts[name]), numbers(plain[name]))), "scale", scale)
    lines = GOOD.split("\n")
    lines[17] = lines[18] = lines[5] = "NA"
    parts = table("--period", 4, "--gaps", "-", given="\r\n".join(lines))
    check([i for i, cell in enumerate(parts["y"]) if cell == ""] == [4, 16, 17], "gaps stay")
    check([i for i, cell in enumerate(parts["remainder"]) if cell == ""] == [4, 16, 17], "gaps")
    for name in ("trend", "seasonal"):
        check(all(abs(a - b) < 1e-9 for a, b in zip(numbers(parts[name]), numbers(plain[name]))),
              "seen through gaps", name)
    given = "when,note,v\n" + "".join(f'"a,{i}",x,{10 + SEASON[i % 4]}\n' for i in range(40))
    parts = table("--period", 4, "--column", "v", "--with-time", "-", given=given)
    check(parts["when"][3] == "a,3" and parts["trend"] == plain["trend"], "a named column")


def box_cox():
    given = "y\n" + "".join(f"{math.exp(1 + i / 30) * (2 + SEASON[i % 4])!r}\n" for i in range(80))
    done = stl("--period", 4, "--box-cox", "auto", "--forecast", 4, "-", given=given)
    check("lambda is" in done.stderr, done.stderr)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    last = float(rows[-4]["y"])
    check(last < float(rows[-1]["f1"]) < 1.5 * last, "forecasts are of y itself", rows[-1])
    rows = table("--period", 4, "--box-cox", 0, "-", given=given)
    check(all(abs(math.log(float(y)) - sum(map(float, rest))) < 1e-12 for y, *rest in
              zip(rows["y"], rows["trend"], rows["seasonal"], rows["remainder"])), "logarithm")


def draws(folder):
    path = os.path.join(folder, "parts.svg")
    given = "time,a<b&c\n" + "".join(f"day {i},{10 + SEASON[i % 4]}\n" for i in range(40))
    for periods, panels in (("4", 4), ("4,12", 5)):
        table("--period", periods, "--plot", path, "--forecast", 8, "-", given=given)
        root = xml.parse(path).getroot()
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        frames = [node for node in root.iter("{http://www.w3.org/2000/svg}rect")
                  if node.get("class") == "frame"]
        check(len(frames) == panels, "panels", len(frames))
        check("a<b&c" in texts and "remainder" in texts and "day 0" in texts, texts)


def refuses():
    for name, arguments, given, words, status in REFUSALS:
        done = stl(*arguments, given=given if given is not None else "")
        missing = [word for word in words if word not in done.stderr]
        check(done.returncode == status and not missing, name, done.returncode, missing,
              done.stderr)
        check("picture" in name or done.stdout == "", name, "wrote", done.stdout[:50])


def main():
    with tempfile.TemporaryDirectory() as folder:
        equals_r()
        equals_fortran()
        adds_up()
        example_stands_out()
        right_answers()
        box_cox()
        draws(folder)
        refuses()
    print(f"{len(REFUSALS)} refusals, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
