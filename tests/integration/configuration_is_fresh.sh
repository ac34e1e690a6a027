#!/bin/sh
# docs/configuration.md is what `freshet config doc` prints now.
#
#     configuration_is_fresh.sh FRESHET SOURCE_FOLDER
set -eu
"$1" config doc | diff -u "$2/docs/configuration.md" - || {
    echo "docs/configuration.md is stale: freshet config doc >docs/configuration.md" >&2
    exit 1
}
