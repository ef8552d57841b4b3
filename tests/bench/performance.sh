#!/usr/bin/env bash
# Measures what the server promises to reach, on this machine, and prints a row for each promise: the value, the target,
# whether it was met. Every ratio is of two things measured in the same run. Takes about five minutes after the build.
#
#   tests/bench/performance.sh [--no_build] [--seconds=N]     N: measured time of each server row (default 6, at least 1)
#
# Exit: 0 all rows were measured (met or not), 1 something did not run, 2 wrong arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build=yes
seconds=6
for argument in "$@"; do
  case $argument in
    --no_build) build=no ;;
    --seconds=[1-9] | --seconds=[1-9][0-9]) seconds=${argument#*=} ;;
    *)
      echo "performance.sh: '$argument'; wanted --no_build or --seconds=1..99" >&2
      exit 2
      ;;
  esac
done

source tests/bench/measuring.sh
if [[ $build == yes ]]; then build_benches; fi

# kernel_row NAME: one row of kernel-bench, to a JSON object in $scratch/kernel.json.
kernel_row() {
  taskset -c "$server_cpu" "$bin/kernel-bench" --benchmark_filter="^$1/" --benchmark_format=json 2>/dev/null \
    >"$scratch/kernel-bench.json"
  python3 -c 'import json, sys; json.dump(json.load(open(sys.argv[1]))["benchmarks"][0], open(sys.argv[2], "w"))' \
    "$scratch/kernel-bench.json" "$scratch/kernel.json"
}

measure_kernel() {
  kernel_row step/lstm/H:512/B:16
  row "kernel: Network::Step, H=512 B=16" "$(number "$scratch/kernel.json" 'j["ratio"]')" '>=' 0.95 \
    "bare / step; $(number "$scratch/kernel.json" '"%.0f us bare, %.0f us step" % (j["bare_us"], j["step_us"])')"
  kernel_row step/lstm/H:32/B:1
  row "small kernel: added us, H=32 B=1" "$(number "$scratch/kernel.json" 'j["added_us"]')" '<=' 1 \
    "$(number "$scratch/kernel.json" '"%.2f us bare, %.2f us step" % (j["bare_us"], j["step_us"])')"
}

# Against the echo, which runs where the server runs, and one protocol against the other.
readonly placed=(--rounds=6 --warmup=500ms --echo_cpus="$server_cpu" --cpus="$client_cpu")

measure_messages() {
  local out=$scratch/load.json
  start_server "$server_cpu"
  load "$out" --model=lstm-64 --streams=1 --echo_baseline "${placed[@]}"
  row "low load: p50, 1 stream, H=64" "$(number "$out" 'j["ratio"]["p50"]')" '<=' 1.25 \
    "$(number "$out" '"%.0f us, echo %.0f us" % (j["p50_seconds"] * 1e6, j["echo"]["p50_seconds"] * 1e6)')"
  load "$out" --model=lstm-64 --streams=128 --echo_baseline "${placed[@]}"
  row "many streams: messages/s, 128, H=64" "$(number "$out" 'j["ratio"]["throughput"]')" '>=' 0.85 \
    "$(number "$out" '"%.0f/s, echo %.0f/s" % (j["messages_per_second"], j["echo"]["messages_per_second"])')"
  row "many streams: p99, 128, H=64" "$(number "$out" 'j["ratio"]["p99"]')" '<=' 0.75 \
    "$(number "$out" '"%.2f ms, echo %.2f ms" % (j["p99_seconds"] * 1e3, j["echo"]["p99_seconds"] * 1e3)')"
  load "$out" --model=lstm-64 --streams=128 --protocol=open_inference --native_baseline "${placed[@]}"
  row "Triton's protocol: messages/s, 128" "$(number "$out" 'j["ratio"]["throughput"]')" '>=' 0.85 \
    "$(number "$out" '"%.0f/s, native %.0f/s" % (j["messages_per_second"], j["native"]["messages_per_second"])')"
  stop_server
}

# What TLS and tokens cost: a server that has both against one that has neither, two turns of each.
measure_secured() {
  local streams out=$scratch/load.json
  local -a guard=(--tls_cert="$scratch/cert.pem" --tls_key="$scratch/key.pem" --tokens_file="$scratch/tokens")
  local -a shown=(--tls_ca="$scratch/cert.pem" --token_file="$scratch/token")
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$scratch/key.pem" -out "$scratch/cert.pem" 2>/dev/null
  echo bench-token >"$scratch/token"
  echo "$(printf bench-token | sha256sum | cut -d' ' -f1) bench sessions" >"$scratch/tokens"
  for streams in 1 128; do
    local -a bare=() safe=()
    for turn in 1 2; do
      start_server "$server_cpu"
      load "$out" --model=lstm-64 --streams=$streams --cpus="$client_cpu"
      bare+=("$(number "$out" 'j["messages_per_second"]')")
      stop_server
      start_server "$server_cpu" "${guard[@]}"
      load "$out" --model=lstm-64 --streams=$streams --cpus="$client_cpu" "${shown[@]}"
      safe+=("$(number "$out" 'j["messages_per_second"]')")
      stop_server
    done
    local sum_bare sum_safe
    sum_bare=$(compute "${bare[0]} + ${bare[1]}")
    sum_safe=$(compute "${safe[0]} + ${safe[1]}")
    local figures
    figures=$(compute "'%.0f/s, without %.0f/s' % ($sum_safe / 2, $sum_bare / 2)")
    if ((streams == 1)); then
      row "TLS and tokens: time, 1 stream" "$(compute "$sum_bare / $sum_safe")" '<=' 1.3 "$figures"
    else
      row "TLS and tokens: messages/s, 128" "$(compute "$sum_safe / $sum_bare")" '>=' 0.8 "$figures"
    fi
  done
}

# Eight messages under way on one stream run together as those of eight streams do.
measure_pipelined() {
  local out=$scratch/load.json eight
  start_server "$server_cpu"
  load "$out" --model=lstm-512 --streams=8 --cpus="$client_cpu"
  eight=$(number "$out" 'j["messages_per_second"]')
  load "$out" --model=lstm-512 --streams=1 --in_flight=8 --session_pool=64 --cpus="$client_cpu"
  stop_server
  row "pipelined: messages/s, 8 on a stream" "$(number "$out" "j['messages_per_second'] / $eight")" '>=' 0.9 \
    "$(number "$out" "'%.0f/s, 8 streams with one each %.0f/s; H=512' % (j['messages_per_second'], $eight)")"
}

# The kernel's steps/s are those of the same model at 64 rows, without a server, on the server's CPU. What the server
# reaches in a second of its own CPU time says how much of a shortfall is other programs' doing.
measure_generation() {
  local out=$scratch/generate.json model=$scratch/models/tokens/1/model.safetensors kernel begin ticks
  mkdir -p "${model%/*}"
  "$bin/make-model" --out="$model" --hidden_size=160 --input_size=32 --tokens=64
  taskset -c "$server_cpu" "$bin/graph-bench" "$model" | tail -n 1 >"$scratch/kernel.json"
  kernel=$(number "$scratch/kernel.json" 'j["steps_per_second"]')
  start_server "$server_cpu"
  begin=$(awk '{ print $14 + $15 }' "/proc/$server_pid/stat")
  taskset -c "$client_cpu" "$bin/generate-speed" --server="$address" --model=tokens --duration="${seconds}s" >"$out"
  ticks=$(($(awk '{ print $14 + $15 }' "/proc/$server_pid/stat") - begin))
  stop_server
  rm -r "$scratch/models/tokens"
  row "generation: tokens/s, 64 streams, H=160" "$(number "$out" "j['tokens_per_second'] / $kernel")" '>=' 0.7 \
    "$(number "$out" "'%.0f/s of 64 tokens, the network alone at B=64 %.0f/s; in a second of CPU time %.2f of it' % (
      j['tokens_per_second'], $kernel, j['all_tokens'] / ($ticks / $(getconf CLK_TCK)) / $kernel)")"
}

# The model has input_size 64, as the bare primitive of kernel-bench has. A server of no work of its own would take what
# the echo of the same messages takes and what the bare kernel takes: the row says what that would reach.
measure_multiplexed() {
  local out=$scratch/load.json bare steps echo
  start_server "$server_cpu"
  load "$out" --model=lstm-64-wide --streams=4 --sessions_per_message=256 --echo_baseline "${placed[@]}"
  stop_server
  kernel_row step/lstm/H:64/B:64
  bare=$(number "$scratch/kernel.json" '64e6 / j["bare_us"]')
  steps=$(number "$out" 'j["steps_per_second"]')
  echo=$(number "$out" 'j["echo"]["messages_per_second"] * 256')
  row "multiplexed: steps/s, 256 a message" "$(compute "$steps / $bare")" '>=' 0.7 \
    "$(compute "'%.0f/s; bare kernel at B=64 %.0f/s, echo %.0f/s, both in turn %.2f' % ($steps, $bare, $echo,
      1 / (1 + $bare / $echo))")"
}

# One session that sends 10,000 timesteps a message, alone on its loop. A timestep of 64 units and inputs is 2 * 4 * 64 * 128
# operations.
measure_history() {
  local out=$scratch/load.json peak
  start_server "$server_cpu"
  load "$out" --model=lstm-64-wide --streams=1 --timesteps=10000 --cpus="$client_cpu"
  stop_server
  kernel_row kernel/lstm/H:64/B:64
  peak=$(number "$scratch/kernel.json" 'j["gflops"] / j["of_peak"]')
  row "long history: part of a core's peak" "$(number "$out" "j['steps_per_second'] * 65536 / $peak / 1e9")" '>=' 0.5 \
    "$(number "$out" "'%.0f timesteps/s, 10,000 a message, H=64; peak %.0f GFLOP/s' % (j['steps_per_second'], $peak)")"
}

# Two turns of each, so that neither gets the quieter minute. What the cores can give, without a server: the split rows
# of kernel-bench.
measure_big() {
  local -a one=() all=()
  for turn in 1 2; do
    start_server "$server_cpu"
    load "$scratch/one.json" --model=lstm-1024 --streams=64 --cpus="$client_cpu"
    stop_server
    start_server "$all_cpus"
    load "$scratch/all.json" --model=lstm-1024 --streams=64
    stop_server
    one+=("$(number "$scratch/one.json" 'j["steps_per_second"]')")
    all+=("$(number "$scratch/all.json" 'j["steps_per_second"]')")
  done
  local sum_one sum_all target
  sum_one=$(compute "${one[0]} + ${one[1]}")
  sum_all=$(compute "${all[0]} + ${all[1]}")
  "$bin/kernel-bench" --benchmark_filter='^split/lstm/H:1024/' --benchmark_format=json 2>/dev/null \
    >"$scratch/kernel-bench.json"
  row "big network: ${#cpus[@]} cores / 1, H=1024" "$(compute "$sum_all / $sum_one")" '>=' 1.6 \
    "$(compute "'%.0f steps/s, on one core %.0f; 64 streams' % ($sum_all / 2, $sum_one / 2)"), a bare step on two$(
      number "$scratch/kernel-bench.json" '" %.2f" % j["benchmarks"][0]["speedup"]')"
}

# What a session store takes from 128 streams: messages/s against a server of its own turn without one. Redis runs on the
# generator's CPU and keeps an append-only file, synced each second.
measure_stores() {
  local out=$scratch/load.json store durability memory messages target
  start_redis "$client_cpu"
  for store in "rocksdb:$scratch/rocksdb" "redis://127.0.0.1:$redis_port"; do
    for durability in interval every_reply; do
      start_server "$server_cpu"
      load "$out" --model=lstm-64 --streams=128 --warmup=500ms --cpus="$client_cpu"
      memory=$(number "$out" 'j["messages_per_second"]')
      stop_server
      start_server "$server_cpu" --session_store="$store" --durability="$durability"
      load "$out" --model=lstm-64 --streams=128 --warmup=500ms --cpus="$client_cpu"
      messages=$(number "$out" 'j["messages_per_second"]')
      stop_server
      target=0.9
      [[ $durability == interval ]] || { [[ $store == redis* ]] && target=0.4 || target=0.5; }
      row "${store%%:*}, $durability: messages/s, 128" "$(compute "$messages / $memory")" '>=' "$target" \
        "$(number "$out" "'%.0f/s, p99 %.1f ms; without a store %.0f/s' % (j['messages_per_second'],
          j['p99_seconds'] * 1e3, $memory)")"
    done
  done
  stop_redis
}

# 1,000,000 sessions in the server's own table, each with 512 bytes of state.
measure_memory() {
  local bytes
  "$bin/session-memory" >"$scratch/memory.txt" || true # exits 1 when the target is missed: the row says so
  bytes=$(sed -n 's/.* \([0-9]*\) resident bytes a session.*/\1/p' "$scratch/memory.txt")
  row "memory: resident bytes a session" "${bytes:?session-memory did not run}" '<=' 1024 \
    "1,000,000 open sessions, LSTM H=64"
}

# Counted by tests, which replace the allocator and fail at the first allocation: the row gives how many failed.
measure_allocations() {
  local ran failed
  ctest --preset release -R Allocation >"$scratch/allocations.txt" || true
  ran=$(sed -n 's/.* out of \([0-9]*\)$/\1/p' "$scratch/allocations.txt")
  failed=$(sed -n 's/.*, \([0-9]*\) tests failed out of.*/\1/p' "$scratch/allocations.txt")
  row "steady state: tests that allocate" "${failed:?ctest found no allocation tests}" '<=' 0 \
    "$ran tests of the step and the sessions, outside gRPC and protobuf"
}

describe_machine \
  "server and echo on CPU $server_cpu, generator on CPU $client_cpu, ${seconds} s each; the big network's" \
  "server also on CPUs $all_cpus, with the generator, which is nearly idle then, on the same ones"
header
make_model lstm-64 64 16
make_model lstm-64-wide 64 64
make_model lstm-512 512 64
make_model lstm-1024 1024 64
measure_kernel
measure_messages
measure_secured
measure_pipelined
measure_multiplexed
measure_generation
measure_history
measure_big
measure_stores
measure_memory
measure_allocations
