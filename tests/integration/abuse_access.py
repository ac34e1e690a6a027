#!/usr/bin/env python3
"""Who may ask: tokens that are missing, unknown, for something else or expired, a file of them that
changes while the server runs, plain text to the port of TLS, certificates of nobody. And the end: what was
asked is answered, and nobody is kept."""

import tempfile
import warnings

from endpoint import *

MEMORY_MIB = 120


class Folder:
    def __init__(self, path):
        self.path = path

    def write(self, name, text):
        """All at once, as an operator should."""
        path = os.path.join(self.path, name)
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.path, check=True, capture_output=True)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def certificate(self, name, authority):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.write("extensions", "subjectAltName=DNS:localhost\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
                     f"{authority}.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions",
                     "-out", f"{name}.pem")

    def __getitem__(self, name):
        return os.path.join(self.path, name)


# ---- tokens

def statuses(server, token):
    """Of one request each way: HTTP, gRPC."""
    headers = [f"Authorization: {token}"] if token else []
    more = {"authorization": token} if token else {}
    return ask(server, post(infer_json(), INFER, *headers))[0], call(server, infer_message(), **more)[0]


def tokens(checks, folder):
    past, future = "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    path = folder.write("tokens", f"good score\ncrew admin\nold score expires={past}\n"
                                  f"young score expires={future}\n")
    cases = {None: (401, UNAUTHENTICATED), "Bearer nobody": (401, UNAUTHENTICATED),
             "Basic good": (401, UNAUTHENTICATED), "Bearer": (401, UNAUTHENTICATED),
             "Bearer goo": (401, UNAUTHENTICATED), "Bearer good2": (401, UNAUTHENTICATED),
             "Bearer " + "x" * 8000: (401, UNAUTHENTICATED), "Bearer old": (401, UNAUTHENTICATED),
             "Bearer crew": (403, PERMISSION_DENIED), "Bearer good": (200, OK), "bearer young": (200, OK)}
    with Server("--tokens", path, token="young") as server:
        with Witness(checks, server) as witness:
            for token, expected in cases.items():
                checks.equal(f"{(token or 'no token')[:20]}", statuses(server, token), expected)
            status, headers, body = ask(server, post(infer_json(), INFER, "Authorization: Bearer old"))
            checks.true("an expired token is told so", b"expired" in body, body)
            checks.equal("how to ask", headers.get("www-authenticate"), "Bearer")
            checks.equal("health is for all", ask(server, b"GET /v2/health/ready HTTP/1.1\r\n\r\n")[0], 200)
            folder.write("tokens", f"young score expires={future}\nnew score\n")
            wait_for("the new token", lambda: statuses(server, "Bearer new") == (200, OK))
            checks.equal("a token that was taken away", statuses(server, "Bearer good"), (401, UNAUTHENTICATED))
            folder.write("tokens", "young score\nnewer scores\n")
            wait_for("the mistake is seen", lambda: any("line 2" in line for line in server.log))
            checks.equal("after a mistake the last good ones stay", statuses(server, "Bearer new"), (200, OK))
            os.remove(path)
            witness.more()
            checks.equal("and without a file", statuses(server, "Bearer new"), (200, OK))
        server.check_memory(checks, MEMORY_MIB)
    for text in ("a\n", "a score expires=soon\n"):
        process = subprocess.run([os.path.join(TOOLS, "endpoint_server"), "--tokens", folder.write("bad", text)],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        checks.true("a start with a mistake is refused", process.returncode == 1 and "line 1" in process.stderr,
                    process.stderr)


# ---- TLS

def context_of(folder, certificate=None):
    context = ssl.create_default_context(cafile=folder["ours.pem"])
    if certificate:
        context.load_cert_chain(folder[f"{certificate}.pem"], folder[f"{certificate}.key"])
    return context


def is_served(server, context):
    """Whether somebody with these certificates is answered, both ways."""
    before, server.context = server.context, context
    try:
        return ask(server, post(infer_json()))[0] == 200 and call(server, infer_message())[0] == OK
    except OSError:
        return False
    finally:
        server.context = before


def plain_text(checks, folder):
    strange = [post(infer_json()), PREFACE + frame(SETTINGS, 0, 0), b"\n" * 100_000, b"\x16\x03\x01\xff\xff",
               bytes(range(256)) * 400]
    with Server("--tls", folder["server.pem"], folder["server.key"], context=context_of(folder)) as server:
        with Witness(checks, server) as witness:
            for port in (server.http, server.grpc):
                for data in strange:
                    with server.dial(port, plain=True) as sock:
                        sock.settimeout(20)
                        try:
                            sock.sendall(data)
                            sock.shutdown(socket.SHUT_WR)
                        except OSError:
                            pass
                        checks.true("plain text is hung up on", reads_end(sock))
            kept = [server.dial(plain=True) for _ in range(300)]  # handshakes that never begin
            for sock in kept[:200]:
                sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            warnings.simplefilter("ignore", DeprecationWarning)
            old = ssl.create_default_context(cafile=folder["ours.pem"])
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            checks.true("TLS 1.1 is refused", not is_served(server, old))
            witness.more()
            for sock in kept:
                sock.close()
        server.check_memory(checks, MEMORY_MIB)


def mutual(checks, folder):
    with Server("--tls", folder["server.pem"], folder["server.key"], "--clients", folder["ours.pem"],
                context=context_of(folder, "client")) as server:
        with Witness(checks, server) as witness:
            checks.true("with our certificate", is_served(server, context_of(folder, "client")))
            checks.true("with none", not is_served(server, context_of(folder)))
            checks.true("with somebody else's", not is_served(server, context_of(folder, "stranger")))
            witness.more()
        server.check_memory(checks, MEMORY_MIB)


# ---- the end

def drain(checks):
    """SIGTERM with requests half sent, streams open and answers under way."""
    with Server("--idle-ms", "600000") as server:
        idle_http, half = server.dial(), server.dial()
        body = infer_json(3)
        half.sendall(post(body)[:-10])
        with Http2(server) as open_stream, Http2(server) as late:
            late.read(late.ask(infer_message(1)))
            head, stream = open_stream.begin()
            data = framed(infer_message(2))
            open_stream.send(head, *open_stream.data(stream, data[:20], last=False))
            wait_for("the stream is there", lambda: open_stream.send(frame(PING, 0, 0, bytes(8)))
                     and open_stream.read_frame() and open_stream.acks > 1)
            begin = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            checks.true("an idle connection is closed", reads_end(idle_http))
            checks.true("one by gRPC too, with a word", late.read_to_end() and late.goaway == 0, late.goaway)
            open_stream.send(*open_stream.data(stream, data[20:]))
            status, why, got = open_stream.read(stream)
            checks.equal("what was begun by gRPC is answered", (status, why), (OK, ""))
            checks.true("rightly", got and score_of(got[5:]) == 1002)
            half.sendall(post(body)[-10:])
            checks.equal("what was begun by HTTP is answered", read_answer(half)[0], 200)
            checks.equal("status at the end", server.process.wait(PATIENCE), 0)
            checks.say(f"gone {time.monotonic() - begin:.1f} s after SIGTERM")
    with Server("--idle-ms", "600000") as server:  # nobody is waited for in vain
        with server.dial() as sock:
            sock.sendall(post(infer_json())[:-10])
            Http2(server).begin()
            status, seconds = server.end()
        checks.true("who never ends is not waited for", status == 0 and seconds < 30, (status, seconds))


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="freshet-test-") as path:
        folder = Folder(path)
        checks.say("tokens")
        tokens(checks, folder)
        for authority in ("ours", "theirs"):
            folder.authority(authority)
        folder.certificate("server", "ours")
        folder.certificate("client", "ours")
        folder.certificate("stranger", "theirs")
        checks.say("TLS")
        plain_text(checks, folder)
        mutual(checks, folder)
    checks.say("drain")
    drain(checks)
    checks.finish()


main()
