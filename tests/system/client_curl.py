#!/usr/bin/python3
"""curl against the endpoint: the protocol as it stands on the wire.

    client_curl.py FRESHET TOOLS

Known: the model's scores are version * 1000 + the first column; JSON and the binary extension give the
same; what is refused has its status and says why; without the token nothing but health is told.
"""

import json
import struct

from clients import COLUMNS, ROWS, SCORES, Guarded, Pipeline, Told, outputs_of, run
from harness import Checks, Work

VECTOR = {"name": "vector", "datatype": "FP32", "shape": [2, COLUMNS], "data": ROWS}
INFER = "/v2/models/told/infer"


def curl(url, *options):
    """(HTTP status, body)"""
    status, out, error = run("curl", "-sS", "-m", "60", "-w", "\n%{http_code}", *options, url)
    body, _, code = out.rpartition("\n")
    return (int(code), body) if status == 0 else (0, error)


def ask(server, path, request=None, *options):
    if request is not None:
        options = ("-d", json.dumps(request), *options)
    status, body = curl(f"http://{server.http}{path}", *options)
    return status, json.loads(body) if body else None


def check_metadata(checks, told):
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/told/ready"):
        checks.equal(path, ask(told, path)[0], 200)
    status, server = ask(told, "/v2")
    checks.equal("the server", (status, server["name"]), (200, "test"))
    checks.true("extensions", "binary_tensor_data" in server["extensions"], server)
    status, model = ask(told, "/v2/models/told")
    checks.equal("the model", (status, model["versions"], model["platform"]),
                 (200, ["1"], "freshet_told"))
    checks.equal("its inputs", model["inputs"],
                 [{"name": "vector", "datatype": "FP32", "shape": [-1, COLUMNS]}])
    checks.equal("the index", ask(told, "/v2/repository/index", None, "-X", "POST"),
                 (200, [{"name": "told", "version": "1", "state": "READY"}]))


def check_infer(checks, told):
    status, answer = ask(told, INFER, {"id": "7", "inputs": [VECTOR]})
    checks.equal("JSON", (status, answer["id"], answer["model_version"], answer["outputs"][0]["data"]),
                 (200, "7", "1", SCORES))
    status, answer = ask(told, INFER, {"inputs": [VECTOR],
                                       "outputs": [{"name": "reasons"}, {"name": "score"}]},
                         "-H", "Expect: 100-continue")
    checks.equal("reasons", outputs_of(answer),
                 {"score": SCORES, "reasons": [[], [{"name": "first", "log_odds": 1}]]})


def check_binary(checks, work, told):
    numbers = struct.pack(f"<{2 * COLUMNS}f", *sum(ROWS, []))
    tensor = {"name": "vector", "datatype": "FP32", "shape": [2, COLUMNS],
              "parameters": {"binary_data_size": len(numbers)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    path, answer, heads = work.path("body"), work.path("answer"), work.path("heads")
    with open(path, "wb") as file:
        file.write(head + numbers)
    status, _ = curl(f"http://{told.http}{INFER}", "--data-binary", f"@{path}", "-o", answer, "-D",
                     heads, "-H", f"Inference-Header-Content-Length: {len(head)}")
    with open(heads) as file:
        lengths = dict(line.strip().lower().split(": ") for line in file if ": " in line)
    with open(answer, "rb") as file:
        body = file.read()
    checks.equal("status of the binary extension", status, 200)
    checks.equal("scores behind the JSON",
                 list(struct.unpack("<2f", body[int(lengths["inference-header-content-length"]):])),
                 SCORES)


def check_refusals(checks, told):
    for what, path, inputs, status, said in [
            ("a model that is not there", "/v2/models/other/infer", [VECTOR], 404, "other"),
            ("a version that is not there", "/v2/models/told/versions/9/infer", [VECTOR], 404, "9"),
            ("another shape", INFER, [dict(VECTOR, shape=[4, 8])], 400, "shape"),
            ("another type", INFER, [dict(VECTOR, datatype="INT32", data=[0] * 32)], 400, "FP32"),
            ("too few numbers", INFER, [dict(VECTOR, data=[1.0])], 400, "data"),
            ("no inputs", INFER, [], 400, "inputs")]:
        got, answer = ask(told, path, {"inputs": inputs})
        checks.equal(f"status of {what}", got, status)
        checks.true(f"why: {what}", said in answer["error"], answer)
    checks.equal("status of no JSON", ask(told, INFER, None, "-d", "{")[0], 400)


def check_guarded(checks, guarded):
    def status(path, *options):
        return curl(f"https://{guarded.http}{path}", "--cacert", guarded.ca, *options)[0]
    body = ("-d", json.dumps({"inputs": [VECTOR]}))
    bearer = "Authorization: Bearer "
    checks.equal("without a token", status(INFER, *body), 401)
    checks.equal("with another", status(INFER, *body, "-H", bearer + "x"), 401)
    checks.equal("with the token", status(INFER, *body, "-H", bearer + guarded.token), 200)
    checks.equal("health", status("/v2/health/ready"), 200)
    checks.equal("a certificate that nobody vouches for",
                 curl(f"https://{guarded.http}/v2/health/live")[0], 0)


def check_pipeline(checks, pipeline):
    status, answer = ask(pipeline, "/v2/models/payments/infer", pipeline.request(), "--http1.0")
    checks.equal("the pipeline", (status, outputs_of(answer)), (200, pipeline.expected))
    checks.true("it has learnt", int(answer["model_version"]) > 0, answer)
    names = [entry["name"] for entry in ask(pipeline, "/v2/repository/index", {})[1]]
    checks.equal("its models", names, ["fraud", "seen", "payments"])


def main():
    checks = Checks()
    with Work() as work:
        with Told() as told:
            check_metadata(checks, told)
            check_infer(checks, told)
            check_binary(checks, work, told)
            check_refusals(checks, told)
        with Guarded(work) as guarded:
            check_guarded(checks, guarded)
        with Pipeline(work) as pipeline:
            check_pipeline(checks, pipeline)
    checks.finish()


if __name__ == "__main__":
    main()
