#!/usr/bin/env bash
# Installs what is missing, builds preset release and runs every test of it. Ends with ctest's summary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deploy/setup.sh build test examples
cmake --preset release
cmake --build --preset release
ctest --preset release --parallel "$(nproc)"
