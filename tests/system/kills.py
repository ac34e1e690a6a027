#!/usr/bin/python3
"""SIGKILL at random moments, half of the times of the broker too, loses nothing and changes nothing.

    kills.py FRESHET TOOLS [--events N] [--kills N] [--seed N]

As ../integration/kill.py, on a real broker and for both ways of delivery, each with that many kills:
topics are filled beforehand, one service scores them without a break, another one is killed and started
again on the same state until it is through. What is known: every record has a score or is a dead letter;
each is that of the service that was never killed, versions of the model included; so is the digest of the
state; what was sent twice has the same bytes; and under exactly_once a reader of committed records sees
nothing twice, and the group's offsets end where the input ends.

Then records come while the service is killed. What is merged when then depends on the moment; the state
directory records it, and `freshet audit` takes the same records in that order again, in one go: every score
and dead letter must be the one that was sent, byte for byte, and the state that comes of it the one that
the killed service left. The second half of the audit begins at a checkpoint, and gives the same.
"""

import json
import random
import subprocess
import sys
import threading
import time

from kafka import Kafka
import kill
from harness import PROGRAM, Checks, Record, Service, Work, by_source, pipeline, run_through

PARTITIONS = 3
DELAY_S = 0.01  # of the network, each way
DELIVERIES = ("at_least_once", "exactly_once")


class Killer(kill.Killer):
    """Every second time the broker dies too, before the service or after it."""

    def __init__(self, broker, *rest):
        super().__init__(*rest)
        self.broker = broker

    def start_service(self):
        return Service(self.work, self.config, "killed_" + self.config["delivery"])

    def kill_at_work(self):
        with self.start_service() as service:
            self.note_start(service)
            seconds = self.rng.uniform(0.1, 1.9) * self.pause()
            self.lived += seconds
            time.sleep(seconds)
            victims = [service, self.broker][:1 + len(self.taken) % 2]
            self.rng.shuffle(victims)
            for victim in victims:
                victim.kill()
                time.sleep(self.rng.choice((0, 0, 0.05)))
        if self.broker in victims:
            self.broker.start()

    def kill_at_start(self):
        with self.start_service() as service:
            time.sleep(self.rng.uniform(0, 0.4))
            service.kill()

    def run(self):
        for number in range(self.kills):
            self.kill_at_work()
            if number % 8 == 7:
                self.kill_at_start()
        with self.start_service() as service:
            self.note_start(service)


def config_of(broker, name, delivery):
    """Small fetches over a slow network: there is time to kill the service at its work."""
    config = pipeline(broker, name, name + "_dead", name)
    config["delivery"] = delivery
    config["kafka"].update(brokers=broker.proxied,
                           properties={"fetch.message.max.bytes": 8192, "queued.min.messages": 100})
    return config


def found(checks, broker, name, delivery, twice_allowed=True):
    """{source: payload} of scores and of dead letters."""
    both = []
    for topic in (name, name + "_dead"):
        rows, repeats = by_source(checks, topic, broker.dump(topic))
        if delivery == "exactly_once" or not twice_allowed:
            checks.equal(f"{topic}: rows that a reader of committed records sees twice", repeats, 0)
        elif repeats:
            checks.say(f"{topic}: {repeats} rows came twice, with the same bytes")
        both.append(rows)
    return both


def check_group(checks, broker, group, counts):
    offsets = broker.group_offsets(group, *counts)
    behind = {at: offset for at, (offset, _) in offsets.items() if offset != counts[at[0]][at[1]]}
    checks.equal(f"{group}: partitions whose group offset is not at the end", behind, {})


def killed_with_full_topics(checks, args, rng, work, broker, whole, end, counts, delivery):
    name = f"killed_{delivery}"
    config = config_of(broker, name, delivery)
    total = sum(n for topic in counts.values() for n in topic.values())
    killer = Killer(broker, work, config, total, args.kills, rng)
    broker.proxy.delay_s = DELAY_S
    killer.run()
    broker.proxy.delay_s = 0
    checks.say(f"{delivery}: records taken before each start: {killer.taken}")
    checks.say(f"{delivery}: scores waiting at each start: {killer.waiting}")
    at_work = sum(taken < total for taken in killer.taken[1:])
    checks.true(f"{delivery}: kills before all was taken", at_work >= args.kills * 2 // 3, str(at_work))
    checks.true(f"{delivery}: rows were durable and not known to be out", sum(killer.waiting) > 0)
    run_through(checks, work, config, end, name)
    for what, got, expected in zip(("scores", "dead letters"), found(checks, broker, name, delivery),
                                   whole):
        kill.compare(checks, f"{delivery}: {what}", got, expected)
    check_group(checks, broker, name, counts)
    return kill.digest(checks, work.write("plain.yaml", json.dumps(config)), work.path(name))


class Feeder(threading.Thread):
    """Puts records on topics bit by bit, whatever happens to the broker; the second half once `half_done`
    is set."""

    def __init__(self, broker, topics):
        super().__init__(daemon=True)
        self.broker, self.topics, self.failed = broker, topics, None
        self.half_done = threading.Event()

    def run(self):
        size = 400
        try:
            most = max(map(len, self.topics.values()))
            for at in range(0, most, size):
                if at >= most // 2:
                    self.half_done.wait()
                for topic, records in self.topics.items():
                    self.broker.fill(topic, records[at:at + size])
                time.sleep(0.05)
        except SystemExit as error:
            self.failed = error


def killed_while_filled(checks, args, rng, work, broker, events, labels, end, delivery):
    name = f"meanwhile_{delivery}"
    config = config_of(broker, name, delivery)
    topics = {"payments": f"payments_{delivery}", "frauds": f"frauds_{delivery}"}
    config["streams"][0]["topic"] = topics["payments"]
    config["labels"]["topic"] = topics["frauds"]
    config["state"] = {"runs_keep": "3650d"}
    feeder = Feeder(broker, {topics["payments"]: events, topics["frauds"]: labels})
    feeder.start()
    kills, copied = 0, False
    while feeder.is_alive() or kills < args.kills // 4 or not copied:
        with Service(work, config, name) as service:
            service.wait_for_log("service.start")
            time.sleep(rng.uniform(0, 0.7 + 0.1 * kills))  # longer and longer, on however slow a machine
            service.kill()
            kills += 1
        if kills >= 2 and not copied and (feeder.failed or broker.dump(name)):
            copied = checkpoint(checks, work, name)
            feeder.half_done.set()
    if feeder.failed:
        sys.exit(feeder.failed)
    run_through(checks, work, config, end, name)
    scores, dead = found(checks, broker, name, delivery)
    checks.equal(f"{delivery}, filled meanwhile: every record has a row", len(scores) + len(dead),
                 len(events))
    checks.say(f"{delivery}, filled meanwhile: {kills} kills")
    check_audit(checks, work, config, name, scores, dead)


def checkpoint(checks, work, name):
    """Of some of the input: its scores are out, and the rest is not on the topics yet."""
    done = subprocess.run([PROGRAM, "state", "checkpoint", work.path(f"{name}_early"), "--state",
                           work.path(name)], capture_output=True, text=True)
    checks.equal(f"{name}: status of the checkpoint\n{done.stderr}", done.returncode, 0)
    return True


def audit(checks, what, *options):
    """{source: payload} of scores and of dead letters, as the recorded input gives them."""
    done = subprocess.run([PROGRAM, "audit", "--quiet", *options], capture_output=True, text=True)
    checks.equal(f"{what}: status of the audit\n{done.stderr}", done.returncode, 0)
    rows = {"scores": {}, "dead_letters": {}}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        topic, *numbers = row["source"].split(":")
        rows[row["to"]][topic, *map(int, numbers)] = row["payload"].encode()
    return rows["scores"], rows["dead_letters"]


def check_audit(checks, work, config, name, scores, dead):
    plain = work.write("audit.yaml", json.dumps(config))
    digest = kill.digest(checks, plain, work.path(name))
    for what, *options in (["all"], ["later", "--from", work.path(f"{name}_early")]):
        into = work.path(f"{name}_{what}")
        again, dead_again = audit(checks, name, "-c", plain, "--state", work.path(name), "--into", into,
                                  *options)
        wanted = {source: scores.get(source) for source in (scores if what == "all" else again)}
        kill.compare(checks, f"{name}, {what}: scores", wanted, again)
        checks.equal(f"{name}, {what}: dead letters that differ",
                     {source for source, payload in dead_again.items() if dead.get(source) != payload}, set())
        checks.equal(f"{name}, {what}: digest of the state", kill.digest(checks, plain, into), digest)
        checks.say(f"{name}, {what}: {len(again)} scores are those of the recorded input")
        checks.true(f"{name}, {what}: dead letters", len(dead_again) == len(dead) or what == "later")
        checks.true(f"{name}, {what}: there are some, and not all", 0 < len(again) and
                    (len(again) < len(scores)) == (what == "later"), str(len(again)))


def main():
    args = kill.arguments(events=20000, kills=21).parse_args()
    rng = random.Random(args.seed)
    checks = Checks()
    events, labels, end = kill.make_input(args, rng)
    topics = {"payments": PARTITIONS, "frauds": PARTITIONS, "whole": 4, "whole_dead": 1}
    for delivery in DELIVERIES:
        topics.update({f"killed_{delivery}": 4, f"killed_{delivery}_dead": 1,
                       f"meanwhile_{delivery}": 4, f"meanwhile_{delivery}_dead": 1,
                       f"payments_{delivery}": PARTITIONS, f"frauds_{delivery}": PARTITIONS})
    with Work() as work, Kafka(**topics) as broker:
        counts = {"payments": broker.fill("payments", events),
                  "frauds": broker.fill("frauds", labels + [end])}
        run_through(checks, work, config_of(broker, "whole", "at_least_once"), end.time, "whole")
        whole = found(checks, broker, "whole", "at_least_once", twice_allowed=False)
        checks.equal("every record has a row", sum(map(len, whole)), len(events))
        checks.say(f"{len(whole[0])} scores, {len(whole[1])} dead letters without a break")
        config = work.write("plain.yaml", json.dumps(config_of(broker, "whole", "at_least_once")))
        digest = kill.digest(checks, config, work.path("whole"))
        for delivery in DELIVERIES:
            checks.equal(f"{delivery}: digest of the state",
                         killed_with_full_topics(checks, args, rng, work, broker, whole, end.time,
                                                 counts, delivery), digest)
            checks.say(f"{delivery}: {args.kills} kills")
        few = args.events // 5
        last = Record(end.time, b"end", end.payload)
        for delivery in DELIVERIES:
            killed_while_filled(checks, args, rng, work, broker, events[:few], labels[:few] + [last],
                                end.time, delivery)
    checks.finish()


if __name__ == "__main__":
    main()
