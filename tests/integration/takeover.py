#!/usr/bin/python3
"""A challenger takes over from a champion that it is better than, in replay, in run, and where run is killed.

    takeover.py FRESHET TOOLS

A champion that can learn next to nothing, and a challenger that can. Known: the challenger takes over once,
at one of its publications, with a record that says by which figures; scores before that moment are the
champion's and scores after it the challenger's; `run` on topics gives what `replay` gives on the same
events as a file, to the last bit; and so does a service that is killed around the takeover, again and again.
An endpoint answers by who took over.
"""

import json
import random
import subprocess
import time

from harness import (PROGRAM, Broker, Checks, Service, Work, by_source, check_who_answers, end_of, events_of,
                     labels_of, payments, pipeline, replay, run_through, write_csv)

ROWS = 25000
KILLS = 10
ANSWER_MS = 40  # of the broker, while the service is killed


def configure(config):
    config["models"] = [
        {"name": "fraud", "kind": "ftrl", "publish": "1d", "l1": 5, "judged_on": 100},
        {"name": "other", "kind": "ftrl", "publish": "12h", "judged_on": 100, "takeover": "on"}]
    return config


def time_ms(text):
    """Of a time as it is written in scores and decisions; whole seconds do."""
    return 1000 * int(time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone)


def check_records(checks, taken):
    """There is one; returns when that was."""
    if not checks.equal("takeovers that were decided", len(taken), 1):
        return None
    record = taken[0]["decision"]
    checks.equal("who took over from whom", (taken[0]["model"], taken[0]["champion"]),
                 ("other", "fraud"))
    checks.equal("why", record["reason"], "better")
    checks.true("by a larger area, beyond chance",
                record["candidate_auc"] > record["champion_auc"] and record["p"] < 0.05, str(record))
    checks.true("on enough", record["positives"] >= record["positives_min"] == 50, str(record))
    return time_ms(record["time"])


def replayed(checks, work, config, rows):
    """{id: (score, version)}, and the takeover's time."""
    report, scores = work.path("report.json"), work.path("scores.csv")
    done = replay(work.write("replay.yaml", json.dumps(config)),
                  write_csv(work.path("rows.csv"), rows), "--report", report, "--scores", scores, "-q")
    checks.equal(f"status of replay\n{done.stderr}", done.returncode, 0)
    with open(scores, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(",") for line in list(file)[1:]]
    with open(report, encoding="utf-8") as file:
        at = check_records(checks, json.load(file)["takeovers"])
    return {line[0]: (line[1], line[4]) for line in lines}, at


def scored(checks, broker, topic):
    found, repeats = by_source(checks, topic, broker.dump(topic))
    rows = [json.loads(payload, parse_float=str, parse_int=str) for payload in found.values()]
    return rows, repeats


def compare(checks, what, expected, at, rows):
    got = {row["id"]: (row["score"], row["version"]) for row in rows}
    checks.equal(f"{what}: scores", len(got), len(expected))
    differing = [(id, got.get(id), want) for id, want in expected.items() if got.get(id) != want]
    checks.true(f"{what}: scores are those of the replay", not differing,
                f"{len(differing)}, first {differing[:2]}")
    for name, late in (("fraud", False), ("other", True)):
        mine = [row for row in rows if (time_ms(row["time"]) >= at + 1000) == late
                and abs(time_ms(row["time"]) - at) > 2000]
        wrong = [row for row in mine if row["model"] != name]
        checks.true(f"{what}: {name} scores {'after' if late else 'before'} the takeover",
                    len(mine) > 1000 and not wrong, f"{len(mine)}, {wrong[:1]}")


def is_decided(service, at):
    return ("model.takes_over" in service.log() or
            (service.metric("freshet_event_time_seconds") or 0) * 1000 > at)


def kill_around(work, config, at, rng):
    """Lives that end after a moment, as the takeover is decided, or as they begin; returns in how many of
    them it was."""
    decided = 0
    for number in range(KILLS):
        with Service(work, config, "killed") as service:
            service.wait_for_log("service.start")
            if number % 2 == 1:
                service.wait("the takeover", lambda: is_decided(service, at))
            time.sleep(rng.uniform(0, 0.1))
            decided += "model.takes_over" in service.log()
            service.kill()
        with Service(work, config, "killed") as service:
            time.sleep(rng.uniform(0, 0.2))
            service.kill()
    return decided


def main():
    rng = random.Random(3)
    checks = Checks()
    rows = payments(ROWS, seed=13, distinct=True)
    events, labels = events_of(rows), labels_of(rows)
    with Work() as work, Broker(payments=3, frauds=3, whole=8, killed=24, dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        end = end_of(events, labels)
        config = configure(pipeline(broker, "whole", "dead", "whole"))
        expected, at = replayed(checks, work, config, rows)
        if at:
            log = run_through(checks, work, config, end, "whole")
            checks.equal("takeovers told", log.count("model.takes_over"), 1)
            compare(checks, "run", expected, at, scored(checks, broker, "whole")[0])

            config["endpoint"] = {"http": "127.0.0.1:0"}
            with Service(work, config, "whole") as service:
                check_who_answers(checks, service, events[0], "other", "ftrl")

            config = configure(pipeline(broker, "killed", "dead", "killed"))
            broker.take_ms(ANSWER_MS)
            decided = kill_around(work, config, at, rng)
            broker.take_ms(0)
            run_through(checks, work, config, end, "killed")
            found, repeats = scored(checks, broker, "killed")
            checks.say(f"{2 * KILLS} kills, {decided} of them after it was decided, {repeats} scores came "
                       "twice")
            compare(checks, "killed", expected, at, found)
            checks.true("kills once it was decided", decided > 0)
    checks.finish()


if __name__ == "__main__":
    main()
