#!/usr/bin/python3
"""Writes monitoring/grafana.json, the dashboard: one row of this table a panel.

    monitoring/make_dashboard.py >monitoring/grafana.json
"""

import json

# Title, unit (Grafana's), and the expressions with their legends.
PANELS = [
    ("Events", "ops", [("sum(rate(freshet_events_total[$__rate_interval]))", "taken"),
                       ("sum(rate(freshet_events_scored_total[$__rate_interval]))", "scored"),
                       ("sum(rate(freshet_dead_letters_total[$__rate_interval]))", "dead letters"),
                       ("sum(rate(freshet_events_late_total[$__rate_interval]))", "late")]),
    ("Event to score", "s",
     [(f"histogram_quantile({q}, sum by (le) "
       "(rate(freshet_event_to_score_seconds_bucket[$__rate_interval])))", f"p{round(100 * q)}")
      for q in (0.5, 0.99)]),
    ("Records behind", "short", [("freshet_lag_records", "{{lane}}")]),
    ("Labels", "ops", [("sum by (outcome) (rate(freshet_labels_total[$__rate_interval]))",
                        "{{outcome}}"),
                       ("sum(rate(freshet_labels_absent_total[$__rate_interval]))", "absent")]),
    ("Label coverage", "percentunit",
     [("1 - sum(increase(freshet_labels_absent_total[6h])) / "
       "sum(increase(freshet_examples_released_total[6h]))", "labelled when due")]),
    ("Freshness", "s", [("freshet_model_age_seconds", "age of the version that serves"),
                        ("freshet_examples_age_seconds", "age of the newest label learnt")]),
    ("Quality", "percentunit", [("freshet_prequential_auc", "AUC"),
                                ("freshet_prequential_average_precision", "average precision")]),
    ("Log loss", "short", [("freshet_prequential_log_loss", "log loss"),
                           ("freshet_prequential_calibration_error", "calibration error")]),
    ("Calibration by tenth", "percentunit",
     [("freshet_prequential_tenth_score", "score, {{tenth}}"),
      ("freshet_prequential_tenth_positive_share", "positives, {{tenth}}")]),
    ("Gate: decisions", "short",
     [("sum by (verdict) (increase(freshet_gate_decisions_total[1h]))", "{{verdict}}"),
      ("freshet_gate_kept_back", "kept back in a row, {{model}}"),
      ("freshet_canary_version", "on trial, {{model}}")]),
    ("Gate: difference in AUC", "short",
     [("freshet_gate_auc_difference", "{{model}}"),
      ("freshet_gate_auc_difference_lower", "{{model}}, at least")]),
    ("Gate: drift of scores", "short", [("freshet_gate_score_drift", "{{model}}")]),
    ("Drift of features", "short", [("topk(10, freshet_feature_drift)", "{{feature}}"),
                                    ("freshet_features_moved", "features above 0.25")]),
    ("Delay of labels", "s", [("freshet_label_delay_seconds", "within which {{share}} of them come")]),
    ("Challengers: comparisons", "short",
     [("sum by (verdict) (increase(freshet_takeover_decisions_total[1h]))", "{{verdict}}")]),
    ("Versions", "short", [("freshet_model_version", "{{model}}")]),
    ("Swaps", "s", [(f"histogram_quantile({q}, sum by (le) "
                     "(rate(freshet_swap_seconds_bucket[$__rate_interval])))", f"p{round(100 * q)}")
                    for q in (0.5, 0.99)]),
    ("Commits", "s", [("histogram_quantile(0.99, sum by (le) "
                       "(rate(freshet_commit_seconds_bucket[$__rate_interval])))", "p99")]),
    ("State", "bytes", [("freshet_state_bytes", "in memory"), ("freshet_pending_bytes", "waiting"),
                        ("freshet_memory_resident_bytes", "process"),
                        ("freshet_disk_free_bytes", "left on disk")]),
    ("Processor", "percentunit", [("rate(freshet_cpu_seconds_total[$__rate_interval])", "process"),
                                  ("rate(freshet_trainer_cpu_seconds_total[$__rate_interval])",
                                   "trainers")]),
]

SOURCE = {"type": "prometheus", "uid": "${source}"}


def panel(number, title, unit, expressions):
    return {"id": number + 1, "type": "timeseries", "title": title, "datasource": SOURCE,
            "gridPos": {"h": 8, "w": 8, "x": 8 * (number % 3), "y": 8 * (number // 3)},
            "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
            "targets": [{"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expression,
                         "legendFormat": legend}
                        for i, (expression, legend) in enumerate(expressions)]}


def main():
    print(json.dumps({
        "uid": "freshet", "title": "freshet", "schemaVersion": 38, "editable": True,
        "refresh": "10s", "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": [panel(i, *row) for i, row in enumerate(PANELS)]}, indent=1))


if __name__ == "__main__":
    main()
