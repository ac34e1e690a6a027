#!/usr/bin/python3
"""Rows that Kafka refuses for good are parked, wherever they stand in a batch, and cost no other row.

    parked.py FRESHET TOOLS

The scores topic takes only small messages: a payment with a long id makes a score that is too large for
it. Such payments stand at every position of a batch of events, alone, side by side, first and last, and so
do payments that cannot be read, which become dead letters. Later nobody may write to the topic of dead
letters, then to none of the two, then to both again. Known, for both ways of delivery: every other
record has its score, in order by key; the refused ones are listed by `freshet state list --parked` with
their record and the reason, once each, also after a restart; they are counted and logged; the group's
offsets pass them; nothing stops.
"""

import json
import subprocess
import time

from kafka import Kafka
from harness import (PROGRAM, Checks, Record, Service, Work, by_source, pipeline)

BATCH = 12        # records
TOO_LONG = 3000   # bytes of an id; the topic takes messages of 2000
START = 1_600_000_000_000


def event(number, kind):
    id = f"{number}" + ("x" * TOO_LONG if kind == "large" else "")
    payload = json.dumps({"ID": id, "TIME": START + number, "CARD": number % 7, "SHOP": number % 3,
                          "AMOUNT": 1.5}).encode()
    return Record(START + number, str(number).encode(), payload[:-5] if kind == "unreadable" else payload, 0)


def batches():
    """Which records of a batch are of a kind: each alone, neighbours, the ends, all."""
    positions = [{at} for at in range(BATCH)] + [{at, at + 1} for at in range(0, BATCH - 1, 3)]
    positions += [{0, BATCH - 1}, set(range(BATCH))]
    for kind in ("large", "unreadable"):
        for of_kind in positions:
            yield [kind if at in of_kind else "fine" for at in range(BATCH)]
    yield ["large" if at % 2 else "unreadable" for at in range(BATCH)]


def list_parked(checks, service):
    done = subprocess.run([PROGRAM, "state", "list", "--parked", "-c", service.config, "--state",
                           service.state], capture_output=True, text=True)
    checks.equal(f"status of state list --parked\n{done.stderr}", done.returncode, 0)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_parked(checks, delivery, parked, kinds):
    expected = [f"payments_{delivery}:0:{offset}:0" for offset, kind in enumerate(kinds) if kind == "large"]
    checks.equal(f"{delivery}: parked rows by record", [row["source"] for row in parked], expected)
    for row in parked:
        offset = int(row["source"].split(":")[2])
        score = json.loads(row["payload"])
        checks.equal(f"{delivery}: a parked row is whole", score["id"], f"{offset}" + "x" * TOO_LONG)
        checks.true(f"{delivery}: and says why", "large" in row["why"].lower(), row["why"])
        checks.equal(f"{delivery}: where it was going", row["to"], "scores")


def run(checks, work, broker, delivery):
    topic = f"payments_{delivery}"
    broker.make(topic, 1)
    broker.make(f"scores_{delivery}", 2, "max.message.bytes=2000")
    broker.make(f"dead_{delivery}", 1)
    config = pipeline(broker, f"scores_{delivery}", f"dead_{delivery}", delivery)
    config["delivery"] = delivery
    config["streams"][0]["topic"] = topic
    del config["labels"], config["scores"]["include"]
    config["features"] = config["features"][:3]
    kinds = []
    with Service(work, config, delivery) as service:
        service.wait_for_log("service.start")
        for batch in batches():
            begin = len(kinds)
            kinds += batch
            broker.fill(topic, [event(begin + at, kind) for at, kind in enumerate(batch)])
        n_large = kinds.count("large")
        service.wait("refused rows", lambda: service.metric("freshet_rows_refused_total") >= n_large)
        service.wait("all rows", lambda: service.metric("freshet_outbox_rows") == 0
                     and service.metric("freshet_rows_acknowledged_total") >= len(kinds))
        checks.equal(f"{delivery}: refused rows are counted",
                     service.metric("freshet_rows_refused_total"), n_large)
        checks.true(f"{delivery}: refused rows are logged", service.fields("rows.parked"))
        checks.equal(f"{delivery}: status", service.terminate(), 0)
    check_parked(checks, delivery, list_parked(checks, service), kinds)
    scores, repeats = by_source(checks, delivery, broker.dump(f"scores_{delivery}"))
    checks.equal(f"{delivery}: scores that came twice", repeats, 0)
    checks.equal(f"{delivery}: records with a score", sorted(source[2] for source in scores),
                 [offset for offset, kind in enumerate(kinds) if kind == "fine"])
    dead, _ = by_source(checks, delivery, broker.dump(f"dead_{delivery}"))
    checks.equal(f"{delivery}: dead letters", sorted(source[2] for source in dead),
                 [offset for offset, kind in enumerate(kinds) if kind == "unreadable"])
    offsets = broker.group_offsets(delivery, topic)
    checks.equal(f"{delivery}: the group's offset", offsets[topic, 0][0], len(kinds))
    with Service(work, config, delivery) as service:
        service.wait_for_log("service.start")
        checks.equal(f"{delivery}: rows left to send", service.fields("state.recovered")["rows"], "0")
        service.kill()
    check_parked(checks, delivery, list_parked(checks, service), kinds)
    checks.say(f"{delivery}: {n_large} of {len(kinds)} rows are parked")


class GuardedKafka(Kafka):
    MORE = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


# Topics that are denied, and batches.
STAGES = [((), 10), (("dead",), 5), (("scores", "dead"), 5), (("scores",), 5), ((), 10)]


def run_denied(checks, work, broker, delivery):
    """Batches of payments, every third of which cannot be read; stage by stage other topics are denied."""
    topic = f"denied_{delivery}"
    broker.make(topic, 1)
    config = pipeline(broker, f"scores_{topic}", f"dead_{topic}", topic)
    config["delivery"] = delivery
    config["streams"][0]["topic"] = topic
    del config["labels"], config["scores"]["include"]
    config["features"] = config["features"][:3]
    for to in ("scores", "dead"):
        broker.make(f"{to}_{topic}", 2)
    expected = {"scores": {True: [], False: []}, "dead": {True: [], False: []}}  # by: is it denied?
    n = 0
    with Service(work, config, topic) as service:
        service.wait_for_log("service.start")
        for denied, batches in STAGES:
            for to in ("scores", "dead"):
                broker.tool("deny" if to in denied else "allow", f"{to}_{topic}")
            for _ in range(batches):
                kinds = ["unreadable" if at % 3 == 2 else "fine" for at in range(n, n + BATCH)]
                for at, kind in enumerate(kinds, n):
                    to = "scores" if kind == "fine" else "dead"
                    expected[to][to in denied].append(at)
                broker.fill(topic, [event(at, kind) for at, kind in enumerate(kinds, n)])
                n += BATCH
            service.wait("all rows", lambda: service.metric("freshet_events_total") +
                         service.metric("freshet_dead_letters_total") >= n and
                         service.metric("freshet_outbox_rows") == 0)
            checks.say(f"{topic}: {' and '.join(denied) or 'nothing'} denied, "
                       f"{service.metric('freshet_rows_refused_total'):.0f} rows refused so far")
            time.sleep(1.1)  # after which a topic is tried again
        checks.equal(f"{topic}: status", service.terminate(), 0)
    parked = list_parked(checks, service)
    for to, name in (("scores", "scores"), ("dead", "dead_letters")):
        rows, repeats = by_source(checks, topic, broker.dump(f"{to}_{topic}"))
        checks.equal(f"{topic}: {to} that came", sorted(source[2] for source in rows), expected[to][False])
        checks.equal(f"{topic}: {to} that came twice", repeats, 0)
        here = [row for row in parked if row["to"] == name]
        checks.equal(f"{topic}: {to} that are parked", [int(row["source"].split(":")[2]) for row in here],
                     expected[to][True])
        checks.equal(f"{topic}: and why", {"authorization" in row["why"].lower() for row in here}, {True})
    checks.equal(f"{topic}: the group's offset", broker.group_offsets(topic, topic)[topic, 0][0], n)


def main():
    checks = Checks()
    with Work() as work, GuardedKafka() as broker:
        for delivery in ("at_least_once", "exactly_once"):
            run(checks, work, broker, delivery)
            run_denied(checks, work, broker, delivery)
    checks.finish()


if __name__ == "__main__":
    main()
