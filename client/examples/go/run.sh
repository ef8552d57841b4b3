#!/usr/bin/env bash
# Generates the Go code of proto/, builds the example and runs it. Usage: run.sh [MODEL]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

GOBIN=$PWD/bin go install tool  # protoc's plug-ins, in the versions of go.mod
readonly where=module=example.com/seattle,Mrondo/v1/inference.proto=example.com/seattle/rondov1
PATH=$PWD/bin:$PATH protoc --proto_path=../../../proto --go_out=. --go_opt="$where" --go-grpc_out=. --go-grpc_opt="$where" \
  rondo/v1/inference.proto
go build -o bin/seattle .
exec bin/seattle "$@"
