#!/usr/bin/python3
"""Half an hour of steady traffic with a kill every minute: does anything grow?

    soak.py FRESHET TOOLS [--minutes 30] [--kill-every 60] [--rate N] [--delivery exactly_once]

Events come at half the rate at which the service takes them on this machine where more come than it can take,
measured first (or --rate), dated now, of as many cards and shops all along; a tenth of them get a label 20 seconds later.
Windows, labels and repeated ids reach back a minute, the record of the order two, and a model version comes
every five seconds of which 48 are kept: after five minutes everything that the service keeps is as large as
it will ever be. It is killed at work and started again every minute. Known then: the process's memory, its
file descriptors and the state directory are no larger in the last third than between the fifth minute and
the middle, but for a fifth (tables are merged now and then); the service keeps up; and a reader of
committed records has every score, each once.

A line a minute: events a second taken, records behind, the most memory, file descriptors, threads and
disk, and the time from the start to the first event taken.
"""

import argparse
import os
import subprocess
import sys
import threading
import time

from kafka import Kafka
from harness import TOOLS, Checks, Service, Work, pipeline

CARDS, SHOPS, LABEL_EVERY, LABEL_AFTER_MS = 20000, 2000, 10, 20000
SETTLED_S = 300
FLOOD, FLOOD_S = 150_000, 20
GROWTH = 1.2
TOPIC_SETTINGS = ["retention.ms=600000", "segment.bytes=16777216", "segment.ms=30000"]


def config_of(broker, name, delivery):
    config = pipeline(broker, f"scores_{name}", f"dead_{name}", name)
    config.update(delivery=delivery, state={"runs_keep": "2m"})
    config["streams"][0].update(topic=f"payments_{name}")
    config["labels"].update(topic=f"frauds_{name}", delay="20s", horizon="1m")
    config["time"] = {"lateness": "5s"}
    config["features"] = [
        {"value": "AMOUNT"},
        {"window": "AMOUNT", "by": "CARD", "over": ["10s", "1m"], "take": ["count", "mean", "std"]},
        {"window": "AMOUNT", "by": "SHOP", "over": ["1m"], "take": ["count", "max"]},
        {"window": "label", "by": "SHOP", "over": ["1m"], "delay": "20s", "take": ["count", "mean"]}]
    config["models"][0]["publish"] = "5s"
    del config["scores"]["include"]
    return config


def make_topics(broker, name):
    for topic in ("payments", "frauds", "scores", "dead"):
        broker.make(f"{topic}_{name}", 1, *TOPIC_SETTINGS)


def event_line(number, now):
    return (f'{now} {{"ID":"{number}","TIME":{now},"CARD":{number * 7919 % CARDS},'
            f'"SHOP":{number * 104729 % SHOPS},"COUNTRY":"c{number % 30}","AMOUNT":{number % 1000 / 10}}}\n')


def label_line(number, now):
    return f'{now} {{"ID":"{number}","FRAUD":{int(number % 50 == 0)}}}\n'


class Feeder(threading.Thread):
    """Puts events and labels on topics at a rate, dated now."""

    def __init__(self, broker, name, rate):
        super().__init__(daemon=True)
        self.rate, self.stop, self.events, self.labels = rate, False, 0, 0
        self.to = [subprocess.Popen([os.path.join(TOOLS, "topic"), "fill", broker.address, topic, "0", "-"],
                                    stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1 << 16)
                   for topic in (f"payments_{name}", f"frauds_{name}")]

    def run(self):
        began = time.monotonic()
        waiting = []  # (when its label is known, number), in order
        while not self.stop:
            now = time.time_ns() // 1_000_000
            until = int((time.monotonic() - began) * self.rate)
            lines = [event_line(number, now) for number in range(self.events, until)]
            waiting += [(now + LABEL_AFTER_MS, number) for number in range(self.events, until)
                        if number % LABEL_EVERY == 0]
            due = [number for known, number in waiting if known <= now]
            del waiting[:len(due)]
            for process, text in zip(self.to, (lines, [label_line(number, now) for number in due])):
                process.stdin.write("".join(text))
                process.stdin.flush()
            self.events, self.labels = max(until, self.events), self.labels + len(due)
            time.sleep(0.05)
        for process in self.to:
            process.stdin.close()
            if process.wait() != 0:
                sys.exit(process.stderr.read())


class Reader:
    """Reads the scores as they come: the topic keeps them for ten minutes only."""

    def __init__(self, broker, name):
        self.process = subprocess.Popen([os.path.join(TOOLS, "tally"), broker.address, f"scores_{name}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def count(self):
        """Events that have a score, and scores that came again."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def sustainable(checks, work, broker, delivery):
    """Events a second that it takes while more come, with the same feeder and reader beside it as later."""
    make_topics(broker, "rate")
    feeder, reader = Feeder(broker, "rate", FLOOD), Reader(broker, "rate")
    feeder.start()
    with Service(work, config_of(broker, "rate", delivery), "rate") as service:
        service.wait("events", lambda: service.metric("freshet_events_total") > 0)
        time.sleep(FLOOD_S / 2)
        first, began = service.metric("freshet_events_total"), time.monotonic()
        time.sleep(FLOOD_S)
        rate = (service.metric("freshet_events_total") - first) / (time.monotonic() - began)
        service.terminate()
    feeder.stop = True
    feeder.join()
    reader.close()
    checks.say(f"it takes {rate:,.0f} of {FLOOD:,} events a second")
    return int(rate)


# ---- what is looked at

def folder_bytes(folder):
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


def look(service):
    """(resident bytes, file descriptors, threads, bytes of the state directory)"""
    with open(f"/proc/{service.process.pid}/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return (int(status["VmRSS"].split()[0]) * 1024, len(os.listdir(f"/proc/{service.process.pid}/fd")),
            int(status["Threads"]), folder_bytes(service.state))


class Table:
    def __init__(self, checks):
        self.checks, self.rows = checks, []  # (seconds since the beginning, what look() says)
        self.began = time.monotonic()
        print("minute   events/s   behind   memory    fds  threads     disk  first event", flush=True)

    def take(self, service, seconds, first_s):
        """Looks once a second."""
        began, most = time.monotonic(), (0, 0, 0, 0)
        while time.monotonic() < began + seconds:
            time.sleep(1)
            now = look(service)
            self.rows.append((time.monotonic() - self.began, now))
            most = tuple(map(max, most, now))
        metrics = service.metrics()
        events = metrics.get("freshet_events_total", 0)
        behind = sum(value for name, value in metrics.items() if name.startswith("freshet_lag_records"))
        print(f"{(time.monotonic() - self.began) / 60:6.1f} {events / (time.monotonic() - began):10,.0f} "
              f"{behind:8,.0f} {most[0] >> 20:4d} MiB {most[1]:6d} {most[2]:8d} {most[3] >> 20:4d} MiB "
              f"{first_s:8.2f} s", flush=True)

    def most(self, first, last):
        rows = [seen for at, seen in self.rows if first <= at < last]
        return tuple(map(max, zip(*rows)))

    def check(self, length):
        early = self.most(min(SETTLED_S, length / 4), length / 2)
        late = self.most(length * 2 / 3, length + 60)
        for what, before, after in zip(("memory", "file descriptors", "threads", "disk"), early, late):
            self.checks.true(f"{what} grew: {before} in the first half, {after} in the last third",
                             after <= before * GROWTH)
            self.checks.say(f"most {what}: {before:,} from minute 5 to the middle, {after:,} in the last third")


def soak(checks, args, work, broker, rate):
    make_topics(broker, "soak")
    config = config_of(broker, "soak", args.delivery)
    feeder, table, kills = Feeder(broker, "soak", rate), Table(checks), 0
    feeder.start()
    length = args.minutes * 60
    reader = Reader(broker, "soak")
    while time.monotonic() - table.began < length:
        started = time.monotonic()
        with Service(work, config, "soak") as service:
            service.wait("an event", lambda: service.metric("freshet_events_total") > 0)
            table.take(service, args.kill_every, time.monotonic() - started)
            service.kill()
            kills += 1
    feeder.stop = True
    feeder.join()
    with Service(work, config, "soak") as service:
        service.wait("all scores", lambda: reader.count()[0] >= feeder.events)
        checks.equal("status after SIGTERM", service.terminate(), 0)
    checks.say(f"{kills} kills, {feeder.events:,} events, {feeder.labels:,} labels")
    table.check(length)
    scored, repeated = reader.count()
    checks.equal("events with a score", scored, feeder.events)
    checks.say(f"{repeated} scores came twice")
    checks.true("none does to a reader of committed records", repeated == 0 or args.delivery == "at_least_once")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("tools")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kill-every", type=float, default=60)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--delivery", default="exactly_once")
    args = parser.parse_args()
    checks = Checks()
    with Work() as work, Kafka() as broker:
        rate = args.rate or sustainable(checks, work, broker, args.delivery) // 2
        checks.say(f"{rate:,} events a second from now on")
        soak(checks, args, work, broker, rate)
    checks.finish()


if __name__ == "__main__":
    main()
