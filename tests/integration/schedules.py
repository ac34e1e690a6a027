#!/usr/bin/python3
"""Several models of different kinds and schedules, on a made-up stream in which frauds follow a law.

    schedules.py FRESHET SOURCE_FOLDER

Known without running: trees made anew every 3 days find more than chance, and more than a constant; a model
that learns on is better than one that stopped after its first version; two replays give the same bytes,
fits of trees included; a replay that is stopped half-way and goes on from its state gives the same scores
as one without a break; XGBoost's own file, taken out of a version, serves as a model of its own.
"""
import csv
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

FRESHET = pathlib.Path(sys.argv[1]).resolve()
EXAMPLE = pathlib.Path(sys.argv[2]) / "examples" / "fraud.yaml"
MODELS = """models:
  - {name: trees, kind: gbdt, publish: 3d, rounds: 20, gate: off}
  - {name: online, kind: ftrl, publish: 1h, role: challenger}
  - {name: once, kind: ftrl, publish: 2648h, role: shadow, gate: off}
"""


def freshet(*arguments):
    done = subprocess.run([FRESHET, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr)
    return done.stdout


def config(work, name, models):
    text = EXAMPLE.read_text()
    path = work / f"{name}.yaml"
    path.write_text(re.sub(r"models:.*?(?=scores:)", lambda _: models, text, flags=re.S))
    return path


def replay(path, events, work, name, *more):
    scores, report = work / f"{name}.csv", work / f"{name}.json"
    freshet("replay", "-q", "-c", path, "--scores", scores, "--report", report, *more, events)
    return scores.read_text(), json.loads(report.read_text())


def booster_of(path):
    """The bytes of the tensor `booster` in a safetensors file."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8:8 + length])["booster"]["data_offsets"]
    return data[8 + length + begin:8 + length + end]


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    events = work / "payments.csv"
    freshet("generate", "payments", "--days", "50", "--customers", "300", "--terminals", "600",
            "-o", events)
    path = config(work, "models", MODELS)
    whole, report = replay(path, events, work, "whole")
    again, _ = replay(path, events, work, "again")
    assert whole == again
    by_name = {model["name"]: model for model in report["models"]}
    assert [model["role"] for model in report["models"]] == ["champion", "challenger", "shadow"]
    assert by_name["trees"]["auc"] > 0.7, by_name
    assert by_name["online"]["auc"] > by_name["once"]["auc"] > 0.5, by_name
    assert by_name["trees"]["versions"] > 10 and by_name["once"]["versions"] == 1, by_name

    state = work / "state"
    first, _ = replay(path, events, work, "first", "--state", state, "--until", "2018-04-25")
    rest, _ = replay(path, events, work, "rest", "--state", state)
    assert first + rest.split("\n", 1)[1] == whole, "a replay in two parts"
    listed = freshet("model", "list", "--state", state)
    assert all(name in listed for name in by_name), listed

    # Files are written every few seconds: this is the first version after the break, at least.
    newest = sorted((state / "models").glob("trees-*.safetensors"))[-1]
    (work / "trees.ubj").write_bytes(booster_of(newest))
    imported = config(work, "imported",
                      f"models:\n  - {{name: bought, kind: gbdt, file: {work / 'trees.ubj'}}}\n")
    scores, _ = replay(imported, events, work, "imported")
    rows = list(csv.DictReader(scores.splitlines()))
    assert len(rows) > 1000 and len({row["score"] for row in rows}) > 5, "it tells events apart"
