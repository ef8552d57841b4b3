#!/usr/bin/env bash
# usage: perf_analyzer_test.sh BIN_DIR
#
# Triton's perf_analyzer, unmodified, from PyPI in a throw-away folder, against the real server: sequences over streams
# by concurrency and by request rate. Exit 0, no errors, and server-side statistics that our own metrics confirm.
set -euo pipefail
bin=$1
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT

# The last tritonclient whose perf_analyzer runs on Debian 12's glibc, and the two libraries it links to.
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps tritonclient==2.51.0 nvidia-cuda-runtime-cu12==12.4.127 ||
  { echo "cannot install perf_analyzer: this test needs PyPI"; exit 1; }
libraries=$(dirname "$(find "$folder/venv" -name 'libcudart.so.12')")

python3 - "$folder/models/lstm/1" <<'PYTHON'
import json, pathlib, random, struct, sys
shapes = {"rnn.weight_ih_l0": [256, 16], "rnn.weight_hh_l0": [256, 64], "rnn.bias_ih_l0": [256],
          "rnn.bias_hh_l0": [256], "head.weight": [1, 64], "head.bias": [1]}
description = {"format": 1, "cell": "lstm", "inputs": [{"name": "x%d" % i} for i in range(16)],
               "outputs": [{"name": "y"}]}
header, body = {"__metadata__": {"rondo": json.dumps(description)}}, b""
for name, shape in shapes.items():
    count = shape[0] * (shape[1] if len(shape) == 2 else 1)
    packed = struct.pack("<%df" % count, *[random.uniform(-0.1, 0.1) for _ in range(count)])
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(packed)]}
    body += packed
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
path = pathlib.Path(sys.argv[1])
path.mkdir(parents=True)
(path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
PYTHON

"$bin/rondo-server" --model_repository="$folder/models" --listen=127.0.0.1:0 --http_listen=127.0.0.1:0 \
  2>"$folder/server.log" &
server=$!
for _ in $(seq 100); do grep -q event=listening "$folder/server.log" && break; sleep 0.1; done
address=$(sed -n 's/.*event=listening .*\baddress=\([0-9.:]*\).*/\1/p' "$folder/server.log" | head -1)
http=$(sed -n 's/.*http_address=\([0-9.:]*\).*/\1/p' "$folder/server.log" | head -1)
[ -n "$address" ] || { echo "the server did not start"; cat "$folder/server.log"; exit 1; }

# analyze ARGUMENTS...: a short window; how steady the numbers are is not judged here.
analyze() {
  LD_LIBRARY_PATH=$libraries timeout 80 "$folder/venv/bin/perf_analyzer" -m lstm -u "$address" -i grpc --async \
    --streaming --sequence-length 50 --measurement-interval 1000 --stability-percentage 999 --max-trials 3 "$@" \
    >"$folder/report" 2>&1 || { echo "perf_analyzer $* exited $?"; cat "$folder/report"; exit 1; }
  cat "$folder/report"
  if grep -iE 'error|fail|warning: .*request' "$folder/report"; then echo "perf_analyzer reports errors"; exit 1; fi
  # Inferences that the server counted in the windows, within what may straddle their borders.
  awk '/^ *Request count:/ { client = $3 }
       /^ *Inference count:/ { seen++; if ($3 < 0.9 * client || $3 > 1.1 * client) bad = 1 }
       END { exit !(seen && !bad) }' "$folder/report" ||
    { echo "the server-side statistics are not those of the client"; exit 1; }
}

analyze --concurrency-range 1:64:21
analyze --request-rate-range 1000 --num-of-sequences 100

metrics=$(python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' "http://$http/metrics")
grep -E 'rondo_steps_total\{model="lstm"\} [1-9]' <<<"$metrics"
if grep -E 'method="ModelStreamInfer",code="[^O]' <<<"$metrics"; then echo "some requests failed"; exit 1; fi
