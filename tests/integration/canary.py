#!/usr/bin/python3
"""A version is tried on a share of the entities, and rolled back by what it scores, by a person, and across kills.

    canary.py FRESHET TOOLS

Known: from its boundary to its verdict a version scores the events of some cards, the version before it those
of all others; confirmed, it scores all; rolled back, none, and the version before it is the one that the next
is tried against. `run` on topics gives what `replay` gives on the same events as a file, to the last bit, and so
does a service that is killed again and again. A trial that a person ends is over, and an audit of the recorded
input gives every score that was sent.
"""

import json
import random
import subprocess
import time

from harness import (PROGRAM, Broker, Checks, Service, Work, by_source, end_of, events_of, labels_of, payments,
                     pipeline, replay, run_through, write_csv)
from promote import audit, model, step

ROWS = 12000
KILLS = 16
ANSWER_MS = 40  # of the broker, while the service is killed
STEP = 4  # parts that the events come in, where a person looks on


def configure(config):
    config["models"] = [{"name": "fraud", "kind": "ftrl", "publish": "6h", "canary": 0.3,
                         "canary_by": "CARD", "canary_rows": 20, "canary_psi": 0.1}]
    return config


def replayed(checks, work, config, rows):
    """{id: (score, version)}, and what was logged."""
    scores = work.path("scores.csv")
    done = replay(work.write("replay.yaml", json.dumps(config)), write_csv(work.path("rows.csv"), rows),
                  "--scores", scores, "-q")
    checks.equal(f"status of replay\n{done.stderr}", done.returncode, 0)
    with open(scores, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(",") for line in list(file)[1:]]
    return {line[0]: (line[1], line[4]) for line in lines}, done.stderr


def check_shares(checks, rows, scores, gone):
    """By the scores alone: whom a newest version scores while there is one before it, and then on."""
    newest, alone, mixed, others = 0, 0, 0, 0
    own, before = set(), None  # cards that the newest has scored; who scores the others
    for row in sorted(rows, key=lambda row: int(row["TIME"])):
        version = int(scores[row["ID"]][1])
        if version > newest:
            newest, own, before = version, set(), None
        if version == newest:
            own.add(row["CARD"])
            continue
        alone += 1
        others += before not in (None, version)
        before = version
        mixed += row["CARD"] in own and newest not in gone
    checks.true("the version before scores beside one that is tried", alone > ROWS / 10, str(alone))
    checks.equal("events that a third version scored", others, 0)
    checks.equal("events of a card that a version scored, by the one before it", mixed, 0)


def check_rolled_back(checks, log, scores):
    """A version that was rolled back scores less than its share of an interval, and nothing later."""
    gone = [int(line.split("version=")[1].split()[0]) for line in log.splitlines()
            if "canary.rolled_back" in line]
    checks.true("some were rolled back", len(gone) > 0, log[-500:])
    versions = [int(version) for _, version in scores.values()]
    confirmed = set(versions) - set(gone)
    checks.true("others were not", len(confirmed) > 5, str(len(confirmed)))
    most_gone = max((versions.count(version) for version in gone), default=0)
    typical = sorted(versions.count(version) for version in confirmed)[len(confirmed) // 2]
    checks.true("what was rolled back scored few", most_gone < typical, f"{most_gone} against {typical}")
    return gone


def scored(checks, broker, topic):
    found, repeats = by_source(checks, topic, broker.dump(topic))
    rows = [json.loads(payload, parse_float=str, parse_int=str) for payload in found.values()]
    return {row["id"]: (row["score"], row["version"]) for row in rows}, repeats


def compare(checks, what, expected, got):
    checks.equal(f"{what}: scores", len(got), len(expected))
    differing = [(id, got.get(id), want) for id, want in expected.items() if got.get(id) != want]
    checks.true(f"{what}: scores are those of the replay", not differing,
                f"{len(differing)}, first {differing[:2]}")


def kill_often(work, config, rng):
    for _ in range(KILLS):
        with Service(work, config, "killed") as service:
            service.wait_for_log("service.start")
            time.sleep(rng.uniform(0, 0.4))
            service.kill()


def by_hand(checks, work, rows):
    """Of a trial that never ends by itself."""
    with Broker(payments=2, frauds=2, scores=16, dead=1) as broker:
        config = configure(pipeline(broker))
        config["time"]["idle_max"] = "1s"
        config["state"] = {"runs_keep": "400d"}  # for the audit
        config["models"][0].update({"canary_for": "300d", "canary_psi": 0})
        seen = {}
        with Service(work, config, "by-hand") as service:
            versions = [row["version"] for row in step(checks, broker, rows, 0, STEP, service, seen)]
            tried = max(versions)
            checks.equal("versions, of which the newest is tried", sorted(set(versions))[-2:], [1, tried])
            text = model(checks, service, "rollback", "fraud", says=f"version {tried} of fraud")
            checks.true("it says what serves", "version 1 serves on" in text, text)
            service.kill()
        with Service(work, config, "by-hand") as service:
            versions = {row["version"] for row in step(checks, broker, rows, 1, STEP, service, seen)}
            checks.true("what was rolled back scores no more", tried not in versions, str(versions))
            checks.true("a newer one is tried", 1 in versions and max(versions) > tried, str(versions))
            checks.equal("status after SIGTERM", service.terminate(), 0)
        sent, _ = by_source(checks, "scores", broker.dump("scores"))
        again = audit(checks, work, config, "by-hand")
        differing = [source for source in sent if again.get(source) != sent[source]]
        checks.equal("scores that the audit gives", len(again), len(sent))
        checks.true("scores that the audit gives otherwise", not differing, f"{len(differing)}: "
                    f"{[(sent[s][:150], again.get(s, b'')[:150]) for s in differing[:1]]}")


def main():
    rng = random.Random(7)
    checks = Checks()
    rows = payments(ROWS, seed=17, distinct=True)
    events, labels = events_of(rows), labels_of(rows)
    with Work() as work, Broker(payments=3, frauds=3, whole=8, killed=24, dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        end = end_of(events, labels)
        config = configure(pipeline(broker, "whole", "dead", "whole"))
        expected, log = replayed(checks, work, config, rows)
        check_shares(checks, rows, expected, check_rolled_back(checks, log, expected))
        log = run_through(checks, work, config, end, "whole")
        check_rolled_back(checks, log, expected)
        compare(checks, "run", expected, scored(checks, broker, "whole")[0])

        config = configure(pipeline(broker, "killed", "dead", "killed"))
        broker.take_ms(ANSWER_MS)
        kill_often(work, config, rng)
        broker.take_ms(0)
        run_through(checks, work, config, end, "killed")
        found, repeats = scored(checks, broker, "killed")
        checks.say(f"{KILLS} kills, {repeats} scores came twice")
        compare(checks, "killed", expected, found)
    with Work() as work:
        by_hand(checks, work, payments(ROWS, seed=19))
    checks.finish()


if __name__ == "__main__":
    main()
