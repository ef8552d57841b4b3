#!/usr/bin/env bash
# Measures Rondo against what a user would pick instead, on the same load: onnxruntime behind grpc.aio as most people
# write it (each message a run of its own, and batched), and Triton with its Python backend. All serve one LSTM with one
# session a stream, through Triton's streaming protocol (Rondo through its own too), on one core, the generator on the
# other; their turns alternate. Prints the messages a second, the latencies and the CPU time of each, and Rondo's part of
# each. CPU time a message is what to read where other programs use the machine: they take turns, but not CPU time.
#
#   tests/bench/peers.sh [--no_build] [--seconds=N] [--turns=N] [--hidden=H]    N: seconds of a turn (default 3), turns (3)
#
# The Python packages come from PyPI into build/peers; nvidia-pytriton brings the tritonserver, which runs on a CPU.
# Exit: 0 all were measured, 1 something did not run, 2 wrong arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build=yes seconds=3 turns=3 hidden=64
readonly inputs=64 warmup=0.5
for argument in "$@"; do
  case $argument in
    --no_build) build=no ;;
    --seconds=[1-9] | --seconds=[1-9][0-9]) seconds=${argument#*=} ;;
    --turns=[1-9]) turns=${argument#*=} ;;
    --hidden=[1-9] | --hidden=[1-9][0-9] | --hidden=[1-9][0-9][0-9]) hidden=${argument#*=} ;;
    *)
      echo "peers.sh: '$argument'; wanted --no_build, --seconds=1..99, --turns=1..9 or --hidden=1..999" >&2
      exit 2
      ;;
  esac
done

source tests/bench/measuring.sh
if [[ $build == yes ]]; then build_benches; fi

readonly python=build/peers/bin/python
if [[ ! -x $python ]]; then
  python3 -m venv build/peers
  "$python" -m pip install --quiet onnx onnxruntime 'numpy<2' 'tritonclient[grpc]'  # its Python backend reads numpy 1
  "$python" -m pip install --quiet --no-deps nvidia-pytriton==0.7.0
fi
readonly packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
readonly version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# start_onnxruntime [--batch]
start_onnxruntime() {
  local port
  port=$(free_port)
  address=127.0.0.1:$port
  forget_log
  taskset -c "$server_cpu" "$python" tests/bench/peers/onnxruntime_server.py "$port" "$hidden" "$inputs" "$@" \
    >"$scratch/server.log" 2>&1 &
  server_pid=$!
  await_line listening
}

# One model and the Python backend, laid out as tritonserver wants them.
lay_out_triton() {
  local from=$packages/pytriton/tritonserver to=$scratch/triton
  mkdir -p "$to/models/lstm/1" "$to/backends"
  cp -r "$from/backends/python" "$to/backends/"
  cp "$from/python_backend_stubs/$version/triton_python_backend_stub" "$to/backends/python/"
  cp "$from/bin/tritonserver" "$to/"
  chmod +x "$to/tritonserver" "$to/backends/python/triton_python_backend_stub"
  cp tests/bench/peers/triton_model.py "$to/models/lstm/1/model.py"
  cat >"$to/models/lstm/config.pbtxt" <<CONFIG
backend: "python"
max_batch_size: 64
input [ { name: "x" data_type: TYPE_FP32 dims: [ $inputs ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 1 ] } ]
sequence_batching { oldest { max_candidate_sequences: 256 } max_sequence_idle_microseconds: 60000000 }
instance_group [ { kind: KIND_CPU count: 1 } ]
CONFIG
}

start_triton() {
  local port
  port=$(free_port)
  address=127.0.0.1:$port
  forget_log
  PATH=$PWD/build/peers/bin:$PATH PYTHONPATH=$packages LD_LIBRARY_PATH=$packages/nvidia_pytriton.libs \
    PEERS_FOLDER=$PWD/tests/bench/peers PEERS_HIDDEN=$hidden PEERS_INPUTS=$inputs \
    taskset -c "$server_cpu" "$scratch/triton/tritonserver" --model-repository="$scratch/triton/models" \
    --backend-directory="$scratch/triton/backends" --grpc-address=127.0.0.1 --grpc-port="$port" --allow-http=false \
    --allow-metrics=false >"$scratch/server.log" 2>&1 &
  server_pid=$!
  await_line "Started GRPCInferenceService"
}

# cpu_ticks PROCESS: what it and its children have used.
cpu_ticks() {
  local process
  for process in "$1" $(pgrep -P "$1"); do cut -d' ' -f14,15 "/proc/$process/stat"; done |
    awk '{ticks += $1 + $2} END {print ticks}'
}

readonly foreign=(--protocol=open_inference --input_tensor=x --output_tensor=y --input_shape="1,$inputs")
# turn SERVER STREAMS TURN: measures one server once, to SERVER-STREAMS-TURN.json in $scratch.
turn() {
  local out=$scratch/$1-$2-$3.json
  local as=("${foreign[@]}") before
  case $1 in
    rondo) start_server "$server_cpu" && as=() ;;
    rondo_triton) start_server "$server_cpu" && as=(--protocol=open_inference) ;;
    onnxruntime) start_onnxruntime ;;
    onnxruntime_batched) start_onnxruntime --batch ;;
    triton) start_triton ;;
  esac
  before=$(cpu_ticks "$server_pid")
  load "$out" --model=lstm "${as[@]}" --streams="$2" --warmup="${warmup}s" --cpus="$client_cpu"
  echo $(($(cpu_ticks "$server_pid") - before)) >"${out%.json}.ticks"
  stop_server
}

readonly servers=(rondo rondo_triton onnxruntime onnxruntime_batched triton)
describe_machine "server on CPU $server_cpu, generator on CPU $client_cpu; LSTM of $hidden units, $inputs inputs, f32" \
  "$turns turns of $seconds s each; the mean of their messages a second, the least and the largest, and mean latencies"
make_model lstm "$hidden" "$inputs"
lay_out_triton
for streams in 1 16 128; do
  for ((number = 0; number < turns; ++number)); do
    for server in "${servers[@]}"; do turn "$server" "$streams" "$number"; done
  done
done
"$python" - "$scratch" "$turns" "$(compute "1 + $warmup / $seconds")" "${servers[@]}" <<'PYTHON'
import json
import os
import statistics
import sys

folder, turns, with_warmup, *servers = sys.argv[1:]
print("%8s  %-20s %11s %19s %9s %9s %8s  %10s %8s" % ("streams", "server", "messages/s", "least..largest", "p50 us", "p99 us",
                                                      "CPU us", "messages", "CPU"))
for streams in (1, 16, 128):
    rondo = rondo_cpu = None
    for server in servers:
        names = [f"{folder}/{server}-{streams}-{turn}" for turn in range(int(turns))]
        runs = [json.load(open(name + ".json")) for name in names]
        rates = [run["messages_per_second"] for run in runs]
        mean = statistics.mean(rates)
        p50, p99 = (statistics.mean(run[key] for run in runs) * 1e6 for key in ("p50_seconds", "p99_seconds"))
        ticks = sum(int(open(name + ".ticks").read()) for name in names)
        messages = sum(run["messages"] for run in runs) * float(with_warmup)
        cpu = ticks / os.sysconf("SC_CLK_TCK") / messages * 1e6
        rondo, rondo_cpu = rondo or mean, rondo_cpu or cpu
        print("%8d  %-20s %11.0f %9.0f..%8.0f %9.0f %9.0f %8.1f  %9.2fx %7.2fx" %
              (streams, server, mean, min(rates), max(rates), p50, p99, cpu, rondo / mean, cpu / rondo_cpu))
PYTHON
