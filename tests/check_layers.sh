#!/bin/sh
# Fails where a folder includes one that it may not. Each line: a folder, then what it may include.
set -eu
cd "$1"
bad=0
while read -r folder may; do
    [ -d "$folder" ] || continue
    allowed="$folder|$(echo "$may" | tr ' ' '|')"
    if grep -rnE '^#include "[a-z]+/' --include='*.[ch]' --include='*.cu' --include='*.cpp' "$folder" |
        grep -vE "#include \"($allowed)/"; then
        bad=1
    fi
done <<'RULES'
base
ingest base
models base
features base ingest models
graph base ingest models features
online base ingest models features graph
RULES
exit $bad
