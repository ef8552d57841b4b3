#!/usr/bin/env bash
# Balances poles on carts 100 times a second, by a network that has seen a controller do it.
#
#   run.sh [--loops=N] [--seconds=N] [--bulk]      --bulk: beside a client that asks for as much as it can get,
#                                                with the CPU time that nobody else wants
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
loops=$((${short:-0} ? 2 : 8)) time=$((${short:-0} ? 5 : 30)) bulk=
usage() { echo "usage: run.sh [--loops=N] [--seconds=N] [--bulk]" >&2; exit 2; }
for option in "$@"; do
  case $option in
    --loops=*) loops=${option#*=} ;;
    --seconds=*) time=${option#*=} ;;
    --bulk) bulk=1 ;;
    *) usage ;;
  esac
done
[[ $loops =~ ^[1-9][0-9]*$ && $time =~ ^[1-9][0-9]*$ ]] || usage

title "Learn from what a controller does that is told the speeds"
"$bin/control-loop" lessons 20000 >"$work/lessons.csv"
train cart --data="$work/lessons.csv" --target=force --inputs=position,angle --cell=gru --hidden_size=32 \
  --learning_rate=0.01 --batch_size=4 --window=100 --epochs=40 --threads=1
serve "$work/models"

title "$loops loops for $time s${bulk:+, beside a bulk client}"
if [[ $bulk ]]; then
  chrt --idle 0 "$bin/rondo-load" --server="$RONDO_SERVER" --model=cart --streams=8 --sessions_per_message=64 --timesteps=10 \
    --duration=$((time + 1))s >"$work/bulk.txt" 2>&1 &
  load=$!
fi
begin_measuring
answer=$("$bin/control-loop" run "$RONDO_SERVER" "$loops" "$time")
read -r angle plain <<<"$answer"
end_measuring
if [[ $bulk ]]; then
  wait "$load"
  echo "the bulk client:"
  cat "$work/bulk.txt"
fi
echo "mean angle $angle degrees; of a controller without a memory $plain"
result "mean angle, degrees" "$angle" "$plain"
