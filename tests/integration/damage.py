#!/usr/bin/python3
"""What is damaged is refused by name, with what to do; what a crash may leave behind is not damage.

    damage.py FRESHET TOOLS

A service is killed at work. Known: bytes behind the last whole write of the log, be they garbage, zeros or
the beginning of a write, were never acknowledged to anybody: the start succeeds, all that was taken before
is there, and in the end state and scores are those of a service that was never killed. A bit that changed
within the log is told from such a tail by the writes behind it, and refused: RocksDB by itself would
go on without them. One that changed in a table is found by `state verify`, and at the start where that reads it; one in the model file that the
state names at the start: both are refused with the file's name and a hint at checkpoints; a checkpoint from before the damage then goes on to the same end.
"""

import glob
import json
import os
import random
import shutil
import subprocess
import time

from harness import (PROGRAM, Broker, Checks, Service, Work, by_source, end_of, events_of, labels_of,
                     payments, pipeline, run_through)
from states import digest, done, files, flip, state

PARTITIONS = 3
ANSWER_MS = 40  # of the broker, while the service is killed


def copy_state(source, target):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("control"))


def newest_log(folder):
    return max(glob.glob(folder + "/db/*.log"), key=lambda path: int(os.path.basename(path)[:-4]))


def torn_tails(log, rng):
    """Bytes that a write cut short may have left behind the log's end."""
    with open(log, "rb") as file:
        content = file.read()
    yield "zeros", bytes(5000)
    yield "garbage", rng.randbytes(3000)
    for length in (1, 6, 7, 8, 100, 2000):
        yield f"{length} bytes of a write", content[:length]


def run_and_kill(checks, work, config, total):
    """Killed at work; with a checkpoint from a moment before. Returns the records taken."""
    with Service(work, config, "killed") as service:
        service.wait("input", lambda: service.metric("freshet_events_total") > total / 4)
        done(checks, "checkpoint", state("checkpoint", work.path("before"), "--state", service.state))
        service.wait("more input", lambda: service.metric("freshet_events_total") > total / 3)
        service.kill()


def taken_at_start(work, config, folder):
    with Service(work, config, folder) as service:
        service.wait_for_log("service.start")
        fields = service.fields("state.recovered")
        service.kill()
    return int(fields["events"])


def check_torn(checks, work, config, rng):
    """Each tail on a copy; the last one is left in the state itself."""
    copy_state(work.path("killed"), work.path("copy"))
    expected = taken_at_start(work, config, "copy")
    shutil.rmtree(work.path("copy"))
    checks.true("much was taken before the kill", expected > 1000, str(expected))
    for what, tail in torn_tails(newest_log(work.path("killed")), rng):
        copy_state(work.path("killed"), work.path("copy"))
        with open(newest_log(work.path("copy")), "ab") as file:
            file.write(tail)
        checks.equal(f"records there with {what} behind the log",
                     taken_at_start(work, config, "copy"), expected)
        shutil.rmtree(work.path("copy"))
    with open(newest_log(work.path("killed")), "ab") as file:
        file.write(rng.randbytes(500))


def check_flipped_log(checks, work, config, end):
    """A bit within the log, with more writes behind it."""
    with Service(work, config, "flipped") as service:
        service.wait_until(end)
        service.wait("acknowledgements", lambda: service.metric("freshet_outbox_rows") == 0)
        time.sleep(2)  # the group is told once a second
        service.kill()
    log = newest_log(work.path("flipped"))
    flip(log, 0.5)
    name = os.path.basename(log)
    plain = work.write("flipped.yaml", json.dumps(config))
    checks.true("no start with a flipped bit of the log", start_refused(
        checks, plain, "a flipped bit of the log", work.path("flipped"), name, "not whole at byte", "checkpoint"))
    verify_refused(checks, plain, "a flipped bit of the log", work.path("flipped"), name)


def start_refused(checks, config, what, folder, *says):
    """False where the start succeeds: it does not read all that is stored."""
    try:
        result = subprocess.run([PROGRAM, "run", "-c", config, "--state", folder, "--no-live"],
                                capture_output=True, text=True, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    done(checks, f"a start with {what}", result, 1, says=says)
    return True


def verify_refused(checks, config, what, folder, *says):
    done(checks, f"verify with {what}", state("verify", "-c", config, "--state", folder), 1, says=says)


def named_model(folder):
    """The newest is what the state names, after an orderly end."""
    return files(folder + "/models", ".safetensors")[-1]


def check_damaged(checks, work, plain):
    """Of a state at rest, which a checkpoint of it has put into tables."""
    copy_state(work.path("killed"), work.path("whole-copy"))
    done(checks, "checkpoint at rest", state("checkpoint", work.path("rest"), "--state",
                                             work.path("whole-copy")))
    done(checks, "restore", state("restore", work.path("rest"), "--state", work.path("intact")))
    tables = [os.path.basename(path) for path in files(work.path("intact/db"), ".sst")]
    checks.true("there are tables", len(tables) >= 2, str(tables))
    refused = 0
    for name in tables:
        damaged = work.path("damaged")
        copy_state(work.path("intact"), damaged)
        flip(f"{damaged}/db/{name}", 0.3)
        verify_refused(checks, plain, f"a flipped bit of {name}", damaged, name)
        refused += start_refused(checks, plain, f"a flipped bit of {name}", damaged, name)
        shutil.rmtree(damaged)
    checks.true("a start reads tables of records", refused > 0)
    for what, damage in (("a flipped bit", flip), ("half of it", lambda p: os.truncate(p, 2000)),
                         ("nothing of it", os.unlink)):
        damaged = work.path("damaged")
        copy_state(work.path("intact"), damaged)
        model = named_model(damaged)
        damage(model)
        name = os.path.basename(model)
        verify_refused(checks, plain, f"{what} of the model", damaged, name)
        checks.true(f"no start with {what} of the model",
                    start_refused(checks, plain, f"{what} of the model", damaged, name, "checkpoint"))
        shutil.rmtree(damaged)


def main():
    checks = Checks()
    rng = random.Random(17)
    rows = payments(20000, seed=17)
    events, labels = events_of(rows), labels_of(rows)
    end, total = end_of(events, labels), len(events) + len(labels)
    with Work() as work, Broker(payments=PARTITIONS, frauds=PARTITIONS, whole=8, killed=32, again=8, flipped=8,
                                dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        run_through(checks, work, pipeline(broker, "whole", group="whole"), end, "whole")
        want, _ = by_source(checks, "whole", broker.dump("whole"))
        check_flipped_log(checks, work, pipeline(broker, "flipped", group="flipped"), end)
        config = pipeline(broker, "killed", group="killed")
        broker.take_ms(ANSWER_MS)
        run_and_kill(checks, work, config, total)
        check_torn(checks, work, config, rng)
        broker.take_ms(0)
        run_through(checks, work, config, end, "killed")
        got, repeats = by_source(checks, "killed", broker.dump("killed"))
        checks.true("every score, and the same ones", got == want, f"{len(got)} of {len(want)}")
        plain = work.write("plain.yaml", json.dumps(config))
        whole = digest(checks, plain, work.path("whole"))
        checks.equal("digest behind a torn log", digest(checks, plain, work.path("killed")), whole)
        checks.say(f"torn logs: {len(got)} scores, {repeats} came twice")

        check_damaged(checks, work, plain)
        done(checks, "restore", state("restore", work.path("before"), "--state", work.path("again")))
        run_through(checks, work, pipeline(broker, "again", group="again"), end, "again")
        checks.equal("digest from a checkpoint on", digest(checks, plain, work.path("again")), whole)
    checks.finish()


if __name__ == "__main__":
    main()
