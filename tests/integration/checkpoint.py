#!/usr/bin/python3
"""Checkpoints are taken while the service works, checked, and restored; what is not whole is refused.

    checkpoint.py FRESHET TOOLS

Known: a checkpoint is the state as it was after some commit. So the service that is started on one, in
another folder, with topics of its own for the scores, goes on to the very same state and the very same
scores as the one that was never stopped; and it scores only what came behind the checkpoint. Any byte of
a checkpoint that changed is found before anything is restored. While a service runs, others are told so,
and by which process; what a killed one leaves behind stands in nobody's way.
"""

import os
import re
import shutil
import subprocess
import time

from harness import (PROGRAM, Broker, Checks, Service, Work, by_source, end_of, events_of, labels_of,
                     payments, pipeline, run_through)
from states import digest, done, files, flip, state

PARTITIONS = 3
ANSWER_MS = 40  # of the broker, while checkpoints are taken


def epoch_of(text):
    return int(re.search(r"epoch (\d+)", text)[1])


def take_while_running(checks, work, config, total):
    """Kills the service in the end. Returns the checkpoints' folders and epochs, oldest first."""
    taken = []
    with Service(work, config, "live") as service:
        for number in range(4):
            service.wait("more input", lambda: service.metric("freshet_events_total") >
                         total * (number + 1) / 9)
            folder = work.path(f"checkpoint-{number}")
            began = time.monotonic()
            text = done(checks, "checkpoint", state("checkpoint", folder, "--state", service.state))
            checks.say(f"{time.monotonic() - began:.2f} s: {text.strip().replace(work.folder, '')}")
            taken.append((folder, epoch_of(text)))
        checks.true("each is later than the one before",
                    all(a[1] < b[1] for a, b in zip(taken, taken[1:])), str(taken))
        check_while_running(checks, work, service)
        service.kill()
    return taken


def check_while_running(checks, work, service):
    done(checks, "checkpoint to a folder that is there",
         state("checkpoint", work.path("checkpoint-0"), "--state", service.state), 1,
         says=["is there already"])
    done(checks, "checkpoint where no folder is",
         state("checkpoint", work.path("no/such"), "--state", service.state), 1, says=["No such file"])
    pid = str(service.process.pid)
    for action in ("list", "verify"):
        done(checks, f"{action} of a running service",
             state(action, "-c", service.config, "--state", service.state), 1,
             says=[pid, "checkpoint"])
    second = subprocess.run([PROGRAM, "run", "-c", service.config, "--state", service.state,
                             "--no-live"], capture_output=True, text=True, timeout=60)
    done(checks, "a second service", second, 1, says=["another process", f"pid={pid}"])
    checks.true("the first one goes on", service.is_running() and service.get("/health")[0] == 200)


def check_after_kill(checks, work, config):
    """The dead service's socket is still there."""
    checks.true("the socket is left behind", os.path.exists(work.path("live/control")))
    folder = work.path("at-rest")
    done(checks, "checkpoint at rest", state("checkpoint", folder, "-c", config, "--state",
                                             work.path("live")))
    checks.equal("digest of a checkpoint at rest", digest(checks, config, folder),
                 digest(checks, config, work.path("live")))


def drop_last_line(path):
    with open(path) as file:
        lines = file.readlines()
    with open(path, "w") as file:
        file.writelines(lines[:-1])


def first(folder, suffix):
    return files(folder, suffix)[0]


def check_damaged(checks, work, config, whole):
    damages = {
        "a bit of a table": (lambda copy: flip(first(copy + "/db", ".sst")), ".sst"),
        "a bit of a model": (lambda copy: flip(first(copy + "/models", ".safetensors")),
                             ".safetensors"),
        "a file too short": (lambda copy: os.truncate(first(copy + "/db", ".sst"), 100), "length"),
        "a missing file": (lambda copy: os.unlink(copy + "/db/CURRENT"), "CURRENT"),
        "no list": (lambda copy: os.unlink(copy + "/CHECKPOINT"), "no whole checkpoint"),
        "half a list": (lambda copy: drop_last_line(copy + "/CHECKPOINT"), "CHECKPOINT"),
        "another list": (lambda copy: flip(copy + "/CHECKPOINT"), "CHECKPOINT"),
    }
    for what, (damage, named) in damages.items():
        copy = work.path("damaged")
        shutil.copytree(whole, copy)
        damage(copy)
        target = work.path("never")
        done(checks, f"restore with {what}", state("restore", copy, "--state", target), 1, says=[named])
        checks.true(f"nothing is left of it: {what}", not os.path.exists(target)
                    and not os.path.exists(target + ".part"))
        if os.path.exists(copy + "/CHECKPOINT"):
            done(checks, f"verify with {what}", state("verify", "-c", config, copy), 1, says=[named])
        shutil.rmtree(copy)


def check_refusals(checks, work, config, whole):
    done(checks, "restore over a state", state("restore", whole, "--state", work.path("live")), 1,
         says=["is there already"])
    done(checks, "restore of a state", state("restore", work.path("live"), "--state",
                                             work.path("never")), 1, says=["no whole checkpoint"])
    done(checks, "checkpoint of nothing", state("checkpoint", work.path("x"), "--state",
                                                work.path("none")), 1, says=["no state"])
    checks.true("nothing was made of nothing", not os.path.exists(work.path("none")))
    os.makedirs(work.path("bare/db"))
    done(checks, "checkpoint before the first commit", state("checkpoint", work.path("x"), "--state",
                                                             work.path("bare")), 1,
         says=["nothing was committed"])
    checks.true("a failed checkpoint is not in the way of the next", not os.path.exists(work.path("x")))
    run = subprocess.run([PROGRAM, "run", "-c", config, "--state", whole, "--no-live"],
                         capture_output=True, text=True, timeout=60)
    done(checks, "a service on a checkpoint", run, 1, says=["state restore"])


def main():
    checks = Checks()
    rows = payments(30000, seed=5)
    events, labels = events_of(rows), labels_of(rows)
    end, total = end_of(events, labels), len(events) + len(labels)
    with Work() as work, Broker(payments=PARTITIONS, frauds=PARTITIONS, scores=8, restored=8,
                                dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        config = pipeline(broker)
        config["models"][0]["publish"] = "1h"
        broker.take_ms(ANSWER_MS)
        taken = take_while_running(checks, work, config, total)
        plain = work.path("config-1.yaml")
        check_after_kill(checks, work, plain)
        broker.take_ms(0)
        run_through(checks, work, config, end, "live")
        checks.true("an orderly end removes the socket",
                    not os.path.exists(work.path("live/control")))
        want, _ = by_source(checks, "scores", broker.dump("scores"))
        checks.equal("every event has a score", len(want), len(events))
        check_damaged(checks, work, plain, taken[1][0])
        check_refusals(checks, work, plain, taken[1][0])

        for folder, _ in taken:
            digest(checks, plain, folder)
        elsewhere = shutil.move(taken[1][0], work.path("elsewhere"))
        done(checks, "restore", state("restore", elsewhere, "--state", work.path("restored")))
        checks.equal("digest of what was restored", digest(checks, plain, work.path("restored")),
                     digest(checks, plain, elsewhere))
        config["scores"]["topic"] = "restored"
        config["kafka"]["group"] = "restored"
        run_through(checks, work, config, end, "restored")
        got, _ = by_source(checks, "scores of the restored", broker.dump("restored"))
        checks.say(f"{len(got)} of {len(want)} scores came behind the checkpoint")
        checks.true("it went on from the checkpoint", 0 < len(got) < len(want), str(len(got)))
        checks.true("its scores are the same", all(want[source] == row for source, row in got.items()))
        checks.equal("digest in the end", digest(checks, plain, work.path("restored")),
                     digest(checks, plain, work.path("live")))
        done(checks, "the checkpoint is as it was", state("verify", "-c", plain, elsewhere))
    checks.finish()


if __name__ == "__main__":
    main()
