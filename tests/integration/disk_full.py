#!/usr/bin/python3
"""A disk that fills up stops the service before anything is acknowledged that is not durable, and loses
nothing.

    disk_full.py FRESHET TOOLS

The state is on a small disk of its own (a tmpfs; mounting it needs root). Known: below `state.reserve`
commits wait, which log, metric and health check say; none is made and no score is sent until there is
room, and then it goes on by itself. SIGTERM ends it meanwhile. Where the disk is full from one moment to
the next the process may die; no start is made until there is room.
In the end every event has a score, and state and scores are those of a service that always had room.
"""

import json
import os
import subprocess
import time

from harness import (Broker, Checks, Service, Work, by_source, end_of, events_of, labels_of, payments,
                     pipeline, run_through)
from states import digest

PARTITIONS = 3
ANSWER_MS = 40  # of the broker, so that there is time to fill the disk
DISK = 192 << 20
RESERVE = 8 << 20


class SmallDisk:
    def __init__(self, path):
        self.path = path
        self.filler = os.path.join(path, "filler")

    def __enter__(self):
        os.mkdir(self.path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.path], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=True)

    def fill(self, leave):
        """All but so many bytes."""
        room = os.statvfs(self.path)
        try:
            with open(self.filler, "wb") as file:  # closing writes too
                file.write(bytes(room.f_bavail * room.f_frsize - leave))
        except OSError:
            pass  # the service has taken some meanwhile

    def clear(self):
        os.unlink(self.filler)


def counts(service):
    return tuple(service.metric(f"freshet_{name}_total") for name in
                 ("commits", "rows_sent", "rows_acknowledged"))


def check_waits(checks, work, config, disk, total):
    with Service(work, config, "disk/waits") as service:
        service.wait("some input", lambda: service.metric("freshet_events_total") > total / 12)
        disk.fill(RESERVE // 2)
        service.wait("the alert", lambda: service.metric("freshet_disk_full") == 1)
        checks.equal("health of a full disk", service.get("/health")[0], 503)
        checks.true("the log says so", "disk.full" in service.log(), service.log())
        service.wait("acknowledgements", lambda: service.metric("freshet_outbox_rows") == 0)
        before = counts(service)
        time.sleep(1)
        checks.equal("commits and rows while the disk is full", counts(service), before)
        checks.true("it waits", service.is_running())
        disk.clear()
        service.wait("more commits", lambda: counts(service)[0] > before[0])
        checks.equal("no longer full", service.metric("freshet_disk_full"), 0)
        checks.equal("health", service.get("/health")[0], 200)
        service.wait("more input", lambda: counts(service)[0] > before[0] + 3)
        disk.fill(RESERVE // 2)
        service.wait("the second alert", lambda: service.metric("freshet_disk_full") == 1)
        began = time.monotonic()
        service.terminate()
        checks.true("SIGTERM ends it though the disk is full", time.monotonic() - began < 30)
        disk.clear()


def check_dies(checks, work, config, disk, total):
    """The disk is full from one moment to the next, sometimes within a write."""
    config = dict(config, state={"reserve": "1MiB"})
    for attempt in range(4):
        with Service(work, config, "disk/dies") as service:
            service.wait("some input", lambda: service.metric("freshet_events_total") >
                         total * (attempt + 1) / 40)
            disk.fill(0)
            time.sleep(0.3)
            checks.say(f"a full disk: it {'waits' if service.is_running() else 'is dead'}")
        with Service(work, config, "disk/dies") as service:
            checks.equal("status of a start without room", service.process.wait(60), 1)
            checks.true("the start says why", "state.reserve" in service.log(), service.log())
        disk.clear()


def check_all(checks, work, broker, config, topic, state, want, whole, end):
    broker.take_ms(0)
    run_through(checks, work, config, end, state)
    got, repeats = by_source(checks, topic, broker.dump(topic))
    checks.say(f"{topic}: {len(got)} scores, {repeats} came twice")
    checks.true(f"{topic}: every score, and the same ones", got == want,
                f"{len(got)} of {len(want)}")
    plain = work.write("plain.json", json.dumps(config))
    checks.equal(f"{topic}: digest of the state", digest(checks, plain, work.path(state)),
                 digest(checks, plain, whole))


def main():
    checks = Checks()
    rows = payments(40000, seed=8)
    events, labels = events_of(rows), labels_of(rows)
    end, total = end_of(events, labels), len(events) + len(labels)
    with Work() as work, SmallDisk(work.path("disk")) as disk, \
            Broker(payments=PARTITIONS, frauds=PARTITIONS, whole=8, waits=8, dies=8, dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        config = pipeline(broker, "whole", group="whole")
        run_through(checks, work, config, end, "whole")
        want, _ = by_source(checks, "whole", broker.dump("whole"))
        checks.equal("every event has a score", len(want), len(events))
        for name, check in (("waits", check_waits), ("dies", check_dies)):
            config = dict(pipeline(broker, name, group=name), state={"reserve": f"{RESERVE}B"})
            broker.take_ms(ANSWER_MS)
            check(checks, work, config, disk, total)
            check_all(checks, work, broker, config, name, f"disk/{name}", want, work.path("whole"), end)
    checks.finish()


if __name__ == "__main__":
    main()
