#!/usr/bin/env bash
# Takes Redis away from a server under load, and gives it back: outage_test.py says how, and what must hold.
#
#   tests/crash/outage.sh [--bin=DIR] [--max_p99_ratio=1.2] [FLAG...]     default: build/release/bin; flags of outage_test.py
#
# Needs the built rondo-server and rondo-load, redis-server, and PyPI the first time, for the Python client's environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source tests/integration/python_environment.sh
prepare_python_environment python3
PYTHONPATH=tests/integration PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" tests/crash/outage_test.py \
  --bin=build/release/bin "$@"
