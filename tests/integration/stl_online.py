#!/usr/bin/python3
"""`freshet stl --online` as a user runs it.

    stl_online.py FRESHET [DATA_FOLDER]

Known without running: each line is answered before the next is written; parts are those of an
independent oracle (stl_oracle.py) and add up to y; they are empty while it collects. What it cannot do
is refused. With DATA_FOLDER: the errors on the synthetic series of He et al. 2023 are no more than
what the paper reports.
"""
import json
import math
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import stl_oracle

PROGRAM = os.path.abspath(sys.argv[1])
PERIOD, INIT = 12, 50
TREND_ERROR, SEASONAL_ERROR = .0448, .0408  # the paper's table of Syn1

REFUSALS = [
    ([], "--period"), (["--period", "4,8"], "one --period"),
    (["--period", "4", "--init", "7"], "2 to 100 periods"),
    (["--period", "4", "--plot", "x.svg"], "--plot"), (["--period", "1"], "--period"),
    (["--period", "4", "--box-cox", "0"], "--box-cox"), (["--period", "100001"], "100,000"),
]


def run(options, text):
    return subprocess.run([PROGRAM, "stl", "--online", *options, "-"], input=text,
                          capture_output=True, text=True, check=False)


def number(cell):
    return float(cell) if cell else math.nan


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-9 * max(1, abs(b))


def series():
    """A season, a climb, noise, gaps, outliers, a jump of the level and a shift of the season."""
    rng = random.Random(7)
    for i in range(400):
        shifted = i + 3 * (i > 300)
        y = 5 + .02 * i + 2 * math.sin(shifted / PERIOD * 2 * math.pi) + rng.gauss(0, .2)
        y += 8 * (i > 200) + 9 * (i % 61 == 60)
        yield None if i % 47 == 46 else y


def expected(values, init=INIT):
    """Rows of y, parts, forecast, score and the two forecasts after."""
    state = stl_oracle.NEW
    for y in values:
        before = state
        state = stl_oracle.added(state, y, PERIOD, init)
        parts = [math.nan] * 5
        if before.live:
            place = (state.phase + state.shift - 1) % PERIOD
            parts = [state.trend * state.unit, state.season[place] * state.unit,
                     state.remainder * state.unit,
                     stl_oracle.forecast_units(before, PERIOD) * state.unit, state.score]
        ahead = [stl_oracle.forecast_units(state, PERIOD, h) * state.unit if state.live
                 else math.nan for h in (1, 2)]
        yield [math.nan if y is None else y] + parts + ahead


def check_against_oracle():
    values = list(series())
    with subprocess.Popen([PROGRAM, "stl", "--online", "--period", str(PERIOD), "--init", str(INIT),
                           "--gaps", "--forecast", "2", "--with-time", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, bufsize=1) as program:
        program.stdin.write("when,y\n")
        header = program.stdout.readline()
        assert header == "when,y,trend,seasonal,remainder,forecast,score,f1,f2\n", header
        for i, (y, row) in enumerate(zip(values, expected(values))):
            program.stdin.write(f"t{i},{'' if y is None else repr(y)}\n")
            cells = program.stdout.readline().rstrip("\n").split(",")  # before the next is written
            assert cells[0] == f"t{i}"
            got = [number(cell) for cell in cells[1:]]
            assert all(map(same, got, row)), f"point {i}: {got}, expected {row}"
            assert math.isnan(got[1]) == (i < INIT), f"point {i}: {got}"
            if not math.isnan(got[3]):
                assert abs(got[1] + got[2] + got[3] - got[0]) < 1e-9
        program.stdin.close()
    assert program.returncode == 0


def check_refusals():
    for options, words in REFUSALS:
        done = run(options, "y\n1\n2\n")
        assert done.returncode == 2 and words in done.stderr, (options, done)
    done = run(["--period", "2"], "y\n1\n2\nx\n")
    assert done.returncode == 1 and "-:4" in done.stderr and done.stdout.count("\n") == 3, done
    assert run(["--period", "2"], "").returncode == 1
    done = run(["--period", "2"], "y\n1\n\n\n")
    assert done.returncode == 0 and done.stdout.count("\n") == 2, done


def check_paper(folder):
    with open(os.path.join(folder, "stl", "syn1.json"), encoding="utf-8") as file:
        known = json.load(file)
    init = known["trainTestSplit"]
    text = "y\n" + "".join(f"{y!r}\n" for y in known["ts"])
    done = run(["--period", str(known["period"]), "--init", str(init)], text)
    rows = [line.split(",") for line in done.stdout.split("\n")[1 + init:-1]]
    assert len(rows) == len(known["ts"]) - init, (len(rows), done.stderr)
    trend, seasonal = (sum(abs(float(row[at]) - truth) for row, truth in zip(rows, known[name][init:]))
                       / len(rows) for at, name in ((1, "trend"), (2, "seasonal")))
    print(f"syn1: mean absolute error of trend {trend:.4f}, of seasonal {seasonal:.4f}")
    assert trend <= TREND_ERROR and seasonal <= SEASONAL_ERROR


check_against_oracle()
check_refusals()
if len(sys.argv) > 2:
    check_paper(sys.argv[2])
