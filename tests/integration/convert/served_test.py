#!/usr/bin/env python3
"""Networks that were converted, served: ten seconds of audio through sessions of a real rondo-server that are forked,
exported, imported by another server, and kept over a restart half way, against onnxruntime and its own state.

    served_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime

A network of silero-vad's kind is made on the spot. Where RONDO_REAL_MODELS names a folder with silero-vad's own files
(silero_vad_16k_sequence.onnx, silero_vad_16k_op15.onnx, silero_vad_16k.safetensors of silero-vad 6.2), they are tried too.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy
import onnx

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import real_networks  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402
from rondo_server import Server  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
REAL = pathlib.Path(os.environ["RONDO_REAL_MODELS"]) if "RONDO_REAL_MODELS" in os.environ else None
TOLERANCE = 1e-5
RATE, CHUNK, CONTEXT = 16000, 512, 64


def audio(seconds=10):
    """Something like speech: a voice whose pitch and loudness wander, pauses, and noise."""
    random = numpy.random.default_rng(11)
    t = numpy.arange(seconds * RATE) / RATE
    pitch = 120 + 30 * numpy.sin(2 * numpy.pi * 0.7 * t)
    phase = 2 * numpy.pi * numpy.cumsum(pitch) / RATE
    voice = sum(numpy.sin(k * phase) / k for k in range(1, 20))
    loudness = numpy.clip(numpy.sin(2 * numpy.pi * 0.4 * t), 0, 1) * (0.6 + 0.4 * numpy.sin(2 * numpy.pi * 4 * t))
    return (0.2 * voice * loudness + random.normal(0, 0.003, len(t))).astype(numpy.float32)


def chunks(samples):
    """Rows of 512 samples, each behind the 64 before them, as silero-vad takes them."""
    padded = numpy.concatenate([numpy.zeros(CONTEXT, numpy.float32), samples])
    count = len(samples) // CHUNK
    return numpy.stack([padded[i * CHUNK:i * CHUNK + CHUNK + CONTEXT] for i in range(count)])


def small_network():
    """A graph of one step of silero-vad's kind: a filter bank, convolutions, an LSTM whose state goes in and out."""
    g = Graph(seed=3)
    frame = g.add("Unsqueeze", ["input", g.ints(1)])
    bank = g.add("Conv", [g.add("Pad", [frame, g.ints(0, 0, 0, 0, 0, 64)], mode="reflect"), g.weights(16, 1, 256)], strides=[128])
    real, imaginary = g.add("Split", [bank, g.ints(8, 8)], 2, axis=1)
    power = g.add("Add", [g.add("Mul", [real, real]), g.add("Mul", [imaginary, imaginary])])
    y = g.add("Relu", [g.add("Conv", [g.add("Sqrt", [power]), g.weights(12, 8, 3), g.weights(12)], pads=[1, 1], strides=[2])])
    y = g.add("Squeeze", [g.add("ReduceMean", [y], axes=[2], keepdims=1), g.ints(2)])
    begin = [g.add("Slice", ["state", g.ints(i), g.ints(i + 1), g.ints(0)]) for i in range(2)]
    _, h, c = g.add("LSTM", [g.add("Unsqueeze", [y, g.ints(0)]), g.weights(1, 24, 12), g.weights(1, 24, 6), g.weights(1, 48), "",
                             *begin], 3, hidden_size=6)
    out = g.add("Sigmoid", [g.add("Gemm", [g.add("Squeeze", [h, g.ints(0)]), g.weights(6, 1), g.weights(1)])])
    return g.model([("input", FLOAT, ["batch", CHUNK + CONTEXT]), ("state", FLOAT, [2, "batch", 6])],
                   [out, g.add("Concat", [h, c], axis=0)])


class ServedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.started = 0

    def convert(self, file, *options):
        done = subprocess.run([BIN / "rondo-convert", file, f"--output={self.folder}/models", "--name=vad", *options],
                              text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def server(self, store):
        server = Server(BIN, self.folder / "models", f"--session_store=rocksdb:{self.folder / store}", "--durability=every_reply")
        self.addCleanup(server.stop)
        return server

    def serve(self, rows, theirs):
        """Half of the rows in one session; the other half in that session after a restart, in its fork, and in what was
        exported of it, which another server goes on with."""
        half = len(rows) // 2
        first, other = self.server("first"), self.server("other")
        early = first.answers("vad", rows[:half], "--session=caller")
        first.rondo("sessions", "fork", "caller", "--as=forked")
        exported = first.rondo("sessions", "export", "caller", "--output=-")
        other.rondo("sessions", "import", "-", "--session=imported", given=exported)
        forked = first.answers("vad", rows[half:], "--session=forked")
        imported = other.answers("vad", rows[half:], "--session=imported")
        first.stop()
        restored = self.server("first").answers("vad", rows[half:], "--session=caller")
        numpy.testing.assert_array_equal(forked, restored)
        numpy.testing.assert_array_equal(imported, restored)
        ours = numpy.concatenate([early, restored])
        self.assertEqual(ours.shape, theirs.shape)
        worst = numpy.abs(ours - theirs).max()
        print(f"{self.id().rpartition('.')[2]}: {len(rows)} steps, answers from {theirs.min():.3f} to {theirs.max():.3f}, "
              f"largest difference {worst:.1e}", file=sys.stderr)
        self.assertLessEqual(worst, TOLERANCE)

    def test_a_small_network_of_silero_vads_kind(self):
        model, rows = small_network(), chunks(audio())
        path = self.folder / "small.onnx"
        onnx.save(model, path)
        self.convert(path)
        output, after = (o.name for o in model.graph.output)
        self.serve(rows, real_networks.run_onnx(path, lambda i: {"input": rows[i:i + 1]}, {"state": ((2, 1, 6), after)}, len(rows), output))

    def real(self, name):
        if REAL is None or not (REAL / name).exists():
            self.skipTest(f"RONDO_REAL_MODELS names no folder with {name}")
        return REAL / name

    def test_silero_vad_as_a_graph_over_sequences(self):
        file, rows = self.real("silero_vad_16k_sequence.onnx"), chunks(audio())
        self.convert(file)
        self.serve(rows, real_networks.silero_sequence_answers(file, rows))

    def test_silero_vad_as_a_graph_of_one_step(self):
        file, rows = self.real("silero_vad_16k_op15.onnx"), chunks(audio())
        self.convert(file, "--dimension=sequence=576")
        self.serve(rows, real_networks.op15_answers(file, rows))

    def test_silero_vad_as_weights_with_a_description(self):
        file, rows = self.real("silero_vad_16k.safetensors"), chunks(audio())
        graph = self.real("silero_vad_16k_op15.onnx")
        (self.folder / "silero.json").write_text(json.dumps(real_networks.SILERO))
        self.convert(file, f"--config={self.folder}/silero.json")
        theirs = self.folder / "theirs.onnx"
        real_networks.save_with_weights(graph, file, theirs)
        self.serve(rows, real_networks.op15_answers(theirs, rows))


if __name__ == "__main__":
    unittest.main()
