#!/usr/bin/env python3
"""Prints how fast a timestep of a layer is on our kernel against oneDNN's primitive and onnxruntime, on one thread.

usage: kernel_table.py KERNEL_BENCH [--cell=NAME]... [--hidden=H,...] [--rows=B,...] [--instruction_set=NAME] [--turns=N]

A row for each cell, number of units (as many inputs) and number of rows: microseconds of ours, what it reaches of the
core's fused multiply-adds, and the ratios oneDNN / ours and onnxruntime / ours. onnxruntime is the faster of its LSTM or
GRU operator and of the graph of products and activations that the operator stands for, each less what a call that
computes nothing takes. All are the fastest of turns that alternate, in this process's and kernel-bench's CPU time.
--instruction_set=avx2 holds ours and oneDNN to AVX2; onnxruntime has no such switch, and its column is then left out.

Needs the PyPI packages onnx, onnxruntime and numpy.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy
import onnxruntime
from onnx import TensorProto, helper

sys.path.insert(0, str(pathlib.Path(__file__).parent / "peers"))
from onnx_session import session_of  # noqa: E402

GATES = {"lstm": 4, "gru_after": 3, "gru_before": 3}
SECONDS = 0.05  # of one turn of one graph


def floats(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def random_weights(cell, hidden):
    random = numpy.random.default_rng(1)
    rows = GATES[cell] * hidden
    uniform = lambda *shape: random.uniform(-0.05, 0.05, shape).astype(numpy.float32)  # noqa: E731
    return uniform(rows, hidden), uniform(rows, hidden), uniform(2 * rows)


def operator(cell, hidden, rows):
    """ONNX's LSTM or GRU over one timestep."""
    w, r, b = random_weights(cell, hidden)
    weights = {"W": w[None], "R": r[None], "B": b[None]}
    states = ["h", "c"] if cell == "lstm" else ["h"]
    inputs = [floats("x", [1, rows, hidden])] + [floats(state, [1, rows, hidden]) for state in states]
    outputs = [floats(state + "_out", [1, rows, hidden]) for state in states]
    attributes = {"hidden_size": hidden}
    if cell != "lstm":
        attributes["linear_before_reset"] = int(cell == "gru_after")
    node = helper.make_node("LSTM" if cell == "lstm" else "GRU", ["x", "W", "R", "B", ""] + states,
                            [""] + [state + "_out" for state in states], **attributes)
    return session_of([node], inputs, outputs, weights), {each.name: (1, rows, hidden) for each in inputs}


def node(kind, inputs, *outputs, **attributes):
    return helper.make_node(kind, inputs, list(outputs), **attributes)


def lstm_nodes(hidden):
    return [node("Concat", ["x", "h"], "xh", axis=1), node("Gemm", ["xh", "WR", "b"], "gates"),
            node("Split", ["gates", "sizes4"], "i0", "f0", "g0", "o0", axis=1),
            node("Sigmoid", ["i0"], "i"), node("Sigmoid", ["f0"], "f"), node("Tanh", ["g0"], "g"),
            node("Sigmoid", ["o0"], "o"), node("Mul", ["f", "c"], "kept"), node("Mul", ["i", "g"], "new"),
            node("Add", ["kept", "new"], "c_out"), node("Tanh", ["c_out"], "bent"), node("Mul", ["o", "bent"], "h_out")]


def gru_nodes(after):
    nodes = [node("Concat", ["x", "h"], "xh", axis=1), node("Gemm", ["xh", "WRzr", "bzr"], "gates"),
             node("Sigmoid", ["gates"], "both"), node("Split", ["both", "sizes2"], "r", "z", axis=1)]
    if after:
        nodes += [node("Gemm", ["x", "Wn", "bn"], "nx"), node("Gemm", ["h", "Rn", "cn"], "nh"),
                  node("Mul", ["r", "nh"], "rn"), node("Add", ["nx", "rn"], "n0")]
    else:
        nodes += [node("Mul", ["r", "h"], "rh"), node("Concat", ["x", "rh"], "xrh", axis=1),
                  node("Gemm", ["xrh", "WRn", "bn"], "n0")]
    return nodes + [node("Tanh", ["n0"], "n"), node("Sub", ["h", "n"], "apart"), node("Mul", ["z", "apart"], "kept"),
                    node("Add", ["n", "kept"], "h_out")]


def decomposed(cell, hidden, rows):
    """The operator's formula as products and activations."""
    w, r, b = random_weights(cell, hidden)
    bias = b[:len(w)] + b[len(w):]
    both = numpy.ascontiguousarray(numpy.concatenate([w, r], axis=1).T)
    if cell == "lstm":
        weights = {"WR": both, "b": bias, "sizes4": numpy.full(4, hidden)}
    else:
        gates = 2 * hidden
        weights = {"WRzr": numpy.ascontiguousarray(both[:, :gates]), "bzr": bias[:gates], "bn": bias[gates:],
                   "sizes2": numpy.full(2, hidden)}
        if cell == "gru_after":
            weights.update(Wn=numpy.ascontiguousarray(w[gates:].T), Rn=numpy.ascontiguousarray(r[gates:].T),
                           cn=bias[gates:])
        else:
            weights["WRn"] = numpy.ascontiguousarray(both[:, gates:])
    states = ["h", "c"] if cell == "lstm" else ["h"]
    nodes = lstm_nodes(hidden) if cell == "lstm" else gru_nodes(cell == "gru_after")
    inputs = [floats(name, [rows, hidden]) for name in ["x"] + states]
    outputs = [floats(state + "_out", [rows, hidden]) for state in states]
    return session_of(nodes, inputs, outputs, weights), {each.name: (rows, hidden) for each in inputs}


def nothing(cell, hidden, rows):
    """As many inputs and outputs, and no work but to copy one to the other."""
    states = ["h", "c"] if cell == "lstm" else ["h"]
    inputs = [floats(name, [1, 1]) for name in ["x"] + states]
    outputs = [floats(state + "_out", [1, 1]) for state in states]
    nodes = [node("Identity", [state], state + "_out") for state in states]
    return session_of(nodes, inputs, outputs, {}), {each.name: (1, 1) for each in inputs}


class Runner:
    """A session with its inputs and outputs bound to memory; seconds of one run, the least of all turns."""

    def __init__(self, session, shapes):
        self.session, self.best = session, float("inf")
        self.binding = session.io_binding()
        self.values = [onnxruntime.OrtValue.ortvalue_from_numpy(numpy.full(shape, 0.3, numpy.float32))
                       for shape in shapes.values()]
        for name, value in zip(shapes, self.values):
            self.binding.bind_ortvalue_input(name, value)
        for output in session.get_outputs():
            self.binding.bind_output(output.name)

    def turn(self):
        run, binding = self.session.run_with_iobinding, self.binding
        run(binding)
        start = time.thread_time()
        run(binding)
        repeats = max(3, int(SECONDS / 5 / max(1e-6, time.thread_time() - start)))
        for _ in range(5):
            start = time.thread_time()
            for _ in range(repeats):
                run(binding)
            self.best = min(self.best, (time.thread_time() - start) / repeats)


def bench(options, name):
    environment = dict(os.environ)
    command = [options.kernel_bench, f"--benchmark_filter=^kernel/{name}$", "--benchmark_format=json"]
    if options.instruction_set:
        command.append(f"--instruction_set={options.instruction_set}")
        environment["ONEDNN_MAX_CPU_ISA"] = options.instruction_set.upper()
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    return json.loads(done.stdout)["benchmarks"][0]


def measure(options, cell, hidden, rows):
    theirs = [] if options.instruction_set else [
        Runner(*make(cell, hidden, rows)) for make in (nothing, operator, decomposed)]
    ours = []
    for _ in range(options.turns):
        ours.append(bench(options, f"{cell}/H:{hidden}/B:{rows}/iterations:[0-9]+/manual_time"))
        for runner in theirs:
            runner.turn()
    best = min(row["ours_us"] for row in ours)
    line = [best, max(row["of_peak"] for row in ours), min(row["bare_us"] for row in ours) / best]
    if theirs:
        line.append((min(theirs[1].best, theirs[2].best) - theirs[0].best) * 1e6 / best)
    return line


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    parser.add_argument("kernel_bench")
    parser.add_argument("--cell", action="append", choices=list(GATES))
    numbers = lambda text: [int(number) for number in text.split(",")]  # noqa: E731
    parser.add_argument("--hidden", type=numbers, default=[16, 32, 64, 128, 256, 512, 1024])
    parser.add_argument("--rows", type=numbers, default=[1, 2, 4, 8, 16, 64])
    parser.add_argument("--instruction_set", choices=["avx2"])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    columns = ["cell", "units", "rows", "ours us", "of peak", "oneDNN/ours"]
    columns += [] if options.instruction_set else [f"onnxruntime {onnxruntime.__version__}/ours"]
    print(("{:<11}{:>6}{:>6}{:>11}{:>9}{:>13}" + "  {}" * (len(columns) - 6)).format(*columns))
    for cell in options.cell or GATES:
        for hidden in options.hidden:
            for rows in options.rows:
                us, of_peak, *ratios = measure(options, cell, hidden, rows)
                print(f"{cell:<11}{hidden:>6}{rows:>6}{us:>11.2f}{of_peak:>9.2f}{ratios[0]:>13.2f}" +
                      "".join(f"{ratio:>14.2f}" for ratio in ratios[1:]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
