#!/usr/bin/python3
"""A bad network and a broker that goes away: everything waits, nothing is lost, nothing ends.

    faults.py FRESHET TOOLS

One service for each way of delivery scores the same topics at once, through a proxy, while: the network
is slow and loses every hundredth packet (network.py; where that cannot be had, a chunk of a hundred comes
late, as if it had been sent again); connections are cut just as a request of each kind that a
transaction is made of goes by (produce, partitions, offsets, the end), before the broker has it or behind
that; the broker is killed and stays away for 30 seconds while input waits on it, and comes back. Known:
both processes live through all of it; every event has one score, the same in both ways; and a reader of
committed records never sees one twice.
"""

import random
import time

import network
from kafka import Kafka
from harness import Checks, Service, Work, by_source, end_of, events_of, labels_of, payments, pipeline

PARTITIONS = 3
AWAY_S = 30
# Kafka's API keys.
REQUESTS = {0: "Produce", 22: "InitProducerId", 24: "AddPartitionsToTxn", 25: "AddOffsetsToTxn",
            26: "EndTxn", 28: "TxnOffsetCommit", 8: "OffsetCommit", 1: "Fetch"}
CUT_EACH = 4


class Cutter:
    """Cuts all connections a few times as a request of each kind goes by: half of the times at once, so
    that the request is lost, half a moment later, so that the answer is."""

    def __init__(self, proxy, rng):
        self.proxy, self.rng = proxy, rng
        self.left = {key: CUT_EACH for key in REQUESTS}
        self.not_before = 0.0

    def __call__(self, key):
        now = time.monotonic()
        if now < self.not_before or self.left.get(key, 0) == 0:
            return
        self.not_before = now + 0.3
        self.left[key] -= 1
        if self.rng.random() < 0.5:
            self.proxy.reset_all()
        else:
            self.proxy.loop.call_later(0.002, self.proxy.reset_all)


def config_of(broker, delivery):
    config = pipeline(broker, f"scores_{delivery}", f"dead_{delivery}", delivery)
    config["delivery"] = delivery
    config["kafka"]["brokers"] = broker.proxied
    return config


class Parts:
    """Parts of the input, one after another, each waited for by both services."""

    def __init__(self, checks, broker, services, events, labels, parts):
        self.checks, self.broker, self.services = checks, broker, services
        size = -(-len(events) // parts)
        self.events = [events[at:at + size] for at in range(0, len(events), size)]
        size = -(-len(labels) // parts)
        self.labels = [labels[at:at + size] for at in range(0, len(labels), size)]

    def fill(self):
        """Returns the time of its last record."""
        events, labels = self.events.pop(0), self.labels.pop(0)
        self.broker.fill("payments", events)
        self.broker.fill("frauds", labels)
        return end_of(events, labels)

    def settle(self, what, end):
        for service in self.services:
            service.wait(f"{what}: input", lambda: service.metric("freshet_event_time_seconds") >= end / 1000)
            service.wait(f"{what}: rows", lambda: service.metric("freshet_outbox_rows") == 0)
        self.checks.say(what)


def main():
    network.enter()
    checks = Checks()
    rng = random.Random(3)
    rows = payments(12000, seed=3, distinct=True)
    events, labels = events_of(rows), labels_of(rows)
    topics = {f"{name}_{delivery}": count for delivery in ("at_least_once", "exactly_once")
              for name, count in (("scores", 4), ("dead", 1))}
    with Work() as work, Kafka(payments=PARTITIONS, frauds=PARTITIONS, **topics) as broker:
        services = [Service(work, config_of(broker, delivery), delivery)
                    for delivery in ("at_least_once", "exactly_once")]
        try:
            run(checks, rng, broker, services, Parts(checks, broker, services, events, labels, 24))
        finally:
            for service in services:
                service.__exit__()
        scores = []
        for delivery in ("at_least_once", "exactly_once"):
            found, repeats = by_source(checks, delivery, broker.dump(f"scores_{delivery}"))
            checks.equal(f"{delivery}: events with a score", len(found), len(events))
            checks.equal(f"{delivery}: scores that came twice", repeats, 0)
            scores.append(found)
        checks.true("both ways give the same events a score", scores[0].keys() == scores[1].keys())
        aborted = len(broker.dump("scores_exactly_once", "raw")) - len(events)
        checks.say(f"{aborted} rows of aborted transactions are in the log")
    checks.finish()


def run(checks, rng, broker, services, parts):
    parts.settle("start", parts.fill())

    broker.proxy.delay_s = 0.03
    with network.Loss(broker.proxy.port, 0.01) as loss:
        for _ in range(4):
            end = parts.fill()
            parts.settle("slow network, 1 % loss", end)
    if loss.packets is None:
        broker.proxy.loss = 0.01
        parts.settle("slow network, late chunks", parts.fill())
    else:
        checks.say(f"{loss.packets} packets were lost")
        checks.true("packets were lost", loss.packets > 0)
    broker.proxy.delay_s = broker.proxy.loss = 0.0

    cutter = Cutter(broker.proxy, rng)
    broker.proxy.on_request = cutter
    until = time.monotonic() + 30
    while len(parts.events) > 4 and time.monotonic() < until:
        end = parts.fill()
        time.sleep(0.6)
    parts.settle("cut connections", end)
    broker.proxy.on_request = None
    left = {REQUESTS[key]: n for key, n in cutter.left.items() if n == CUT_EACH and key != 22}
    checks.equal("requests that were never cut", left, {})

    end = parts.fill()
    broker.kill()
    broker.proxy.cut()
    time.sleep(AWAY_S)
    broker.start()
    while parts.events:
        end = parts.fill()
    parts.settle(f"broker away for {AWAY_S} s", end)
    for service in services:
        checks.true("the service lived through it", service.is_running())
        if not checks.equal("status after SIGTERM", service.terminate(), 0):
            print(service.log())


if __name__ == "__main__":
    main()
