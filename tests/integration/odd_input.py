#!/usr/bin/python3
"""An event dated 2099 and labels of unknown events change nothing for the others.

    odd_input.py FRESHET TOOLS

Known: events dated decades past their record's own time are dead letters that say so, and time does not
go on to them: windows, labels and versions are as without them. Labels whose events never come wait,
are counted, and are let go behind the horizon; those whose events come at last are applied, as if they
had come in order. So every other event has the score and the features that it has without all this.
"""

import json

from harness import (DAY_MS, Broker, Checks, Record, Service, Work, end_of, event_json, events_of,
                     label_record, labels_of, payments, pipeline)

FAR_MS = 4_080_000_000_000  # in the year 2099


def scored(broker, topic):
    return {json.loads(row.payload)["id"]: row.payload for row in broker.dump(topic)}


def run(checks, work, config, end, state):
    """Ends in order; returns the metrics as they were at the end of the input."""
    with Service(work, config, state) as service:
        service.wait_until(end)
        metrics = service.metrics()
        checks.equal(f"{state}: status", service.terminate(), 0)
    return metrics


def spoilt(rows, events, labels):
    """The same topics with events from 2099, and labels of events that never come."""
    far = [Record(events[i].time, b"far", event_json(dict(rows[i], ID=f"far-{i}", TIME=str(FAR_MS + i))))
           for i in range(100, len(events), 4000)]
    begin, end = events[0].time, events[-1].time
    never = [label_record(f"never-{i}", i % 2, begin + (end - begin) * i // 50) for i in range(50)]
    in_order = lambda record: record.time
    return (sorted(events + far, key=in_order), len(far), sorted(labels + never, key=in_order),
            sum(label.time >= end - 30 * DAY_MS for label in never))


def main():
    checks = Checks()
    rows = payments(20000, seed=33, distinct=True)
    events, labels = events_of(rows), labels_of(rows)
    end = end_of(events, labels)
    with Work() as work, Broker(payments=1, frauds=1, plain=8, odd_payments=1, odd_frauds=1, odd=8,
                                dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        run(checks, work, pipeline(broker, "plain", group="plain"), end, "plain")

        odd_events, n_far, odd_labels, n_left = spoilt(rows, events, labels)
        broker.fill("odd_payments", odd_events)
        broker.fill("odd_frauds", odd_labels)
        config = pipeline(broker, "odd", group="odd")
        config["streams"][0]["topic"] = "odd_payments"
        config["labels"]["topic"] = "odd_frauds"
        metrics = run(checks, work, config, end, "odd")
        want, got = scored(broker, "plain"), scored(broker, "odd")
        checks.equal("every event has a score", len(want), len(events))
        checks.equal("events that have one", sorted(got), sorted(want))
        differing = [id for id in want if got.get(id) != want[id]]
        checks.true("all are the same", not differing, f"{len(differing)}, first {differing[:3]}")
        dead = broker.dump("dead")
        checks.equal("dead letters", len(dead), n_far)
        checks.true("they say why", all(b"2099" in row.headers["reason"] for row in dead),
                    str(dead[:1]))
        checks.equal("labels that came before any event",
                     metrics['freshet_labels_total{outcome="early"}'], 50)
        checks.true("some of them are let go", n_left <= metrics["freshet_pending_labels"] < 50,
                    f"{metrics['freshet_pending_labels']}, within the horizon {n_left}")
        checks.say(f"{len(got)} scores; {n_far} events from 2099, 50 labels of nothing")
    checks.finish()


if __name__ == "__main__":
    main()
