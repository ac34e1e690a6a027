"""What the integration tests share: an embedded broker in a process of its own, topics that are filled
and read back, one process of `freshet run`, made-up payments, and checks that go on after a failure.

    checks = Checks()
    with Work() as work, Broker(payments=3, frauds=3, scores=8, dead=1) as broker:
        rows = payments(20000, seed=1)
        broker.fill("payments", events_of(rows))
        broker.fill("frauds", labels_of(rows))
        service = Service(work, pipeline(broker))
        service.wait_until(end_of(rows))
        checks.equal("status after SIGTERM", service.terminate(), 0)
        scores = broker.dump("scores")
    checks.finish()

Every test is called with the program and the folder of the test tools: TEST.py FRESHET TOOLS.
"""

import collections
import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM, TOOLS = (os.path.abspath(path) for path in (sys.argv + ["", ""])[1:3])
PATIENCE = 240  # seconds after which what must happen counts as never happening
DAY_MS = 86_400_000
LABEL_DELAY_MS = 7 * DAY_MS


class Checks:
    """Says what is wrong, goes on, and fails at the end."""

    def __init__(self):
        self.failures = 0
        self.begin = time.monotonic()

    def true(self, what, holds, remark=""):
        if not holds:
            self.failures += 1
            print(f"FAILED: {what}{': ' if remark else ''}{remark}", flush=True)
        return bool(holds)

    def equal(self, what, got, expected):
        return self.true(what, got == expected, f"{got!r}, expected {expected!r}")

    def say(self, text):
        print(f"[{time.monotonic() - self.begin:6.1f} s] {text}", flush=True)

    def finish(self):
        self.say(f"{self.failures} failures")
        sys.exit(1 if self.failures else 0)


class Work:
    """A folder that is gone afterwards, unless KEEP is set in the environment."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="freshet-test-")
        return self

    def __exit__(self, *_):
        if os.environ.get("KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)


# ---- made-up payments

def payments(rows, seed, distinct=False):
    """Rows of oracle/make_events.py as dicts of texts. With distinct, no two have the same time and
    none is late, so that partitions merge into the order of the file."""
    command = [os.path.join(HERE, "../oracle/make_events.py"), "--rows", str(rows), "--seed", str(seed)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    table = list(csv.DictReader(text.splitlines(keepends=True)))
    if distinct:
        last = 0
        for row in table:
            last = max(last + 1, int(row["TIME"]))
            row["TIME"] = str(last)
    return table


def write_csv(path, rows):
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def event_json(row):
    """As a producer would write it: numbers are numbers, and what is missing is absent or null."""
    event = {"ID": row["ID"], "TIME": int(row["TIME"])}
    for name in ("CARD", "SHOP", "COUNTRY", "NOTE", "AMOUNT"):
        text = row[name]
        if text != "":
            event[name] = text
        elif len(row["ID"]) % 2:
            event[name] = None
    if row["CARD"]:
        event["CARD"] = int(row["CARD"])
    if row["AMOUNT"]:
        event["AMOUNT"] = float(row["AMOUNT"])
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


# To a topic: time in ms, id and payload as bytes; partition None: by the id.
Record = collections.namedtuple("Record", "time key payload partition", defaults=[None])


def events_of(rows):
    return [Record(int(row["TIME"]), row["ID"].encode(), event_json(row)) for row in rows]


def label_record(id, fraud, time_ms):
    return Record(time_ms, id.encode(), json.dumps({"ID": id, "FRAUD": fraud}).encode())


def labels_of(rows):
    """In the order in which they become known."""
    records = [label_record(row["ID"], int(row["FRAUD"]), int(row["TIME"]) + LABEL_DELAY_MS)
               for row in rows if row["FRAUD"] != ""]
    return sorted(records, key=lambda record: record.time)


def end_of(*topics):
    """The latest time of all these records."""
    return max(record.time for records in topics for record in records)


def pipeline(broker, scores="scores", dead="dead", group="payments"):
    """A configuration for the payments above; JSON is YAML too. Tests change what they need."""
    return {
        "name": "payments",
        "kafka": {"brokers": broker.address, "group": group},
        "streams": [{
            "name": "payments", "format": "json", "id": "ID",
            "time": {"field": "TIME", "format": "epoch_ms"},
            "fields": {"CARD": "entity", "SHOP": "entity", "COUNTRY": "category",
                       "AMOUNT": "number"},
            "score": True}],
        "labels": {"topic": "frauds", "id": "ID", "value": "FRAUD", "delay": "7d",
                   "horizon": "30d"},
        # A partition that is slow on a busy machine must not be given up waiting for.
        "time": {"lateness": "3h", "idle_max": "2m", "tick": "0s"},
        "features": [
            {"value": "AMOUNT"},
            {"calendar": "hour"},
            {"window": "AMOUNT", "by": "CARD", "over": ["1h", "7d"],
             "take": ["count", "mean", "std", "since"]},
            {"window": "AMOUNT", "by": "SHOP", "over": ["1d"], "take": ["count", "max"]},
            {"window": "AMOUNT", "by": ["CARD", "SHOP"], "over": ["30d"], "take": ["count"]},
            {"window": "label", "by": "SHOP", "over": ["1d", "30d"], "delay": "7d",
             "take": ["count", "mean"]},
            # Short names: the broker keeps 5 MB a partition.
            {"stl": "AMOUNT", "by": "SHOP", "bucket": "6h", "period": "1d", "init": 2, "as": "s",
             "take": ["z"]},
            {"stl": "events", "by": "CARD", "bucket": "1d", "period": "2d", "init": 2,
             "fold": "count", "as": "c", "take": ["open"]}],
        "models": [{"name": "fraud", "kind": "ftrl", "publish": "1d"}],
        "scores": {"topic": scores, "dead_letters": dead, "include": ["features"]},
    }


# ---- topics

# From a topic; headers: {name: bytes}.
Row = collections.namedtuple("Row", "partition offset key payload headers")


class Broker:
    """Embedded broker in a process of its own, with topics of so many partitions. It keeps 5 MiB of a
    partition and drops what is older: a test that fills more is stopped."""

    def __init__(self, **topics):
        self.topics = topics

    def __enter__(self):
        names = [f"{name}:{partitions}" for name, partitions in self.topics.items()]
        self.process = subprocess.Popen([os.path.join(TOOLS, "embedded_broker"), *names],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def take_ms(self, ms):
        """From now on every answer takes so long: a service then takes seconds over what would be a
        moment's work, and there is time to stop it in."""
        self.process.stdin.write(f"{ms}\n")
        self.process.stdin.flush()

    def fill(self, topic, records):
        """Records without a partition go to one by their key, so that those of one id keep their order.
        Returns {partition: records}."""
        lines = collections.defaultdict(list)
        for record in records:
            partition = record.partition
            if partition is None:
                partition = zlib.crc32(record.key) % self.topics[topic]
            assert b"\n" not in record.payload
            lines[partition].append(b"%d %s\n" % (record.time, record.payload))
        for partition, text in sorted(lines.items()):
            self.tool("fill", topic, str(partition), "-", input=b"".join(text))
        return {partition: len(text) for partition, text in lines.items()}

    def dump(self, topic):
        """All rows, partition by partition, each in the order of its offsets."""
        lines = self.tool("dump", topic).split(b"\n")[:-1]
        rows = sorted(map(parse_row, lines), key=lambda row: (row.partition, row.offset))
        first = {}
        for row in rows:
            first.setdefault(row.partition, row.offset)
        assert not any(first.values()), f"topic {topic} has lost its oldest rows: {first}"
        return rows

    def tool(self, action, *words, input=None):
        done = subprocess.run([os.path.join(TOOLS, "topic"), action, self.address, *words],
                              input=input, capture_output=True, timeout=PATIENCE)
        if done.returncode != 0:
            sys.exit(f"topic {action} {words}: {done.stderr.decode()}")
        return done.stdout


ESCAPES = {b"\\t": b"\t", b"\\n": b"\n", b"\\\\": b"\\"}


def unescape(field):
    return re.sub(rb"\\[tn\\]", lambda match: ESCAPES[match[0]], field)


def parse_row(line):
    """partition, offset, headers (NAME=VALUE, divided by ;), key and payload, between tabs."""
    partition, offset, headers, key, payload = line.split(b"\t")
    # Only the reason, which comes last, may have a semicolon in it.
    pairs = [pair.split(b"=", 1) for pair in headers.split(b";", 5)] if headers else []
    return Row(int(partition), int(offset), unescape(key), unescape(payload),
               {name.decode(): unescape(value) for name, value in pairs})


def source_of(row):
    """(topic, partition, offset, ordinal) that a score or a dead letter was made of: the header
    TOPIC:PARTITION:OFFSET:ORDINAL. Repeats have the same."""
    topic, *numbers = row.headers["source"].decode().split(":")
    return topic, *map(int, numbers)


def by_source(checks, what, rows):
    """{source: payload}; that repeats are byte-equal is checked. Also returns how many there were."""
    found = {}
    differing = 0
    for row in rows:
        first = found.setdefault(source_of(row), (row.key, row.payload, row.headers))
        differing += first != (row.key, row.payload, row.headers)
    checks.equal(f"{what}: repeats that differ from the first", differing, 0)
    return {source: first[1] for source, first in found.items()}, len(rows) - len(found)


# ---- the service

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """One process of `freshet run`; what it logs is in self.log."""

    started = 0

    def __init__(self, work, config, state="state", options=(), environment=None):
        Service.started += 1
        self.port = free_port()
        config = dict(config, metrics={"listen": f"127.0.0.1:{self.port}"})
        self.config = work.write(f"config-{Service.started}.yaml", json.dumps(config, indent=1))
        self.log_path = work.path(f"log-{Service.started}.txt")
        self.state = work.path(state)
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "run", "-c", self.config, "--state", self.state, "--no-live", *options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=dict(os.environ, **(environment or {})))

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def fields(self, what):
        """The fields of the first log line of this name, None if there is none."""
        line = re.search(rf"^\S+ +\S+ +{re.escape(what)}( .*|)$", self.log(), re.MULTILINE)
        return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line[1])) if line else None

    def is_running(self):
        return self.process.poll() is None

    def wait(self, what, holds, patience=PATIENCE):
        """Polls until holds() is true; ends the test if the process ends first or time is up."""
        until = time.monotonic() + patience
        while not holds():
            if not self.is_running():
                sys.exit(f"the service ended with {self.process.returncode} while the test waited "
                         f"for {what}:\n{self.log()}")
            if time.monotonic() > until:
                sys.exit(f"waited too long for {what}:\n{self.log()}\n{self.metrics()}")
            time.sleep(0.01)

    def wait_for_log(self, what):
        self.wait(what, lambda: self.fields(what) is not None)

    def wait_until(self, end_ms):
        """Until all input up to this event time is taken; SIGTERM then commits and sends it."""
        self.wait(f"event time {end_ms} ms",
                  lambda: self.metric("freshet_event_time_seconds") >= end_ms / 1000)

    def get(self, path):
        """(HTTP status, text); (0, why) where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def ask(self, path, body=None):
        """The scoring endpoint's answer, as JSON."""
        port = self.fields("endpoint.start")["http"]
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=20) as reply:
            return json.load(reply)

    def metrics(self):
        """{'name' or 'name{label="value"}': number}; empty while nobody answers."""
        status, text = self.get("/metrics")
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines} if status == 200 else {}

    def metric(self, name):
        return self.metrics().get(name, float("nan"))

    def signal_and_wait(self, number):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self):
        self.signal_and_wait(signal.SIGKILL)

    def terminate(self):
        return self.signal_and_wait(signal.SIGTERM)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_running():
            self.process.kill()
            self.process.wait()


def check_who_answers(checks, service, event, model, kind):
    """The endpoint scores an event by this one of several models, and says so."""
    service.wait_for_log("endpoint.start")
    text = event.payload.decode()
    answer = service.ask("/v2/models/payments/infer", {"inputs": [
        {"name": "event", "datatype": "BYTES", "shape": [1], "data": [text]}]})
    checks.equal(f"who answers: {answer}", answer["parameters"]["model"], model)
    newest = service.ask(f"/v2/models/{model}")["versions"][0]  # one may have been published since
    checks.true("by a version that it had", int(answer["model_version"]) <= int(newest), newest)
    described = service.ask("/v2/models/payments")
    checks.equal("who answers, by the model's description",
                 (described["parameters"]["model"], described["platform"]), (model, f"freshet_{kind}"))


def run_through(checks, work, config, end_ms, state="state"):
    """Runs the service over all input up to end_ms and stops it in order; returns its log."""
    with Service(work, config, state) as service:
        service.wait_until(end_ms)
        if not checks.equal("status after SIGTERM", service.terminate(), 0):
            print(service.log())
        return service.log()


def replay(config, path, *options):
    """`freshet replay`; returns the finished process with its texts."""
    return subprocess.run([PROGRAM, "replay", "-c", config, path, *options], capture_output=True,
                          text=True, timeout=PATIENCE)
