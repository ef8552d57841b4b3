#!/usr/bin/env python3
"""ONNX graphs with cells and states, converted and compared with onnxruntime step by step; and PyTorch's own numbers.

    onnxruntime_cells_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy
from onnx import TensorProto

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import foreign_files as ff  # noqa: E402
from interpreter import Interpreter  # noqa: E402
from onnx_case import BIN, TOLERANCE, OnnxCase  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402


class CellsTest(OnnxCase):
    def test_an_lstm_in_every_form_gives_the_numbers_of_onnxruntime(self):
        hard = ["HardSigmoid", "Relu", "Tanh"]
        for options in ({}, {"bias": False}, {"peepholes": True}, {"activations": hard}, {"direction": "reverse"},
                        {"directions": 2, "direction": "bidirectional", "peepholes": True}):
            with self.subTest(options):
                g = Graph()
                y, _, _ = self.lstm(g, "x", 5, 6, **options)
                self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_a_gru_and_an_rnn_in_every_form_give_the_numbers_of_onnxruntime(self):
        for op, gates, options in (("GRU", 3, {}), ("GRU", 3, {"linear_before_reset": 1}), ("RNN", 1, {}),
                                   ("GRU", 3, {"activations": ["HardSigmoid", "Relu"]}),
                                   ("RNN", 1, {"activations": ["Relu"]}),
                                   ("GRU", 3, {"direction": "bidirectional", "linear_before_reset": 1})):
            with self.subTest(op=op, **options):
                g = Graph()
                d = 2 if "direction" in options else 1
                y, _ = g.add(op, ["x", g.weights(d, gates * 4, 5), g.weights(d, gates * 4, 4),
                                  g.weights(d, 2 * gates * 4)], 2, hidden_size=4, **options)
                self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_the_last_state_of_both_directions_is_the_answer(self):
        g = Graph()
        _, h, _ = self.lstm(g, "x", 5, 6, 2, direction="bidirectional")
        rows = g.add("Transpose", [h], perm=[1, 0, 2])
        flat = g.add("Reshape", [rows, g.ints(1, -1)])
        y = g.add("Gemm", [flat, g.weights(12, 3), g.weights(3)])
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5), axis=None)

    def test_two_directions_of_two_cells_by_turning_the_sequence_round(self):
        """As programs do that have no bidirectional layer, and tf2onnx by ReverseSequence."""
        end = -2 ** 62
        turn = {"slice": lambda g, y: g.add("Slice", [y, g.ints(-1), g.ints(end), g.ints(0), g.ints(-1)]),
                "sequence": lambda g, y: g.add("ReverseSequence", [y, g.add("Slice", [g.add("Shape", ["x"]), g.ints(0), g.ints(1)])],
                                               time_axis=0, batch_axis=1)}
        for way in turn.values():
            g = Graph()
            y, _, _ = self.lstm(g, "x", 5, 4)
            back, h, _ = self.lstm(g, way(g, "x"), 5, 4)
            back = way(g, g.add("Squeeze", [back, g.ints(1)]))
            both = g.add("Concat", [g.add("Squeeze", [y, g.ints(1)]), back], axis=2)
            self.compare(g, self.SEQUENCE, g.add("MatMul", [both, g.weights(8, 3)]), self.x(9, 1, 5))
            self.compare(g, self.SEQUENCE, h, self.x(9, 1, 5), axis=None)

    def test_batch_first_with_a_dense_network_around_two_cells(self):
        self.time = 1
        g = Graph()
        hidden = g.add("Relu", [g.add("Add", [g.add("MatMul", ["x", g.weights(5, 7)]), g.weights(7)])])
        y, _, _ = self.lstm(g, g.add("Transpose", [hidden], perm=[1, 0, 2]), 7, 4)
        y = g.add("Squeeze", [y, g.ints(1)])
        z, _, _ = self.lstm(g, y, 4, 3)
        z = g.add("Transpose", [g.add("Squeeze", [z, g.ints(1)])], perm=[1, 0, 2])
        both = g.add("Concat", [z, hidden], axis=-1)
        out = g.add("Softmax", [g.add("Add", [g.add("MatMul", [both, g.weights(10, 4)]), g.weights(4)])], axis=-1)
        self.compare(g, [("x", FLOAT, ["batch", "sequence", 5])], out, self.x(1, 9, 5), axis=1)

    def test_the_last_timestep_is_taken_by_gather_or_slice(self):
        for op in ("Gather", "Slice"):
            with self.subTest(op):
                self.time = 1
                g = Graph()
                y, _, _ = self.lstm(g, g.add("Transpose", ["x"], perm=[1, 0, 2]), 5, 4)
                y = g.add("Transpose", [g.add("Squeeze", [y, g.ints(1)])], perm=[1, 0, 2])
                if op == "Gather":
                    last = g.add("Gather", [y, g.constant(numpy.array(-1, numpy.int64))], axis=1)
                else:
                    last = g.add("Squeeze", [g.add("Slice", [y, g.ints(-1), g.ints(2 ** 62), g.ints(1)]), g.ints(1)])
                out = g.add("Sigmoid", [g.add("Gemm", [last, g.weights(2, 4), g.weights(2)], transB=1)])
                self.compare(g, [("x", FLOAT, ["batch", "sequence", 5])], out, self.x(1, 9, 5), axis=None)

    def test_an_initial_state_from_constant_of_shape_is_zero(self):
        g = Graph()
        shape = g.add("Shape", ["x"])
        batch = g.add("Gather", [shape, g.ints(1)], axis=0)
        zeros = g.add("ConstantOfShape", [g.add("Concat", [g.ints(1), batch, g.ints(4)], axis=0)])
        inputs = ["x", g.weights(1, 16, 5), g.weights(1, 16, 4), g.weights(1, 32), "", zeros, zeros]
        y, _, _ = g.add("LSTM", inputs, 3, hidden_size=4)
        self.compare(g, [("x", FLOAT, ["seq", "batch", 5])], y, self.x(9, 1, 5))

    def test_a_sequence_that_is_shifted_into_the_past_is_a_delay(self):
        g = Graph()
        shifted = g.add("Slice", [g.add("Pad", ["x", g.ints(2, 0, 0, 0, 0, 0)]), g.ints(0), g.ints(-2), g.ints(0)])
        y = g.add("Sub", ["x", g.add("Sigmoid", [g.add("MatMul", [shifted, g.weights(5, 5)])])])
        y = g.add("Add", [g.add("Concat", [y, shifted], axis=2), g.weights(10)])
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_timesteps_of_zeros_that_no_convolution_goes_over_are_refused(self):
        g = Graph()
        y = g.add("Tanh", [g.add("Pad", ["x", g.ints(2, 0, 0, 0, 0, 0)])])
        self.refuse(g.model(self.SEQUENCE, [y]), r"'Tanh_1' \(Tanh\) reads timesteps before the first")

    def test_an_lstm_that_quantizes_its_data_is_met_as_near_as_eight_bits_are(self):
        g = Graph()
        w = g.constant(g.random.integers(-100, 100, (1, 5, 16)).astype(numpy.int8))
        r = g.constant(g.random.integers(-100, 100, (1, 4, 16)).astype(numpy.int8))
        scale = g.constant(numpy.array([0.006], numpy.float32))
        zero = g.constant(numpy.array([0], numpy.int8))
        y, _, _ = g.add("DynamicQuantizeLSTM", ["x", w, r, g.weights(1, 32), "", "", "", "", scale, zero, scale, zero], 3,
                        domain="com.microsoft", hidden_size=4)
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5), tolerance=0.03)

    def test_a_state_that_the_graph_takes_and_gives_is_kept(self):
        """Six steps of a graph of one step, the state handed on outside, against one sequence of ours."""
        g = Graph()
        state = [g.add("Slice", ["state", g.ints(i), g.ints(i + 1), g.ints(0)]) for i in range(2)]
        y, h, c = g.add("LSTM", [g.add("Unsqueeze", ["x", g.ints(0)]), g.weights(1, 16, 5), g.weights(1, 16, 4),
                                 g.weights(1, 32), "", *state], 3, hidden_size=4)
        out = g.add("Squeeze", [y, g.ints(0, 1)])
        after = g.add("Concat", [h, c], axis=0)
        model = g.model([("x", FLOAT, ["batch", 5]), ("state", FLOAT, [2, "batch", 4])], [out, after])
        x, session = self.x(6, 5), self.session(model)
        kept, theirs = numpy.zeros((2, 1, 4), numpy.float32), []
        for row in x:
            answer, kept = session.run(None, {"x": row.reshape(1, 5), "state": kept})
            theirs.append(answer.reshape(-1))
        numpy.testing.assert_allclose(self.convert(model).run(x), theirs, atol=TOLERANCE)

    def test_a_cell_that_pytorch_wrote_for_rows_and_for_batches_keeps_its_state(self):
        """PyTorch's LSTMCell asks how many axes its input has: the size of its shape. Its weights are gates i f g o."""
        g = Graph()
        no_batch = g.add("Equal", [g.add("Size", [g.add("Shape", ["x"])]), g.constant(numpy.int64(1))])
        condition = g.add("Cast", [g.add("Not", [no_batch])], to=TensorProto.BOOL)

        def one_batch(value, letter):
            same, more = Graph(letter=letter + "a"), Graph(letter=letter + "b")
            return g.add("If", [condition], then_branch=same.branch(same.add("Identity", [value])),
                         else_branch=more.branch(more.add("Unsqueeze", [value, more.ints(0)])))

        def of_onnx(weights):
            parts = [g.add("Slice", [weights, g.ints(4 * a), g.ints(4 * b), g.ints(0)]) for a, b in ((0, 1), (3, 4), (1, 3))]
            return g.add("Concat", parts, axis=0)
        begin = [one_batch(g.add("Gather", ["state", g.constant(numpy.int64(i))]), f"state{i}") for i in range(2)]
        x, h, c = (g.add("Unsqueeze", [each, g.ints(0)]) for each in (one_batch("x", "x"), *begin))
        w, r = (g.add("Unsqueeze", [of_onnx(g.weights(16, width)), g.ints(0)]) for width in (5, 4))
        b = g.add("Unsqueeze", [g.add("Concat", [of_onnx(g.weights(16)), of_onnx(g.weights(16))], axis=0), g.ints(0)])
        _, h, c = g.add("LSTM", [x, w, r, b, "", h, c], 3, hidden_size=4)
        # An input that does nothing, so that it stays in the graph.
        nothing = g.add("Cast", [g.add("Mul", ["rate", g.constant(numpy.int64(0))])], to=FLOAT)
        after = g.add("Add", [g.add("Concat", [h, c], axis=0), nothing])
        out = g.add("Sigmoid", [g.add("Squeeze", [h, g.ints(0)])])
        model = g.model([("x", FLOAT, ["batch", "width"]), ("state", FLOAT, [2, "batch", 4]), ("rate", TensorProto.INT64, [])],
                        [out, after])
        x, session = self.x(6, 5), self.session(model)
        kept, theirs = numpy.zeros((2, 1, 4), numpy.float32), []
        for row in x:
            answer, kept = session.run(None, {"x": row.reshape(1, 5), "state": kept, "rate": numpy.array(16000)})
            theirs.append(answer.reshape(-1))
        ours = self.convert(model, "--dimension=width=5")
        numpy.testing.assert_allclose(ours.run(x), theirs, atol=TOLERANCE)
        self.assertEqual([e["type"] for e in ours.description["elements"]], ["lstm", "activation"])


class TorchTest(unittest.TestCase):
    def test_a_state_dict_gives_the_numbers_of_pytorch(self):
        """tests/golden has networks that PyTorch made, with its answers."""
        golden = pathlib.Path(__file__).resolve().parents[2] / "golden/networks_torch.json"
        for network in json.loads(golden.read_text()):
            with self.subTest(network["name"]), tempfile.TemporaryDirectory() as folder:
                rows, hidden = {"lstm": 4, "gru": 3, "rnn": 1}[network["cell"]] * network["hidden_size"], network["hidden_size"]
                def shape(name):
                    width = network["input_size"] if name.endswith("ih_l0") else hidden
                    return [rows] if "bias" in name else [rows, width]
                state = {name: ff.Tensor(values, shape(name) if name.startswith("rnn.") else
                                         [network["output_size"], hidden] if name.endswith("weight") else [len(values)])
                         for name, values in network["weights"].items()}
                path = pathlib.Path(folder) / "it.pt"
                path.write_bytes(ff.torch_file(state))
                options = [f"--activation=rnn={network['activation']}"] if network["cell"] == "rnn" else []
                done = subprocess.run([BIN / "rondo-convert", path, f"--output={folder}", *options], text=True,
                                      capture_output=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                model = Interpreter(f"{folder}/it/1/model.safetensors")
                for x, y in zip(network["inputs"], network["outputs"]):
                    numpy.testing.assert_allclose(model.run(x), y, atol=TOLERANCE, rtol=0)


if __name__ == "__main__":
    unittest.main()
