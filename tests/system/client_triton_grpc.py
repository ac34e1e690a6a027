#!/usr/bin/python3
"""tritonclient over gRPC, its synchronous client and its asynchronous one.

    client_triton_grpc.py FRESHET TOOLS

Known: the model's scores are version * 1000 + the first column; a stream is answered request by request
in its order, and goes on after one that was refused; compressed messages are read; the pipeline answers what it answers to plain HTTP;
refusals have the status of gRPC that they should have.
"""

from clients import use_python

use_python()

import queue  # noqa: E402

import numpy  # noqa: E402
import tritonclient.grpc as grpc  # noqa: E402
import tritonclient.grpc.aio as grpc_aio  # noqa: E402

import triton  # noqa: E402

STREAMED = 100


def requests(both):
    """Rows that begin with 0, 1, ...; one in the middle is of another shape."""
    for i in range(STREAMED):
        width = 3 if i == 50 else triton.COLUMNS
        row = numpy.full((1, width), i, dtype=numpy.float32)
        yield {"model_name": "told", "inputs": [both.tensor("vector", row, "FP32")],
               "request_id": str(i)}


def stream_in_turn(both):
    answers = queue.Queue()
    both.client.start_stream(lambda result, error: answers.put((result, error)))
    for request in requests(both):
        both.client.async_stream_infer(**request)
    got = [answers.get(timeout=60) for _ in range(STREAMED)]
    both.client.stop_stream()
    return got


async def stream_side_by_side(both):
    async def ask():
        for request in requests(both):
            yield request
    return [answer async for answer in both.client.stream_infer(ask())]


def check_stream(checks, both):
    got = both.wait(stream_side_by_side(both)) if both.twin else stream_in_turn(both)
    refused = [i for i, (_, error) in enumerate(got) if error]
    checks.equal("refused in a stream", refused, [50])
    checks.true("why", "shape" in str(got[50][1]), got[50][1])
    scores = [result.as_numpy("score").tolist() for result, error in got if not error]
    checks.equal("scores of a stream", scores, [[1000.0 + i] for i in range(STREAMED) if i != 50])


def check_many(checks, told):
    """Requests side by side on one connection."""
    answers = queue.Queue()
    with triton.Both(grpc, None, told.grpc) as both:
        vector = both.tensor("vector", triton.MATRIX, "FP32")
        for _ in range(200):
            both.client.async_infer("told", [vector], lambda result, error: answers.put((result, error)))
        got = [answers.get(timeout=60) for _ in range(200)]
    checks.equal("errors side by side", [error for _, error in got if error], [])
    checks.equal("scores side by side", {tuple(result.as_numpy("score").tolist()) for result, _ in got},
                 {tuple(triton.SCORES)})


def check_all(checks, told, guarded, pipeline, twin):
    with triton.Both(grpc, twin, told.grpc) as both:
        triton.check_metadata(checks, both, getattr)
        triton.check_infer(checks, both)
        for algorithm in ("gzip", "deflate"):
            triton.check_compressed(checks, both, compression_algorithm=algorithm)
        triton.check_refusals(checks, both, ("StatusCode.NOT_FOUND", "StatusCode.INVALID_ARGUMENT"))
        vector = both.tensor("vector", triton.MATRIX, "FP32")
        answer = both.infer("told", [vector], client_timeout=60)
        checks.equal("version", answer.get_response().model_version, "1")
        large = both.tensor("vector", numpy.zeros((1 << 15, triton.COLUMNS), numpy.float32), "FP32")
        checks.equal("status of what is too large", triton.refusal(lambda: both.infer("told", [large]))[0],
                     "StatusCode.RESOURCE_EXHAUSTED")
        check_stream(checks, both)
    with triton.Both(grpc, twin, pipeline.grpc) as both:
        triton.check_pipeline(checks, both, pipeline)
    with triton.Both(grpc, twin, guarded.grpc, ssl=True, root_certificates=guarded.ca) as both:
        triton.check_guarded(checks, both, "StatusCode.UNAUTHENTICATED")
        triton.check_loading(checks, both,
                             ("StatusCode.UNAVAILABLE", "StatusCode.NOT_FOUND",
                              "StatusCode.PERMISSION_DENIED", "StatusCode.INVALID_ARGUMENT"), getattr)


if __name__ == "__main__":
    triton.run(check_all, check_many, grpc_aio)
