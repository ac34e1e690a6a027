#!/usr/bin/python3
"""What cannot be decoded costs nothing good and never vanishes.

    dead_letters.py FRESHET TOOLS

Bad records of every kind stand among good ones: first, last, alone in a partition, side by side, after
every good one. Known: the good ones' scores and features are those of a service that never saw the
bad ones; each bad one is on the dead-letter topic exactly as it came, with a reason that names the
matter and the place it came from; a metric counts it; a restart sends nothing again.
"""

import collections
import json

from harness import (Broker, Checks, Record, Service, Work, by_source, end_of, event_json, labels_of,
                     payments, pipeline, run_through, source_of)

DAY_MS = 86_400_000
START = 1_700_000_000_000


def good(**changes):
    event = {"ID": "spoilt", "TIME": START, "CARD": 1, "SHOP": "S1", "COUNTRY": "DE", "AMOUNT": 1.5}
    event.update(changes)
    return event


def without(name):
    event = good()
    del event[name]
    return event


def text(value):
    return json.dumps(value).encode()


# Of events: payload, and what the reason must say.
BAD_EVENTS = [
    (b"", "empty"),
    (b" ", "empty"),
    (b"hello", "JSON"),
    (b"{", "JSON"),
    (text(good())[:-1], "JSON"),
    (text(good())[:40], "JSON"),
    (text(good()) + b"x", "JSON"),
    (text(good()) + text(good()), "JSON"),
    (b"[" + text(good()) + b"]", "object"),
    (b'"text"', "object"),
    (b"12", "object"),
    (b"null", "object"),
    (b"\x00\x01\x02\xff\xfe" * 20, "JSON"),
    (text(good(ID="bad")).replace(b"bad", b"b\xffd"), "JSON"),
    (text(good(ID="bad")).replace(b"bad", b"b\x01d"), "JSON"),
    (text(good()).replace(b"1.5", b"1.5.5"), "AMOUNT"),
    (text(good()).replace(b"1.5", b"NaN"), "AMOUNT"),
    (text(good()).replace(b"1.5", b"1e999"), "AMOUNT"),
    (text(good(AMOUNT="plenty")), "AMOUNT"),
    (text(good(AMOUNT=True)), "AMOUNT"),
    (text(good(AMOUNT=[1])), "AMOUNT"),
    (text(good(CARD={"number": 1})), "CARD"),
    (text(good(CARD=1.25)), "CARD"),
    (text(good(SHOP=False)), "SHOP"),
    (text(good(COUNTRY=["DE"])), "COUNTRY"),
    (text(without("ID")), "ID"),
    (text(good(ID=None)), "ID"),
    (text(good(ID="")), "ID"),
    (text(good(ID=["a"])), "ID"),
    (text(without("TIME")), "TIME"),
    (text(good(TIME="yesterday")), "TIME"),
    (text(good(TIME=None)), "TIME"),
    (text(good(TIME=10 ** 30)), "TIME"),
    (text(good(TIME=START + 80 * 365 * DAY_MS)), "too far"),  # must not carry the stream to 2103
    (b'{"ID":"a","ID":"b","TIME":1,"CARD":1}', "twice"),
    (b"[" * 5000, "object"),
    (b'{"x":' * 3000, "JSON"),
    (text(good(SHOP="S" * 200_000)) + b"}", "JSON"),
]

# Of labels, which have {"ID", "FRAUD"}.
BAD_LABELS = [
    (b"", "empty"),
    (b"1", "object"),
    (b'{"ID":"a"}', "FRAUD"),
    (b'{"FRAUD":1}', "ID"),
    (b'{"ID":"a","FRAUD":null}', "FRAUD"),
    (b'{"ID":"a","FRAUD":"maybe"}', "FRAUD"),
    (b'{"ID":"a","FRAUD":[1]}', "FRAUD"),
    (b'{"ID":"a","FRAUD":1', "JSON"),
]

Bad = collections.namedtuple("Bad", "topic payload says")


def place(records, topic, kinds):
    """The records, to partition 0, with every kind of bad one among them: all in a row before the first,
    one after each of the next, all in a row after the last. And alone in partition 1. Returns the
    records and {(topic, partition, offset): Bad}."""
    mixed, bad = [], {}

    def put(time, partition, kind):
        offset = sum(1 for record in mixed if record.partition == partition)
        bad[topic, partition, offset] = Bad(topic, *kind)
        mixed.append(Record(time, None, kind[0], partition))

    for kind in kinds:
        put(records[0].time, 0, kind)
    for i, record in enumerate(records):
        mixed.append(record._replace(partition=0))
        if i < 3 * len(kinds):
            put(record.time, 0, kinds[i % len(kinds)])
    for kind in kinds:
        put(records[-1].time, 0, kind)
        put(records[-1].time, 1, kind)
    return mixed, bad


def check_dead(checks, rows, bad):
    found, _ = by_source(checks, "dead letters", rows)
    checks.equal("dead letters", len(found), len(bad))
    for row in rows:
        topic, partition, offset, ordinal = source_of(row)
        expected = bad.get((topic, partition, offset))
        if not checks.true("dead letter of a bad record", expected, f"{row}"[:300]):
            continue
        name = f"dead letter {topic}/{partition}/{offset}"
        said = [row.headers.get(f"source.{part}", b"").decode()
                for part in ("topic", "partition", "offset", "ordinal")]
        checks.equal(f"{name}: headers", said, [topic, str(partition), str(offset), "0"])
        checks.true(f"{name}: payload as it came", row.payload == expected.payload,
                    f"{row.payload[:60]!r}, not {expected.payload[:60]!r}")
        reason = row.headers.get("reason", b"").decode()
        checks.true(f"{name}: the reason says {expected.says!r}", expected.says in reason, reason)
        checks.true(f"{name}: the reason is one line", reason and "\n" not in reason, reason)


def by_id(rows):
    return {json.loads(row.payload)["id"]: row.payload for row in rows}


def check_metrics(checks, service, events, labels, bad):
    metrics = service.metrics()
    checks.equal("metric of dead letters", metrics["freshet_dead_letters_total"], len(bad))
    checks.equal("metric of scored events", metrics["freshet_events_scored_total"], len(events))
    joined = sum(metrics[f'freshet_labels_total{{outcome="{outcome}"}}']
                 for outcome in ("joined", "repeated", "early", "corrected"))
    checks.equal("metric of labels", joined, len(labels))


def main():
    checks = Checks()
    rows = payments(1500, seed=21, distinct=True)
    events = [Record(int(row["TIME"]), row["ID"].encode(), event_json(row)) for row in rows]
    labels = labels_of(rows)
    mixed_events, bad = place(events, "payments", BAD_EVENTS)
    mixed_labels, bad_labels = place(labels, "frauds", BAD_LABELS)
    bad.update(bad_labels)
    end = end_of(events, labels)

    with Work() as work, Broker(payments=3, frauds=2, scores=3, dead=2) as broker, \
            Broker(payments=1, frauds=1, scores=3, dead=1) as clean:
        clean.fill("payments", events)
        clean.fill("frauds", labels)
        run_through(checks, work, pipeline(clean), end, "clean")
        expected = by_id(clean.dump("scores"))
        checks.equal("scores without bad records", len(expected), len(events))
        checks.equal("dead letters without bad records", len(clean.dump("dead")), 0)

        broker.fill("payments", mixed_events)
        broker.fill("frauds", mixed_labels)
        with Service(work, pipeline(broker), "mixed") as service:
            service.wait_until(end)
            service.wait("all dead letters",
                         lambda: service.metric("freshet_dead_letters_total") >= len(bad))
            check_metrics(checks, service, events, labels, bad)
            checks.equal("status after SIGTERM", service.terminate(), 0)
        scores, dead = broker.dump("scores"), broker.dump("dead")
        check_dead(checks, dead, bad)
        got = by_id(scores)
        checks.equal("scores", len(scores), len(events))
        wrong = [id for id in expected if got.get(id) != expected[id]]
        checks.true("scores are those without bad records", not wrong,
                    f"{len(wrong)}, first {[(got.get(id), expected[id]) for id in wrong[:1]]}")
        checks.say(f"{len(bad)} bad records among {len(events)} events and {len(labels)} labels")

        # A restart reads on behind the bad ones, and takes what comes now.
        late = [Record(end + 1, b"one-more", text(good(ID="one-more", TIME=end + 1)), 0),
                Record(end + 2, b"bad-again", b"{}", 0)]
        broker.fill("payments", late)
        run_through(checks, work, pipeline(broker), end + 1, "mixed")
        checks.equal("scores after a restart", len(broker.dump("scores")), len(scores) + 1)
        checks.equal("dead letters after a restart", len(broker.dump("dead")), len(dead) + 1)
    checks.finish()


if __name__ == "__main__":
    main()
