"""A network of the test's own, in which packets get lost.

    network.enter()                  # first of all: the program begins anew in it
    with network.Loss(port, 0.01) as loss:
        ...
    loss.packets                     # that were dropped; None where the machine allows no such network

Nothing outside of it feels anything: it has a loopback interface and nothing else. It needs root, or a
kernel that lets others make namespaces, and iptables; the kernel sends again what it drops, as on a real
network. Where it cannot be had, the test goes on without, and says so.
"""

import os
import re
import subprocess
import sys

MARK = "FRESHET_TEST_NETWORK"


def done(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))


def enter():
    if MARK in os.environ:
        return
    command = ["unshare", *(() if os.geteuid() == 0 else ["-r"]), "-n"]
    tried = done(*command, "sh", "-c", "ip link set lo up && iptables -L")
    if tried.returncode != 0:
        print(f"no network of its own, so no packet is lost: {tried.stderr.strip()}", flush=True)
        os.environ[MARK] = "none"
        return
    os.environ[MARK] = "own"
    os.execvp(command[0], [*command, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable,
                           *sys.argv])


class Loss:
    def __init__(self, port, share):
        self.rule = ["INPUT", "-i", "lo", "-p", "tcp", "-m", "multiport", "--ports", str(port), "-m",
                     "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP"]
        self.packets = None

    def __enter__(self):
        if os.environ.get(MARK) == "own":
            subprocess.run(["iptables", "-A", *self.rule], check=True)
        return self

    def __exit__(self, *_):
        if os.environ.get(MARK) != "own":
            return
        listed = subprocess.run(["iptables", "-nvxL", "INPUT"], check=True, capture_output=True, text=True)
        self.packets = int(re.search(r"^ *(\d+) +\d+ +DROP", listed.stdout, re.MULTILINE)[1])
        subprocess.run(["iptables", "-D", *self.rule], check=True)
