#!/usr/bin/python3
"""Alerts and dashboard fit the metrics that a running service has.

    monitoring.py FRESHET TOOLS SOURCE_FOLDER

A service scores, learns and is asked for its metrics. Known: promtool has nothing to say against them nor
against the rules; every metric that a rule or a panel names is among them; every expression of the
dashboard is one that Prometheus reads; a feature whose unit has changed counts as drifted, and one that
follows the clock is not looked at; alerts fire when, and only when, their condition holds (a few of them,
with made-up series); and the dashboard is what its maker writes.
"""

import json
import os
import re
import subprocess
import sys

import yaml

from harness import LABEL_DELAY_MS, Broker, Checks, Service, Work, end_of, events_of, labels_of, payments, pipeline

MONITORING = os.path.join(sys.argv[3], "monitoring")

# Series a minute, the alert that must fire after an hour, and one that must not.
FIRING = [
    ({"freshet_ready": "0x60"}, "FreshetNotReady", "FreshetDiskFull"),
    ({'freshet_gate_kept_back{model="m"}': "1+1x60"}, "FreshetKeptBack", "FreshetVersionRefused"),
    ({'freshet_gate_decisions_total{verdict="refused"}': "0x50 1x10"}, "FreshetVersionRefused",
     "FreshetKeptBack"),
    ({'freshet_gate_decisions_total{verdict="promoted"}': "0+1x60", "freshet_ready": "1x60"}, None,
     "FreshetVersionRefused"),
    ({'freshet_feature_drift{feature="AMOUNT"}': "0.1x20 0.4x60",
      'freshet_feature_drift{feature="count"}': "0.2x90"}, "FreshetFeatureDrift", "FreshetKeptBack"),
    ({'freshet_feature_drift{feature="AMOUNT"}': "0.2x40 0.4x20"}, None, "FreshetFeatureDrift"),
    ({"freshet_examples_behind": "5x90", "freshet_examples_learnt_total": "100x90"},
     "FreshetLearningStopped", "FreshetNotReady"),
    ({'freshet_gate_decisions_total{verdict="rolled_back"}': "0x50 1x10"}, "FreshetRolledBack",
     "FreshetVersionRefused"),
    ({'freshet_takeover_decisions_total{verdict="promoted"}': "0x50 1x10"}, "FreshetTookOver",
     "FreshetVersionRefused"),
]


def promtool(*arguments, stdin=None):
    done = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check_drift(checks, metrics):
    named = 'freshet_feature_drift{feature="%s"}'
    checks.true("another currency is drift", metrics[named % "AMOUNT"] > 0.25, str(metrics))
    checks.true("features that have moved are counted", metrics["freshet_features_moved"] >= 1)
    checks.true("the hour is not looked at", named % "hour" not in metrics)
    checks.equal("the labels' delay", metrics['freshet_label_delay_seconds{share="0.5"}'],
                 LABEL_DELAY_MS / 1000)


def scrape(checks):
    """The text of /metrics after some events and labels. What was paid in the last seven days, of which
    nothing is learnt yet, is in another currency."""
    rows = payments(3000, seed=5)
    end = max(int(row["TIME"]) for row in rows)
    for row in rows:
        if row["AMOUNT"] and int(row["TIME"]) > end - LABEL_DELAY_MS:
            row["AMOUNT"] = str(40 * float(row["AMOUNT"]))
    events = events_of(rows)
    labels = [label for label in labels_of(rows) if label.time <= end]
    with Work() as work, Broker(payments=1, frauds=1, scores=1, dead=1) as broker:
        broker.fill("payments", events)
        broker.fill("frauds", labels)
        config = pipeline(broker, "scores", "dead", "monitored")
        with Service(work, config) as service:
            service.wait_until(end_of(events, labels))
            service.wait("features to be looked at",
                         lambda: service.metric('freshet_feature_drift{feature="AMOUNT"}') > 0)
            check_drift(checks, service.metrics())
            _, text = service.get("/metrics")
            checks.equal("status after SIGTERM", service.terminate(), 0)
    return text


def names_in(text):
    return set(re.findall(r"\bfreshet_[a-z0-9_]+", text))


def check_rules(checks, there):
    path = os.path.join(MONITORING, "alerts.yaml")
    code, said = promtool("check", "rules", path)
    checks.equal(f"promtool check rules\n{said}", code, 0)
    with open(path) as file:
        rules = yaml.safe_load(file)["groups"][0]["rules"]
    for rule in rules:
        lacking = names_in(rule["expr"]) - there
        checks.true(f"{rule['alert']}: its metrics are there", not lacking, str(lacking))


def check_dashboard(checks, there, work):
    with open(os.path.join(MONITORING, "grafana.json")) as file:
        text = file.read()
    made = subprocess.run([os.path.join(MONITORING, "make_dashboard.py")], capture_output=True,
                          text=True)
    checks.true("the dashboard is what its maker writes", made.stdout == text)
    rules = []
    for panel in json.loads(text)["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "5m")
            lacking = names_in(expression) - there
            checks.true(f"{panel['title']}: its metrics are there", not lacking, str(lacking))
            rules.append({"record": "panel", "expr": expression})
            rules[-1]["record"] += str(len(rules))
    path = work.write("panels.yaml", json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    code, said = promtool("check", "rules", path)
    checks.equal(f"the panels' expressions\n{said}", code, 0)


def check_firing(checks, work):
    tests = []
    for series, fires, silent in FIRING:
        expected = [(name, name == fires) for name in (fires, silent) if name]
        tests.append({
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {"expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)',
                 "eval_time": "60m",
                 "exp_samples": [{"labels": "{}", "value": 1 if on else 0}]}
                for name, on in expected]})
    path = work.write("firing.yaml", json.dumps(
        {"rule_files": [os.path.join(MONITORING, "alerts.yaml")], "evaluation_interval": "1m",
         "tests": tests}))
    code, said = promtool("test", "rules", path)
    checks.equal(f"promtool test rules\n{said}", code, 0)


def main():
    checks = Checks()
    text = scrape(checks)
    code, said = promtool("check", "metrics", stdin=text)
    checks.equal(f"promtool check metrics\n{said}", code, 0)
    there = names_in(text)
    checks.true("the service has metrics", len(there) > 50, str(len(there)))
    with Work() as work:
        check_rules(checks, there)
        check_dashboard(checks, there, work)
        check_firing(checks, work)
    checks.finish()


if __name__ == "__main__":
    main()
