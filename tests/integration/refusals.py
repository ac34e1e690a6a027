#!/usr/bin/python3
"""Mistakes in a configuration are refused with file, line, what was expected and the nearest right
name; so is a CSV file without the columns that the configuration names.

    refusals.py FRESHET SOURCE_FOLDER

Each case spoils one place of examples/fraud.yaml and says which words the complaint must hold. That
the file is fine before it is spoilt is checked first, or every case would pass for another reason.
"""

import os
import subprocess
import sys
import tempfile

# What is mistaken, the text in the example, what stands there instead, words of the complaint.
CASES = [
    ("unknown key", "publish: 1h", "publsh: 1h", ["publsh", "publish"]),
    ("unknown key at the top", "features:", "featurs:", ["featurs", "features"]),
    ("unknown key of a stream", "score: true", "scored: true", ["scored", "score"]),
    ("unknown kind of model", "kind: ftrl", "kind: ftlr", ["ftlr", "ftrl"]),
    ("unknown aggregate", "take: [count, mean]}\n  - {window: label", "take: [count, men]}\n"
     "  - {window: label", ["men", "mean"]),
    ("unknown field", "{value: TX_AMOUNT}", "{value: TX_AMUNT}", ["TX_AMUNT", "TX_AMOUNT"]),
    ("window by a number", "by: CUSTOMER_ID", "by: TX_AMOUNT", ["TX_AMOUNT", "entity"]),
    ("window over an entity's mean", "{window: TX_AMOUNT, by", "{window: TERMINAL_ID, by",
     ["TERMINAL_ID", "number"]),
    ("unknown type of field", "TX_AMOUNT: number", "TX_AMOUNT: numbr", ["numbr", "number"]),
    ("unknown calendar", "calendar: weekend", "calendar: weekends", ["weekends", "weekend"]),
    ("no truth value", "score: true", "score: maybe", ["score", "true"]),
    ("no duration", "delay: 7d, horizon", "delay: 7 days, horizon", ["delay", "7 days"]),
    ("no size", "cache: 1GiB", "cache: much", ["cache", "much"]),
    ("too small", "cache: 1GiB", "cache: 12", ["cache", "12"]),
    ("horizon before delay", "horizon: 60d", "horizon: 1d", ["horizon"]),
    ("label window too early", "delay: 7d, take", "delay: 1d, take", ["delay", "7d"]),
    ("bad time format", '"%Y-%m-%d %H:%M:%S"', '"%Q"', ["format"]),
    ("required key missing", "- name: fraud\n    kind: ftrl", "- name: fraud", ["kind"]),
    ("a list where a table is needed", "scores: {topic: scores, dead_letters: scores.dead}",
     "scores: [1, 2]", ["scores"]),
    ("unknown part of a score", "topic: scores,", "include: [reason], topic: scores,",
     ["reason", "features"]),
    ("reasons that are not included", "topic: scores,", "reasons: 2, topic: scores,",
     ["include: [reasons]"]),
    ("too many reasons", "topic: scores,", "include: [reasons], reasons: 17, topic: scores,",
     ["reasons", "16"]),
    ("two models of a name", "scores: {", "  - {name: fraud, kind: ftrl}\nscores: {",
     ["two models", "fraud"]),
    ("two champions", "scores: {", "  - {name: b, kind: ftrl, role: champion}\n"
     "  - {name: c, kind: ftrl, role: champion}\nscores: {", ["two champions", "c"]),
    ("no champion", "models:\n  - name: fraud", "models:\n  - role: shadow\n    name: fraud",
     ["champion"]),
    ("replay where all is made anew", "scores: {", "  - {name: b, kind: gbdt, replay: 0.5}\nscores: {",
     ["replay", "gbdt", "made anew"]),
    ("a share of the processor where scores wait", "scores: {",
     "  - {name: b, kind: gbdt, publish_at: boundary, cpu: 0.5}\nscores: {", ["cpu", "ready"]),
    ("a trial without a gate", "kind: ftrl", "canary: 0.1\n    gate: off\n    kind: ftrl",
     ["canary", "gate"]),
    ("a trial of trees that serve when they are ready", "scores: {",
     "  - {name: b, kind: gbdt, canary: 0.1}\nscores: {", ["canary", "publish_at: boundary"]),
    ("a trial by what no event has", "kind: ftrl", "canary_by: SHOP\n    canary: 0.1\n    kind: ftrl",
     ["canary_by", "SHOP"]),
    ("a trial of no time", "kind: ftrl", "canary_for: 1ms\n    canary: 0.1\n    kind: ftrl",
     ["canary_for", "second"]),
    ("unknown role", "kind: ftrl", "role: boss\n    kind: ftrl", ["boss", "champion"]),
    ("key given twice", "cache: 1GiB}", "cache: 1GiB, cache: 2GiB}", ["cache"]),
    ("no YAML", "score: true", "score: [true", []),
]


def check(freshet, path):
    return subprocess.run([freshet, "config", "check", path], capture_output=True, text=True)



def check_config_cases(freshet, example, folder):
    failures = 0
    for name, right, wrong, words in CASES:
        assert example.count(right) >= 1, f"the example lacks {right!r}"
        text = example.replace(right, wrong, 1)
        path = os.path.join(folder, "spoilt.yaml")
        with open(path, "w") as file:
            file.write(text)
        result = check(freshet, path)
        line = example[:example.index(right)].count("\n") + 1
        place = f"{path}:{line}:" if name != "no YAML" else f"{path}:"
        wanted = [place] + words
        missing = [word for word in wanted if word not in result.stderr]
        if result.returncode != 1 or missing:
            failures += 1
            print(f"{name}: status {result.returncode}, lacks {missing} in:\n{result.stderr}")
    return failures


def check_missing_column(freshet, config, folder):
    path = os.path.join(folder, "events.csv")
    with open(path, "w") as file:
        file.write("TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUTN,TX_FRAUD\n"
                   "0,2018-04-01 00:00:31,596,3156,57.16,0\n")
    result = subprocess.run([freshet, "replay", "-c", config, path], capture_output=True, text=True)
    missing = [word for word in (path, "TX_AMOUNT", "TX_AMOUTN") if word not in result.stderr]
    if result.returncode == 1 and not missing:
        return 0
    print(f"a CSV without a column: status {result.returncode}, lacks {missing} in:\n{result.stderr}")
    return 1


def check_missing_label_topic(freshet, example, folder):
    """What `replay` does without and `run` cannot."""
    path = os.path.join(folder, "no-label-topic.yaml")
    right = "labels: {topic: frauds, "
    assert right in example
    with open(path, "w") as file:
        file.write(example.replace(right, "labels: {"))
    line = example[:example.index(right)].count("\n") + 1
    result = subprocess.run([freshet, "run", "-c", path], capture_output=True, text=True,
                            cwd=folder, timeout=30)
    if result.returncode == 1 and f"{path}:{line}: labels: `topic` is missing" in result.stderr:
        return 0
    print(f"no topic for labels: status {result.returncode}:\n{result.stderr}")
    return 1


def main():
    freshet, source = sys.argv[1:]
    config = os.path.join(source, "examples/fraud.yaml")
    result = check(freshet, config)
    if result.returncode != 0:
        sys.exit(f"the example itself is refused:\n{result.stderr}")
    with open(config) as file:
        example = file.read()
    with tempfile.TemporaryDirectory() as folder:
        failures = check_config_cases(freshet, example, folder)
        failures += check_missing_column(freshet, config, folder)
        failures += check_missing_label_topic(freshet, example, folder)
    print(f"{len(CASES) + 2} mistakes, {failures} not refused as they should be")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
