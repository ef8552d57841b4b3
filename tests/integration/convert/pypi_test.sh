#!/usr/bin/env bash
# A test of rondo-convert against another framework, in an environment from PyPI that is made once in build/convert and
# kept.
#
#   pypi_test.sh TEST.py BIN_DIR [PYTHON]      where rondo-convert is; run from the repository's root
set -euo pipefail

bin=$(realpath "$2")
readonly test=$1 here=tests/integration/convert venv=$PWD/build/convert/venv python=${3:-python3}
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/pip" --quiet --disable-pip-version-check install --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/requirements.txt"
fi
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -W ignore "$here/$test" "$bin"
