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

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
while read -r dir target; do
  printf '\n== %s %s\n' "$dir" "$target"
  "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$dir" </dev/null 2>&1 | tee "$log" && continue
  # A worker that is busy at the moment the time is up makes go test fail, with no finding and these words alone.
  if grep -q '^    context deadline exceeded$' "$log" && ! grep -qE 'Failing input written|panic:' "$log"; then
    continue
  fi
  failed=1
done < <(targets)
exit "$failed"
