#!/usr/bin/env bash
# A real Prometheus scrapes a running rondo-server, traces of requests with it, and promtool finds nothing to say about the page.
#
#   prometheus_scrape_test.sh BIN_DIR          where rondo-server and rondo are; run from the repository's root
set -euo pipefail
source deploy/server_process.sh

readonly bin=$1
readonly days=50
work=$(mktemp -d)
prometheus_pid=
prometheus_url=

clean_up() {
  kill_server
  if [[ $prometheus_pid ]]; then
    kill "$prometheus_pid" 2>/dev/null || true
    wait "$prometheus_pid" || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT

fail() { echo "$*" >&2; exit 1; }

# Prometheus does not say which port it got for port 0, so ports are tried.
start_prometheus() {
  cat >"$work/prometheus.yml" <<YAML
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: rondo, static_configs: [{targets: ["$(listening_at http_address)"]}]}]
YAML
  local attempt poll address
  for ((attempt = 0; attempt < 5; attempt++)); do
    address=127.0.0.1:$((20000 + RANDOM % 12000))
    prometheus --enable-feature=exemplar-storage --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="$address" \
      >"$work/prometheus.log" 2>&1 &
    prometheus_pid=$!
    for ((poll = 0; poll < 300; poll++)); do
      if grep -q 'Server is ready' "$work/prometheus.log"; then prometheus_url=http://$address; return; fi
      kill -0 "$prometheus_pid" 2>/dev/null || break
      sleep 0.1
    done
  done
  tail "$work/prometheus.log" >&2
  fail "Prometheus did not start"
}

# await QUERY VALUE: Prometheus answers QUERY with VALUE within 30 seconds.
await() {
  local poll answer=
  for ((poll = 0; poll < 150; poll++)); do
    answer=$(promtool query instant "$prometheus_url" "$1" 2>&1 | sed -n 's/.*=> \([^ ]*\) @.*/\1/p')
    [[ $answer == "$2" ]] && return
    sleep 0.2
  done
  fail "$1: wanted $2, got '$answer'"
}

# Nobody collects the traces; each request has one all the same.
start_server "$work/server.log" "$bin/rondo-server" --model=deploy/demo/models/seattle/1/model.safetensors \
  --otlp_endpoint=127.0.0.1:9 --trace_sampling=1
head -n $((days + 1)) deploy/demo/seattle-weather.csv | "$bin/rondo" stream seattle --session=a >"$work/predictions.csv"

read_metrics >"$work/metrics.txt"
promtool check metrics <"$work/metrics.txt" || fail "promtool complains about /metrics"

start_prometheus
await 'up{job="rondo"}' 1
await 'rondo_steps_total{model="seattle"}' "$days"
await 'rondo_sessions{model="seattle"}' 1
await 'sum(rondo_request_duration_seconds_count{model="seattle",code="OK"})' "$days"
exemplars=$(python3 - "$prometheus_url" <<'PY'
import sys, time, urllib.parse, urllib.request
query = {"query": 'rondo_request_duration_seconds_bucket{model="seattle",code="OK"}', "start": time.time() - 600, "end": time.time() + 60}
print(urllib.request.urlopen(f"{sys.argv[1]}/api/v1/query_exemplars?{urllib.parse.urlencode(query)}").read().decode())
PY
)
[[ $exemplars =~ \"trace_id\":\"[0-9a-f]{32}\" ]] || fail "Prometheus has no exemplars: $exemplars"
stop_server
await 'up{job="rondo"}' 0
