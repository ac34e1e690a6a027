#!/bin/sh
# replay --features on the handbook's transactions equals the handbook's own features, wherever the
# reference file has them.
#
#     real_features.sh FRESHET SOURCE_FOLDER DATA_FOLDER
set -eu
freshet=$1
source=$2
fraud=$3/fraud
for file in transactions.csv.zst reference_features.csv.zst; do
    [ -r "$fraud/$file" ] || { echo "missing: $fraud/$file" >&2 && exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names=TX_DURING_WEEKEND=weekend,TX_DURING_NIGHT=night
for days in 1 7 30; do
    card=TX_AMOUNT.by.CUSTOMER_ID.${days}d
    terminal=label.by.TERMINAL_ID.${days}d
    names=$names,CUSTOMER_ID_NB_TX_${days}DAY_WINDOW=$card.count
    names=$names,CUSTOMER_ID_AVG_AMOUNT_${days}DAY_WINDOW=$card.mean
    names=$names,TERMINAL_ID_NB_TX_${days}DAY_WINDOW=$terminal.count
    names=$names,TERMINAL_ID_RISK_${days}DAY_WINDOW=$terminal.mean
done
"$freshet" replay -c "$source/examples/fraud.yaml" --features "$work/features.csv" \
    "$fraud/transactions.csv.zst"
"$source/tests/oracle/compare_features.py" --subset --names "$names" \
    "$fraud/reference_features.csv.zst" "$work/features.csv"
