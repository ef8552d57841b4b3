# Sourced by each example's run.sh: where the programs are, a server of its own, and the line that run_all.sh reads.
#
# RONDO_BIN: where the programs are (build/release/bin). RONDO_SHORT: not empty for the short form, which CI runs.
set -euo pipefail
folder=$(basename "$(dirname "${BASH_SOURCE[1]}")")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source deploy/server_process.sh

readonly here=client/examples/$folder
readonly bin=${RONDO_BIN:-build/release/bin}
readonly short=${RONDO_SHORT:-}
[[ -x $bin/rondo-server && -x $bin/rondo-train ]] || {
  echo "no programs in $bin: deploy/setup.sh build && cmake --preset release && cmake --build --preset release, or RONDO_BIN=FOLDER" >&2
  exit 1
}
begin_script

# train MODEL OPTIONS...: trains $work/models/MODEL/1; what rondo-train says is shown if it fails.
train() {
  local model=$1
  shift
  nice "$bin/rondo-train" "$@" --output="$work/models/$model/1" >"$work/train.log" 2>&1 || { cat "$work/train.log"; return 1; }
}

# serve MODELS: a server of the models in that folder.
serve() { start_server "$work/server.log" "$bin/rondo-server" --model_repository="$1"; }

# Between these two the server does what it is measured by: what it did is read from its metrics.
begin_measuring() {
  read_metrics >"$work/before.txt"
  begin=$EPOCHREALTIME
}
end_measuring() {
  seconds=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
  read_metrics >"$work/after.txt"
}

# result NAME SCORE BASELINE: how good it was, beside the plain baseline; less is better. Stops the server.
result() {
  stop_server
  echo
  python3 client/examples/summary.py "$@" "$seconds" "$work/before.txt" "$work/after.txt"
}
