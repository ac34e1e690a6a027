#!/usr/bin/env python3
"""HTTP/2 as nobody means it: streams given up as soon as they are opened, floods of settings, pings and
heads that go on, heads that are small and become large, frames that are wrong. Each ends the stream or the
connection that did it, and nobody else's."""

import tempfile

from endpoint import *

MEMORY_MIB = 120


def rapid_reset(peer, n):
    cancel = struct.pack(">I", 8)
    data = b""
    for _ in range(n):
        head, stream = peer.begin()
        data += head + frame(RST_STREAM, 0, stream, cancel)
    return data


def rapid_reset_of_whole(peer, n):
    """Each is asked, and perhaps answered, before it is given up."""
    cancel, message = struct.pack(">I", 8), framed(infer_message())
    data = b""
    for _ in range(n):
        head, stream = peer.begin()
        data += head + peer.data(stream, message)[0] + frame(RST_STREAM, 0, stream, cancel)
    return data


def made_reset(peer, n):
    """Frames on which the server has to give the stream up."""
    data = b""
    for _ in range(n):
        head, stream = peer.begin()
        data += head + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0))
    return data


def settings_flood(_, n):
    return frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 100)) * n


def ping_flood(_, n):
    return frame(PING, 0, 0, b"12345678") * n


def refused_streams(peer, n):
    """More than it takes at a time, none of which ends."""
    return b"".join(peer.begin()[0] for _ in range(n))


FLOODS = [rapid_reset, rapid_reset_of_whole, made_reset, settings_flood, ping_flood]


def is_refused(checks, name, peer, more):
    """Whether the server ends at last what sends it more and more, and reads nothing. What the kernel holds
    between the two is taken at once, so it is time that bounds this, not a number of frames."""
    peer.sock.settimeout(10)
    end, sent = time.monotonic() + PATIENCE, 0
    while time.monotonic() < end:
        if not peer.send(more()):
            checks.say(f"{name}: refused after {sent} sendings that nobody read the answers of")
            return True
        sent += 1
    return False


def floods(checks):
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server) as witness:
            for frames in FLOODS:
                with Http2(server) as peer:
                    checks.true(f"{frames.__name__}: it stops",
                                is_refused(checks, frames.__name__, peer, lambda: frames(peer, 1000)))
                witness.more()
            with Http2(server) as peer:
                peer.send(refused_streams(peer, 20_000))
                witness.more()
        server.check_memory(checks, MEMORY_MIB)


def quiet_floods(checks):
    """Floods that ask for no answer: the server reads on, and keeps nothing of them."""
    quiet = {
        "window updates": frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
        "priorities": frame(PRIORITY, 0, 999, struct.pack(">IB", 0, 1)),
        "unknown frames": frame(77, 0, 0, bytes(1000)),
        "empty settings answers": frame(SETTINGS, ACK, 0),
    }
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server) as witness:
            for name, one in quiet.items():
                with Http2(server) as peer:
                    peer.sock.settimeout(20)
                    sent = 0
                    while sent < 20_000 and peer.send(one * 1000):
                        sent += 1000
                    checks.say(f"{name}: {sent} frames sent")
                witness.more(5)
            with Http2(server) as peer:  # data that bring nothing
                peer.sock.settimeout(20)
                head, stream = peer.begin()
                peer.send(head)
                for _ in range(20):
                    peer.send(frame(DATA, 0, stream) * 1000)
                witness.more(5)
        server.check_memory(checks, MEMORY_MIB)


def continuations(checks):
    """A head without end (CVE-2024-28182), in whole headers and in one that never ends."""
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server) as witness:
            for block in (header("a", "b" * 1000) * 10, header("a", "b" * 60000)[:10000], b""):
                with Http2(server) as peer:
                    peer.send(frame(HEADERS, 0, 1, request_head(MODEL_INFER)))
                    more = frame(CONTINUATION, 0, 1, block) * 10
                    checks.true("a head without end is given up",
                                is_refused(checks, "continuations", peer, lambda: more))
                witness.more()
        server.check_memory(checks, MEMORY_MIB)


def large_heads(checks):
    """One header, remembered once, named again by a byte each time; and many of them by name."""
    with Server("--idle-ms", "600000", "--tokens", TOKENS.name, token="good") as server:
        with Witness(checks, server) as witness:
            with Http2(server) as peer:
                bearer = header("authorization", "Bearer " + "x" * 3900, 0x40)
                bomb = request_head(MODEL_INFER) + bearer + b"\xbe" * 10_000
                begin = time.monotonic()
                for i in range(200):
                    peer.send(frame(HEADERS, END_HEADERS, 2 * i + 1, bomb))
                    if i == 0:
                        checks.true("a head that becomes large is given up",
                                    peer.read(1)[0] is None and peer.answers[1][3] is not None)
                        bomb = request_head(MODEL_INFER) + b"\xbe" * 10_000
                peer.read(399)
                checks.say(f"200 heads of 40 MB each in {time.monotonic() - begin:.1f} s")
            with Http2(server) as peer:
                head, stream = peer.begin(**{f"a{i}": "b" * 60 for i in range(180)})
                peer.send(head)
                checks.true("many headers are given up", peer.read(stream)[0] is None)
            witness.more()
        server.check_memory(checks, MEMORY_MIB)


WRONG = {
    "no preface": b"GET / HTTP/1.1\r\n\r\n",
    "half a preface, and then another": PREFACE[:20] + b"x" * 100,
    "no settings": PREFACE + frame(PING, 0, 0, bytes(8)),
    "a frame that is too large": PREFACE + frame(SETTINGS, 0, 0) + b"\xff\xff\xff\0\0\0\0\0\1" + bytes(70000),
    "a ping of seven bytes": PREFACE + frame(SETTINGS, 0, 0) + frame(PING, 0, 0, bytes(7)),
    "settings of five bytes": PREFACE + frame(SETTINGS, 0, 0, bytes(5)),
    "data on no stream": PREFACE + frame(SETTINGS, 0, 0) + frame(DATA, 0, 0, b"x"),
    "data on a stream that never was": PREFACE + frame(SETTINGS, 0, 0) + frame(DATA, 0, 5, b"x"),
    "an even stream": PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 5, 2, request_head(MODEL_INFER)),
    "no HPACK": PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff"),
    "a continuation of nothing": PREFACE + frame(SETTINGS, 0, 0) + frame(CONTINUATION, 4, 1, b""),
    "padding longer than its frame": PREFACE + frame(SETTINGS, 0, 0) + frame(DATA, 8, 1, b"\xff" + bytes(9)),
    "a window past all bounds": PREFACE + frame(SETTINGS, 0, 0)
                                + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7fffffff)) * 2,
}


def wrong_frames(checks):
    with Server("--idle-ms", "600000") as server:
        with Witness(checks, server):
            for name, data in WRONG.items():
                with server.dial(server.grpc) as sock:
                    sock.settimeout(20)
                    try:
                        sock.sendall(data)
                    except OSError:
                        pass
                    checks.true(f"{name}: the connection is ended", reads_end(sock))
        server.check_memory(checks, MEMORY_MIB)


def main():
    checks = Checks()
    for test in (floods, quiet_floods, continuations, large_heads, wrong_frames):
        checks.say(test.__name__)
        test(checks)
    checks.finish()


with tempfile.NamedTemporaryFile("w", prefix="freshet-tokens-") as TOKENS:
    TOKENS.write("good score\n")
    TOKENS.flush()
    main()
