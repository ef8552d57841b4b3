#!/usr/bin/env python3
"""Steps a second of a model here and in onnxruntime on one thread, in turns; the ratio is ours / theirs.

usage: graph_speed.py GRAPH_BENCH MODEL.safetensors MODEL.onnx [LENGTH]

LENGTH replaces symbolic dimensions of the ONNX model's inputs but the first of each, which is the batch. A model whose
batch is fixed to one runs once for each row. Needs the PyPI packages onnxruntime and numpy.
"""

import json
import subprocess
import sys
import time

import numpy
import onnxruntime

TURNS = 5
SECONDS = 0.5


def onnx_inputs(session, batch_size, length):
    """Zeros of every input's shape, and whether one run takes the whole batch."""
    inputs, whole = {}, True
    for each in session.get_inputs():
        if each.type == "tensor(int64)":
            inputs[each.name] = numpy.array(16000, dtype=numpy.int64)
            continue
        symbolic = [i for i, size in enumerate(each.shape) if not isinstance(size, int)]
        whole = whole and (bool(symbolic) or batch_size == 1)
        shape = [size if isinstance(size, int) else batch_size if i == symbolic[0] else length
                 for i, size in enumerate(each.shape)]
        inputs[each.name] = numpy.zeros(shape, dtype=numpy.float32)
    return inputs, whole


def onnx_steps(session, batch_size, length):
    inputs, whole = onnx_inputs(session, batch_size, length)
    if not whole:
        inputs, _ = onnx_inputs(session, 1, length)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        session.run(None, inputs)
        steps += batch_size if whole else 1
    return steps / (time.perf_counter() - start)


def our_steps(bench, model):
    lines = subprocess.run([bench, model], check=True, capture_output=True, text=True).stdout.splitlines()
    return {row["batch_size"]: row["steps_per_second"] for row in map(json.loads, lines)}


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    bench, ours, theirs = sys.argv[1:4]
    length = int(sys.argv[4]) if len(sys.argv) == 5 else 1
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(theirs, options, providers=["CPUExecutionProvider"])
    best = {1: [0, 0], 64: [0, 0]}
    for _ in range(TURNS):
        speeds = our_steps(bench, ours)
        for batch_size, pair in best.items():
            pair[0] = max(pair[0], speeds[batch_size])
            pair[1] = max(pair[1], onnx_steps(session, batch_size, length))
    for batch_size, (mine, other) in best.items():
        print(json.dumps({"batch_size": batch_size, "steps_per_second": mine, "onnxruntime": round(other),
                          "ratio": round(mine / other, 2)}))


if __name__ == "__main__":
    main()
