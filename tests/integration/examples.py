#!/usr/bin/python3
"""What the manual tells people to begin with works: every example, and the demo.

    examples.py FRESHET SOURCE_FOLDER

Known without running: `config check` takes each example and lists its columns; `replay` scores each
generated event once, with a probability, and learns from the labels whose delay is over; the example
of a topic and that of files give the same scores, having the same pipeline; the demo ends by itself
without a terminal, and shows scores of both of its cases.
"""
import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile

FRESHET = pathlib.Path(sys.argv[1]).resolve()
EXAMPLES = pathlib.Path(sys.argv[2]) / "examples"

# What is generated for which examples; a version is published long before each ends.
STREAMS = {
    ("payments", "--days", "12", "--customers", "100", "--terminals", "200"):
        ("fraud.yaml", "fraud-topic.yaml"),
    ("payments", "--days", "14", "--customers", "100", "--terminals", "200"): ("fraud-trees.yaml",),
    ("impressions", "--days", "1", "--rate", "0.05", "--users", "100", "--ads", "30",
     "--sites", "10"): ("ctr.yaml",),
}


def freshet(*arguments):
    done = subprocess.run([FRESHET, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr)
    return done.stdout


def check(example):
    said = freshet("config", "check", EXAMPLES / example)
    assert re.match(r"\d+ columns\n", said) and "\nmodel " in said, said


def replay(example, events, work):
    scores, report = work / f"{example}.csv", work / f"{example}.json"
    freshet("replay", "-q", "-c", EXAMPLES / example, "--scores", scores, "--report", report, events)
    with open(scores, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ids = [row["id"] for row in rows]
    n_events = len(events.read_text().splitlines()) - 1
    assert n_events > 1000, n_events
    assert len(ids) == len(set(ids)) == n_events, (example, len(ids), n_events)
    assert all(0 < float(row["score"]) < 1 for row in rows)
    assert int(rows[0]["version"]) == 0 < int(rows[-1]["version"])
    told = json.loads(report.read_text())
    assert told["scored"] == n_events and told["dead_letters"] == 0, told
    assert told["examples_learnt"] > 0 and told["versions"] > 0, told
    return rows


def demo():
    said = freshet("demo", "--seconds", "3")
    for title in ("Card fraud", "Clicks"):
        part = said[said.index(title):]
        assert re.search(r"events=[1-9]\d* .*top=\S+:0\.\d", part), (title, said)


tested = set()
with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    for arguments, examples in STREAMS.items():
        events = work / f"{arguments[0]}.csv"
        freshet("generate", *arguments, "-o", events)
        for example in examples:
            check(example)
        scores = [replay(example, events, work) for example in examples]
        assert all(rows == scores[0] for rows in scores)
        tested.update(examples)

untested = {path.name for path in EXAMPLES.glob("*.yaml")} - tested
assert not untested, f"no stream is generated for {untested}"
demo()
