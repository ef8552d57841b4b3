# What the scripts here that measure a running server share: sourced from the project's root, with `seconds` set, under
# set -euo pipefail. Whatever it starts ends with the script.

readonly bin=build/release/bin
readonly script=${0##*/}
scratch=$(mktemp -d)

# Installs what is missing, and builds quietly: what the build says is shown when it fails.
build_benches() {
  deploy/setup.sh build test bench >&2
  echo "$script: building" >&2
  local log=$scratch/build.log
  { cmake --preset release -DRONDO_BUILD_BENCHES=ON && cmake --build --preset release; } >"$log" 2>&1 && return
  tail -40 "$log" >&2
  echo "$script: the build failed" >&2
  exit 1
}

server_pid= redis_pid=
# end_process PID SIGNAL
end_process() {
  [[ -n $1 ]] || return 0
  kill "-$2" "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
# stop_server [SIGNAL]: TERM unless another one is given.
stop_server() {
  end_process "$server_pid" "${1:-TERM}"
  server_pid=
}
stop_redis() {
  end_process "$redis_pid" TERM
  redis_pid=
}
trap 'stop_server; stop_redis; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The server gets one CPU and the generator another, so that neither is measured through the other's work. With a
# single CPU they share it, and every row says less about the server.
mapfile -t cpus < <(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)), sep="\n")')
readonly all_cpus=$(IFS=,; echo "${cpus[*]}")
readonly server_cpu=${cpus[0]}
readonly client_cpu=${cpus[${#cpus[@]}-1]}

# number FILE EXPRESSION: a number from a JSON file, seen by the Python expression as `j`.
number() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
# compute EXPRESSION
compute() { python3 -c 'import sys; print(eval(sys.argv[1]))' "$1"; }

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# make_model NAME HIDDEN_SIZE INPUT_SIZE
make_model() {
  mkdir -p "$scratch/models/$1/1"
  "$bin/make-model" --out="$scratch/models/$1/1/model.safetensors" --hidden_size="$2" --input_size="$3"
}

# forget_log: what the server before the next one has logged, which was listening too.
forget_log() { : >"$scratch/server.log"; }
# await_line TEXT: until the server that was started has logged it.
await_line() {
  for ((tries = 0; tries < 6000; ++tries)); do
    if grep -q "$1" "$scratch/server.log"; then return 0; fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.01
  done
  echo "$script: the server did not start:" >&2
  tail -5 "$scratch/server.log" >&2
  exit 1
}

# start_server CPUS [FLAG...]: a rondo-server on these CPUs; sets `address`, and `started_at` to when its process began.
start_server() {
  local on=$1
  shift
  local port
  port=$(free_port)
  address=127.0.0.1:$port
  started_at=$EPOCHREALTIME
  forget_log
  taskset -c "$on" "$bin/rondo-server" --model_repository="$scratch/models" --listen="$address" \
    --http_listen=127.0.0.1:0 "$@" >"$scratch/server.log" 2>&1 &
  server_pid=$!
  await_line event=listening
}

# start_redis CPUS: a redis-server with an append-only file that is synced each second; sets `redis_port`.
start_redis() {
  redis_port=$(free_port)
  taskset -c "$1" redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$scratch" --appendonly yes --save "" \
    >"$scratch/redis.log" &
  redis_pid=$!
  until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do kill -0 "$redis_pid"; done
}

# load OUTPUT FLAG...: rondo-load against the server, to a JSON file. A failed message spoils a row.
load() {
  local output=$1
  shift
  "$bin/rondo-load" --server="$address" --json --duration="${seconds}s" "$@" >"$output"
  local parts='[part for part in (j, j.get("echo"), j.get("native"), j.get("creation")) if part]'
  [[ $(number "$output" "sum(part['errors'] for part in $parts)") == 0 ]] && return 0
  echo "$script: messages failed: rondo-load $*" >&2
  number "$output" "[part['errors_by_code'] for part in $parts]" >&2
  exit 1
}

# The columns of row and figure.
header() { printf '%-38s %9s   %-9s  %-5s  %s\n' "what" "reached" "target" "" "measured"; }
# row WHAT VALUE '<='|'>=' TARGET DETAIL
row() {
  local verdict
  verdict=$(compute "'met' if $2 $3 $4 else 'SHORT'")
  printf '%-38s %9.3f   %s %-6s  %-5s  %s\n' "$1" "$2" "$3" "$4" "$verdict" "$5"
}
# figure WHAT VALUE DETAIL: a row without a target.
figure() { printf '%-38s %9.0f   %-9s  %-5s  %s\n' "$1" "$2" "" "" "$3"; }

# busy_percent: how much of the machine other programs use, over one second.
busy_percent() {
  python3 - <<'PYTHON'
import time
def ticks():
    numbers = [int(n) for n in open("/proc/stat").readline().split()[1:9]]
    return sum(numbers), numbers[3] + numbers[4]
total, idle = ticks()
time.sleep(1)
later, later_idle = ticks()
print(round(100 * (1 - (later_idle - idle) / max(1, later - total))))
PYTHON
}

# describe_machine PLACEMENT...: what a reader needs to judge the rows, a line for each argument.
describe_machine() {
  echo "machine    $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), ${#cpus[@]} CPUs, $(uname -r)"
  local title=placement line busy
  for line in "$@"; do
    printf '%-10s %s\n' "$title" "$line"
    title=
  done
  busy=$(busy_percent)
  ((busy < 10)) || echo "           BUSY: other programs use $busy % of the CPUs; the server rows come out too low"
  ((${#cpus[@]} > 1)) || echo "           ONE CPU: server and generator share it, the targets do not apply"
  echo
}
