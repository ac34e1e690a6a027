#!/usr/bin/python3
"""The machine's clock may jump: event time rules.

    clocks.py FRESHET TOOLS

The clock of a service's process (see ../preload/clock_jump.c) is set a year ahead, decades back, and on,
again and again while it works; another one runs undisturbed. Known: both come to the end of the input,
with the same scores and the same state; none of the jumps ends anything, and the service stops in order.
"""

import json
import os
import threading
import time

from harness import (TOOLS, Broker, Checks, Service, Work, by_source, end_of, events_of, labels_of, payments,
                     pipeline, run_through)
from states import digest

PARTITIONS = 3
ANSWER_MS = 20  # of the broker, so that there is time for jumps
DAY = 86_400
JUMPS = (365 * DAY, -365 * DAY, 0, -7300 * DAY, 25_000 * DAY, -3 * DAY, 3600, -3600)


class Jumper(threading.Thread):
    """Writes another offset to the file, in seconds, until it is stopped."""

    def __init__(self, path):
        super().__init__()
        self.path, self.stopped, self.jumps = path, threading.Event(), 0
        open(path, "w").close()
        self.jump()

    def jump(self):
        with open(self.path, "r+b") as file:
            file.write(b"%-20d" % JUMPS[self.jumps % len(JUMPS)])
        self.jumps += 1

    def run(self):
        while not self.stopped.wait(0.15):
            self.jump()


def run_jumping(checks, work, config, end):
    jumper = Jumper(work.path("clock"))
    environment = {"LD_PRELOAD": os.path.join(TOOLS, "libclock_jump.so"), "CLOCK_JUMP_FILE": jumper.path}
    with Service(work, config, "jumping", environment=environment) as service:
        jumper.start()
        service.wait_until(end)
        jumper.stopped.set()
        jumper.join()
        checks.equal("status after jumps", service.terminate(), 0)
        years = {line[:4] for line in service.log().splitlines()}
        checks.true("the clock was off", years - {time.strftime("%Y")}, service.log())
    return jumper.jumps


def main():
    checks = Checks()
    rows = payments(20000, seed=27)
    events, labels = events_of(rows), labels_of(rows)
    end = end_of(events, labels)
    with Work() as work, Broker(payments=PARTITIONS, frauds=PARTITIONS, calm=8, jumping=8,
                                dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        broker.take_ms(ANSWER_MS)
        config = pipeline(broker, "calm", group="calm")
        began = time.monotonic()
        run_through(checks, work, config, end, "calm")
        calm = time.monotonic() - began
        jumping = pipeline(broker, "jumping", group="jumping")
        began = time.monotonic()
        jumps = run_jumping(checks, work, jumping, end)
        checks.say(f"{calm:.1f} s without jumps, {time.monotonic() - began:.1f} s with {jumps}")
        want, _ = by_source(checks, "calm", broker.dump("calm"))
        got, _ = by_source(checks, "jumping", broker.dump("jumping"))
        checks.equal("every event has a score", len(want), len(events))
        checks.true("the same scores", got == want, f"{len(got)} of {len(want)}")
        plain = work.write("plain.yaml", json.dumps(config))
        checks.equal("digest", digest(checks, plain, work.path("jumping")),
                     digest(checks, plain, work.path("calm")))
    checks.finish()


if __name__ == "__main__":
    main()
