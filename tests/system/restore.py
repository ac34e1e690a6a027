#!/usr/bin/python3
"""A state that does not fit what the broker knows of it: refused, with the way out, which then works.

    restore.py FRESHET TOOLS

Known, for both ways of delivery. An older copy of the state, put back after more was scored, does not
start, and neither does an empty one with the same group; --after-restore computes it anew, also over a
kill and a start without the option, and sends nothing that was sent before: every record has one score in
the end, the state has the digest of the one that was lost, and what comes later is scored. Input that was
deleted before it was read ends the service, at its start and while it runs, with the way out, and
--accept-gap goes on behind it.

Under exactly_once, a second process on a copy of the state takes over from the first one, which was
stopped at its work; when that goes on it ends by itself, says why, and has written nothing; a reader of
committed records sees every score once.
"""

import json
import shutil
import signal
import time

from kafka import Kafka
from harness import (Checks, Record, Service, Work, by_source, payments, events_of, labels_of, pipeline,
                     end_of)
import kill

PARTITIONS = 3


def config_of(broker, name, delivery):
    config = pipeline(broker, f"scores_{name}", f"dead_{name}", name)
    config["delivery"] = delivery
    config["streams"][0]["topic"] = f"payments_{name}"
    config["labels"]["topic"] = f"frauds_{name}"
    return config


def make_topics(broker, name):
    for topic, partitions in (("payments", PARTITIONS), ("frauds", PARTITIONS), ("scores", 4), ("dead", 1)):
        broker.make(f"{topic}_{name}", partitions)


def fill(broker, name, events, labels):
    broker.fill(f"payments_{name}", events)
    broker.fill(f"frauds_{name}", labels)
    return end_of(events, labels)


def run_through(checks, what, work, config, end, state, *options):
    with Service(work, config, state, options) as service:
        service.wait_until(end)
        if not checks.equal(f"{what}: status after SIGTERM", service.terminate(), 0):
            print(service.log())


def check_refused(checks, what, service, line, hint):
    checks.equal(f"{what}: status", service.process.wait(60), 1)
    fields = service.fields(line)
    if checks.true(f"{what}: {line} is logged", fields, service.log()):
        checks.true(f"{what}: the way out is named", hint in service.log(), service.log())


def check_scores(checks, what, broker, name, events, repeats_allowed=0):
    scores, repeats = by_source(checks, what, broker.dump(f"scores_{name}"))
    checks.true(f"{what}: scores that came twice", repeats <= repeats_allowed, str(repeats))
    checks.equal(f"{what}: records with a score", len(scores), events)


def check_restore(checks, work, broker, delivery, events, labels):
    name = f"restore_{delivery}"
    config = config_of(broker, name, delivery)
    plain = work.write("plain.yaml", json.dumps(config))
    make_topics(broker, name)
    half = len(events) // 2
    state, old = work.path(name), work.path(name + "_old")
    run_through(checks, name, work, config, fill(broker, name, events[:half], labels[:half]), name)
    shutil.copytree(state, old)
    end = fill(broker, name, events[half:-100], labels[half:-100])
    run_through(checks, name, work, config, end, name)
    digest = kill.digest(checks, plain, state)
    check_scores(checks, f"{name}, before", broker, name, len(events) - 100)

    shutil.rmtree(state)
    shutil.copytree(old, state)
    check_refused(checks, f"{name}, older copy", Service(work, config, name), "state.behind",
                  "--after-restore")
    check_refused(checks, f"{name}, empty state", Service(work, config, name + "_empty"),
                  "state.behind", "--after-restore")
    for options in (["--after-restore"], []):
        with Service(work, config, name, options) as service:
            service.wait_for_log("service.start")
            service.kill()
    run_through(checks, name, work, config, end, name)
    checks.equal(f"{name}: digest of the state", kill.digest(checks, plain, state), digest)
    check_scores(checks, f"{name}, restored", broker, name, len(events) - 100)
    run_through(checks, name, work, config, end, name + "_empty", "--after-restore")
    check_scores(checks, f"{name}, computed from nothing", broker, name, len(events) - 100)
    # Two copies went their ways now: the one that the group knows goes on, the other one does not.
    end = fill(broker, name, events[-100:], labels[-100:])
    check_refused(checks, f"{name}, the other copy", Service(work, config, name), "state.behind",
                  "--after-restore")
    run_through(checks, name, work, config, end, name + "_empty")
    check_scores(checks, f"{name}, later", broker, name, len(events))


def check_truncated(checks, work, broker, delivery, events, labels):
    name = f"cut_{delivery}"
    config = config_of(broker, name, delivery)
    config["kafka"]["brokers"] = broker.proxied
    make_topics(broker, name)
    third = len(events) // 3
    first, second, last = (
        [event._replace(partition=0) for event in events[at:at + third]] for at in (0, third, 2 * third))
    run_through(checks, name, work, config, fill(broker, name, first, labels[:1]), name)
    fill(broker, name, second, labels[1:2])
    broker.tool("cut", f"payments_{name}", "0", str(third + 10))
    check_refused(checks, name, Service(work, config, name), "source.seek", "--accept-gap")
    with Service(work, config, name, ["--accept-gap"]) as service:
        service.wait_until(end_of(second))
        broker.proxy.stop_passing()
        time.sleep(0.3)
        fill(broker, name, last, labels[2:3])
        broker.tool("cut", f"payments_{name}", "0", str(2 * third + 10))
        broker.proxy.pass_on()
        check_refused(checks, f"{name}, while it runs", service, "source.failed", "--accept-gap")
    run_through(checks, name, work, config, end_of(last), name, "--accept-gap")
    check_scores(checks, name, broker, name, 3 * third - 20)


def check_fence(checks, work, broker, events, labels):
    name = "fence"
    config = config_of(broker, name, "exactly_once")
    slow = dict(config, kafka=dict(config["kafka"], brokers=broker.proxied, properties={
        "fetch.message.max.bytes": 8192, "queued.min.messages": 100}))
    make_topics(broker, name)
    end = fill(broker, name, events, labels)
    broker.proxy.delay_s = 0.02
    first = Service(work, slow, "first")
    first.wait("some scores", lambda: first.metric("freshet_rows_acknowledged_total") > 100)
    first.process.send_signal(signal.SIGSTOP)
    shutil.copytree(first.state, work.path("second"), ignore=shutil.ignore_patterns("control"))
    with Service(work, config, "second") as second:
        second.wait_until(end)
        second.wait("all rows", lambda: second.metric("freshet_outbox_rows") == 0)
        before = len(broker.dump(f"scores_{name}", "raw"))
        first.process.send_signal(signal.SIGCONT)
        status = first.process.wait(60)
        checks.true("the first process ends with a failure", status == 1, str(status))
        checks.true("and says why", "took over the transactional id" in first.log(), first.log())
        checks.true("it ended in order", first.fields("service.stop"))
        checks.equal("it wrote nothing", len(broker.dump(f"scores_{name}", "raw")), before)
        checks.true("the second one goes on", second.is_running())
        checks.equal("status of the second one", second.terminate(), 0)
    broker.proxy.delay_s = 0
    check_scores(checks, name, broker, name, len(events))


def main():
    checks = Checks()
    rows = payments(3000, seed=11, distinct=True)
    events, labels = events_of(rows), labels_of(rows)
    # Early labels: both topics then have the same times, and can be filled in the same parts.
    labels = [Record(event.time, label.key, label.payload) for event, label in zip(events, labels)]
    with Work() as work, Kafka() as broker:
        for delivery in ("at_least_once", "exactly_once"):
            check_restore(checks, work, broker, delivery, events, labels)
            checks.say(f"{delivery}: older copies")
            check_truncated(checks, work, broker, delivery, events, labels)
            checks.say(f"{delivery}: deleted input")
        check_fence(checks, work, broker, events, labels)
        checks.say("a second process on a copy")
    checks.finish()


if __name__ == "__main__":
    main()
