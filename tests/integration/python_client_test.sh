#!/usr/bin/env bash
# The Python package `rondo` as a user gets it: built and installed by pip into an environment of its own from PyPI,
# type-checked, and run against the real rondo-server.
#
#   python_client_test.sh BIN_DIR [PYTHON]      where rondo-server is; run from the repository's root
set -euo pipefail

source tests/integration/python_environment.sh
begin_python_test "$@"
"$venv/bin/mypy" --config-file client/python/pyproject.toml --cache-dir "$work/mypy" \
  --python-executable "$venv/bin/python" --package rondo
run_python_tests "$venv" discover --start-directory "$python_tests" --top-level-directory "$python_tests" --pattern '*_test.py'
