#!/usr/bin/python3
"""grpcurl against the endpoint, with nothing but reflection to know it by.

    client_grpcurl.py FRESHET TOOLS

Known: services and methods as they are published; the model's scores are version * 1000 + the first
column, in typed and in raw contents; a stream is answered in its order; refusals have their status; who watches health is
told when the server ends.
"""

import base64
import json
import signal
import struct
import subprocess
import sys

from clients import ALL_OUTPUTS, COLUMNS, ROWS, SCORES, Guarded, Pipeline, Told, program, run
from harness import Checks, Work

SERVICE = "inference.GRPCInferenceService"
NUMBERS = sum(ROWS, [])
TENSOR = {"name": "vector", "datatype": "FP32", "shape": [2, COLUMNS]}
TYPED = {"model_name": "told", "inputs": [dict(TENSOR, contents={"fp32_contents": NUMBERS})]}
RAW = {"model_name": "told", "inputs": [TENSOR], "raw_input_contents": [
    base64.b64encode(struct.pack(f"<{len(NUMBERS)}f", *NUMBERS)).decode()]}


def grpcurl(address, *words, requests=None, options=("-plaintext",)):
    """(whether it was well, what it says)"""
    data = ("-d", "@") if requests is not None else ()
    text = "".join(json.dumps(request) for request in requests or [])
    status, out, error = run(program("grpcurl"), "-max-time", "60", *options, *data, address, *words,
                             input=text)
    return status == 0, out if status == 0 else error


def answers(text):
    """The messages in what grpcurl prints, one after the other."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        message, at = decoder.raw_decode(text, at)
        found.append(message)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def ask(server, method, *requests, service=SERVICE):
    good, text = grpcurl(server.grpc, f"{service}/{method}", requests=requests or [{}])
    return answers(text) if good else text


def check_reflection(checks, told):
    services = grpcurl(told.grpc, "list")[1].split()
    checks.true("services", SERVICE in services and "grpc.health.v1.Health" in services, services)
    methods = grpcurl(told.grpc, "list", SERVICE)[1].split()
    checks.true("methods", f"{SERVICE}.ModelInfer" in methods, methods)
    good, text = grpcurl(told.grpc, "describe", "inference.ModelInferRequest")
    checks.true("a message", good and "raw_input_contents" in text, text)


def check_metadata(checks, told):
    checks.equal("live", ask(told, "ServerLive"), [{"live": True}])
    checks.equal("ready", ask(told, "ServerReady"), [{"ready": True}])
    checks.equal("the model is ready", ask(told, "ModelReady", {"name": "told"}), [{"ready": True}])
    checks.equal("another is ready", ask(told, "ModelReady", {"name": "other"}), [{}])
    checks.equal("health", ask(told, "Check", service="grpc.health.v1.Health"),
                 [{"status": "SERVING"}])
    checks.equal("the server", ask(told, "ServerMetadata")[0]["name"], "test")
    model = ask(told, "ModelMetadata", {"name": "told"})[0]
    checks.equal("the model", (model["versions"], model["inputs"]),
                 (["1"], [{"name": "vector", "datatype": "FP32", "shape": ["-1", str(COLUMNS)]}]))
    checks.equal("the index", ask(told, "RepositoryIndex"),
                 [{"models": [{"name": "told", "version": "1", "state": "READY"}]}])


def check_infer(checks, told):
    answer = ask(told, "ModelInfer", dict(TYPED, id="7"))[0]
    checks.equal("typed contents", answer, {
        "modelName": "told", "modelVersion": "1", "id": "7",
        "outputs": [{"name": "score", "datatype": "FP32", "shape": ["2"],
                     "contents": {"fp32Contents": SCORES}}]})
    answer = ask(told, "ModelInfer", dict(RAW, outputs=[{"name": "score"}, {"name": "reasons"}]))[0]
    score, reasons = map(base64.b64decode, answer["rawOutputContents"])
    checks.equal("raw contents", list(struct.unpack("<2f", score)), SCORES)
    checks.true("raw reasons", b'"first"' in reasons, reasons)
    short = dict(TYPED, inputs=[dict(TENSOR, shape=[3, COLUMNS],
                                     contents={"fp32_contents": NUMBERS})])
    got = ask(told, "ModelStreamInfer", TYPED, short, RAW)
    checks.equal("a stream", ["errorMessage" in one for one in got], [False, True, False])


def check_refusals(checks, told):
    for what, method, request, status, said in [
            ("another model", "ModelInfer", dict(TYPED, model_name="other"), "NotFound", "other"),
            ("another version", "ModelInfer", dict(TYPED, model_version="9"), "NotFound", "9"),
            ("too few numbers", "ModelInfer",
             dict(TYPED, inputs=[dict(TENSOR, shape=[3, COLUMNS],
                                      contents={"fp32_contents": NUMBERS})]),
             "InvalidArgument", "shape"),
            ("another type", "ModelInfer",
             dict(TYPED, inputs=[{"name": "vector", "datatype": "INT32", "shape": [1, 1],
                                  "contents": {"int_contents": [1]}}]), "InvalidArgument", "vector"),
            ("an unknown model's metadata", "ModelMetadata", {"name": "other"}, "NotFound", "")]:
        said_so = ask(told, method, request)
        checks.true(f"status of {what}", isinstance(said_so, str) and f"Code: {status}" in said_so,
                    said_so)
        checks.true(f"why: {what}", said in said_so, said_so)


def check_watch(checks):
    """The status at once, another when the server ends, and then the end of the stream."""
    with Told() as told:
        for service, first in (("", "SERVING"), ("nobody", "SERVICE_UNKNOWN"), (SERVICE, "SERVING")):
            watch = subprocess.Popen(
                [program("grpcurl"), "-plaintext", "-max-time", "60", "-d",
                 json.dumps({"service": service}), told.grpc, "grpc.health.v1.Health/Watch"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            said = ""
            while said.count("}") < 1:
                said += watch.stdout.read(1) or sys.exit(f"no watch: {said}")
            checks.equal(f"watching {service}", answers(said), [{"status": first}])
            if service != SERVICE:
                watch.kill()
                watch.communicate()
        told.process.send_signal(signal.SIGTERM)
        checks.equal("at the end", answers(watch.communicate(timeout=60)[0].lstrip()),
                     [{"status": "NOT_SERVING"}])
        checks.equal("the stream ends well", watch.returncode, 0)


def check_guarded(checks, guarded):
    def ask_guarded(*options):
        return grpcurl(guarded.grpc, f"{SERVICE}/ModelInfer", requests=[TYPED],
                       options=("-cacert", guarded.ca, *options))
    token = ("-H", f"authorization: Bearer {guarded.token}")
    checks.equal("with the token", ask_guarded(*token)[0], True)
    good, text = ask_guarded()
    checks.true("without a token", not good and "Unauthenticated" in text, text)
    good, text = grpcurl(guarded.grpc, "list", options=("-plaintext", "-connect-timeout", "2"))
    checks.true("plain text to the TLS port", not good, text)


def check_pipeline(checks, pipeline):
    request = {"model_name": "payments", "outputs": [{"name": name} for name in ALL_OUTPUTS],
               "inputs": [{"name": "event", "datatype": "BYTES", "shape": [1], "contents": {
                   "bytes_contents": [base64.b64encode(pipeline.event.encode()).decode()]}}]}
    answer = ask(pipeline, "ModelInfer", request)[0]
    found = {output["name"]: output["contents"] for output in answer["outputs"]}
    checks.equal("the pipeline's score", found["score"]["fp32Contents"], pipeline.expected["score"])
    features = [None if x == "NaN" else x for x in found["features"]["fp64Contents"]]
    checks.equal("its features", features, pipeline.expected["features"])
    checks.equal("its reasons", [json.loads(base64.b64decode(text))
                                 for text in found["reasons"]["bytesContents"]],
                 pipeline.expected["reasons"])


def main():
    checks = Checks()
    check_watch(checks)
    with Work() as work:
        with Told() as told:
            check_reflection(checks, told)
            check_metadata(checks, told)
            check_infer(checks, told)
            check_refusals(checks, told)
        with Guarded(work) as guarded:
            check_guarded(checks, guarded)
        with Pipeline(work) as pipeline:
            check_pipeline(checks, pipeline)
    checks.finish()


if __name__ == "__main__":
    main()
