#!/usr/bin/python3
"""`run` on topics gives the features and scores that `replay` gives on the same events as a file, bit
for bit.

    run_equals_replay.py FRESHET TOOLS

With one partition the stream is as messy as a file may be: events of one instant, late ones, ids that
come again. With three, times are distinct and in order, so that merging by time must give back the
order of the file. A feature has 17 digits in the file and as many as it needs on the topic: both read
back as the very same double. Labels become known seven days after their events in both.
"""

import csv
import json
import random

from harness import (Broker, Checks, Service, Work, end_of, events_of, labels_of, payments, pipeline,
                     replay, run_through, source_of, write_csv)


def with_repeats(rows, seed):
    """Some events come again at once or some time later, not always with the same content."""
    rng = random.Random(seed)
    result = []
    for row in rows:
        result.append(row)
        if rng.random() < 0.02:
            again = rng.choice(result[-50:])
            result.append(dict(again, AMOUNT="1000000", TIME=row["TIME"]))
    return result


def replayed(checks, work, config, rows, name):
    """([(id, score, time, version)], {id: [feature]}, [feature name]) of `freshet replay`."""
    scores, features = work.path(name + ".scores"), work.path(name + ".features")
    done = replay(work.write(name + ".yaml", json.dumps(config)),
                  write_csv(work.path(name + ".csv"), rows), "--scores", scores, "--features",
                  features, "--quiet")
    if not checks.equal(f"{name}: status of replay", done.returncode, 0):
        print(done.stderr)
        return [], {}, []
    with open(scores, newline="") as file:
        table = [(row["id"], row["score"], row["time"], row["version"])
                 for row in csv.DictReader(file)]
    with open(features, newline="") as file:
        lines = csv.reader(file)
        names = next(lines)[1:]
        vectors = {line[0]: [float(text) if text else None for text in line[1:]] for line in lines}
    return table, vectors, names


def scored(broker, topic):
    """The same of a topic of scores, in the order of what they were made of."""
    table, vectors = [], {}
    for row in sorted(broker.dump(topic), key=source_of):
        score = json.loads(row.payload, parse_float=str, parse_int=str)
        table.append((score["id"], score["score"], score["time"], score["version"]))
        if "features" in score:
            vectors[score["id"]] = {name: None if text is None else float(text)
                                    for name, text in score["features"].items()}
    return table, vectors


def compare_vectors(checks, name, expected, names, got):
    checks.equal(f"{name}: ids with features", len(got), len(expected))
    wrong = 0
    for id, vector in expected.items():
        want = dict(zip(names, vector))
        if got.get(id) != want:
            wrong += 1
            if wrong < 4:
                print(f"{name}: id {id}\n  run    {got.get(id)}\n  replay {want}")
    checks.equal(f"{name}: ids whose features differ", wrong, 0)


def compare_scores(checks, name, expected, got):
    checks.equal(f"{name}: scores", len(got), len(expected))
    differing = [(want, have) for want, have in zip(expected, got) if want != have]
    checks.true(f"{name}: scores are equal", not differing,
                f"{len(differing)} differ, first replay {differing[:1]}")
    # That they are not equal for being all the same:
    checks.true(f"{name}: scores vary", len({row[1] for row in expected}) > len(expected) / 2)
    checks.true(f"{name}: versions", len({row[3] for row in expected}) > 20)


def compare(checks, work, rows, partitions, name):
    topics = {"payments": partitions, "frauds": partitions, "scores": 8, "dead": 1}
    events, labels = events_of(rows), labels_of(rows)
    with Broker(**topics) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        config = pipeline(broker)
        run_through(checks, work, config, end_of(events, labels), state=name)
        table, vectors = scored(broker, "scores")
        checks.equal(f"{name}: dead letters", len(broker.dump("dead")), 0)
    expected, expected_vectors, names = replayed(checks, work, config, rows, name)
    if partitions > 1:  # offsets do not tell the order of partitions
        table.sort()
        expected.sort()
    compare_scores(checks, name, expected, table)
    compare_vectors(checks, name, expected_vectors, names, vectors)
    checks.say(f"{name}: {len(table)} scores and {len(vectors)} x {len(names)} features compared")


def main():
    checks = Checks()
    with Work() as work:
        compare(checks, work, with_repeats(payments(20000, seed=11), seed=12), 1, "one-partition")
        compare(checks, work, payments(30000, seed=13, distinct=True), 3, "three-partitions")
    checks.finish()


if __name__ == "__main__":
    main()
