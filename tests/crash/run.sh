#!/usr/bin/env bash
# Kills servers under load and looks for answered steps that were lost, doubled or changed: crash_test.py says how.
#
#   tests/crash/run.sh [--rounds=N] [--bin=DIR]     default: 50 rounds of each kind, build/release/bin
#
# Each kind of store and durability in turn; exit 1 if any of them lost something. A fail-over takes seconds, so there are a
# tenth as many rounds of those. Needs the built rondo-server, redis-server, and PyPI the first time, for the Python
# client's environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rounds=50 bin=build/release/bin
for argument in "$@"; do
  case $argument in
    --rounds=*) rounds=${argument#*=} ;;
    --bin=*) bin=${argument#*=} ;;
    *) echo "run.sh: '$argument' is unknown; wanted --rounds=N or --bin=DIR" >&2; exit 2 ;;
  esac
done

source tests/integration/python_environment.sh
prepare_python_environment python3
failed=0
crash() { # STORE DURABILITY ROUNDS
  PYTHONPATH=tests/integration PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" tests/crash/crash_test.py \
    --bin="$bin" --store="$1" --durability="$2" --rounds="$3" || failed=1
}
for store in rocksdb redis; do
  for durability in every_reply interval; do crash "$store" "$durability" "$rounds"; done
done
crash sentinel every_reply $(((rounds + 9) / 10))
exit "$failed"
