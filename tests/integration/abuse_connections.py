#!/usr/bin/env python3
"""Ten thousand connections that say nothing, callers that send by the byte, and callers that read
nothing: who asks properly is answered all the while, memory stays under its bound, and in the end the
server is rid of them."""

import socket
import sys

from endpoint import *

IDLE = 10_000
HELD_MIB = 64 + 2  # what connections may hold, with the tool's message of 1 MiB
BASE_MIB = 60      # the program itself, and buffers that it keeps


def idle(checks):
    n = IDLE if allow_files(IDLE + 200) else 0
    if not checks.true("10,000 files may be open here", n > 0, "raise the hard limit (ulimit -Hn)"):
        return
    with Server("--idle-ms", "600000") as server:
        kept = []
        with Witness(checks, server) as witness:
            for i in range(n):
                kept.append(server.dial(server.grpc if i % 2 else server.http))
                if i % 4 == 3:  # some have begun to speak
                    kept[-1].sendall(PREFACE + frame(SETTINGS, 0, 0))
            witness.more(100)
        used = server.processor_seconds()
        time.sleep(1)
        used = server.processor_seconds() - used
        checks.true("silence costs no time", used < 0.2, f"{used} s of processor in one second")
        server.check_memory(checks, BASE_MIB + n * 16 // 1024)
        for sock in kept:
            sock.close()
        status, seconds = server.end()
        checks.equal("status at the end", status, 0)
        checks.true("it ends soon", seconds < 10, f"{seconds:.1f} s")


def ends_dripping(sock):
    """Whether a connection that is never silent for long, and never done, is closed."""
    end = time.monotonic() + PATIENCE
    sock.settimeout(0.3)
    data = iter(b"POST /" + PATIENCE * 10 * b"a")
    while time.monotonic() < end:
        try:
            sock.sendall(bytes([next(data)]))
            if not sock.recv(1000):
                return True
        except TimeoutError:
            pass
        except OSError:
            return True
    return False


def silent_are_closed(checks):
    with Server("--idle-ms", "1000") as server:
        silent = [server.dial(port) for port in (server.http, server.grpc) for _ in range(20)]
        half = server.dial()
        half.sendall(post(infer_json())[:-1])
        with Witness(checks, server):
            checks.true("a request that does not end is given up", ends_dripping(server.dial()))
            for sock in silent:
                checks.true("a silent connection is closed", reads_end(sock))
            checks.true("half a request is given up", reads_end(half))


def drip(server, grpc):
    """A large request but for its end."""
    if not grpc:
        sock = server.dial()
        sock.sendall(post(b" " * 900_000, length=1_000_000))
        return sock
    peer = Http2(server)
    head, stream = peer.begin()
    peer.send(head, *peer.data(stream, struct.pack(">BI", 0, 1_000_000) + b" " * 900_000, last=False))
    return peer.sock


def slow_writers(checks):
    """200 MB of requests that are not all there: those that hold most are closed."""
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server) as witness:
            kept = []
            for i in range(220):
                try:
                    kept.append(drip(server, i % 2))
                except OSError:
                    pass  # it was its turn
            witness.more(40)
            # A large request of somebody who sends slowly, but sends.
            body = infer_json(5) + b" " * 200_000
            with server.dial() as sock:
                data = post(body)
                for at in range(0, len(data), 20_000):
                    sock.sendall(data[at:at + 20_000])
                    time.sleep(0.01)
                checks.equal("a large request in pieces", read_answer(sock)[0], 200)
            for sock in kept:
                sock.close()
        server.check_memory(checks, BASE_MIB + 2 * HELD_MIB)


def thirsty(server, kind):
    """Asks for large answers and reads none of them."""
    if kind == 0:  # pipelined
        sock = server.dial()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = json.dumps({"inputs": [{"name": "f0", "datatype": "FP32", "shape": [4096],
                                       "parameters": {"binary_data_size": 16384}}],
                           "outputs": [{"name": "reasons"}]}).encode()
        one = post(body + bytes(16384), INFER, f"Inference-Header-Content-Length: {len(body)}")
        requests = one * 20
    else:  # a window of nothing; one stream that goes on, or many
        peer = Http2(server, settings=[(4, 0)])
        sock = peer.sock
        message = framed(infer_message(rows=4096, columns=1, name="f0", shape=(4096,),
                                       outputs=("reasons",)))
        requests = b""
        if kind == 1:
            head, stream = peer.begin(MODEL_STREAM)
            requests = head + b"".join(b"".join(peer.data(stream, message, last=False)) for _ in range(30))
        for _ in range(30 if kind == 2 else 0):
            head, stream = peer.begin()
            requests += head + b"".join(peer.data(stream, message))
    sock.settimeout(0.5)
    try:
        sock.sendall(requests)
    except OSError:
        pass  # it reads no more, or has closed
    return sock


def slow_readers(checks):
    """Each could make it hold megabytes of answers."""
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server) as witness:
            kept = [thirsty(server, i % 3) for i in range(90)]
            witness.more(40)
            for sock in kept:
                sock.close()
        server.check_memory(checks, BASE_MIB + 2 * HELD_MIB)


def no_files_left(checks):
    """More connections than the server may have files: it waits, and does not spin."""
    with Server("--idle-ms", "600000") as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (100, 100))
        with Http2(server) as good:
            good.read(good.ask(infer_message(1)))
            kept = [server.dial() for _ in range(150)]
            used = server.processor_seconds()
            time.sleep(1)
            used = server.processor_seconds() - used
            checks.true("it does not spin", used < 0.5, f"{used} s of processor in one second")
            status, why, _ = good.read(good.ask(infer_message(1)))
            checks.equal("a good request", (status, why), (OK, ""))
            for sock in kept:
                sock.close()
        with Witness(checks, server) as witness:
            witness.more()


TESTS = {"idle": [idle, silent_are_closed, no_files_left], "slow": [slow_writers, slow_readers]}


def main():
    checks = Checks()
    for test in TESTS[sys.argv[2]]:
        checks.say(test.__name__)
        test(checks)
    checks.finish()


main()
