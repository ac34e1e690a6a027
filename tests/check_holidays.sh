#!/bin/sh
# features/holidays_table.h is what scripts/make-holidays makes of the version that it names.
#
#     check_holidays.sh ROOT
set -eu
root=$1
python=$("$root/scripts/fetch-clients")/bin/python
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$python" "$root/scripts/make-holidays" >"$made"
diff "$made" "$root/features/holidays_table.h"
