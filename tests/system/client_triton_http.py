#!/usr/bin/python3
"""tritonclient over HTTP, its synchronous client and its asynchronous one.

    client_triton_http.py FRESHET TOOLS

Known: the model's scores are version * 1000 + the first column, whether numbers come as JSON or as bytes,
compressed or not;
the pipeline answers what it answers to plain HTTP; refusals come as the exceptions they should be.
"""

from clients import use_python

use_python()

import ssl  # noqa: E402

import tritonclient.http as http  # noqa: E402
import tritonclient.http.aio as http_aio  # noqa: E402

import triton  # noqa: E402


def field(message, name):
    return message[name]


def check_many(checks, told):
    """Requests side by side, as the synchronous client does them in greenlets."""
    with triton.Both(http, None, told.http, concurrency=4) as both:
        vector = both.tensor("vector", triton.MATRIX, "FP32")
        asked = [both.client.async_infer("told", [vector]) for _ in range(32)]
        scores = {tuple(one.get_result().as_numpy("score").tolist()) for one in asked}
    checks.equal("scores side by side", scores, {tuple(triton.SCORES)})


def check_all(checks, told, guarded, pipeline, twin):
    with triton.Both(http, twin, told.http) as both:
        triton.check_metadata(checks, both, field)
        for binary in (True, False):
            triton.check_infer(checks, both, binary_data=binary)
        for algorithm in ("gzip", "deflate"):
            triton.check_compressed(checks, both, request_compression_algorithm=algorithm,
                                    response_compression_algorithm=algorithm)
        triton.check_refusals(checks, both, ("404", "400"))
    with triton.Both(http, twin, pipeline.http) as both:
        triton.check_pipeline(checks, both, pipeline)
    context = ssl.create_default_context(cafile=guarded.ca)
    options = ({"ssl": True, "ssl_context": context} if twin
               else {"ssl": True, "ssl_context_factory": lambda: context})
    with triton.Both(http, twin, guarded.http, **options) as both:
        triton.check_guarded(checks, both, "401")
        triton.check_loading(checks, both, ("400", "404", "403", "400"), field)


if __name__ == "__main__":
    triton.run(check_all, check_many, http_aio)
