#!/usr/bin/python3
"""Features are reordered, added and removed between two starts on one state; or filled in by a replay.

    change.py FRESHET TOOLS

Known: `replay` with a config from the first event on says what every feature should be. After a
reordering all is as if nothing had happened: the same features bit for bit, and the same scores as far
as adding up in another order allows, learnt from events that waited under the old order. A feature that
is added is null until what it looks at lies behind the moment it was added, which the log tells, and from
then on as if it had always been there; the others do not notice. Labels that come for events from before
the change still reach the windows that they belong to. What is removed is gone from the state after a
while. What means something else is refused, with its line, the old value, and what can be done. A state
that a replay of an archive has built goes on where the archive ends: no score comes twice, none is
missing, and all are those of a replay of everything.
"""

import copy
import csv
import json
import re
import subprocess
from datetime import datetime, timezone

from harness import (PROGRAM, Broker, Checks, Record, Service, Work, end_of, events_of, labels_of,
                     payments, pipeline, replay, run_through, source_of, write_csv)

PARTITIONS = 3
REMOVED = {"window": "AMOUNT", "by": ["CARD", "SHOP"], "over": ["30d"], "take": ["count"]}
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# When a column that is added is known: so long after it was added.
WARM_MS = {"label.by.CARD.2d": 9 * DAY_MS, "AMOUNT.by.CARD.12h": 0,
           "events.by.CARD.1h": HOUR_MS, "events.by.CARD.3d": 3 * DAY_MS}


def to_ms(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def reordered(config):
    result = copy.deepcopy(config)
    result["features"].reverse()
    for feature in result["features"]:
        if isinstance(feature.get("over"), list):
            feature["over"].reverse()
    return result


def changed(config):
    """Label windows by another entity come first, a window gets another length, a pair goes."""
    result = copy.deepcopy(config)
    result["features"] = [
        {"window": "label", "by": "CARD", "over": ["2d"], "delay": "7d", "take": ["count", "mean"]},
        {"window": "events", "by": "CARD", "over": ["1h", "3d"], "take": ["count"]},
        *(f for f in result["features"] if f != REMOVED)]
    for feature in result["features"]:
        if feature.get("window") == "AMOUNT" and feature.get("by") == "CARD":
            feature["over"] = ["12h", *feature["over"]]
    return result


def replayed(checks, work, config, rows, name, *options):
    """{id: {feature: number}}, {id: score} of `freshet replay`."""
    scores, features = work.path(name + ".scores"), work.path(name + ".features")
    done = replay(work.write(name + ".yaml", json.dumps(config)),
                  write_csv(work.path(name + ".csv"), rows), "--scores", scores, "--features",
                  features, "--quiet", *options)
    checks.equal(f"{name}: status of replay\n{done.stderr}", done.returncode, 0)
    with open(features, newline="") as file:
        lines = csv.reader(file)
        names = next(lines)[1:]
        vectors = {line[0]: {name: float(text) if text else None
                             for name, text in zip(names, line[1:])} for line in lines}
    with open(scores, newline="") as file:
        return vectors, {row["id"]: float(row["score"]) for row in csv.DictReader(file)}


def scored(broker, topic):
    """{id: (time in ms, score, {feature: number})}, and how many rows there are."""
    rows = [json.loads(row.payload) for row in sorted(broker.dump(topic), key=source_of)]
    return {row["id"]: (to_ms(row["time"]), row["score"], row["features"]) for row in rows}, len(rows)


def compare_features(checks, what, got, want, known_from):
    """known_from(column): before that time it is null."""
    differing, null, columns = [], {}, set()
    for id, (time, _, features) in got.items():
        for name, value in features.items():
            columns.add(name)
            expected = want[id][name]
            if time < known_from(name):
                null[name] = null.get(name, 0) + 1
                expected = None
            if value != expected:
                differing.append((id, time, name, value, expected))
    checks.equal(f"{what}: columns", columns, set(next(iter(want.values()))))
    checks.true(f"{what}: features are as they should be", not differing,
                f"{len(differing)}, first {differing[:3]}")
    return null


def compare_scores(checks, what, got, want, within):
    differing = [(id, score, want[id]) for id, (_, score, _) in got.items()
                 if abs(score - want[id]) > within]
    checks.true(f"{what}: scores are as they should be", not differing,
                f"{len(differing)} of {len(got)}, first {differing[:3]}")


def run_part(checks, work, broker, config, records, topic, state):
    """Fills and runs; returns what the log says of changes, {feature: known from, in ms; None: removed}"""
    for name, part in records.items():
        broker.fill(name, part)
    config = copy.deepcopy(config)
    config["scores"]["topic"] = topic
    with Service(work, config, state) as service:
        service.wait_until(end_of(*records.values()))
        checks.equal(f"{topic}: status", service.terminate(), 0)
        log = service.log()
    told = {name: to_ms(text) for name, text in
            re.findall(r'feature\.added\s+name="([^"]*)" known_from=(\S+)', log)}
    told.update({name: None for name in re.findall(r'feature\.removed\s+name="([^"]*)"', log)})
    return told


def parts_of(rows, cuts):
    """Records of both topics that come up to each of the cuts; the last one takes all that is left. Each
    part's last label carries time up to its end."""
    events, labels = events_of(rows), labels_of(rows)
    result, begin = [], -1
    for cut in [*cuts, end_of(events, labels) + 1]:
        part = {"payments": [e for e in events if begin < e.time <= cut],
                "frauds": [e for e in labels if begin < e.time <= cut]}
        part["frauds"].append(Record(cut, b"end", b'{"ID":"end-%d","FRAUD":0}' % cut))
        result.append(part)
        begin = cut
    return result


def state_list(checks, work, config, state):
    done = subprocess.run([PROGRAM, "state", "list", "-c", config, "--state", work.path(state)],
                          capture_output=True, text=True)
    checks.equal(f"status of state list\n{done.stderr}", done.returncode, 0)
    return done.stdout


def verify(checks, work, config, state):
    done = subprocess.run([PROGRAM, "state", "verify", "-c", config, "--state", work.path(state)],
                          capture_output=True, text=True)
    checks.equal(f"status of state verify\n{done.stderr}", done.returncode, 0)


def check_changes(checks, work, broker, rows):
    times = [int(row["TIME"]) for row in rows]
    cuts = [times[len(times) * 3 // 8], times[len(times) * 5 // 8]]
    parts = parts_of(rows, cuts)
    config = pipeline(broker)
    config["models"][0]["publish"] = "6h"
    checks.equal("nothing is told of a new state",
                 run_part(checks, work, broker, config, parts[0], "first", "state"), {})
    checks.equal("nothing is told of another order",
                 run_part(checks, work, broker, reordered(config), parts[1], "second", "state"), {})
    want, scores = replayed(checks, work, config, rows, "unchanged")
    got, _ = scored(broker, "second")
    checks.true("events in another order", len(got) > len(rows) / 5, str(len(got)))
    compare_features(checks, "another order", got, want, lambda _: 0)
    compare_scores(checks, "another order", got, scores, 1e-4)

    other = changed(config)
    told = run_part(checks, work, broker, other, parts[2], "third", "state")
    # A window that fits into what its neighbour has kept is known at once.
    checks.equal("what is told of changes", told, {
        "label.by.CARD delay 7d": cuts[1] + 9 * DAY_MS, "events.by.CARD": cuts[1] + 3 * DAY_MS,
        "AMOUNT.by.CARD": told.get("AMOUNT.by.CARD"), "AMOUNT.by.CARD+SHOP": None})
    want, _ = replayed(checks, work, other, rows, "changed")
    got, n = scored(broker, "third")
    begins = {name: cuts[1] + after for name, after in WARM_MS.items()}
    null = compare_features(checks, "added and removed", got, want,
                            lambda name: begins.get(name.rsplit(".", 1)[0], 0))
    checks.say(f"values that were not known yet: {null}, of {n} scores")
    checks.true("some were not known, some were", all(0 < null.get(f"{name}.count", 0) < n for name in
                                                      WARM_MS if WARM_MS[name] > 0), str(null))
    checks.true("all have scores", all(isinstance(score, float) for _, score, _ in got.values()))
    plain = work.write("third.yaml", json.dumps(other))
    verify(checks, work, plain, "state")
    run_through(checks, work, other, end_of(*parts[2].values()), "state")
    listed = state_list(checks, work, plain, "state")
    checks.true("what was removed is gone", "CARD+SHOP" not in listed, listed)
    check_refused(checks, work, other)


def check_refused(checks, work, config):
    for key, value, stored in (("entries_max", 64, "entries_max 4096"), ("tiles", 8, "tiles 64")):
        bad = copy.deepcopy(config)
        shop = [item for item in bad["features"] if item.get("window") == "AMOUNT" and item["by"] == "SHOP"]
        shop[0][key] = value
        path = work.write("bad.yaml", json.dumps(bad, indent=1))
        done = subprocess.run([PROGRAM, "run", "-c", path, "--state", work.path("state"), "--no-live"],
                              capture_output=True, text=True, timeout=60)
        checks.equal(f"status with another {key}", done.returncode, 1)
        for word in (f"{path}:", stored, "AMOUNT.by.SHOP", "replay"):
            checks.true(f"another {key}: {word} is said", word in done.stderr, done.stderr)


def check_backfill(checks, work, rows):
    """The archive ends amid the topics, which hold everything."""
    events, labels = events_of(rows), labels_of(rows)
    until = int(rows[len(rows) // 2]["TIME"])
    with Broker(payments=PARTITIONS, frauds=PARTITIONS, scores=8, dead=1) as broker:
        config = pipeline(broker)
        want, want_scores = replayed(checks, work, config, rows, "whole")
        text = datetime.fromtimestamp(until / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        replayed(checks, work, config, rows, "archive", "--state", work.path("filled"), "--until",
                 text)
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        run_through(checks, work, config, end_of(events, labels), "filled")
        got, n = scored(broker, "scores")
    later = [row["ID"] for row in rows if int(row["TIME"]) > until]
    checks.equal("scores behind the archive", sorted(got), sorted(later))
    checks.equal("scores that came twice", n - len(got), 0)
    compare_features(checks, "behind an archive", got, want, lambda _: 0)
    compare_scores(checks, "behind an archive", got, want_scores, 1e-7)
    checks.say(f"{n} scores behind an archive of {len(rows) - len(later)} events")


def main():
    checks = Checks()
    with Work() as work:
        rows = payments(24000, seed=21, distinct=True)
        with Broker(payments=PARTITIONS, frauds=PARTITIONS, first=8, second=8, third=8, scores=8,
                    dead=1) as broker:
            check_changes(checks, work, broker, rows)
        check_backfill(checks, work, payments(16000, seed=22, distinct=True))
    checks.finish()


if __name__ == "__main__":
    main()
