#!/usr/bin/env bash
# usage: perf_analyzer_test.sh BIN_DIR
#
# Triton's perf_analyzer, unmodified, from PyPI in a throw-away folder, against the real server: sequences over streams
# by concurrency and by request rate. Exit 0, no errors, and server-side statistics that our own metrics confirm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source deploy/server_process.sh
readonly bin=$1
begin_script

# The last tritonclient whose perf_analyzer runs on Debian 12's glibc, and the two libraries it links to.
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps tritonclient==2.51.0 nvidia-cuda-runtime-cu12==12.4.127 ||
  { echo "cannot install perf_analyzer: this test needs PyPI"; exit 1; }
libraries=$(dirname "$(find "$work/venv" -name 'libcudart.so.12')")

PYTHONPATH=tests/integration PYTHONDONTWRITEBYTECODE=1 python3 - "$work/models" <<'PYTHON'
import math, pathlib, random, sys
from small_models import write_model
shapes = {"rnn.weight_ih_l0": [256, 16], "rnn.weight_hh_l0": [256, 64], "rnn.bias_ih_l0": [256],
          "rnn.bias_hh_l0": [256], "head.weight": [1, 64], "head.bias": [1]}
write_model(pathlib.Path(sys.argv[1]), "lstm",
            {"format": 1, "cell": "lstm", "inputs": [{"name": "x%d" % i} for i in range(16)], "outputs": [{"name": "y"}]},
            {name: (shape, [random.uniform(-0.1, 0.1) for _ in range(math.prod(shape))]) for name, shape in shapes.items()})
PYTHON
start_server "$work/server.log" "$bin/rondo-server" --model_repository="$work/models"

# analyze ARGUMENTS...: a short window; how steady the numbers are is not judged here.
analyze() {
  LD_LIBRARY_PATH=$libraries timeout 80 "$work/venv/bin/perf_analyzer" -m lstm -u "$RONDO_SERVER" -i grpc --async \
    --streaming --sequence-length 50 --measurement-interval 1000 --stability-percentage 999 --max-trials 3 "$@" \
    >"$work/report" 2>&1 || { echo "perf_analyzer $* exited $?"; cat "$work/report"; exit 1; }
  cat "$work/report"
  if grep -iE 'error|fail|warning: .*request' "$work/report"; then echo "perf_analyzer reports errors"; exit 1; fi
  # Inferences that the server counted in the windows, within what may straddle their borders.
  awk '/^ *Request count:/ { client = $3 }
       /^ *Inference count:/ { seen++; if ($3 < 0.9 * client || $3 > 1.1 * client) bad = 1 }
       END { exit !(seen && !bad) }' "$work/report" ||
    { echo "the server-side statistics are not those of the client"; exit 1; }
}

analyze --concurrency-range 1:64:21
analyze --request-rate-range 1000 --num-of-sequences 100

metrics=$(read_metrics)
grep -E 'rondo_steps_total\{model="lstm"\} [1-9]' <<<"$metrics"
if grep -E 'method="ModelStreamInfer",code="[^O]' <<<"$metrics"; then echo "some requests failed"; exit 1; fi
