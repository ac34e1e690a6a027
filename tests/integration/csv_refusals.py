#!/usr/bin/python3
"""`replay` on tables that are not what the configuration says.

    csv_refusals.py FRESHET TOOLS

A file without a named column, or with one twice, is refused before anything is read: status 1, and a
message with the file, the column and the nearest name there is. A malformed row stops nothing: the
rows beside it are scored as if it were not there, and the report counts it.
"""

import collections
import csv
import json

from harness import Checks, Work, payments, pipeline, replay, write_csv

HEADER = "ID,TIME,CARD,SHOP,COUNTRY,AMOUNT,FRAUD"
ROW = "id,1700000000000,1,S1,DE,1.5,0"

# What is wrong, the file, words of the message.
REFUSED = [
    ("a column misspelt", HEADER.replace("AMOUNT", "AMUONT") + "\n" + ROW, ["AMOUNT", "AMUONT"]),
    ("a column in small letters", HEADER.replace("CARD", "card") + "\n" + ROW, ["CARD", "card"]),
    ("no column for the id", HEADER.replace("ID,", "IDX,") + "\n" + ROW, ["ID", "IDX"]),
    ("no column for the time", HEADER.replace("TIME", "TIMES") + "\n" + ROW, ["TIME", "TIMES"]),
    ("no column for the label", HEADER.replace("FRAUD", "FRAUDS") + "\n" + ROW,
     ["FRAUD", "FRAUDS"]),
    ("a column twice", HEADER + ",AMOUNT\n" + ROW + ",2", ["AMOUNT", "2 times"]),
    ("no header", ROW + "\n" + ROW, ["ID"]),
    ("another separator", HEADER.replace(",", ";") + "\n" + ROW.replace(",", ";"), ["ID"]),
    ("an empty file", "", []),
]

# Malformed rows, as they stand in the file.
MALFORMED = [
    ROW.replace("1.5", "plenty"),
    ROW.replace("1.5", "1e999"),
    ROW.replace("1700000000000", "yesterday"),
    ROW.replace("1700000000000", ""),
    ROW.replace("id,", ","),
    ROW.rsplit(",", 1)[0],
    ROW + ",one too many",
    "id",
    ROW.replace("S1", '"S"1'),
    ROW[:-1] + "maybe",
    ROW.replace("S1", "S\xff").encode("latin-1"),
]


def as_bytes(line):
    return line if isinstance(line, bytes) else line.encode()


def check_refused(checks, work, config):
    for name, text, words in REFUSED:
        path = work.write("refused.csv", text + "\n" if text else "")
        done = replay(config, path, "--scores", work.path("refused.scores"))
        checks.equal(f"{name}: status", done.returncode, 1)
        missing = [word for word in [path, *words] if word not in done.stderr]
        checks.true(f"{name}: message", not missing, f"lacks {missing}: {done.stderr}")


def outputs(checks, work, config, name, path):
    """{id: [score's line, features' line]} and the report."""
    files = {what: work.path(f"{name}.{what}") for what in ("scores", "features", "report")}
    done = replay(config, path, *(word for what, file in files.items()
                                  for word in (f"--{what}", file)))
    checks.equal(f"{name}: status\n{done.stderr}", done.returncode, 0)
    lines = collections.defaultdict(list)
    for what in ("scores", "features"):
        with open(files[what], newline="") as file:
            for line in list(csv.reader(file))[1:]:
                lines[line[0]].append(line)
    with open(files["report"]) as file:
        return lines, json.load(file), done.stderr


def check_malformed(checks, work, config):
    rows = payments(800, seed=41)
    for row in rows:
        del row["NOTE"]
    clean = write_csv(work.path("clean.csv"), rows)
    expected, report, _ = outputs(checks, work, config, "clean", clean)
    checks.equal("scored without malformed rows", len(expected), len(rows))
    checks.equal("report without malformed rows", report["dead_letters"], 0)

    with open(clean, "rb") as file:
        header, *lines = file.read().splitlines()
    spoilt = [header] + [as_bytes(bad) for bad in MALFORMED]
    for i, line in enumerate(lines):
        spoilt.append(line)
        if i < 5 * len(MALFORMED):
            spoilt.append(as_bytes(MALFORMED[i % len(MALFORMED)]))
    spoilt += [as_bytes(bad) for bad in MALFORMED]
    with open(work.path("spoilt.csv"), "wb") as file:
        file.write(b"\n".join(spoilt) + b"\n")

    got, report, table = outputs(checks, work, config, "spoilt", work.path("spoilt.csv"))
    checks.equal("malformed rows in the report", report["dead_letters"], 7 * len(MALFORMED))
    checks.equal("scored rows in the report", report["scored"], len(rows))
    checks.true("malformed rows in the table", str(7 * len(MALFORMED)) in table, table)
    differing = [id for id in expected if got.get(id) != expected[id]]
    checks.equal("ids", len(got), len(expected))
    checks.true("scores and features beside malformed rows", not differing, str(
        [(got.get(id), expected[id]) for id in differing[:2]]))


def main():
    checks = Checks()
    with Work() as work:
        config = pipeline_of_files(work)
        check_refused(checks, work, config)
        check_malformed(checks, work, config)
    checks.finish()


def pipeline_of_files(work):
    class NoBroker:
        address = "embedded"
    return work.write("files.yaml", json.dumps(pipeline(NoBroker)))


if __name__ == "__main__":
    main()
