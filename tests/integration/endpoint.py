"""What the tests of the endpoint's abuse share: a server, callers that speak HTTP and gRPC byte by byte,
so that they may also speak them wrongly, and a witness that asks like anybody else meanwhile.

    checks = Checks()
    with Server("--idle-ms", "60000") as server, Witness(checks, server):
        ...                                  # what a stranger would do
    server.check_memory(checks, 200)         # it never held more

Called with the folder of the test tools, and --memory where resident memory means something.
"""

import ctypes
import http.client
import json
import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from harness import Checks  # noqa: F401

TOOLS = os.path.abspath(sys.argv[1])
MEASURES_MEMORY = "--memory" in sys.argv
PATIENCE = 120  # seconds after which what must happen counts as never happening
COLUMNS = 16


def wait_for(what, holds, patience=PATIENCE):
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


class Server:
    """A process of endpoint_server, or of another tool that says its ports the same way."""

    def __init__(self, *arguments, tool="endpoint_server", context=None, token=None):
        self.command = [os.path.join(TOOLS, tool), *arguments]
        self.context, self.token = context, token

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.http = int(self.process.stdout.readline().split()[1])
        self.grpc = int(self.process.stdout.readline().split()[1])
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()

    def dial(self, port=None, plain=False):
        sock = socket.create_connection(("127.0.0.1", port or self.http), timeout=PATIENCE)
        if self.context and not plain:
            self.context.set_alpn_protocols(["http/1.1" if port in (None, self.http) else "h2"])
            sock = self.context.wrap_socket(sock, server_hostname="localhost")
        return sock

    def end(self, number=signal.SIGTERM):
        """Its status after a signal, and how long it took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        return status, time.monotonic() - begin

    def _status(self, name):
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024
        return 0

    def memory(self):
        """Resident now, in MiB."""
        return self._status("VmRSS")

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_memory(self, checks, most_mib):
        """It is there, and never was larger than so many MiB."""
        if not checks.equal("status of the server while it runs", self.process.poll(), None):
            return
        peak = self._status("VmHWM")
        checks.say(f"resident: {self.memory():.0f} MiB now, {peak:.0f} at most")
        if MEASURES_MEMORY:
            checks.true("memory", peak < most_mib, f"{peak:.0f} MiB, at most {most_mib} is allowed")


def allow_files(n):
    """Whether so many may be open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < n:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
        except (ValueError, OSError):
            return False
    elif soft != resource.RLIM_INFINITY and soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
    return True


# ---- HTTP

def infer_json(first=1.0, rows=1, columns=COLUMNS):
    data = ([first] + [0] * (columns - 1)) * rows
    return json.dumps({"inputs": [{"name": "vector", "datatype": "FP32", "shape": [rows, columns],
                                   "data": data}]}).encode()


INFER = "/v2/models/told/infer"


def post(body, path=INFER, *headers, length=None):
    """The bytes of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost",
             f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def read_answer(sock):
    """Status, headers and body of one answer; status 0: the connection ended without one."""
    answer = http.client.HTTPResponse(sock)
    try:
        answer.begin()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body


def ask(server, data, port=None, plain=False):
    """Sends bytes over a connection of their own and reads one answer."""
    with server.dial(port, plain) as sock:
        try:
            sock.sendall(data)
        except OSError:
            pass  # it has heard enough; what it said is still there to be read
        return read_answer(sock)


def reads_end(sock):
    """Whether the server ends the connection, whatever it says before."""
    try:
        while sock.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except OSError:
        return False
    return True


# ---- protobuf

def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, int):
        return varint(number << 3) + varint(value & (1 << 64) - 1)
    return varint(number << 3 | 2) + varint(len(value)) + value


def infer_message(first=1.0, rows=1, columns=COLUMNS, name="vector", datatype="FP32", model="told",
                  shape=None, raw=None, outputs=()):
    """inference.ModelInferRequest with raw_input_contents."""
    raw = struct.pack(f"<{columns}f", first, *[0] * (columns - 1)) * rows if raw is None else raw
    shape = b"".join(varint(n & (1 << 64) - 1) for n in (shape or (rows, columns)))
    tensor = field(1, name) + field(2, datatype) + field(3, shape)
    return (field(1, model) + field(5, tensor) + b"".join(field(6, field(1, o)) for o in outputs)
            + field(7, raw))


def fields(data):
    """{number: last value} of a message; none if it is no message."""
    found, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        elif key & 7 == 2:
            n = number()
            found[key >> 3] = data[at:at + n]
            at += n
        else:
            raise ValueError("no message of ours")
    return found


def framed(message, compressed=0):
    return bytes([compressed]) + struct.pack(">I", len(message)) + message


def score_of(message):
    return struct.unpack("<f", fields(message)[6])[0]


# ---- HTTP/2

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, _, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class _Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("value", ctypes.c_void_p), ("name_len", ctypes.c_size_t),
                ("value_len", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class Inflater:
    """HPACK, read by libnghttp2."""

    library = ctypes.CDLL("libnghttp2.so.14")

    def __init__(self):
        self.state = ctypes.c_void_p()
        if self.library.nghttp2_hd_inflate_new(ctypes.byref(self.state)):
            raise MemoryError
        self.inflate = self.library.nghttp2_hd_inflate_hd2
        self.inflate.restype = ctypes.c_ssize_t
        self.inflate.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Pair), ctypes.POINTER(ctypes.c_int),
                                 ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]

    def read(self, block):
        found, pair, flags = {}, _Pair(), ctypes.c_int()
        while True:
            n = self.inflate(self.state, pair, flags, block, len(block), 1)
            if n < 0:
                raise ValueError("no HPACK")
            block = block[n:]
            if flags.value & 2:
                name = ctypes.string_at(pair.name, pair.name_len).decode()
                found[name] = ctypes.string_at(pair.value, pair.value_len).decode()
            if flags.value & 1:
                self.library.nghttp2_hd_inflate_end_headers(self.state)
                return found
            if n == 0 and not flags.value:
                raise ValueError("no whole HPACK")


def hpack_int(n, bits, first=0):
    most = (1 << bits) - 1
    return bytes([first | n]) if n < most else bytes([first | most]) + varint(n - most)


def header(name, value, first=0):
    """A header as it is, without the table; first=0x40 puts it there."""
    name, value = name.encode(), value.encode()
    return bytes([first]) + hpack_int(len(name), 7) + name + hpack_int(len(value), 7) + value


def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body


def request_head(path, **more):
    head = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers")]
    head += [(name.replace("_", "-"), value) for name, value in more.items()]
    return b"".join(header(name, value) for name, value in head)


MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
MODEL_STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"


class Http2:
    """A connection by gRPC."""

    def __init__(self, server, settings=((4, 1 << 30),), plain=False):
        self.sock = server.dial(server.grpc, plain)
        self.inflater, self.buffer, self.next = Inflater(), b"", 1
        self.answers = {}  # stream: [headers, data, whether it has ended, error of RST_STREAM]
        self.goaway = None
        self.acks = 0
        body = b"".join(struct.pack(">HI", key, value) for key, value in settings)
        self.sock.sendall(PREFACE + frame(SETTINGS, 0, 0, body)
                          + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 29)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, *frames):
        """Whether it was taken."""
        try:
            self.sock.sendall(b"".join(frames))
            return True
        except OSError:
            return False

    def begin(self, path=MODEL_INFER, **more):
        """The frame that begins a request, and its stream."""
        stream, self.next = self.next, self.next + 2
        return frame(HEADERS, END_HEADERS, stream, request_head(path, **more)), stream

    def ask(self, message, path=MODEL_INFER, **more):
        """Sends a request and returns its stream."""
        head, stream = self.begin(path, **more)
        self.send(head, *self.data(stream, framed(message)))
        return stream

    @staticmethod
    def data(stream, body, last=True):
        parts = [body[at:at + 16384] for at in range(0, len(body), 16384)] or [b""]
        return [frame(DATA, END_STREAM if last and i == len(parts) - 1 else 0, stream, part)
                for i, part in enumerate(parts)]

    def read_frame(self):
        """Takes one frame in; False: the connection has ended."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                more = self.sock.recv(1 << 16)
            except ConnectionError:
                more = b""
            if not more:
                return False
            self.buffer += more
        n = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        body, self.buffer = self.buffer[9:9 + n], self.buffer[9 + n:]
        answer = self.answers.setdefault(stream, [{}, b"", False, None])
        if kind == HEADERS:
            answer[0].update(self.inflater.read(body))
        elif kind == DATA:
            answer[1] += body
        elif kind == RST_STREAM:
            answer[2:] = True, struct.unpack(">I", body)[0]
        elif kind == GOAWAY:
            self.goaway = struct.unpack(">I", body[4:8])[0]
        elif kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind in (PING, SETTINGS):
            self.acks += 1
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            answer[2] = True
        return True

    def read(self, stream):
        """Status, message and first bytes of an answer. Status None: none came."""
        while not self.answers.get(stream, [0, 0, False])[2] and self.read_frame():
            pass
        head, data = self.answers.get(stream, [{}, b""])[:2]
        status = head.get("grpc-status")
        return int(status) if status else None, head.get("grpc-message", ""), data

    def read_to_end(self):
        """Until the server ends the connection; False: it does not."""
        try:
            while self.read_frame():
                pass
        except (TimeoutError, OSError):
            return False
        return True


def call(server, message, path=MODEL_INFER, **more):
    """Status, why and body of one call over a connection of its own."""
    with Http2(server) as peer:
        return peer.read(peer.ask(message, path, **more))


OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, PERMISSION_DENIED = 0, 3, 4, 5, 7
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 8, 12, 13, 14, 16


# ---- somebody who only wants to be served

class Witness:
    """Asks over HTTP and gRPC all the while, over connections that stay and over new ones, and expects
    each answer to be right and not to take longer than `patience` seconds."""

    def __init__(self, checks, server, patience=20):
        self.checks, self.server, self.patience = checks, server, patience
        self.answered, self.slowest, self.failed = 0, 0.0, []
        self.stopped = False

    def __enter__(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        try:
            self.more(2)  # what was looked on at may have been over before the first answer
        finally:
            self.stopped = True
            self.thread.join()
        self.checks.true("good requests are answered", self.answered > 0)
        self.checks.equal("good requests that failed", self.failed[:5], [])
        self.checks.true("good requests do not wait", self.slowest < self.patience, f"{self.slowest:.1f} s")
        self.checks.say(f"{self.answered} good requests answered, the slowest in {self.slowest:.3f} s")

    def more(self, n=20):
        """Returns when so many more were answered."""
        goal = self.answered + n
        wait_for("good answers", lambda: self.answered >= goal or self.failed or not self.thread.is_alive())

    def _run(self):
        bearer = {"authorization": f"Bearer {self.server.token}"} if self.server.token else {}
        headers = [f"Authorization: {value}" for value in bearer.values()]
        try:
            while not self.stopped:
                with self.server.dial() as sock, Http2(self.server) as peer:
                    for i in range(20):
                        if self.stopped:
                            break
                        self._ask_http(sock, i, headers)
                        self._ask_grpc(peer, i, bearer)
                        time.sleep(0.005)
        except Exception as problem:  # pylint: disable=broad-except
            self.failed.append(repr(problem))

    def _note(self, begin, good, what):
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.answered += good
        if not good:
            self.failed.append(what)

    def _ask_http(self, sock, i, headers):
        begin = time.monotonic()
        sock.sendall(post(infer_json(i), INFER, *headers))
        status, _, body = read_answer(sock)
        good = status == 200 and json.loads(body)["outputs"][0]["data"] == [1000 + i]
        self._note(begin, good, (status, body[:200]))

    def _ask_grpc(self, peer, i, bearer):
        begin = time.monotonic()
        status, why, data = peer.read(peer.ask(infer_message(i), **bearer))
        self._note(begin, status == OK and score_of(data[5:]) == 1000 + i, (status, why))
