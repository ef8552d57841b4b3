#!/usr/bin/env bash
# The Python package `rondo` as a user gets it: built and installed by pip into an environment of its own from PyPI,
# type-checked, and run against the real rondo-server.
#
#   python_client_test.sh BIN_DIR [PYTHON]      where rondo-server is; run from the repository's root
set -euo pipefail

bin=$(realpath "$1")
readonly bin python=${2:-python3}
work_of_this_run=$(mktemp -d)
trap 'rm -rf "$work_of_this_run"' EXIT

source tests/integration/python_environment.sh
prepare_python_environment "$python"
"$venv/bin/mypy" --config-file client/python/pyproject.toml --cache-dir "$work/mypy" \
  --python-executable "$venv/bin/python" --package rondo
RONDO_BIN=$bin RONDO_TEST_FOLDER=$work_of_this_run PYTHONPATH=tests/integration PYTHONDONTWRITEBYTECODE=1 \
  "$venv/bin/python" -W error::ResourceWarning -m unittest discover --start-directory "$python_tests" --top-level-directory "$python_tests" \
  --pattern '*_test.py'
