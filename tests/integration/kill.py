#!/usr/bin/python3
"""SIGKILL at random moments loses nothing and changes nothing.

    kill.py FRESHET TOOLS [--publish DURATION] [--challenger DURATION] [--judged-on N] [--events N]
            [--kills N] [--seed N]

Topics are filled beforehand: payments, some of them twice and some unreadable, and labels, of which
some come early, late, twice or corrected. One service scores them without a break. Another one, with its own state
and topics, is killed and started again on the same state until it is through; the broker lives on in
a process of its own. What is known: every event has a score; every score, dead letter and digest of the
state is that of the service that was never killed, model versions included; what was sent twice has the
same bytes. The killed service must really have died at work: with part of the input taken, and with
scores that were durable but not yet acknowledged.

The seed decides the input and the share of a pause that passes until each kill; how far the service is
then depends on the machine.
"""

import argparse
import json
import random
import re
import subprocess
import time

from harness import (PROGRAM, Broker, Checks, Record, Service, Work, by_source, end_of, events_of,
                     label_record, labels_of, payments, pipeline, run_through)

PARTITIONS = 3
ANSWER_MS = 40  # of the broker, while the service is killed


def spoilt(events, rng):
    """Some events twice, some unreadable."""
    result = []
    for event in events:
        result.append(event)
        luck = rng.random()
        if luck < 0.01:
            result.append(event._replace(time=event.time + 1))
        elif luck < 0.015:
            result.append(event._replace(payload=event.payload[:-rng.randrange(1, 9)]))
    return result


def disputed(labels, rng):
    """Some labels a month early or days late, some corrected later."""
    result = []
    for label in labels:
        luck = rng.random()
        moved = -20 if luck < 0.05 else 3 if luck < 0.1 else 0
        result.append(label._replace(time=label.time + moved * 86_400_000))
        if luck > 0.95:
            fraud = 1 - json.loads(label.payload)["FRAUD"]
            result.append(label_record(label.key.decode(), fraud, label.time + 5 * 86_400_000))
    return sorted(result, key=lambda record: record.time)


def digest(checks, service_config, state):
    """What `freshet state verify` says of the state, without what may differ: positions in time."""
    done = subprocess.run([PROGRAM, "state", "verify", "-c", service_config, "--state", state],
                          capture_output=True, text=True)
    checks.equal(f"status of state verify\n{done.stderr}", done.returncode, 0)
    found = re.search(r"digest\W+([0-9a-f]{16,})", done.stdout)
    checks.true("state verify prints a digest", found, done.stdout)
    return found[1] if found else None


class Killer:
    """Starts the service again and again on one state, and kills it after a random share of a pause. The
    pause is fitted to the service's pace, so that the kills are spread over the whole input."""

    def __init__(self, work, config, total, kills, rng):
        self.work, self.config, self.total, self.kills, self.rng = work, config, total, kills, rng
        self.taken = []   # records taken and durable, as each start found them
        self.waiting = []  # scores not known to be acknowledged, likewise
        self.lived = 0.0  # seconds at work in all

    def note_start(self, service):
        service.wait_for_log("service.start")
        fields = service.fields("state.recovered") or {"events": 0, "rows": 0}
        self.taken.append(int(fields["events"]))
        self.waiting.append(int(fields["rows"]))

    def pause(self):
        """Seconds in which the service does a fair share of what is left."""
        share = (self.total - self.taken[-1]) / (self.kills - len(self.taken) + 2)
        pace = self.taken[-1] / self.lived if self.lived else 0
        return min(max(share / pace, 0.05), 3) if pace else 0.3

    def kill_at_work(self):
        with Service(self.work, self.config, "killed") as service:
            self.note_start(service)
            seconds = self.rng.uniform(0.1, 1.9) * self.pause()
            self.lived += seconds
            time.sleep(seconds)
            service.kill()

    def kill_at_start(self):
        with Service(self.work, self.config, "killed") as service:
            time.sleep(self.rng.uniform(0, 0.2))
            service.kill()

    def run(self):
        for number in range(self.kills):
            self.kill_at_work()
            if number % 5 == 4:
                self.kill_at_start()
        with Service(self.work, self.config, "killed") as service:
            self.note_start(service)


def check_deaths(checks, killer):
    """Did it really die at work?"""
    checks.say(f"records taken before each start: {killer.taken}")
    checks.say(f"scores waiting at each start: {killer.waiting}")
    at_work = sum(taken < killer.total for taken in killer.taken[1:])
    went_on = len({taken for taken in killer.taken if taken < killer.total})
    checks.true("kills before all was taken", at_work >= 20, str(at_work))
    checks.true("kills after different numbers of records", went_on >= 15, str(went_on))
    checks.true("some scores were durable and not yet acknowledged", sum(killer.waiting) > 0)


def compare(checks, what, killed, whole):
    lacking = [source for source in whole if source not in killed]
    differing = [source for source in whole if killed.get(source, whole[source]) != whole[source]]
    checks.equal(f"{what} for the same records", len(killed), len(whole))
    checks.true(f"{what}: none is lacking", not lacking, f"{len(lacking)}, first {lacking[:3]}")
    checks.true(f"{what}: none differs", not differing, f"{len(differing)}, first " + str(
        [(source, killed[source], whole[source]) for source in differing[:1]]))


def arguments(events, kills):
    """A parser of them, with these defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("tools")
    parser.add_argument("--events", type=int, default=events)
    parser.add_argument("--kills", type=int, default=kills, help="of each way of delivery")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def make_input(args, rng):
    """Events, labels, and the last label, behind all of them."""
    rows = payments(args.events, seed=args.seed)
    events, labels = spoilt(events_of(rows), rng), disputed(labels_of(rows), rng)
    return events, labels, Record(end_of(events, labels) + 1, b"end", b'{"ID":"end","FRAUD":0}')


# The kinds that the pipeline does not have already. Short names: the broker keeps 5 MB a partition.
FURTHER_FEATURES = [
    {"cycle": "7d", "as": "w"},
    {"calendar": "holiday", "country": "DE", "as": "h"},
    {"window": "AMOUNT", "by": "SHOP", "over": ["6h", "2d"], "as": "g",
     "take": ["gap", "burst", "velocity"]},
    {"decay": "AMOUNT", "by": "CARD", "half_life": ["1h", "2d"], "as": "d",
     "take": ["count", "mean"]},
    {"sketch": "CARD", "by": "SHOP", "over": "2d", "panes": 4, "as": "k",
     "take": ["distinct", "share", "times"]},
    {"sketch": "AMOUNT", "by": "SHOP", "over": "2d", "panes": 4, "as": "q", "take": ["p50"]},
    {"outlier": ["AMOUNT", "hour"], "by": "CARD", "events": 8, "as": "o"}]
# Learnt without labels, and with them in the ways that keep a state of their own.
FURTHER_MODELS = [
    {"name": "isolated", "kind": "iforest", "publish": "7d", "n_estimators": 5, "max_samples": 64,
     "rows": 500},
    {"name": "halved", "kind": "hstrees", "publish": "7d", "trees": 5, "depth": 6, "window": 100},
    {"name": "bins", "kind": "ftrl", "publish": "7d", "binning": "supervised",
     "class_weight": "balanced"}]


def set_kinds(config, args):
    """Every kind of feature and model whose state a kill could harm."""
    config["features"] += FURTHER_FEATURES
    config["models"] += FURTHER_MODELS
    config["models"][0]["publish"] = args.publish
    if args.judged_on:
        config["models"][0].update(judged_on=args.judged_on, worse_max=0)
    if args.challenger:
        config["models"].append({"name": "other", "kind": "gbdt", "publish": args.challenger,
                                 "rounds": 2, "rows": 2000, "smote": 0.2,
                                 "class_weight": 2})


def main():
    parser = arguments(events=30000, kills=26)
    parser.add_argument("--publish", default="7d", help="event time between model versions")
    parser.add_argument("--challenger", help="trees learn beside it, made anew this often")
    parser.add_argument("--judged-on", type=int, help="positives: so few that the gate judges, and "
                        "keeps versions back; some must be")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    checks = Checks()
    events, labels, end = make_input(args, rng)
    with Work() as work, Broker(payments=PARTITIONS, frauds=PARTITIONS, whole=16, whole_dead=1,
                                killed=144, killed_dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels + [end])
        checks.say(f"{len(events)} events and {len(labels)} labels are on topics")

        config = pipeline(broker, "whole", "whole_dead", "whole")
        set_kinds(config, args)
        log = run_through(checks, work, config, end.time, "whole")
        if args.judged_on:
            checks.true("the gate kept versions back", log.count("gate.kept_back") >= 5,
                        str(log.count("gate.kept_back")))
        whole, _ = by_source(checks, "whole", broker.dump("whole"))
        whole_dead, _ = by_source(checks, "whole, dead", broker.dump("whole_dead"))
        checks.equal("every record has a score or is a dead letter", len(whole) + len(whole_dead),
                     len(events))
        checks.say(f"{len(whole)} scores, {len(whole_dead)} dead letters without a break")

        config = pipeline(broker, "killed", "killed_dead", "killed")
        set_kinds(config, args)
        broker.take_ms(ANSWER_MS)
        killer = Killer(work, config, len(events) + len(labels) + 1, args.kills, rng)
        killer.run()
        check_deaths(checks, killer)
        broker.take_ms(0)
        run_through(checks, work, config, end.time, "killed")
        killed, repeats = by_source(checks, "killed", broker.dump("killed"))
        killed_dead, _ = by_source(checks, "killed, dead", broker.dump("killed_dead"))
        checks.say(f"{args.kills} kills, {repeats} scores came twice")

        compare(checks, "scores", killed, whole)
        compare(checks, "dead letters", killed_dead, whole_dead)
        versions = {json.loads(payload)["version"] for payload in whole.values()}
        checks.true("models were published meanwhile", len(versions) > 10, str(len(versions)))
        plain = work.write("plain.yaml", json.dumps(config))
        checks.equal("digest of the state", digest(checks, plain, work.path("killed")),
                     digest(checks, plain, work.path("whole")))
    checks.finish()


if __name__ == "__main__":
    main()
