#!/usr/bin/env bash
# Runs every fuzz target of the module in turn, each for FUZZTIME. The targets are found in the source, so a
# new one is run without being listed anywhere.
set -euo pipefail

go=${GO:-go}
fuzztime=${FUZZTIME:-10s}

targets() { # "directory target", one a line
  grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' . |
    sed -E 's,^(.*)/[^/]+:func (Fuzz[A-Za-z0-9_]*)\($,\1 \2,' | sort
}

failed=0
while read -r dir target; do
  printf '\n== %s %s\n' "$dir" "$target"
  "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$dir" </dev/null || failed=1
done < <(targets)
exit "$failed"
