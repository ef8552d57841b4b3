#!/usr/bin/env bash
# Runs every example of this folder, one after the other, and prints a table of what they scored. The examples need the
# programs of build/release/bin (deploy/setup.sh build, cmake --preset release, cmake --build --preset release).
#
#   run_all.sh            each example in full
#   run_all.sh --short    each in a form of some seconds
#
# Fails if an example fails. What each prints stays in build/examples/NAME.log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ ${1:-} == --short ]] && export RONDO_SHORT=1
mkdir -p build/examples
failed=0
table=$'example|score|its value|baseline|better|steps/s|p99 <= ms'
for run in $(grep -l '/example.sh"$' client/examples/*/run.sh); do  # the others are clients of a server that runs
  name=$(basename "$(dirname "$run")")
  echo "running $name ..." >&2
  if "$run" >"build/examples/$name.log" 2>&1; then
    table+=$'\n'"$name|$(sed -n 's/^RESULT|//p' "build/examples/$name.log")"
  elif [[ $? == 77 ]]; then
    table+=$'\n'"$name|not run: $(tail -n 1 "build/examples/$name.log")"
  else
    failed=1
    table+=$'\n'"$name|FAILED: build/examples/$name.log"
    tail -n 20 "build/examples/$name.log" >&2
  fi
done
awk -F'|' '{ row[NR] = $0; for (i = 1; i <= NF; i++) if (length($i) > width[i]) width[i] = length($i) }
  END { for (n = 1; n <= NR; n++) { line = ""; count = split(row[n], cell, "|")
          for (i = 1; i <= count; i++) line = line sprintf("%-" width[i] + 2 "s", cell[i])
          sub(/ +$/, "", line); print line } }' <<<"$table"
exit "$failed"
