"""What tritonclient asks, the same over gRPC and HTTP; client_triton_*.py say how.

Its synchronous and its asynchronous client have the same methods: `Both` calls either.
"""

import asyncio
import json

import numpy

from clients import ALL_OUTPUTS, COLUMNS, ROWS, SCORES, Guarded, Pipeline, Told
from harness import Checks, Work

MATRIX = numpy.array(ROWS, dtype=numpy.float32)


class Both:
    """A client of module, or of its asynchronous twin: both.call("infer", ...) is the answer itself."""

    def __init__(self, module, twin, address, **options):
        self.module = module
        self.twin = twin
        self.loop = asyncio.new_event_loop() if twin else None
        self.client = self.wait(self.make(twin or module, address, options))

    @staticmethod
    async def make(module, address, options):
        return module.InferenceServerClient(address, **options)

    def wait(self, answer):
        if asyncio.iscoroutine(answer):
            return self.loop.run_until_complete(answer) if self.loop else asyncio.run(answer)
        return answer

    def call(self, method, *args, **options):
        return self.wait(getattr(self.client, method)(*args, **options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("close")
        if self.loop:
            self.loop.close()

    def tensor(self, name, data, datatype, **options):
        tensor = self.module.InferInput(name, list(data.shape), datatype)
        tensor.set_data_from_numpy(data, **options)
        return tensor

    def infer(self, model, inputs, outputs=None, **options):
        wanted = outputs and [self.module.InferRequestedOutput(name) for name in outputs]
        return self.call("infer", model, inputs, outputs=wanted, **options)


def refusal(act):
    """(status, why) of what tritonclient raises."""
    from tritonclient.utils import InferenceServerException
    try:
        answer = act()
    except InferenceServerException as error:
        return error.status(), error.message()
    return "answered", str(answer)


def check_metadata(checks, both, field):
    """field: of a message or of JSON, by name."""
    for method in ("is_server_live", "is_server_ready"):
        checks.equal(method, both.call(method), True)
    checks.equal("the model is ready", both.call("is_model_ready", "told"), True)
    checks.equal("another is ready", both.call("is_model_ready", "other"), False)
    checks.equal("the server", field(both.call("get_server_metadata"), "name"), "test")
    model = both.call("get_model_metadata", "told")
    vector, score = field(model, "inputs")[0], field(model, "outputs")[0]
    checks.equal("its input", (field(vector, "name"), field(vector, "datatype"),
                               [int(n) for n in field(vector, "shape")]),
                 ("vector", "FP32", [-1, COLUMNS]))
    checks.equal("its output", (field(score, "name"), field(score, "datatype")), ("score", "FP32"))
    index = both.call("get_model_repository_index")
    entries = index if isinstance(index, list) else index.models
    checks.equal("the index", [(field(entry, "name"), field(entry, "version"), field(entry, "state"))
                               for entry in entries], [("told", "1", "READY")])


def check_infer(checks, both, **options):
    """options: of how the numbers are carried."""
    vector = both.tensor("vector", MATRIX, "FP32", **options)
    answer = both.infer("told", [vector], ["score", "reasons"], request_id="7")
    checks.equal(f"scores {options}", answer.as_numpy("score").tolist(), SCORES)
    checks.equal("reasons", [json.loads(text) for text in answer.as_numpy("reasons").tolist()],
                 [[], [{"name": "first", "log_odds": 1}]])
    checks.equal("nothing else", answer.as_numpy("features"), None)
    columns = [both.tensor(f"f{i}", numpy.ascontiguousarray(MATRIX[:, i]), "FP32", **options)
               for i in range(COLUMNS)]
    checks.equal(f"scores of columns {options}",
                 both.infer("told", columns).as_numpy("score").tolist(), SCORES)


def check_compressed(checks, both, **options):
    """options: of infer, as the client has them. What it says of many rows compresses, too."""
    rows = numpy.tile(MATRIX, (300, 1))
    answer = both.infer("told", [both.tensor("vector", rows, "FP32")], **options)
    checks.equal(f"scores {options}", answer.as_numpy("score").tolist(), SCORES * 300)


def check_refusals(checks, both, statuses):
    """statuses: of what is not there, of what is wrong."""
    vector = both.tensor("vector", MATRIX, "FP32")
    turned = both.tensor("vector", numpy.ascontiguousarray(MATRIX.T), "FP32")
    doubles = both.tensor("vector", MATRIX.astype(numpy.float64), "FP64")
    for what, status, said, args, options in [
            ("another model", statuses[0], "other", ("other", [vector]), {}),
            ("another version", statuses[0], "9", ("told", [vector]), {"model_version": "9"}),
            ("another shape", statuses[1], "shape", ("told", [turned]), {}),
            ("another type", statuses[1], "FP32", ("told", [doubles]), {}),
            ("another output", statuses[1], "banana", ("told", [vector], ["banana"]), {})]:
        got, why = refusal(lambda: both.infer(*args, **options))
        checks.equal(f"status of {what}", got, status)
        checks.true(f"why: {what}", said in why, why)


def scorer_of(response):
    if isinstance(response, dict):
        return response["parameters"]["model"]
    return response.parameters["model"].string_param


def check_pipeline(checks, both, pipeline):
    event = numpy.array([pipeline.event.encode()], dtype=object)
    answer = both.infer("payments", [both.tensor("event", event, "BYTES")], ALL_OUTPUTS)
    score = numpy.float32(pipeline.expected["score"][0])
    checks.equal("the pipeline's score", answer.as_numpy("score")[0], score)
    checks.equal("which of its models scored", scorer_of(answer.get_response()), "fraud")
    features = [None if numpy.isnan(x) else x for x in answer.as_numpy("features").ravel().tolist()]
    checks.equal("its features", features, pipeline.expected["features"])
    checks.equal("its reasons", [json.loads(text) for text in answer.as_numpy("reasons").tolist()],
                 pipeline.expected["reasons"])
    fields = [both.tensor(name, numpy.array([value], dtype=object), "BYTES")
              if isinstance(value, str) else both.tensor(name, numpy.array([value]), datatype)
              for (name, value), datatype in zip(json.loads(pipeline.event).items(),
                                                 ["BYTES", "INT64", "FP64", "INT64", "BYTES", "BYTES"])]
    answer = both.infer("payments", fields)
    checks.equal("the score of its fields", answer.as_numpy("score")[0], score)


def check_guarded(checks, both, status):
    vector = both.tensor("vector", MATRIX, "FP32")
    token = {"authorization": "Bearer a-token-for-tests"}
    checks.equal("without a token", refusal(lambda: both.infer("told", [vector]))[0], status)
    checks.equal("with the token",
                 both.infer("told", [vector], headers=token).as_numpy("score").tolist(), SCORES)


def check_loading(checks, both, statuses, field):
    """statuses: of a model that is unloaded, of one that is none, of a token that is not for this."""
    crew = {"headers": {"authorization": "Bearer another-for-the-crew"}}
    shop = {"headers": {"authorization": "Bearer a-token-for-tests"}}
    vector = both.tensor("vector", MATRIX, "FP32")

    def state():
        index = both.call("get_model_repository_index", **crew)
        entry = (index if isinstance(index, list) else index.models)[0]
        return field(entry, "state"), both.call("is_model_ready", "told", **crew)

    both.call("unload_model", "told", **crew)
    checks.equal("unloaded", state(), ("UNAVAILABLE", False))
    checks.equal("asked meanwhile", refusal(lambda: both.infer("told", [vector], **crew))[0], statuses[0])
    checks.equal("described meanwhile",
                 refusal(lambda: both.call("get_model_metadata", "told", **crew))[0], statuses[0])
    checks.equal("loaded by the shop", refusal(lambda: both.call("load_model", "told", **shop))[0],
                 statuses[2])
    checks.equal("loaded with a config",
                 refusal(lambda: both.call("load_model", "told", config="{}", **crew))[0], statuses[3])
    checks.equal("another model", refusal(lambda: both.call("load_model", "other", **crew))[0],
                 statuses[1])
    both.call("load_model", "told", **crew)
    checks.equal("loaded", state(), ("READY", True))
    checks.equal("asked again", both.infer("told", [vector], **crew).as_numpy("score").tolist(), SCORES)


def run(check_all, check_many, asynchronous):
    """All checks with the synchronous client and with its twin, then many requests side by side."""
    checks = Checks()
    with Work() as work, Told() as told, Guarded(work) as guarded, Pipeline(work) as pipeline:
        for twin in (None, asynchronous):
            check_all(checks, told, guarded, pipeline, twin)
            checks.say("asynchronous" if twin else "synchronous")
        check_many(checks, told)
    checks.finish()
