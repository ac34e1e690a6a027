#!/usr/bin/python3
"""ghz against the endpoint: load by gRPC from a client that knows it by reflection alone.

    client_ghz.py FRESHET TOOLS

Known: every request of many, on several connections, is answered OK while versions take turns; what is
refused is counted as such; and the same through the pipeline. How fast is not looked at.
"""

import base64
import json

from clients import COLUMNS, ROWS, Guarded, Pipeline, Told, program, run
from harness import Checks, Work

METHOD = "inference.GRPCInferenceService.ModelInfer"
TYPED = {"model_name": "told", "inputs": [{
    "name": "vector", "datatype": "FP32", "shape": [2, COLUMNS],
    "contents": {"fp32_contents": sum(ROWS, [])}}]}


def ghz(address, request, n, *options, security=("--insecure",)):
    """{status: how many} of n requests."""
    status, out, error = run(program("ghz"), *security, "--call", METHOD, "-d", json.dumps(request),
                             "-n", str(n), "-c", "8", "--connections", "2", "-O", "json", *options,
                             address)
    return json.loads(out)["statusCodeDistribution"] if status == 0 and out else error


def main():
    checks = Checks()
    with Work() as work:
        with Told("--swap-us", "1000") as told:
            checks.equal("typed contents", ghz(told.grpc, TYPED, 2000), {"OK": 2000})
            checks.equal("another model", ghz(told.grpc, dict(TYPED, model_name="other"), 50),
                         {"NotFound": 50})
        with Guarded(work) as guarded:
            security = ("--cacert", guarded.ca)
            token = json.dumps({"authorization": f"Bearer {guarded.token}"})
            checks.equal("with the token",
                         ghz(guarded.grpc, TYPED, 200, "-m", token, "--reflect-metadata", token,
                             security=security), {"OK": 200})
        with Pipeline(work) as pipeline:
            event = base64.b64encode(pipeline.event.encode()).decode()
            request = {"model_name": "payments", "inputs": [{
                "name": "event", "datatype": "BYTES", "shape": [1],
                "contents": {"bytes_contents": [event]}}]}
            checks.equal("the pipeline", ghz(pipeline.grpc, request, 500), {"OK": 500})
    checks.finish()


if __name__ == "__main__":
    main()
