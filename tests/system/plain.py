#!/usr/bin/python3
"""A real broker, nothing goes wrong: both ways of delivery bring every score once, and the same ones.

    plain.py FRESHET TOOLS

Known: each event has one score; both ways give the same bytes for the same record; SIGTERM ends with 0;
the group's offsets are then at the end of every partition, with the epoch in their metadata, so that lag
tools show no lag; a second start finds nothing to send again and sends nothing. The embedded broker is
refused with exactly_once, and so is a transactional id without it.
"""

from kafka import Kafka
from harness import (Checks, Service, Work, by_source, end_of, events_of, labels_of, payments,
                     pipeline)

PARTITIONS = 3


def recovered_rows(service):
    service.wait_for_log("service.start")
    return int(service.fields("state.recovered")["rows"])


def check_group(checks, broker, delivery, counts):
    offsets = broker.group_offsets(delivery, *counts)
    for (topic, partition), (offset, metadata) in offsets.items():
        checks.equal(f"{delivery}: group's offset of {topic} {partition}", offset,
                     counts[topic][partition])
        checks.true(f"{delivery}: epoch in the metadata", metadata.startswith("freshet:1:"), metadata)
    checks.equal(f"{delivery}: partitions with an offset", len(offsets),
                 sum(len(by_partition) for by_partition in counts.values()))


def run(checks, work, broker, delivery, end, counts):
    config = pipeline(broker, f"scores_{delivery}", f"dead_{delivery}", delivery)
    config["delivery"] = delivery
    with Service(work, config, delivery) as service:
        service.wait_until(end)
        if not checks.equal(f"{delivery}: status after SIGTERM", service.terminate(), 0):
            print(service.log())
    check_group(checks, broker, delivery, counts)
    scores, repeats = by_source(checks, delivery, broker.dump(f"scores_{delivery}"))
    checks.equal(f"{delivery}: scores that came twice", repeats, 0)
    used = sum(1 + max(row.offset for row in rows if row.partition == partition)
               for rows in [broker.dump(f"scores_{delivery}")]
               for partition in {row.partition for row in rows})
    checks.equal(f"{delivery}: ends of transactions are in the log", used > len(scores),
                 delivery == "exactly_once")
    with Service(work, config, delivery) as service:
        checks.equal(f"{delivery}: rows to send again", recovered_rows(service), 0)
        checks.equal(f"{delivery}: status of the second time", service.terminate(), 0)
    again = broker.dump(f"scores_{delivery}")
    checks.equal(f"{delivery}: scores after the second time", len(again), len(scores))
    return scores


def check_refusals(checks, work, broker):
    for what, change, said in [
            ("the embedded broker", {"delivery": "exactly_once", "kafka": {"brokers": "embedded"}},
             "exactly_once\" needs a real broker"),
            ("an id without transactions", {"kafka": {"brokers": broker.address,
                                                      "transactional_id": "x"}},
             "delivery: exactly_once")]:
        config = dict(pipeline(broker), **change)
        service = Service(work, config, "refused")
        checks.equal(f"status for {what}", service.process.wait(60), 1)
        checks.true(f"it is said of {what}, with the line", said in service.log()
                    and f"{service.config}:" in service.log(), service.log())


def main():
    checks = Checks()
    rows = payments(20000, seed=5)
    events, labels = events_of(rows), labels_of(rows)
    topics = {f"{name}_{delivery}": count for delivery in ("at_least_once", "exactly_once")
              for name, count in (("scores", 4), ("dead", 1))}
    with Work() as work, Kafka(payments=PARTITIONS, frauds=PARTITIONS, **topics) as broker:
        check_refusals(checks, work, broker)
        counts = {"payments": broker.fill("payments", events), "frauds": broker.fill("frauds", labels)}
        checks.say(f"{len(events)} events and {len(labels)} labels are on topics")
        end = end_of(events, labels)
        atleast = run(checks, work, broker, "at_least_once", end, counts)
        checks.say("at_least_once is through")
        once = run(checks, work, broker, "exactly_once", end, counts)
        checks.equal("every event has a score", len(once), len(events))
        checks.equal("both ways give the same scores", once == atleast, True)
    checks.finish()


if __name__ == "__main__":
    main()
