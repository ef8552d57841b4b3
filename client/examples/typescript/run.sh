#!/usr/bin/env bash
# Generates the types of proto/, builds the example and runs it. Usage: run.sh [MODEL]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

npm ci --silent
npm run --silent build
exec node build/seattle.js "$@"
