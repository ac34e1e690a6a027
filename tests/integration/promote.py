#!/usr/bin/python3
"""A person promotes an earlier version, another model, and takes back, while the service works and is killed.

    promote.py FRESHET TOOLS

Known: the version that a score names is the one that was promoted, or a later one; a model that took over
scores until another does, across kills; trees begin to serve when they are ready; the endpoint answers by
the same model. Where in the stream each of these took place is recorded: an audit of the recorded input,
without a kill, gives every score that was sent, byte for byte. What cannot be done is refused with a reason, and the service goes on.
"""

import json
import os
import subprocess

from harness import (PROGRAM, Broker, Checks, Record, Service, Work, by_source, check_who_answers, end_of,
                     events_of, labels_of, payments, pipeline, source_of)

ROWS = 12000


def model(checks, service, *words, status=0, says=""):
    done = subprocess.run([PROGRAM, "model", *words, "--state", service.state], capture_output=True,
                          text=True, timeout=120)
    text = done.stdout + done.stderr
    checks.equal(f"status of model {' '.join(words)}\n{text}", done.returncode, status)
    checks.true(f"model {' '.join(words)} says \"{says}\"", says in text, text)
    return text


def first_version(service):
    """The oldest file of the model: the service writes one every few seconds."""
    folder = os.path.join(service.state, "models")
    service.wait("a model file", lambda: os.path.isdir(folder) and any(
        name.startswith("fraud-") and name.endswith(".safetensors") for name in os.listdir(folder)))
    return min(int(name[6:16]) for name in os.listdir(folder)
               if name.startswith("fraud-") and name.endswith(".safetensors"))


def refusals(checks, service):
    model(checks, service, "promote", "fraud", "4000000", status=1, says="no file of version 4000000")
    model(checks, service, "promote", "none", status=1, says="there are: fraud other seen")
    model(checks, service, "promote", "seen", status=1, says="is a shadow")
    model(checks, service, "promote", "fraud", "x", status=2, says="is no version")
    path = os.path.join(service.state, "models", "fraud-3999999999.safetensors")
    with open(path, "wb") as file:
        file.write(b"no model")
    model(checks, service, "promote", "fraud", "3999999999", status=1, says="nothing was changed")
    os.unlink(path)


def fill(broker, rows, part, parts):
    """The events of one part, and the labels known by its end; returns its last time."""
    times = [int(row["TIME"]) for row in rows]
    bounds = [min(times) + (max(times) - min(times)) * i // parts for i in range(parts)] + [max(times) + 1]
    def inside(records):
        return [r for r in records if bounds[part] <= r.time < bounds[part + 1]]
    events, labels = inside(events_of(rows)), inside(labels_of(rows))
    end = Record(bounds[part + 1], b"end", b'{"ID":"end","FRAUD":0}')
    broker.fill("payments", events)
    broker.fill("frauds", labels + [end])
    return end.time


def scored(broker):
    return {source_of(row): json.loads(row.payload) for row in broker.dump("scores")}


def step(checks, broker, rows, part, parts, service, seen):
    """One part more is scored; what is new of it."""
    end = fill(broker, rows, part, parts)
    service.wait_until(end)
    service.wait("all rows", lambda: service.metric("freshet_outbox_rows") == 0)
    found = scored(broker)
    new = {source: score for source, score in found.items() if source not in seen}
    seen.update(new)
    checks.true(f"part {part} has scores", len(new) > 100, str(len(new)))
    return list(new.values())


def configure(broker):
    config = pipeline(broker)
    config["time"]["idle_max"] = "1s"
    config["endpoint"] = {"http": "127.0.0.1:0"}
    config["state"] = {"runs_keep": "400d"}  # for the audit
    config["models"] = [{"name": "fraud", "kind": "ftrl", "publish": "1d"},
                        {"name": "other", "kind": "gbdt", "publish": "1d", "rounds": 5, "rows": 3000},
                        {"name": "seen", "kind": "ftrl", "publish": "7d", "role": "shadow"}]
    return config


def work_and_kill(checks, work, broker, config, rows):
    seen = {}
    with Service(work, config) as service:
        step(checks, broker, rows, 0, 5, service, seen)
        version = first_version(service)
        refusals(checks, service)
        text = model(checks, service, "promote", "fraud", str(version), says="takes over as version")
        promoted = int(text.split("as version ")[1].split(",")[0])
        service.kill()
    with Service(work, config) as service:
        versions = [score["version"] for score in step(checks, broker, rows, 1, 5, service, seen)]
        checks.true("what was promoted serves after a kill", max(versions) >= promoted, str(max(versions)))
        check_who_answers(checks, service, events_of(rows)[0], "fraud", "ftrl")
        model(checks, service, "promote", "other", says="scores of other leave")
        check_who_answers(checks, service, events_of(rows)[0], "other", "gbdt")
        names = {score["model"] for score in step(checks, broker, rows, 2, 5, service, seen)}
        checks.equal("who scores, once it took over", names, {"other"})
        service.kill()
    with Service(work, config) as service:
        names = {score["model"] for score in step(checks, broker, rows, 3, 5, service, seen)}
        checks.equal("who scores after a kill", names, {"other"})
        check_who_answers(checks, service, events_of(rows)[0], "other", "gbdt")
        model(checks, service, "promote", "fraud", says="scores of fraud leave")
        check_who_answers(checks, service, events_of(rows)[0], "fraud", "ftrl")
        model(checks, service, "rollback", "fraud", says="takes over as version")
        names = {score["model"] for score in step(checks, broker, rows, 4, 5, service, seen)}
        checks.equal("who scores, once it was taken back", names, {"fraud"})
        checks.equal("status after SIGTERM", service.terminate(), 0)


def audit(checks, work, config, state="state"):
    plain = work.write("plain.yaml", json.dumps(config))
    done = subprocess.run([PROGRAM, "audit", "-q", "-c", plain, "--state", work.path(state)],
                          capture_output=True, text=True, timeout=240)
    checks.equal(f"status of the audit\n{done.stderr}", done.returncode, 0)
    again = {}
    for row in map(json.loads, done.stdout.splitlines()):
        topic, *numbers = row["source"].split(":")
        again[topic, *map(int, numbers)] = row["payload"].encode()
    return again


def main():
    checks = Checks()
    with Work() as work, Broker(payments=2, frauds=2, scores=16, dead=1) as broker:
        config = configure(broker)
        work_and_kill(checks, work, broker, config, payments(ROWS, seed=5))
        sent, repeats = by_source(checks, "scores", broker.dump("scores"))
        again = audit(checks, work, config)
        differing = [source for source in sent if again.get(source) != sent[source]]
        checks.say(f"{len(sent)} scores, {repeats} came twice")
        checks.equal("scores that the audit gives", len(again), len(sent))
        checks.true("scores that the audit gives otherwise", not differing, f"{len(differing)}: " + str(
            [(source, sent[source][:150], again.get(source, b"")[:150]) for source in differing[:1]]))
    checks.finish()


if __name__ == "__main__":
    main()
