#!/usr/bin/env bash
# The wheel of the Python package beside other versions of what it needs than the newest, which python_client_test.sh
# has: the oldest that it promises, and those that Triton's newest client wants.
#
#   python_versions_test.sh BIN_DIR [PYTHON]      where rondo-server is; run from the repository's root
set -euo pipefail

bin=$(realpath "$1")
readonly bin python=${2:-python3}
work_of_this_run=$(mktemp -d)
trap 'rm -rf "$work_of_this_run"' EXIT

source tests/integration/python_environment.sh
prepare_python_environment "$python"
"$venv/bin/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work_of_this_run" "$source/client/python"
wheel=$(echo "$work_of_this_run"/rondo_serving-*-py3-none-any.whl)
readonly wheel

# NAME PACKAGE...: an environment of its own with exactly these and the wheel. It is made once and kept.
environment() {
  local folder=$work/$1 ingredients
  shift
  ingredients="$("$python" --version) $*"
  if [[ $(cat "$folder/ingredients" 2>/dev/null) != "$ingredients" ]]; then
    rm -rf "$folder"
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet "$@"
    echo "$ingredients" >"$folder/ingredients"
  fi
  "$folder/bin/pip" install --quiet --no-deps --force-reinstall "$wheel"
  "$folder/bin/pip" check
}

# NAME MODULE...: these tests in the environment
run_tests() {
  local folder=$work/$1
  shift
  RONDO_BIN=$bin RONDO_TEST_FOLDER=$work_of_this_run PYTHONPATH=tests/integration:$python_tests PYTHONDONTWRITEBYTECODE=1 \
    "$folder/bin/python" -W error::ResourceWarning -m unittest "$@"
}

exec 8>"$work/versions.lock"
flock 8
# The oldest that a Python from 3.13 on has wheels of.
oldest=(numpy==2.1.0 grpcio==1.67.0 protobuf==4.25.0)
"$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' && oldest=(numpy==1.24.0 grpcio==1.60.0 protobuf==4.25.0)
environment oldest "${oldest[@]}"
run_tests oldest aio_test errors_test retry_test tls_test
environment triton 'tritonclient[grpc]==2.73.0'
run_tests triton beside_triton aio_test
