#!/usr/bin/env python3
"""Requests that are wrong: too large, cut off, no protobuf, no JSON, of other shapes and types than the
model's. Each is answered in its protocol's own form, and the caller after it is served."""

import gzip
import random
import sys
import zlib

from endpoint import *

MEMORY_MIB = 150
MESSAGE = 1 << 20  # the largest that the tool takes


def error_of(body):
    """The text of an HTTP error; None if it is no such thing."""
    try:
        found = json.loads(body.decode())
        return found["error"] if set(found) == {"error"} else None
    except (ValueError, KeyError, TypeError):
        return None


def json_of(**changes):
    """A request to infer with one input, changed."""
    tensor = {"name": "vector", "datatype": "FP32", "shape": [1, COLUMNS], "data": [1.0] + [0] * 15}
    top = {key: changes.pop(key) for key in ("outputs", "id", "parameters") if key in changes}
    tensor.update(changes)
    tensor = {key: value for key, value in tensor.items() if value is not None}
    return json.dumps({"inputs": [tensor], **top}).encode()


BOMB = gzip.compress(bytes(20 * MESSAGE))  # 20 KB that stand for 20 MiB
GZIP, DEFLATE = "Content-Encoding: gzip", "Content-Encoding: deflate"


def chunked(*chunks, path=INFER, headers=(), end=b"0\r\n\r\n"):
    """A request with its body in chunks."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", *headers, "", ""]
    return ("\r\n".join(lines).encode()
            + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end)


HTTP = {  # what: the request, the status
    "no HTTP": (b"\x00\x01\x02\r\n\r\n", 400),
    "TLS to the port of plain text": (bytes.fromhex("16030100c8010000c40303") + b"\r\n", 400),
    "another version": (b"GET /v2 HTTP/3.0\r\n\r\n", 505),
    "a head of 20 KB": (b"GET /v2 HTTP/1.1\r\nA: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "a path of 20 KB": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
    "a hundred headers": (b"GET /v2 HTTP/1.1\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431),
    "a body larger than allowed": (post(b" " * (MESSAGE + 1)), 413),
    "a body that is much larger": (post(b" " * (20 * MESSAGE)), 413),
    "a length that is none": (post(b"", INFER, length="x"), 400),
    "a negative length": (post(b"", INFER, length="-1"), 400),
    "two lengths": (post(b"{}", INFER, "Content-Length: 7"), 400),
    "length and chunks": (post(b"{}", INFER, "Transfer-Encoding: chunked"), 400),
    "a coding that is none": (b"POST / HTTP/1.1\r\nTransfer-Encoding: bzip\r\n\r\n", 501),
    "a split head": (b"GET /v2 HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
    "a chunk larger than allowed": (chunked(b" " * (MESSAGE + 1)), 413),
    "chunks larger than allowed": (chunked(*[b" " * 1000] * 1100), 413),
    "chunks of a byte, many": (chunked(*[b" "] * 500_000), 413),
    "a chunk of another size": (chunked(b"{}", end=b"3\r\n{}\r\n0\r\n\r\n"), 400),
    "a size that is none": (chunked(end=b"-1\r\n"), 400),
    "a size without end": (chunked(end=b"1;" + b"a" * 500), 400),
    "trailers without end": (chunked(end=b"0\r\n" + b"a: b\r\n" * 100), 431),
    "chunks by HTTP/1.0": (chunked(infer_json()).replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "a bomb": (post(BOMB, INFER, GZIP), 413),
    "a bomb in chunks": (chunked(BOMB[:100], BOMB[100:], headers=[GZIP]), 413),
    "a bomb of the other format": (post(zlib.compress(bytes(20 * MESSAGE)), INFER, DEFLATE), 413),
    "a bomb within the limit": (post(gzip.compress(bytes(MESSAGE - 1)), INFER, GZIP), 413),
    "gzip that is none": (post(infer_json(), INFER, GZIP), 400),
    "gzip cut off": (post(gzip.compress(infer_json())[:-1], INFER, GZIP), 400),
    "gzip as deflate": (post(gzip.compress(infer_json()), INFER, DEFLATE), 400),
    "gzip twice": (post(gzip.compress(infer_json()), INFER, GZIP, GZIP), 415),
    "a compression that is none": (post(infer_json(), INFER, "Content-Encoding: br"), 415),
    "no body": (post(b""), 400),
    "no JSON": (post(b"{\"inputs\": [}"), 400),
    "half of it": (post(infer_json()[:50]), 400),
    "JSON and more": (post(infer_json() + b"}"), 400),
    "no UTF-8": (post(infer_json().replace(b"vector", b"\xff\xfe")), 400),
    "nested too deep": (post(b"[" * 100_000 + b"]" * 100_000), 400),
    "data nested too deep": (post(infer_json().replace(b"[1.0", b"[" * 900 + b"1.0" + b"]" * 900)), 400),
    "a list": (post(b"[]"), 400),
    "no inputs": (post(b"{}"), 400),
    "inputs that are none": (post(b'{"inputs": 5}'), 400),
    "too many inputs": (post(json.dumps({"inputs": [{"name": "a", "datatype": "FP32", "shape": [1],
                                                     "data": [1]}] * 10_000}).encode()), 400),
    "another input": (post(json_of(name="\x00\u20ac")), 400),
    "a column that is none": (post(json_of(name="f99", shape=[1], data=[1])), 400),
    "a name that is a number": (post(json_of(name=5)), 400),
    "a name without end": (post(json_of(name="x" * 100_000)), 400),
    "no type": (post(json_of(datatype=None)), 400),
    "a type that is none": (post(json_of(datatype="FP33")), 400),
    "texts": (post(json_of(datatype="BYTES", data=["x"] * 16)), 400),
    "whole numbers": (post(json_of(datatype="INT64")), 400),
    "numbers past their type": (post(json_of(datatype="INT8", data=[300] * 16)), 400),
    "words as numbers": (post(json_of(data=["1"] * 16)), 400),
    "no shape": (post(json_of(shape=None)), 400),
    "a shape of texts": (post(json_of(shape=["1", 16])), 400),
    "another shape": (post(json_of(shape=[16, 1])), 400),
    "a negative shape": (post(json_of(shape=[-1, 16])), 400),
    "a shape that overflows": (post(json_of(shape=[2**62, 16])), 400),
    "a shape past 64 bits": (post(json_of(shape=[2**70, 16])), 400),
    "a shape of many dimensions": (post(json_of(shape=[1] * 100)), 400),
    "a shape larger than its data": (post(json_of(shape=[4096, 16])), 400),
    "more rows than allowed": (post(infer_json(rows=5000)), 413),
    "no data": (post(json_of(data=None)), 400),
    "data that are null": (post(json_of(data=None).replace(b"}]", b', "data": {}}]')), 400),
    "binary data that are not there": (post(json_of(data=None, parameters={})), 400),
    "binary data past the end": (post(json_of(data=None).replace(
        b"}]", b', "parameters": {"binary_data_size": 9999999999}}]'), INFER,
        "Inference-Header-Content-Length: 98"), 400),
    "a JSON part longer than all": (post(infer_json(), INFER, "Inference-Header-Content-Length: 9999"), 400),
    "an output that is none": (post(json_of(outputs=[{"name": "x"}])), 400),
    "outputs without names": (post(json_of(outputs=[{}])), 400),
    "a model that is none": (post(infer_json(), "/v2/models/%ff%00nobody/infer"), 404),
    "a version that is none": (post(infer_json(), "/v2/models/told/versions/9e9/infer"), 404),
    "a path that is none": (post(b"", "/etc/passwd"), 404),
    "a way up": (post(b"", "/v2/models/../../etc/passwd"), 404),
    "another method": (b"DELETE /v2/models/told HTTP/1.1\r\n\r\n", 405),
}


def http(checks, server):
    for name, (data, status) in HTTP.items():
        got, headers, body = ask(server, data)
        checks.equal(f"http: {name}", got, status)
        checks.equal(f"http: {name}: its type", headers.get("content-type"), "application/json")
        checks.true(f"http: {name}: says why", error_of(body), body[:200])
    for cut in range(0, 300, 11):  # cut off: nobody is there to be told
        with server.dial() as sock:
            sock.sendall(post(infer_json())[:cut])



GRPC = {  # what: the message, the status
    "another shape": (infer_message(shape=(16, 1)), INVALID_ARGUMENT),
    "a negative shape": (infer_message(shape=(-1, 16)), INVALID_ARGUMENT),
    "a shape that overflows": (infer_message(shape=(2**62, 16)), INVALID_ARGUMENT),
    "many dimensions": (infer_message(shape=(1,) * 100), INVALID_ARGUMENT),
    "more rows than allowed": (infer_message(rows=5000), RESOURCE_EXHAUSTED),
    "too little data": (infer_message(raw=bytes(60)), INVALID_ARGUMENT),
    "too much data": (infer_message(raw=bytes(68)), INVALID_ARGUMENT),
    "another input": (infer_message(name="\u20ac%"), INVALID_ARGUMENT),
    "a type that is none": (infer_message(datatype="FP33"), INVALID_ARGUMENT),
    "another type": (infer_message(datatype="INT32"), INVALID_ARGUMENT),
    "texts": (infer_message(datatype="BYTES"), INVALID_ARGUMENT),
    "a model that is none": (infer_message(model="nobody"), NOT_FOUND),
    "an output that is none": (infer_message(outputs=("x",)), INVALID_ARGUMENT),
    "two contents for one input": (infer_message() + field(7, b"x"), INVALID_ARGUMENT),
    "nothing": (b"", NOT_FOUND),
    "no inputs": (field(1, "told"), INVALID_ARGUMENT),
    "no protobuf": (b"\xff" * 100, INVALID_ARGUMENT),
    "half a protobuf": (infer_message()[:-3], INVALID_ARGUMENT),
    "a length past the end": (b"\x0a\xff\xff\xff\xff\x0f" + bytes(10), INVALID_ARGUMENT),
    "a field of group type": (b"\x0b\x0b\x0b", INVALID_ARGUMENT),
    "inputs that are empty, many": (field(1, "told") + field(5, b"") * 200_000, INVALID_ARGUMENT),
    "inputs of one, many": (field(1, "told") + field(5, field(1, "f0")) * 5000, INVALID_ARGUMENT),
}


def grpc(checks, server):
    for name, (message, status) in GRPC.items():
        got, why, _ = call(server, message)
        checks.equal(f"grpc: {name}", got, status)
        checks.true(f"grpc: {name}: says why", why and why.isascii())
        wrapped = call(server, message, MODEL_STREAM)
        told = wrapped[0] == OK and fields(wrapped[2][5:]).get(1, b"").decode()
        checks.true(f"grpc: {name}: in a stream", told or wrapped[0] == status, wrapped)


def compressed(checks, server):
    """Good requests, compressed and in pieces; and as many bombs as there is room for on a connection."""
    body = infer_json(7.0)
    for name, data in {"chunks": chunked(body), "chunks of a byte": chunked(*[bytes([c]) for c in body]),
                       "gzip": post(gzip.compress(body), INFER, GZIP),
                       "deflate": post(zlib.compress(body), INFER, DEFLATE),
                       "gzip in chunks": chunked(gzip.compress(body), headers=[GZIP])}.items():
        for pieces in (1, 7):
            with server.dial() as sock:
                for i in range(pieces):
                    sock.sendall(data[len(data) * i // pieces:len(data) * (i + 1) // pieces])
                status, _, answer = read_answer(sock)
            checks.equal(f"{name} in {pieces}", (status, b"1007" in answer), (200, True))
    status, headers, answer = ask(server, post(infer_json(7.0, rows=500), INFER, "Accept-Encoding: gzip"))
    checks.equal("an answer in gzip", (status, headers.get("content-encoding")), (200, "gzip"))
    checks.true("its scores", b"1007" in gzip.decompress(answer))
    status, headers, _ = ask(server, post(body, INFER, "Accept-Encoding: gzip"))
    checks.equal("a short answer", (status, headers.get("content-encoding")), (200, None))
    good = framed(gzip.compress(infer_message(7.0)), 1)
    for path in (MODEL_INFER, MODEL_STREAM):
        checks.equal("gRPC in gzip", ask_raw(server, good, path, grpc_encoding="gzip"), OK)
        for encoding, bomb in (("gzip", BOMB), ("deflate", zlib.compress(bytes(20 * MESSAGE)))):
            checks.equal(f"gRPC: a bomb in {encoding}",
                         ask_raw(server, framed(bomb, 1), path, grpc_encoding=encoding),
                         RESOURCE_EXHAUSTED)
        checks.equal("gRPC: gzip that is none",
                     ask_raw(server, framed(b"none", 1), path, grpc_encoding="gzip"), INVALID_ARGUMENT)
    with server.dial() as sock:
        sock.sendall(post(BOMB, INFER, GZIP) * 199 + post(BOMB, INFER, GZIP, "Connection: close"))
        answers = b"".join(iter(lambda: sock.recv(1 << 16), b""))
    checks.equal("200 bombs on a connection", answers.count(b"HTTP/1.1 413 "), 200)


def ask_raw(server, body, path=MODEL_INFER, **more):
    with Http2(server) as peer:
        head, stream = peer.begin(path, **more)
        peer.send(head, *peer.data(stream, body))
        return peer.read(stream)[0]


def prefixes(checks, server):
    """The five bytes before a message, and the head before them."""
    message = infer_message()
    for name, body, status in (
            ("compressed nobody knows how", framed(message, 1), UNIMPLEMENTED),
            ("with another flag", framed(message, 255), UNIMPLEMENTED),
            ("cut off", framed(message)[:-1], INVALID_ARGUMENT),
            ("only a prefix", framed(message)[:5], INVALID_ARGUMENT),
            ("half a prefix", framed(message)[:3], INVALID_ARGUMENT),
            ("nothing at all", b"", INVALID_ARGUMENT),
            ("four gigabytes", struct.pack(">BI", 0, 0xffffffff) + message, RESOURCE_EXHAUSTED),
            ("larger than allowed", framed(bytes(MESSAGE + 1)), RESOURCE_EXHAUSTED),
            ("much larger", framed(bytes(8 * MESSAGE)), RESOURCE_EXHAUSTED)):
        checks.equal(f"a message, {name}", ask_raw(server, body), status)
        checks.true(f"a message in a stream, {name}",
                    ask_raw(server, body, MODEL_STREAM) in (status, OK if not body else status))
    checks.equal("no such method", ask_raw(server, framed(b""), "/nobody/nothing"), UNIMPLEMENTED)
    checks.equal("a compression that is none", ask_raw(server, framed(b""), grpc_encoding="br"), UNIMPLEMENTED)
    with Http2(server) as peer:  # many that are empty, and nothing but errors for an answer
        head, stream = peer.begin(MODEL_STREAM)
        peer.send(head, *peer.data(stream, bytes(500_000)))
        begin = time.monotonic()
        peer.read(stream)
        checks.say(f"100,000 empty messages in {time.monotonic() - begin:.1f} s")


def mutations(checks, server):
    """Good requests with some bytes changed: anything may come of them but silence."""
    rng = random.Random(1)
    silent = 0
    for good in (post(infer_json()), post(json_of(outputs=[{"name": "reasons"}]))):
        for _ in range(300):
            data = bytearray(good)
            for _ in range(rng.randint(1, 4)):
                data[rng.randrange(len(data))] = rng.choice(b'\x00\xff\r\n:{}[]",0-9 ' + bytes(range(256)))
            with server.dial() as sock:
                sock.sendall(bytes(data))
                sock.shutdown(1)
                silent += not reads_end(sock)
    checks.equal("connections that were never ended", silent, 0)
    with Http2(server) as peer:
        good = framed(infer_message(outputs=("score", "reasons")))
        for _ in range(300):
            data = bytearray(good)
            data[rng.randrange(5, len(data))] = rng.randrange(256)
            head, stream = peer.begin()
            peer.send(head, *peer.data(stream, bytes(data)))
            checks.true("a changed message is answered", peer.read(stream)[0] is not None)


def main():
    checks = Checks()
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server) as witness:
            for test in (http, grpc, prefixes, compressed, mutations):
                test(checks, server)
                checks.say(test.__name__)
            witness.more()
        server.check_memory(checks, MEMORY_MIB)
    checks.finish()


main()
