"""What tests of state directories share: `freshet state` on them, and damage to their files."""

import os
import re
import subprocess

from harness import PROGRAM


def state(action, *words):
    return subprocess.run([PROGRAM, "state", action, *words], capture_output=True, text=True)


def done(checks, what, result, status=0, *, says=()):
    """Checks the status of a finished process and what it says; returns that."""
    text = result.stdout + result.stderr
    checks.equal(f"status of {what}\n{text}", result.returncode, status)
    for word in says:
        checks.true(f"{what} says {word!r}", word in text, text)
    return text


def digest(checks, config, folder):
    text = done(checks, f"verify {folder}", state("verify", "-c", config, folder))
    found = re.search(r"digest (\w{32})", text)
    return found[1] if found else None


def flip(path, at=0.5):
    """Changes one bit; the file is no longer the one it was linked to."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[int(len(content) * at)] ^= 16
    os.unlink(path)
    with open(path, "wb") as file:
        file.write(content)


def files(folder, suffix):
    """Paths, in the order of their names."""
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))
            if name.endswith(suffix)]
