#!/usr/bin/python3
"""The JSON Schema that editors get takes what the program takes, and refuses what it refuses.

    config_schema.py FRESHET SOURCE_FOLDER

Known without running: the schema is itself valid; every example fits it; each file of the table
below is refused both by it and by `freshet config check`, which names the line.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import yaml

FRESHET = sys.argv[1]
SOURCE = pathlib.Path(sys.argv[2])

GOOD = """\
name: a
streams:
  - name: events
    id: id
    time: {field: t, format: epoch_ms}
    fields: {user: entity, payer: {entity: account}, amount: number, country: category}
labels: {value: y, absent: none, delay: "${DELAY:-1h}"}
features:
  - {value: amount}
  - {category: country}
  - {calendar: hour, between: [0, 6], as: night}
  - {window: amount, by: [user, payer], over: 1d, take: mean}
models:
  - {name: m, kind: ftrl, crosses: [[amount, country]]}
"""

# What is exchanged in GOOD, for what, and the line at which the mistake is said to be.
MISTAKES = [
    ("name: a\n", "nam: a\n", 1),
    ("    id: id\n", "    idd: id\n", 4),
    ("amount: number", "amount: nummber", 6),
    ("labels: {value: y", "labels: {worth: y", 7),
    ("absent: none", "absent: {if: 0}", 7),
    ("{value: amount}", "{value: amount, over: 1d}", 9),
    ("{calendar: hour", "{calendar: hours", 11),
    ("kind: ftrl", "kind: ftl", 14),
    ("crosses:", "cross:", 14),
    ("kind: ftrl", "kind: ftrl, bins: 1000", 14),
]

# Only the program knows these: the schema lets any Kafka property pass.
PROPERTIES = [
    ("session.timeout.mss: 10000", "did you mean `session.timeout.ms`"),
    ("linger.ms: soon", "linger.ms"),
    ("enable.auto.commit: true", "enable.auto.commit"),
]


def check(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return subprocess.run([FRESHET, "config", "check", file.name], capture_output=True,
                              text=True, check=False)


def fits(validator, text):
    return validator.is_valid(yaml.safe_load(text))


schema = json.loads(subprocess.run([FRESHET, "config", "schema"], capture_output=True, text=True,
                                   check=True).stdout)
jsonschema.Draft7Validator.check_schema(schema)
assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
validator = jsonschema.Draft7Validator(schema)

for example in sorted((SOURCE / "examples").glob("*.yaml")):
    errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(
        yaml.safe_load(example.read_text()))]
    assert not errors, (example, errors)

assert fits(validator, GOOD)
done = check(GOOD)
assert done.returncode == 0, done.stderr

for old, new, line in MISTAKES:
    text = GOOD.replace(old, new)
    assert text != GOOD, old
    assert not fits(validator, text), f"the schema takes {new}"
    done = check(text)
    assert done.returncode == 1 and f".yaml:{line}: " in done.stderr, (new, done.stderr)

for prop, words in PROPERTIES:
    done = check(GOOD + "kafka:\n  brokers: b:9092\n  properties:\n    client.id: x\n    " + prop)
    assert done.returncode == 1, prop
    assert ".yaml:19: kafka.properties." in done.stderr and words in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
