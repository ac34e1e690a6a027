#!/bin/sh
# replay --features on a made-up stream equals the independent oracle's, for every kind of feature (of the
# events that are not later than `lateness`).
#
#     features_equal_oracle.sh FRESHET [ROWS]
set -eu
freshet=$1
rows=${2:-6000}
here=$(cd "$(dirname "$0")/../oracle" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for seed in 1 2; do
    "$here/make_events.py" --rows "$rows" --seed $seed >"$work/events.csv"
    "$here/oracle.py" -c "$here/every_feature.yaml" "$work/events.csv" >"$work/expected.csv"
    "$freshet" replay -c "$here/every_feature.yaml" --features "$work/got.csv" "$work/events.csv"
    "$here/compare_features.py" --subset "$work/expected.csv" "$work/got.csv"
done
