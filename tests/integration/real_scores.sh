#!/bin/sh
# The scores that replay gives the handbook's transactions, learning as it goes, are as good as those
# of the handbook's own models, by the handbook's protocol.
#
#     real_scores.sh FRESHET SOURCE_FOLDER DATA_FOLDER
set -eu
transactions=$3/fraud/transactions.csv.zst
[ -r "$transactions" ] || { echo "missing: $transactions" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$1" replay -c "$2/examples/fraud.yaml" --scores "$work/scores.csv" "$transactions"
"$2/scripts/handbook_metrics.py" --scores "$work/scores.csv" --require auc=.87,ap=.63,cp=.29 \
    "$transactions"
