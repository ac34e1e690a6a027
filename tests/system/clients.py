"""What the tests of the endpoint's real clients share: something to ask, and what is known about it.

    with Work() as work, Told(work) as told, Pipeline(work) as pipeline:
        told.http, told.grpc                # HOST:PORT; its scores are version * 1000 + the first column
        pipeline.expected                   # what plain HTTP answers about EVENT
    program("grpcurl")                      # from scripts/fetch-clients

A test of a Python client calls use_python() first: it goes on under the Python that has them.
"""

import json
import os
import subprocess
import sys
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from harness import (PATIENCE, TOOLS, Broker, Service, end_of, events_of, labels_of,  # noqa: E402
                     payments, pipeline)

COLUMNS = 16
# Two rows of numbers that float32 holds exactly.
ROWS = [[row + column / 16 for column in range(COLUMNS)] for row in range(2)]
SCORES = [1000.0, 1001.0]
ALL_OUTPUTS = ["score", "features", "reasons"]


def folder():
    done = subprocess.run([os.path.join(HERE, "../../scripts/fetch-clients")], capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"no clients, and these tests are nothing without them:\n{done.stderr}")
    return done.stdout.strip()


def program(name):
    return os.path.join(folder(), "bin", name)


def use_python():
    python = program("python")
    if os.path.realpath(sys.prefix) != os.path.realpath(os.path.dirname(os.path.dirname(python))):
        os.execv(python, [python, *sys.argv])


def run(*command, input=None):
    """(status, what it printed, what it complained of)"""
    done = subprocess.run(command, input=input, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


def post(address, path, request):
    with urllib.request.urlopen(f"http://{address}{path}", json.dumps(request).encode(),
                                timeout=PATIENCE) as reply:
        return json.loads(reply.read())


class Told:
    """tests/tools/endpoint_server: a model whose scores tell the version and the first column."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.process = subprocess.Popen([os.path.join(TOOLS, "endpoint_server"), *self.options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ports = [self.process.stdout.readline().split() for _ in range(2)]
        self.http, self.grpc = (f"localhost:{port}" for _, port in ports)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        if status != 0:
            sys.exit(f"endpoint_server ended with {status}")


class Guarded(Told):
    """The same behind TLS and a token; .ca vouches for it, .token lets in, .admin loads and unloads."""

    token = "a-token-for-tests"
    admin = "another-for-the-crew"

    def __init__(self, work):
        self.ca, key = work.path("certificate.pem"), work.path("key.pem")
        made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                   "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                   self.ca)
        if made[0] != 0:
            sys.exit(f"openssl cannot make a certificate:\n{made[2]}")
        tokens = work.write("tokens.txt", f"{self.token} score\n{self.admin} score admin\n")
        super().__init__("--tls", self.ca, key, "--tokens", tokens)


class Pipeline:
    """The service itself over some payments that it has learnt from."""

    def __init__(self, work):
        self.work = work
        self.rows = payments(3000, seed=11)

    def __enter__(self):
        self.broker = Broker(payments=1, frauds=1, scores=1, dead=1).__enter__()
        events, labels = events_of(self.rows), labels_of(self.rows)
        self.broker.fill("payments", events)
        self.broker.fill("frauds", labels)
        config = dict(pipeline(self.broker), endpoint={"http": "127.0.0.1:0", "grpc": "127.0.0.1:0"})
        config["models"] = config["models"] + [{"name": "seen", "kind": "ftrl", "role": "shadow"}]
        self.service = Service(self.work, config)
        self.service.wait_for_log("endpoint.start")
        self.service.wait_until(end_of(events, labels))
        # From then on it is the same version that answers.
        self.service.wait("all to be learnt", lambda: self.service.metric("freshet_examples_behind") == 0)
        ports = self.service.fields("endpoint.start")
        self.http, self.grpc = f"127.0.0.1:{ports['http']}", f"127.0.0.1:{ports['grpc']}"
        self.event = json.dumps({"ID": "asked", "TIME": end_of(events) + 1000, "AMOUNT": 12.5,
                                 "CARD": int(next(row["CARD"] for row in self.rows if row["CARD"])),
                                 "SHOP": next(row["SHOP"] for row in self.rows if row["SHOP"]),
                                 "COUNTRY": "DE"})
        self.expected = outputs_of(post(self.http, "/v2/models/payments/infer", self.request()))
        return self

    def __exit__(self, *exit):
        self.service.__exit__(*exit)
        self.broker.__exit__(*exit)

    def request(self):
        return {"inputs": [{"name": "event", "datatype": "BYTES", "shape": [1],
                            "data": [self.event]}],
                "outputs": [{"name": name} for name in ALL_OUTPUTS]}


def outputs_of(answer):
    """{name: data} of an answer in JSON; reasons as what they say."""
    found = {output["name"]: output["data"] for output in answer["outputs"]}
    if "reasons" in found:
        found["reasons"] = [json.loads(text) for text in found["reasons"]]
    return found
