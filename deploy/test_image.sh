#!/usr/bin/env bash
# Runs the image of deploy/build_image.sh as its Dockerfile says (user, entry point, command, stop signal), asks it for a
# prediction with its own client, stops it and wants exit code 0. No container daemon: buildah runs it in a chroot.
#
#   sudo deploy/test_image.sh [TAG]            default rondo:latest
#
# Environment: IMAGE_STORAGE as in deploy/build_image.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/image_storage.sh
source deploy/server_process.sh

readonly tag=${1:-rondo:latest}
work=$(mktemp -d)
container=

# The process at the end of the chain that buildah starts. Any thread of a process may have started the next one.
innermost() {
  local process=$1 children
  while children=$(cat /proc/"$process"/task/*/children 2>/dev/null) && [[ $children ]]; do process=${children%% *}; done
  echo "$process"
}

clean_up() {
  if [[ $server_pid ]]; then
    kill -KILL "$(innermost "$server_pid")" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  if [[ $container ]]; then image_tool rm "$container" >/dev/null; fi
  rm -rf "$work"
}
trap clean_up EXIT

fail() { echo "test_image: $*" >&2; exit 1; }
configured() { image_tool inspect --type image --format "{{range .OCIv1.Config.$1}}{{println .}}{{end}}" "$tag" | sed '/^$/d'; }

mapfile -t command < <(configured Entrypoint; configured Cmd)
signal=$(image_tool inspect --type image --format '{{.OCIv1.Config.StopSignal}}' "$tag")
user=$(image_tool inspect --type image --format '{{.OCIv1.Config.User}}' "$tag")
[[ $signal == SIGTERM ]] || fail "stop signal: wanted SIGTERM, got '$signal'"
[[ $user =~ ^[1-9][0-9]*(:[1-9][0-9]*)?$ ]] || fail "user: wanted a number that is not root's, got '$user'"

container=$(image_tool from --pull-never "$tag")
# Free ports on loopback instead of the image's own: a chroot shares the host's network. The last of a doubled flag holds.
start_server "$work/server.log" image_tool run "$container" -- "${command[@]}"
cat "$server_log"

head -n 31 deploy/demo/seattle-weather.csv |
  image_tool run "$container" -- rondo --server="$RONDO_SERVER" stream seattle --session=a >"$work/predictions.csv"
tail -n 3 "$work/predictions.csv"
rows=$(wc -l <"$work/predictions.csv")
((rows == 31)) || fail "predictions: wanted a header and 30 rows, got $rows lines"

runner=$server_pid status=0
server=$(innermost "$runner")
owner=$(stat --format %u "/proc/$server")
[[ $owner == "${user%%:*}" ]] || fail "the server runs as user $owner, not $user"
kill -s "$signal" "$server"
wait "$runner" || status=$?
server_pid=
tail -n 1 "$server_log"
((status == 0)) || fail "the server ended with $status"
echo "test_image: a prediction, a clean stop"
