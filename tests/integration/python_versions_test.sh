#!/usr/bin/env bash
# The wheel of the Python package beside other versions of what it needs than the newest, which python_client_test.sh
# has: the oldest that it promises, and those that Triton's newest client wants.
#
#   python_versions_test.sh BIN_DIR [PYTHON]      where rondo-server is; run from the repository's root
set -euo pipefail

source tests/integration/python_environment.sh
begin_python_test "$@"
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

exec 8>"$work/versions.lock"
flock 8
# The oldest that a Python from 3.13 on has wheels of.
oldest=(numpy==2.1.0 grpcio==1.67.0 protobuf==4.25.0)
"$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' && oldest=(numpy==1.24.0 grpcio==1.60.0 protobuf==4.25.0)
environment oldest "${oldest[@]}"
run_python_tests "$work/oldest" aio_test errors_test retry_test tls_test
environment triton 'tritonclient[grpc]==2.73.0'
run_python_tests "$work/triton" beside_triton aio_test
