#!/usr/bin/python3
"""SIGTERM under load ends the service in order; it can be watched while it runs; it is alone.

    sigterm.py FRESHET TOOLS

Known: after SIGTERM the status is 0 and what was read is committed and sent, so that a restart goes on
behind it and nothing is ever sent twice. While it runs /health says 200 and /metrics is Prometheus text:
each name described once and before its samples, no sample twice, histograms that add up, counters that
never fall. A second process on the same state directory is refused with status 1 and a message that
names it, and does not disturb the first.
"""

import random
import re
import signal
import subprocess
import time

from harness import (PROGRAM, Broker, Checks, Service, Work, by_source, end_of, events_of, labels_of,
                     payments, pipeline)

PARTITIONS = 3
ANSWER_MS = 40  # of the broker, while the service is stopped under load
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"'
                    r'(?:,[a-zA-Z_]\w*="(?:[^"\\]|\\.)*")*\})? (\S+)$')


def family_of(name, types):
    """The described name that a sample belongs to."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if types.get(base) == "histogram" else name


def parse_exposition(checks, text):
    """{sample: value} and {name: type} of Prometheus' text format, checked on the way."""
    samples, types, helps = {}, {}, set()
    checks.true("metrics end with a line end", text.endswith("\n"))
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            checks.true(f"{name} is described once", name not in helps)
            checks.true(f"{name} has help", len(line.split(" ", 3)) == 4, line)
            helps.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            checks.true(f"{name} has one type", name not in types)
            checks.true(f"{name} has a known type", kind in ("counter", "gauge", "histogram"), kind)
            types[name] = kind
        else:
            match = SAMPLE.match(line)
            if not checks.true("a line of metrics is a sample", match, line):
                continue
            name, labels, value = match.groups()
            checks.true(f"{name} is typed before its samples", family_of(name, types) in types)
            checks.true(f"{name} is described", family_of(name, types) in helps)
            checks.true(f"{line} is given once", name + (labels or "") not in samples)
            samples[name + (labels or "")] = float(value.replace("+Inf", "inf"))
    return samples, types


def check_histogram(checks, samples, name):
    buckets = [(float(re.search(r'le="([^"]+)"', key)[1].replace("+Inf", "inf")), value)
               for key, value in samples.items() if key.startswith(name + "_bucket")]
    counts = [value for _, value in sorted(buckets)]
    checks.true(f"{name} has buckets", len(buckets) > 1 and max(buckets)[0] == float("inf"))
    checks.true(f"{name} is cumulative", counts == sorted(counts), str(counts))
    checks.equal(f"{name}: last bucket", counts[-1], samples[name + "_count"])
    checks.true(f"{name}: sum", samples[name + "_sum"] >= 0)


def check_endpoints(checks, service):
    status, text = service.get("/health")
    checks.equal(f"status of /health ({text.strip()})", status, 200)
    checks.equal("status of an unknown path", service.get("/nothing")[0], 404)
    before, types = parse_exposition(checks, service.get("/metrics")[1])
    time.sleep(0.3)
    after, _ = parse_exposition(checks, service.get("/metrics")[1])
    for key, value in before.items():
        name = family_of(key.split("{")[0], types)
        if types.get(name) == "counter":
            checks.true(f"{key} is named _total", key.split("{")[0].endswith("_total"))
            checks.true(f"{key} never falls", after.get(key, -1) >= value)
    for name in (name for name, kind in types.items() if kind == "histogram"):
        check_histogram(checks, after, name)
    checks.true("there are plenty of metrics", len(types) > 20, str(sorted(types)))


def check_second_process(checks, first):
    began = time.monotonic()
    second = subprocess.run(
        [PROGRAM, "run", "-c", first.config, "--state", first.state, "--no-live"],
        capture_output=True, text=True, timeout=60)
    checks.equal("status of a second process", second.returncode, 1)
    checks.true("the second process says why", "another process" in second.stderr
                and first.state in second.stderr, second.stderr)
    checks.true("the second process is refused soon", time.monotonic() - began < 30)
    checks.true("the first one goes on", first.is_running() and first.get("/health")[0] == 200)


def recovered(service):
    """(records taken, scores not known to be acknowledged) as the service found them at its start."""
    service.wait_for_log("service.start")
    fields = service.fields("state.recovered")
    return (int(fields["events"]), int(fields["rows"])) if fields else (0, 0)


def stop_and_check(checks, service, number):
    began = time.monotonic()
    if not checks.equal(f"status after SIGTERM {number}", service.terminate(), 0):
        print(service.log())
    checks.true(f"it ends soon after SIGTERM {number}", time.monotonic() - began < 20)
    checks.true("nobody answers afterwards", service.get("/health")[0] == 0)


def main():
    checks = Checks()
    rng = random.Random(31)
    rows = payments(30000, seed=31)
    events, labels = events_of(rows), labels_of(rows)
    end, total = end_of(events, labels), len(events) + len(labels)
    with Work() as work, Broker(payments=PARTITIONS, frauds=PARTITIONS, scores=8, dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        config = pipeline(broker)
        broker.take_ms(ANSWER_MS)
        taken, sent = [0], [0]
        for number in range(6):
            with Service(work, config) as service:
                before, waiting = recovered(service)
                checks.equal(f"start {number}: scores not acknowledged", waiting, 0)
                checks.true(f"start {number}: goes on", before >= taken[-1], f"{before} {taken}")
                taken.append(before)
                service.wait("input", lambda: service.metric("freshet_events_total") > 0)
                if number == 0:
                    check_endpoints(checks, service)
                    check_second_process(checks, service)
                time.sleep(rng.uniform(0, 0.4))
                stop_and_check(checks, service, number)
            scores, repeats = by_source(checks, "scores", broker.dump("scores"))
            checks.equal(f"scores sent twice by SIGTERM {number}", repeats, 0)
            sent.append(len(scores))
        checks.say(f"records taken before each start: {taken[1:]}, scores after each end: {sent[1:]}")
        at_work = {n for n in taken if 0 < n < total}
        checks.true("SIGTERM came under load", len(at_work) >= 3, str(taken))

        broker.take_ms(0)
        with Service(work, config) as service:
            service.wait_until(end)
            stop_and_check(checks, service, "at the end")
        with Service(work, config) as service:
            checks.equal("taken and waiting at the end", recovered(service), (total, 0))
            service.process.send_signal(signal.SIGTERM)
            service.process.send_signal(signal.SIGTERM)  # a second one may end it at once
            checks.true("status after two", service.process.wait(60) in (0, -signal.SIGTERM))
        scores, repeats = by_source(checks, "scores", broker.dump("scores"))
        checks.equal("every event has a score", len(scores), len(events))
        checks.equal("scores sent twice", repeats, 0)
    checks.finish()


if __name__ == "__main__":
    main()
