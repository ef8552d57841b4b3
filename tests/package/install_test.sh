#!/usr/bin/env bash
# Installs a build into an empty prefix, builds a project that finds the package there, and runs it against the server
# that was installed.
#
#   install_test.sh BUILD_DIR CXX CXX_FLAGS       run from the repository's root
set -euo pipefail
source deploy/server_process.sh

readonly build=$1 cxx=$2 flags=$3
work=$(mktemp -d)
trap 'kill_server; rm -rf "$work"' EXIT

fail() { echo "$*" >&2; exit 1; }

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
for program in rondo-server rondo rondo-convert rondo-train rondo-load; do
  [[ -x $work/prefix/bin/$program ]] || fail "$program is not installed"
done
# Nothing of the build tree is left in what was installed for a program to find.
if grep -r "$PWD" "$work/prefix" --include='*.cmake' --include='*.h'; then fail "the package names the source tree"; fi

cmake -S tests/package/consumer -B "$work/consumer" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" >"$work/configure.log" || fail "$(cat "$work/configure.log")"
cmake --build "$work/consumer" >"$work/build.log" || fail "$(cat "$work/build.log")"

start_server "$work/server.log" "$work/prefix/bin/rondo-server" --model_repository=deploy/demo/models
answer=$("$work/consumer/consumer" "$(listening_at address)")
[[ $answer == "4 values, position 1, 9 bytes" ]] || fail "the consumer says: $answer"
stop_server
