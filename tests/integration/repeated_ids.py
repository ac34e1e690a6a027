#!/usr/bin/python3
"""A repeated id re-emits the stored score and changes nothing; labels reach the label windows as the
design says, whether they come early, in time, late, twice, corrected or never.

    repeated_ids.py FRESHET TOOLS

The first part is small enough to be worked out by hand, next to each event below. The second part makes
up a stream of all of it and compares with a naive oracle that recounts everything for each event.
"""

import json
import math
import random

from harness import (Broker, Checks, Record, Service, Work, end_of, pipeline, run_through, source_of)

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
START = 1_600_000_000_000
DELAY_DAYS, WINDOW_DAYS, LATENESS_HOURS = 2, 10, 3


def configuration(broker, absent):
    config = pipeline(broker)
    config["labels"].update(delay=f"{DELAY_DAYS}d", horizon="60d")
    if absent is not None:
        config["labels"]["absent"] = absent
    config["time"]["lateness"] = f"{LATENESS_HOURS}h"
    config["features"] = [
        {"window": "AMOUNT", "by": "CARD", "over": [f"{WINDOW_DAYS}d"], "take": ["count", "sum"]},
        {"window": "label", "by": "SHOP", "over": [f"{WINDOW_DAYS}d"],
         "delay": f"{DELAY_DAYS}d", "take": ["count", "sum", "mean"]}]
    return config


NAMES = ["AMOUNT.by.CARD.10d.count", "AMOUNT.by.CARD.10d.sum", "label.by.SHOP.10d.count",
         "label.by.SHOP.10d.sum", "label.by.SHOP.10d.mean"]


def event(id, hours, amount=1.0, card="c", shop="s"):
    time = START + round(hours * HOUR_MS)
    payload = {"ID": id, "TIME": time, "CARD": card, "SHOP": shop, "AMOUNT": amount}
    return Record(time, id.encode(), json.dumps(payload).encode())


def label(id, hours, fraud):
    time = START + round(hours * HOUR_MS)
    return Record(time, id.encode(), json.dumps({"ID": id, "FRAUD": fraud}).encode())


def day(days, hours=0):
    return 24 * days + hours


# ---- by hand: one card, one shop. What is expected: count and sum of amounts, then count, sum and mean
# of labels; None: a repeat, which carries no features.

BY_HAND = [
    (event("a", day(0), 1), (1, 1, 0, 0, 0)),
    (event("b", day(0, 1), 2), (2, 3, 0, 0, 0)),
    # The same id again, with another card, shop, amount and time: nothing is observed.
    (event("a", day(0, 2), 500, card="d", shop="t"), None),
    (event("c", day(0, 3), 4), (3, 7, 0, 0, 0)),
    (event("d", day(0, 4), 100, card="d", shop="t"), (1, 100, 0, 0, 0)),
    # Two days after a: a is in the window, b an hour later. a is labelled 1 (early: before its event).
    (event("e", day(2), 8), (4, 15, 1, 1, 1)),
    # a, b, c. b is labelled 1 in time, c not yet: it counts as 0.
    (event("f", day(2, 4), 16), (5, 31, 3, 2, 2 / 3)),
    # c is labelled 1 late, at this very instant: labels come first. e and f are too young.
    (event("g", day(3, 1), 32), (6, 63, 3, 3, 1)),
    # b was corrected to 0 on day 4; e and f have no labels: 0. a, b, c, e, f.
    (event("h", day(5), 64), (7, 127, 5, 2, 2 / 5)),
    (event("e", day(5, 1), 64), None),
    # g is labelled 1, and again 1. 10 days back from day 12 minus 2 is day 0, exclusive: a is out of
    # both windows... of amounts from day 2, exclusive: f, g, h, i.
    (event("i", day(12), 128), (4, 240, 6, 2, 2 / 6)),
]
LABELS_BY_HAND = [
    label("a", day(-1), 1),
    label("b", day(1), 1),
    label("c", day(3, 1), 1),
    label("b", day(4), 0),
    label("g", day(4, 1), 1),
    label("g", day(4, 2), 1),
    label("nobody", day(4, 3), 1),
]


# ---- the oracle

class Known:
    """An event as it was when it first came."""

    def __init__(self, payload, time, observed):
        self.card, self.shop, self.amount = payload["CARD"], payload["SHOP"], payload["AMOUNT"]
        self.time, self.observed = time, observed


def merged(events, labels):
    """Both in the order in which the service takes them: the earlier head first, labels before events."""
    i = j = 0
    while i < len(events) or j < len(labels):
        if j < len(labels) and (i == len(events) or labels[j].time <= events[i].time):
            yield labels[j], True
            j += 1
        else:
            yield events[i], False
            i += 1


def features(known, values, payload, time, absent):
    """known: {id: Known} of all events so far; values: {id: label} of all labels so far."""
    span = WINDOW_DAYS * DAY_MS
    amounts = [past.amount for past in known.values() if past.observed
               and past.card == payload["CARD"] and time - span < past.time <= time]
    amounts.append(payload["AMOUNT"])
    last = time - DELAY_DAYS * DAY_MS
    numbers = [values.get(id, absent) for id, past in known.items() if past.observed
               and past.shop == payload["SHOP"] and last - span < past.time <= last]
    numbers = [number for number in numbers if number is not None]
    mean = math.fsum(numbers) / len(numbers) if numbers else 0
    return (len(amounts), math.fsum(amounts), len(numbers), math.fsum(numbers), mean)


def oracle(events, labels, absent):
    """What is expected for each event, in the order of `events`."""
    known, values, now, expected = {}, {}, -math.inf, []
    for record, is_label in merged(events, labels):
        payload = json.loads(record.payload)
        now = max(now, record.time)
        if is_label:
            values[payload["ID"]] = payload["FRAUD"]
        elif payload["ID"] in known:
            expected.append(None)
        else:
            expected.append(features(known, values, payload, record.time, absent))
            observed = record.time >= now - LATENESS_HOURS * HOUR_MS
            known[payload["ID"]] = Known(payload, record.time, observed)
    return expected


def made_up(seed, n):
    """Events of few cards and shops, a fifth of them repeated, some late, with labels of every sort."""
    rng = random.Random(seed)
    events, labels, hours = [], [], 0.0
    for i in range(n):
        hours += rng.expovariate(1)
        if events and rng.random() < 0.2:
            again = json.loads(rng.choice(events[-60:]).payload)["ID"]
            events.append(event(again, hours, 9.0, f"c{rng.randrange(5)}", f"s{rng.randrange(3)}"))
            continue
        behind = rng.choice([0, 0, 0, 0, 0, 0, 0, 1, 5])
        events.append(event(f"id{i}", hours - behind, float(rng.randrange(1, 50)),
                            f"c{rng.randrange(5)}", f"s{rng.randrange(3)}"))
        when = rng.choice([None, -100, -1, 1, 47, 48, 49, 100, 400])
        if when is None:
            continue
        fraud = rng.randrange(2)
        labels.append(label(f"id{i}", hours + when, fraud))
        if rng.random() < 0.3:
            labels.append(label(f"id{i}", hours + when + rng.choice([0, 10, 90, 200]), 1 - fraud))
    return events, sorted(labels, key=lambda record: record.time)


# ---- running

def close(a, b):
    return a is not None and abs(a - b) <= 1e-9 * max(1, abs(b))


def scored(broker):
    rows = sorted(broker.dump("scores"), key=source_of)
    return [json.loads(row.payload) for row in rows]


def compare(checks, name, events, expected, scores):
    if not checks.equal(f"{name}: scores", len(scores), len(events)):
        return
    first = {}
    for i, (record, want, score) in enumerate(zip(events, expected, scores)):
        id = json.loads(record.payload)["ID"]
        what = f"{name}: event {i}, id {id}"
        checks.equal(f"{what}: id", score["id"], id)
        if want is None:
            checks.true(f"{what}: a repeat has no features", "features" not in score)
            checks.equal(f"{what}: a repeat says what the first said", score, first[id])
            continue
        first[id] = {key: value for key, value in score.items() if key != "features"}
        got = [score["features"][feature] for feature in NAMES]
        checks.true(f"{what}: features", all(map(close, got, want)), f"{got}, expected {want}")


def run(checks, work, name, events, labels, absent_config, expected):
    with Broker(payments=1, frauds=1, scores=1, dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        config = configuration(broker, absent_config)
        with Service(work, config, name) as service:
            service.wait_until(end_of(events, labels))
            metrics = service.metrics()
            checks.equal(f"{name}: status", service.terminate(), 0)
        scores = scored(broker)
        compare(checks, name, events, expected, scores)
        checks.equal(f"{name}: metric of repeats", metrics["freshet_events_repeated_total"],
                     expected.count(None))

        # What came before a restart is known after it. One more event tells when all is read.
        end = end_of(events, labels) + HOUR_MS
        again = [record._replace(time=end) for record in events[-5:]]
        broker.fill("payments", again + [event("last", (end - START) / HOUR_MS)])
        run_through(checks, work, config, end, name)
        stripped = [{key: value for key, value in score.items() if key != "features"}
                    for score in scores[-5:]]
        checks.equal(f"{name}: repeats after a restart", scored(broker)[len(scores):-1], stripped)
    return metrics


def main():
    checks = Checks()
    with Work() as work:
        events = [record for record, _ in BY_HAND]
        expected = [want for _, want in BY_HAND]
        checks.equal("the oracle agrees with what was worked out by hand",
                     oracle(events, LABELS_BY_HAND, 0), expected)
        metrics = run(checks, work, "by-hand", events, LABELS_BY_HAND, None, expected)
        for outcome, n in (("joined", 3), ("early", 2), ("corrected", 1), ("repeated", 1)):
            checks.equal(f"by-hand: labels {outcome}",
                         metrics[f'freshet_labels_total{{outcome="{outcome}"}}'], n)

        for seed, absent, value in ((1, None, 0), (2, "none", None)):
            events, labels = made_up(seed, 1500)
            run(checks, work, f"made-up-{seed}", events, labels, absent,
                oracle(events, labels, value))
    checks.finish()


if __name__ == "__main__":
    main()
