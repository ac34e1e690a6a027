#!/usr/bin/env python3
"""More than can be answered, and sooner than it can be: who asks too much is refused at once and told
when to come again, who has no time left is told so, and whoever comes afterwards is served.

The pipeline behind this endpoint looks at its requests four times a second, and sixteen may wait."""

import sys

from endpoint import *

QUEUE, SLOW_MS, MEMORY_MIB = 16, 250, 150


def event_message():
    record = b'{"ID": "a", "TIME": 1700000000000, "AMOUNT": 5}'
    tensor = field(1, "event") + field(2, "BYTES") + field(3, varint(1))
    return (field(1, "told") + field(5, tensor) + field(7, struct.pack("<I", len(record)) + record))


def event_json():
    return json.dumps({"inputs": [{"name": "event", "datatype": "BYTES", "shape": [1], "data":
                                   ['{"ID": "a", "TIME": 1700000000000, "AMOUNT": 5}']}]}).encode()


def is_fine(checks, server, what):
    checks.equal(f"{what}: over HTTP", ask(server, post(event_json()))[0], 200)
    checks.equal(f"{what}: by gRPC", call(server, event_message())[:2], (OK, ""))


def overload(checks, server):
    """200 at once over one connection: as many as may wait are answered, the others refused early."""
    with Http2(server) as peer:
        frames, streams = [], []
        for _ in range(200):
            head, stream = peer.begin()
            frames += [head, *peer.data(stream, framed(event_message()))]
            streams.append(stream)
        peer.send(*frames)
        by_status = {OK: 0, RESOURCE_EXHAUSTED: 0}
        for stream in streams:
            status, why, _ = peer.read(stream)
            by_status[status] = by_status.get(status, 0) + 1
            checks.true("a refusal says why", status == OK or "too many" in why, why)
        checks.say(f"200 at once by gRPC: {by_status}")
        checks.true("some are answered", by_status[OK] >= QUEUE, by_status)
        checks.true("others are refused", by_status[RESOURCE_EXHAUSTED] > 0, by_status)
        checks.equal("and that is all", sum(by_status.values()), by_status[OK] + by_status[RESOURCE_EXHAUSTED])
    is_fine(checks, server, "after an overload")


def overload_http(checks, server):
    """The same over 100 connections. Whoever is refused does not wait for the pipeline."""
    peers = [server.dial() for _ in range(100)]
    for peer in peers:
        peer.sendall(post(event_json()))
    counts = {}
    for peer in peers:
        status, headers, body = read_answer(peer)
        counts[status] = counts.get(status, 0) + 1
        if status == 503:
            checks.true("it says when to come again", headers.get("retry-after", "").isdigit(), headers)
            checks.true("and why", "too many" in json.loads(body)["error"], body)
        peer.close()
    checks.say(f"100 at once over HTTP: {counts}")
    checks.true("some are answered", counts.get(200, 0) >= QUEUE, counts)
    checks.true("others are refused", counts.get(503, 0) > 0, counts)
    checks.equal("and that is all", set(counts) - {200, 503}, set())
    is_fine(checks, server, "after that")


def deadlines(checks, server):
    for timeout, expected in (("1n", DEADLINE_EXCEEDED), ("0m", DEADLINE_EXCEEDED), ("20m", DEADLINE_EXCEEDED),
                              ("30S", OK), ("99999999H", OK), ("soon", OK)):
        checks.equal(f"grpc-timeout: {timeout}", call(server, event_message(), grpc_timeout=timeout)[0], expected)
    with Http2(server) as peer:  # many that are late, and one that is not
        late = [peer.ask(event_message(), grpc_timeout="20m") for _ in range(QUEUE - 1)]
        good = peer.ask(event_message())
        checks.equal("those that are late", {peer.read(stream)[0] for stream in late}, {DEADLINE_EXCEEDED})
        checks.equal("the one that is not", peer.read(good)[0], OK)


def given_up(checks, server):
    """Whoever goes away without waiting for the answer leaves no trace."""
    for i in range(60):
        if i % 2:
            with server.dial() as sock:
                sock.sendall(post(event_json()))
        else:
            with Http2(server) as peer:
                stream = peer.ask(event_message())
                if i % 4:
                    peer.send(frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))
    wait_for("room again", lambda: call(server, event_message())[0] == OK)
    is_fine(checks, server, "after many that went away")


def main():
    checks = Checks()
    with Server("--slow-ms", str(SLOW_MS), "--queue", str(QUEUE), tool="pipeline_server") as server:
        for test in (overload, overload_http, deadlines, given_up):
            checks.say(test.__name__)
            test(checks, server)
        server.check_memory(checks, MEMORY_MIB)
        with Http2(server) as peer:  # what is on its way at the end is answered, or told that it is not
            stream = peer.ask(event_message())
            wait_for("it has come", lambda: peer.send(frame(PING, 0, 0, bytes(8))) and peer.read_frame()
                     and (peer.acks > 1 or stream in peer.answers))
            server.process.send_signal(signal.SIGTERM)
            checks.true("a request at the end", peer.read(stream)[0] in (OK, UNAVAILABLE))
        checks.equal("status at the end", server.process.wait(PATIENCE), 0)
    checks.finish()


main()
