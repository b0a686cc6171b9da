#!/usr/bin/env bash
# Runs the benchmarks that match BENCH (all), one package after the other so that they do not disturb each
# other, and prints a table of their figures. A figure is of interest beside another of the same machine.
set -euo pipefail

go=${GO:-go}
pattern=${BENCH:-.}
benchtime=${BENCHTIME:-1s}

packages=$(grep -rlE --include='*_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)
packages=$(grep -v '^./testbench/bench$' <<<"$packages")

table() { # the lines of go test -bench as columns; fails when go test did
  awk '
    function human(ns) {
      if (ns >= 1e9) return sprintf("%.2f s", ns / 1e9)
      if (ns >= 1e6) return sprintf("%.2f ms", ns / 1e6)
      if (ns >= 1e3) return sprintf("%.2f µs", ns / 1e3)
      return sprintf("%.1f ns", ns)
    }
    $1 == "pkg:" { room = $2; sub(/^[^\/]*\//, "", room) }
    /^Benchmark/ {
      name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
      time = allocs = more = ""
      for (i = 3; i < NF; i += 2) {
        if ($(i + 1) == "ns/op") time = human($i)
        else if ($(i + 1) == "allocs/op") allocs = $i " allocs"
        else if ($(i + 1) != "B/op") more = more (more == "" ? "" : ", ") $i " " $(i + 1)
      }
      # printf pads by bytes in some awks, and µ has two: pad one more.
      width = 11 + (time ~ /µ/ && length("µ") == 2)
      row = sprintf("%-18s %-28s %" width "s %14s  %s", room, name, time, allocs, more)
      sub(/ +$/, "", row)
      print row
      fflush()
      next
    }
    /^(FAIL|panic:|---)/ || /_test\.go:[0-9]+:/ { print; bad = 1 }
    END { exit bad }'
}

printf '%-18s %-28s %11s %14s  %s\n' room benchmark 'time/op' allocs/op more
# shellcheck disable=SC2086 # the packages are several words
"$go" test -p 1 -run '^$' -bench "$pattern" -benchmem -benchtime "$benchtime" $packages | table
# One round is several hundred calls.
"$go" test -run '^$' -bench "$pattern" -benchtime 2x ./testbench/bench | table
