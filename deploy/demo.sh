#!/usr/bin/env bash
# The whole way on real input: installs what is missing, builds, trains a model on three years of Seattle's weather,
# serves it, streams the fourth year through a session day by day, and shows predictions, errors, a forecast and latencies.
#
#   deploy/demo.sh
#
# The first run takes minutes (the build), the next ones seconds. Ports are free ones; nothing is left running. The model
# and the trainer's report stay in build/demo/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/server_process.sh

readonly bin=build/release/bin
readonly weather=deploy/demo/seattle-weather.csv
readonly models=build/demo/models
readonly model=seattle session=seattle-2015
begin_script

build() {
  deploy/setup.sh build
  cmake --preset release >"$work/configure.log" || { cat "$work/configure.log" >&2; return 1; }
  cmake --build --preset release --target rondo-train rondo-server rondo
}

# Anew each time: it takes a second or two. The last quarter, which is 2015, is only scored.
train() {
  rm -rf "$models"
  "$bin/rondo-train" --data="$weather" --time=date --inputs=temp_max,temp_min,wind --target=all --loss=gaussian \
    --output="$models/$model/1"
}

# Rows of the years $1 to $2, with the header.
years() { awk -F, -v from="$1" -v to="$2" 'NR == 1 || (substr($1, 1, 4) >= from && substr($1, 1, 4) <= to)' "$weather"; }

predict_2015() {
  years 2012 2014 | "$bin/rondo" predict "$model" --input=- --session="$session" >"$work/warm_up.csv"
  echo "2012-2014: $(($(wc -l <"$work/warm_up.csv") - 1)) days in one table, to bring the session up to date"
  local start=${EPOCHREALTIME/[.,]/}
  years 2015 2015 | "$bin/rondo" stream "$model" --session="$session" >"$work/stream.csv"
  echo "2015:      $(($(wc -l <"$work/stream.csv") - 1)) days, a row in and a prediction out each, in" \
    "$(((${EPOCHREALTIME/[.,]/} - start) / 1000)) ms"
  { cat "$work/warm_up.csv"; tail -n +2 "$work/stream.csv"; } >"$work/predictions.csv"
  awk -v year=2015 -f deploy/demo/join.awk "$work/predictions.csv" "$weather" >"$work/joined.txt"
}

title "Build"
build
title "Train on 2012-2014"
train
title "Start the server"
start_server "$work/server.log" "$bin/rondo-server" --model_repository="$models"
cat "$server_log"
"$bin/rondo" models
title "Stream the weather through a session"
predict_2015
title "Predictions"
awk -f deploy/demo/report.awk "$work/joined.txt"
echo
awk -v from=2015-06-01 -v to=2015-08-31 -f deploy/demo/plot.awk "$work/joined.txt"
title "The week after the last day: quantiles of 500 sampled paths from the session (which does not move)"
"$bin/rondo" forecast "$model" --session="$session" --horizon=7 --paths=500 |
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) printf "  %13s", $i; print ""; next }
           { printf "  %13s  %13d", substr($1, 1, 10), $2; for (i = 3; i <= NF; i++) printf "  %13.1f", $i; print "" }'
title "Latency in the server, from /metrics"
read_metrics | awk -f deploy/demo/quantiles.awk
title "Stop the server"
stop_server
tail -n 1 "$server_log"
