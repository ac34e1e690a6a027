#!/usr/bin/python3
"""Load on the endpoint, while its model is swapped and through the pipeline.

    endpoint_load.py FRESHET TOOLS

Known: no request fails and no answer mixes two versions of a model of 100 MB, however often it is
swapped; all swaps are made; with 32 requests on their way the pipeline answers far more than the 320 a
second that it would if nobody woke the endpoint. How fast it is besides is for scripts/bench-endpoint.
"""

import json
import os
import subprocess

from clients import Pipeline, Told
from harness import PATIENCE, TOOLS, Checks, Work

SWAPS = 20


def load(*options):
    done = subprocess.run([os.path.join(TOOLS, "endpoint_load"), *map(str, options)],
                          capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def check_swaps(checks, *protocol):
    with Told("--weights-mib", "100") as told:
        port = getattr(told, protocol[0][2:]).split(":")[1]
        status, found = load(protocol[0], port, *protocol[1:], "--told", "--pid", told.process.pid,
                             "--rate", 2000, "--seconds", 4, "--swaps", SWAPS)
    checks.equal(f"{protocol}: status", status, 0)
    for part in ("steady", "swapping"):
        checks.equal(f"{protocol}, {part}: failed, mixed",
                     (found[part]["failed"], found[part]["mixed"]), (0, 0))
        checks.true(f"{protocol}, {part}: requests", found[part]["requests"] > 0, found)
    checks.equal(f"{protocol}: swaps", found["swaps"], SWAPS)
    checks.true(f"{protocol}: answers are of several versions", 1 <= found["seen"] <= SWAPS, found)
    checks.say(f"{protocol}: {found}")


def check_pipeline(checks, pipeline, protocol, connections, streams):
    event = json.loads(pipeline.event)
    del event["ID"]
    words = '{"ID": "a%u", ' + json.dumps(event)[1:]
    status, found = load(f"--{protocol}", getattr(pipeline, protocol).split(":")[1], "--seconds", 2,
                         "--connections", connections, "--streams", streams, "--model", "payments",
                         "--event", words, "--rows", 1)
    checks.equal(f"the pipeline over {protocol}: status", status, 0)
    checks.true(f"the pipeline over {protocol}: it is woken", found["requests_per_second"] > 640, found)
    checks.say(f"the pipeline over {protocol}: {found}")


def main():
    checks = Checks()
    check_swaps(checks, "--grpc")
    check_swaps(checks, "--http")
    with Work() as work, Pipeline(work) as pipeline:
        check_pipeline(checks, pipeline, "grpc", 4, 8)
        check_pipeline(checks, pipeline, "http", 32, 1)
    checks.finish()


if __name__ == "__main__":
    main()
