#!/usr/bin/env bash
# Builds preset coverage, runs its tests, and prints how many lines of each folder they ran, and of all.
#
#   tests/coverage.sh [--target=TARGET]... [CTEST_ARGUMENT...]
#
# Without arguments: everything, some minutes. `tests/coverage.sh --target=session_test --tests-regex '^Session'` builds
# that one test binary and runs what it has. A file that no built target compiles is not counted. Needs gcc's own gcov.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

targets=()
while [[ ${1:-} == --target=* ]]; do
  targets+=("${1#--target=}")
  shift
done

cmake --preset coverage
cmake --build --preset coverage ${targets:+--target "${targets[@]}"}
find build/coverage -name '*.gcda' -delete
failed=
ctest --preset coverage --parallel "$(nproc)" "$@" || failed=1
python3 tests/coverage_table.py build/coverage
[[ ! $failed ]] || { echo "coverage: tests failed" >&2; exit 1; }
