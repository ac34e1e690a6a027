#!/bin/sh
# A replay in parts over one state directory tells the same as one in one go, and so does one whose
# working set is a fraction of its state: the same scores and features, byte for byte, and the same
# state in the end.
#
#     resume.sh FRESHET REPOSITORY
set -eu
freshet=$1
repository=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$freshet" generate payments --seed 5 --days 30 --customers 1000 --terminals 2000 -o events.csv
# A short delay, so that most labels come, and a short horizon, so that blocks of events expire.
sed 's/delay: 7d, horizon: 60d/delay: 2d, horizon: 9d/; s/delay: 7d,/delay: 2d,/' \
    "$repository/examples/fraud.yaml" >example.yaml
# Every kind that keeps a record of its own beside the windows' series.
sed '/{calendar: weekend}/r /dev/stdin' example.yaml >all.yaml <<'YAML'
  - {window: TX_AMOUNT, by: TERMINAL_ID, over: [1d, 7d], take: [gap, burst, velocity]}
  - {stl: TX_AMOUNT, by: CUSTOMER_ID, bucket: 12h, period: 2d, init: 2, take: [z]}
  - {decay: TX_AMOUNT, by: CUSTOMER_ID, half_life: 2d, take: [count, mean]}
  - {sketch: CUSTOMER_ID, by: TERMINAL_ID, over: 4d, panes: 2, size: 64, take: distinct}
  - {sketch: TX_AMOUNT, by: TERMINAL_ID, over: 4d, panes: 2, take: p50}
  - {sketch: TERMINAL_ID, by: CUSTOMER_ID, over: 4d, panes: 2, size: 256, take: [share, times]}
  - {outlier: [TX_AMOUNT, weekend, TX_AMOUNT.by.TERMINAL_ID.1d.velocity], events: 300}
  - {outlier: [TX_AMOUNT, outlier], by: CUSTOMER_ID, events: 8}
YAML
grep -q '{sketch: TX_AMOUNT' all.yaml
sed 's/cache: 1GiB/cache: 1MiB/' all.yaml >little.yaml
grep -q 'cache: 1MiB' little.yaml
grep -q 'delay: 2d, horizon: 9d' all.yaml

# replay CONFIG STATE PART [UNTIL]: one part, into STATE.PART.scores and .features.
replay() {
    told=$2.$3
    "$freshet" replay -q -c "$1" --state "$2" --scores "$told.scores" --features "$told.features" \
        --report "$told.json" ${4:+--until "$4"} events.csv
}

# together STATE WHAT: the parts as one file under one heading.
together() {
    head -n 1 "$1.1.$2"
    for part in "$1".[1-9]."$2"; do
        tail -n +2 "$part"
    done
}

same() {
    cmp "$1" "$2" || {
        echo "$3" >&2
        exit 1
    }
}

replay all.yaml whole 1
for config in all little; do
    replay $config.yaml $config 1 2018-04-03T13:00:00Z
    replay $config.yaml $config 2 2018-04-14T00:00:00Z
    replay $config.yaml $config 3
    for what in scores features; do
        together whole $what >expected
        together $config $what >parts
        same expected parts "$what differ: $config.yaml, in three parts"
    done
done
replay little.yaml tight 1
same whole.1.scores tight.1.scores 'scores differ: little.yaml, in one part'

for state in whole all little tight; do
    "$freshet" state verify -c all.yaml --state "$state" | sed -n 's/.*digest/digest/p' >"$state.digest"
    grep -q '^digest [0-9a-f]' "$state.digest"
    same whole.digest "$state.digest" "the state in the end differs: $state"
done

# The point of it: the small one really did let go of records and read them again.
python3 - <<'PY'
import json
whole, tight = (json.load(open(f"{name}.1.json")) for name in ("whole", "tight"))
assert whole["labels_absent"] == 0 and whole["labels_applied"] > 10000, whole
assert tight["records_evicted"] > 1000 and tight["records_fetched"] > 1000, tight
assert whole["records_evicted"] == whole["records_fetched"] == 0, whole
PY
echo "resumed and small working sets: $(wc -l <whole.1.scores) lines of scores the same"
