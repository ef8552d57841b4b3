#!/usr/bin/env bash
# Measures a server that stores many more sessions than it holds in memory: how fast it creates them, steps at random
# ones of them (most of which it has to load), and how soon after a restart it answers for one. Takes a few minutes after
# the build.
#
#   tests/bench/many_sessions.sh [--sessions=N] [--resident=N] [--seconds=N] [--store=rocksdb|redis] [--no_build]
#
# Sessions: N of an LSTM with 64 units (default 1000000), of which the server may hold --resident (default 100000) in
# memory. --seconds: measured time of the random access (default 20). The store is made for the run, in TMPDIR, which
# wants 5 KB a session; what is read of it comes mostly from the system's page cache if there is memory for that.
#
# Exit: 0 all rows were measured (met or not), 1 something did not run, 2 wrong arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build=yes sessions=1000000 resident=100000 seconds=20 store=rocksdb
for argument in "$@"; do
  if [[ $argument == --no_build ]]; then
    build=no
  elif [[ $argument =~ ^--(sessions|resident)=[1-9][0-9]*$ || $argument =~ ^--seconds=[1-9][0-9]?$ ||
    $argument =~ ^--store=(rocksdb|redis)$ ]]; then
    declare "${argument#--}"
  else
    echo "many_sessions.sh: '$argument'; wanted --sessions=N, --resident=N, --seconds=1..99," \
      "--store=rocksdb or redis, or --no_build" >&2
    exit 2
  fi
done
source tests/bench/measuring.sh
if [[ $build == yes ]]; then build_benches; fi

readonly streams=128
# Not among those that are loaded at random: nobody asks for it from its third step to the restart.
readonly old_session=old

start_storing_server() {
  start_server "$server_cpu" --session_store="$store_name" --max_resident_sessions="$resident" --idle_timeout=24h
}

metrics_url() { sed -n '/event=listening/s/.* http_address=\([^ ]*\).*/http:\/\/\1\/metrics/p' "$scratch/server.log"; }

# metric PATTERN: the sum of the server's metrics that match, as awk does.
metric() {
  python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' "$(metrics_url)" |
    awk -v pattern="$1" '$0 ~ pattern {sum += $2} END {printf "%.0f\n", sum}'
}

# Notes the most sessions in memory seen, five times a second, until it is killed.
watch_resident() {
  exec python3 -c 'import re, sys, time, urllib.request
most = 0
while True:
    text = urllib.request.urlopen(sys.argv[1]).read().decode()
    most = max(most, sum(int(n) for n in re.findall(r"^rondo_sessions\{.*\} (\d+)$", text, re.MULTILINE)))
    with open(sys.argv[2], "w") as file: file.write(str(most))
    time.sleep(0.2)' "$(metrics_url)" "$scratch/most_resident"
}

# step_old_session STEPS: that many timesteps of it.
step_old_session() {
  python3 -c 'import sys
print(",".join("in%d" % i for i in range(16)))
for step in range(int(sys.argv[1])): print(",".join(["0.5"] * 16))' "$1" |
    "$bin/rondo" --server="$address" stream lstm-64 --session="$old_session" >"$scratch/predictions.csv"
}

# require_position WANTED: the old session goes on where it stood.
require_position() {
  local position
  position=$("$bin/rondo" --server="$address" sessions show "$old_session" | tail -1 | cut -d, -f4)
  [[ $position == "$1" ]] && return 0
  echo "many_sessions.sh: session '$old_session' is at position $position; expected $1" >&2
  exit 1
}

# measure_restart WHAT POSITION DETAIL: of a server that has been stopped; the old session is to be at POSITION.
measure_restart() {
  local answered_at
  start_storing_server
  step_old_session 1
  answered_at=$EPOCHREALTIME
  require_position "$(($2 + 1))"
  row "$1" "$(compute "$answered_at - $started_at")" '<=' 2 "$3"
}

measure_access() {
  local out=$scratch/load.json steps restored
  start_storing_server
  step_old_session 3
  watch_resident &
  local watcher=$!
  load "$out" --model=lstm-64 --streams="$streams" --session_pool="$sessions" --keep_sessions --cpus="$client_cpu"
  kill "$watcher"
  wait "$watcher" 2>/dev/null || true
  figure "created: sessions/s" "$(number "$out" 'j["creation"]["steps_per_second"]')" \
    "$(number "$out" '"%.1f s, p50 %.1f ms, p99 %.1f ms" % (j["creation"]["seconds"],
      j["creation"]["p50_seconds"] * 1e3, j["creation"]["p99_seconds"] * 1e3)')"
  # All steps but those that created.
  steps=$(($(metric '^rondo_steps_total{') - sessions - 3))
  restored=$(metric '^rondo_session_events_total{.*restored')
  figure "random access: steps/s" "$(number "$out" 'j["steps_per_second"]')" \
    "$(number "$out" '"p50 %.1f ms, p99 %.1f ms" % (j["p50_seconds"] * 1e3, j["p99_seconds"] * 1e3)'), $(
      compute "'%.0f %% of them loaded, %d evicted' % (100 * $restored / $steps,
        $(metric '^rondo_session_events_total{.*evicted'))") since the start"
}

measure_sizes() {
  local peak
  row "most sessions in memory / resident" "$(compute "$(cat "$scratch/most_resident") / $resident")" '<=' 1 \
    "$(cat "$scratch/most_resident") of $sessions, five samples a second"
  peak=$(($(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$server_pid/status") * 1024))
  figure "server's memory at its peak: MiB" "$(compute "$peak / 2**20")" \
    "resident set; RocksDB's cache and write buffers (192 MiB at most) are a part of it, Redis is not"
}

case $store in
  rocksdb) store_name=rocksdb:$scratch/store ;;
  redis)
    start_redis "$client_cpu"
    store_name=redis://127.0.0.1:$redis_port
    ;;
esac
describe_machine "server on CPU $server_cpu, generator on CPU $client_cpu; $streams streams, a session a message" \
  "$sessions sessions in $store, $resident in memory at most; random access for $seconds s"
header
make_model lstm-64 64 16
measure_access
measure_sizes
stop_server KILL
measure_restart "kill -9: s to the first answer" 3 "from the start of the process, a session of before"
stopping_at=$EPOCHREALTIME
stop_server
measure_restart "SIGTERM: s to the first answer" 4 "the same; to end took $(compute "'%.2f' % ($EPOCHREALTIME - $stopping_at)") s"
stop_server
stored=$(du -sb "$scratch" | cut -f1)
figure "on disk: MiB" "$(compute "$stored / 2**20")" "$(compute "$stored // $sessions") bytes a session"
