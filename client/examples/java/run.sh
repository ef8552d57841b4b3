#!/usr/bin/env bash
# Generates the Java code of proto/, builds the example and runs it. Usage: run.sh [MODEL]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mvn --quiet --batch-mode compile >&2  # with --quiet it still prints escape sequences
exec java -cp "target/classes:$(<target/classpath)" Seattle "$@"
