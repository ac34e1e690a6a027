#!/usr/bin/python3
"""`freshet model`: list, decisions, show, diff and export of what a replay left in its state directory.

    model_export.py FRESHET SOURCE_FOLDER

Known: the exported folder holds a file that says the version, model and kind of its manifest, without
anything of the gate; what was exported can be shown; it is not written over; a file that is damaged or no
model's is refused and leaves no folder; and as many decisions are listed as versions were made.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

PROGRAM, SOURCE = sys.argv[1], sys.argv[2]
failures = 0


def expect(what, good, detail=""):
    global failures
    if not good:
        failures += 1
        print(f"FAILED {what}: {detail}")


def freshet(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


def header(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        return json.loads(file.read(size))


def make_state(folder):
    config = os.path.join(SOURCE, "examples", "fraud.yaml")
    events = os.path.join(folder, "events.csv")
    with open(events, "w") as out:
        out.write("TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n")
        for i in range(4000):
            day, hour = 1 + i // 200, i // 10 % 20
            out.write(f"{i},2018-04-{day:02} {hour:02}:00:00,{i % 50},{i % 30},{i % 97},{i % 10 == 0:d}\n")
    state = os.path.join(folder, "state")
    done = freshet("replay", "-q", "-c", config, events, "--state", state)
    expect("replay", done.returncode == 0, done.stderr)
    return state


def check_export(folder, path):
    to = os.path.join(folder, "exported")
    done = freshet("model", "export", path, to)
    expect("export", done.returncode == 0, done.stderr)
    with open(os.path.join(to, "manifest.json")) as file:
        manifest = json.load(file)
    head = header(os.path.join(to, "model.safetensors"))
    texts = head.pop("__metadata__")
    expect("model and kind", (manifest["model"], manifest["kind"]) == ("fraud", "ftrl"), manifest)
    expect("version", str(manifest["version"]) == texts["freshet.version"], (manifest, texts))
    expect("nothing of the gate", not [name for name in head if name.startswith("gate.")], list(head))
    expect("weights", "bins.w" in head and "bias" in head, list(head))
    shown = freshet("model", "show", os.path.join(to, "model.safetensors"))
    expect("show", shown.returncode == 0 and "ftrl" in shown.stdout, shown.stderr)
    again = freshet("model", "export", path, to)
    expect("not written over", again.returncode != 0 and "already" in again.stderr, again.stderr)


def check_diff(folder, paths):
    first, last = paths[0], paths[-1]
    done = freshet("model", "diff", first, last)
    expect("diff", done.returncode == 0, done.stderr)
    lines = done.stdout.splitlines()
    version = next((line.split() for line in lines if line.startswith("version")), [])
    versions = [str(int(path.split("-")[-1].split(".")[0])) for path in (first, last)]
    expect("both versions", version[1:] == versions, (version, versions))
    expect("weights moved", "TX_AMOUNT" in done.stdout and "moved furthest" in done.stdout, done.stdout)
    same = freshet("model", "diff", last, last)
    rows = same.stdout.split("feature\n")[-1].splitlines()
    expect("nothing moves from a file to itself", rows and all(float(row.split()[2]) == 0 for row in rows), rows)
    foreign = os.path.join(folder, "foreign")
    with open(foreign, "w") as file:
        file.write("no model")
    done = freshet("model", "diff", first, foreign)
    expect("no diff with what is no model", done.returncode == 1 and "foreign" in done.stderr, done.stderr)


def check_refusals(folder, path):
    with open(path, "rb") as file:
        data = file.read()
    spoilt = {"cut off": data[:-5], "changed": data[:-100] + b"x" + data[-99:], "foreign": b"no model"}
    for what, bytes_ in spoilt.items():
        bad, to = os.path.join(folder, "bad.safetensors"), os.path.join(folder, "bad")
        with open(bad, "wb") as file:
            file.write(bytes_)
        done = freshet("model", "export", bad, to)
        expect(f"{what} is refused", done.returncode == 1 and "bad.safetensors" in done.stderr, done.stderr)
        expect(f"{what} leaves nothing", not os.path.exists(to))


def main():
    with tempfile.TemporaryDirectory() as folder:
        state = make_state(folder)
        models = os.path.join(state, "models")
        files = sorted(os.listdir(models))
        expect("there are files", files, models)
        path = os.path.join(models, files[-1])
        listed = freshet("model", "list", "--state", state)
        expect("list", listed.returncode == 0 and files[-1] in listed.stdout, listed.stdout)
        decided = freshet("model", "decisions", "json", "--state", state)
        rows = [json.loads(line) for line in decided.stdout.splitlines()]
        version = int(files[-1].split("-")[1].split(".")[0])
        expect("a decision a version", [row["decision"]["version"] for row in rows] ==
               list(range(1, version + 1)), decided.stdout[:500])
        table = freshet("model", "decisions", "--state", state)
        expect("a table of them", "fraud" in table.stdout, table.stdout)
        check_export(folder, path)
        check_diff(folder, [os.path.join(models, name) for name in files])
        check_refusals(folder, path)
    print(f"{failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
