#!/usr/bin/env python3
"""ONNX graphs of many operators, converted and compared with onnxruntime step by step.

    onnxruntime_operators_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime
"""

import pathlib
import sys
import unittest

import numpy
from onnx import TensorProto, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from onnx_case import OnnxCase  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402


class OperatorsTest(OnnxCase):
    def test_sizes_that_only_move_axes_are_no_numbers_of_the_model(self):
        """PyTorch's view(batch, seq, -1), whose sizes come from Shape and Gather."""
        self.time = 1
        g = Graph()
        shape = g.add("Shape", ["x"])
        batch, seq = (g.add("Unsqueeze", [g.add("Gather", [shape, g.constant(numpy.int64(axis))]), g.ints(0)]) for axis in (0, 1))
        heads = g.add("Reshape", ["x", g.add("Concat", [batch, seq, g.ints(2, 3)], axis=0)])
        turned = g.add("Transpose", [heads], perm=[1, 0, 3, 2])
        flat = g.add("Reshape", [turned, g.add("Concat", [seq, batch, g.ints(-1)], axis=0)])
        y, _, _ = self.lstm(g, flat, 6, 4)
        self.compare(g, [("x", FLOAT, ["batch", "seq", 6])], y, self.x(1, 9, 6))

    def test_axes_that_are_taken_against_their_names_are_said(self):
        g = Graph()
        g.named("y", g.add("Tanh", [g.add("ReduceMean", ["x"], axes=[3], keepdims=1)]))
        self.convert(g.model([("x", FLOAT, [1, "time", 6, 5, 4])], ["y"]))
        self.assertIn("timesteps are along axis 2 (x.2) of 'x' and sequences of a batch along axis 1 (time), against their names: "
                      "as they say it, node 'ReduceMean_0' (ReduceMean) reduces axes of a timestep that stand between others", self.said)

    def test_gates_that_mobile_networks_have(self):
        g = Graph()
        y = g.add("HardSwish", [g.add("MatMul", ["x", g.weights(5, 6)])])
        y = g.add("Mish", [g.add("Min", [y, g.constant(numpy.float32(6))])])
        y = g.add("Max", [g.constant(numpy.float32(-0.2)), y])
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5), opset=18)

    def test_a_gelu_of_single_operators(self):
        g = Graph()
        x = g.add("MatMul", ["x", g.weights(5, 6)])
        one, half, root = (g.constant(numpy.float32(v)) for v in (1, 0.5, 2 ** 0.5))
        erf = g.add("Add", [g.add("Erf", [g.add("Div", [x, root])]), one])
        self.compare(g, self.SEQUENCE, g.add("Mul", [g.add("Mul", [x, erf]), half]), self.x(9, 1, 5))
        g = Graph()
        x = g.add("MatMul", ["x", g.weights(5, 6)])
        one, half, root = (g.constant(numpy.float32(v)) for v in (1, 0.5, 2 ** -0.5))
        erf = g.add("Add", [one, g.add("Erf", [g.add("Mul", [x, root])])])
        self.compare(g, self.SEQUENCE, g.add("Mul", [g.add("Mul", [half, x]), erf]), self.x(9, 1, 5))
        g = Graph()
        self.refuse(g.model(self.SEQUENCE, [g.add("Erf", ["x"])]), r"'Erf_0' \(Erf\) is an error function that is no part of a GELU")

    def test_the_softplus_that_pytorch_exports_is_one_from_a_threshold_of_20_on(self):
        x = 20 * self.x(9, 1, 5)
        self.assertGreater(x.max(), 25)
        for threshold in (20, 30):
            g = Graph()
            above = g.add("Greater", ["x", g.constant(numpy.float32(threshold))])
            y = g.add("Where", [above, "x", g.add("Softplus", ["x"])])
            self.compare(g, self.SEQUENCE, g.add("MatMul", [y, g.weights(5, 2)]), x, tolerance=5e-5)
        for threshold, other in ((19, "x"), (20, "y")):
            g = Graph()
            y = g.named("y", g.add("Neg", ["x"]))
            softplus = g.add("Softplus", ["x"])
            above = g.add("Greater", [other, g.constant(numpy.float32(threshold))])
            g.add("Add", [g.add("Where", [above, "x", softplus]), y])
            self.refuse(g.model(self.SEQUENCE, [g.nodes[-1].output[0]]), r"\(Greater\) takes its value from the data")

    def test_layer_norm_written_as_single_operators_and_as_one(self):
        for whole in (False, True):
            with self.subTest(whole=whole):
                g = Graph()
                scale, shift = g.weights(5), g.weights(5)
                if whole:
                    y = g.add("LayerNormalization", ["x", scale, shift], axis=-1)
                else:
                    centred = g.add("Sub", ["x", g.add("ReduceMean", ["x"], axes=[-1])])
                    square = g.add("Pow", [centred, g.constant(numpy.float32(2))])
                    deviation = g.add("Sqrt", [g.add("Add", [g.add("ReduceMean", [square], axes=[-1]),
                                                            g.constant(numpy.float32(1e-5))])])
                    y = g.add("Add", [g.add("Mul", [g.add("Div", [centred, deviation]), scale]), shift])
                y, _, _ = self.lstm(g, y, 5, 4)
                self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_slices_splits_and_masks(self):
        g = Graph()
        a, b = g.add("Split", ["x", g.ints(2, 3)], 2, axis=2)
        mask = g.add("Sigmoid", [g.add("MatMul", [b, g.weights(3, 2)])])
        y = g.add("Mul", [a, mask])
        y = g.add("Concat", [y, g.add("Neg", [b]), g.add("Slice", ["x", g.ints(0), g.ints(5), g.ints(2), g.ints(2)])], axis=2)
        self.compare(g, self.SEQUENCE, g.add("Tanh", [y]), self.x(9, 1, 5))

    def test_one_channel_or_bin_beside_all_of_them(self):
        for op in ("Add", "Sub", "Mul"):
            for axis, place in ((1, 0), (1, 2), (3, 0), (3, 5)):
                with self.subTest(op=op, axis=axis, place=place):
                    g = Graph()
                    y = g.add("Conv", ["x", g.weights(4, 2, 1, 3)], pads=[0, 1, 0, 1])
                    y = g.add(op, [y, g.add("Slice", [y, g.ints(place), g.ints(place + 1), g.ints(axis)])])
                    x = self.x(1, 2, 9, 6)
                    g.named("y", g.add("Transpose", [y], perm=[0, 2, 1, 3]))
                    ours = self.convert(g.model([("x", FLOAT, [1, 2, "time", 6])], ["y"])).run(numpy.moveaxis(x, 2, 0).reshape(9, -1))
                    (theirs,) = self.session(g.model([("x", FLOAT, [1, 2, "time", 6])], ["y"])).run(["y"], {"x": x})
                    numpy.testing.assert_allclose(ours, theirs.reshape(9, -1), atol=1e-5)

    def test_one_number_becomes_as_wide_as_the_constant_that_it_meets(self):
        one_number = [("x", FLOAT, ["seq", "batch", 1])]
        for values in (numpy.arange(5), numpy.full(5, 2)):
            with self.subTest(values):
                g = Graph()
                y = g.add("Mul", ["x", g.constant(values.astype(numpy.float32))])
                if values[0] == values[1]:
                    self.assertEqual(self.convert(g.model(one_number, [y])).run(self.x(9, 1)).shape, (9, 5))
                else:
                    self.compare(g, one_number, y, self.x(9, 1, 1))

    def test_numbers_that_are_put_in_the_place_of_others(self):
        """As PyTorch writes an assignment to a part of a tensor."""
        g = Graph()
        part = g.add("Tanh", [g.add("Slice", ["x", g.ints(1), g.ints(5), g.ints(2)])])
        turned = g.add("Transpose", ["x"], perm=[2, 1, 0])
        rows = g.add("Reshape", [g.add("Transpose", [part], perm=[2, 1, 0]), g.ints(4, -1)])
        put = g.add("ScatterND", [turned, g.constant(numpy.array([[0, 0], [1, 0], [3, 0], [-1, 0]])), rows])
        self.compare(g, [("x", FLOAT, ["seq", 1, 6])], g.add("Transpose", [put], perm=[2, 1, 0]), self.x(9, 1, 6))

    def test_powers_and_the_last_timesteps_of_a_sequence(self):
        g = Graph()
        y = g.add("Pow", [g.add("Pow", ["x", g.constant(numpy.float32(3))]), g.constant(numpy.float32(2))])
        self.compare(g, self.SEQUENCE, g.add("Slice", [y, g.ints(-4), g.ints(2 ** 62), g.ints(0)]), self.x(9, 1, 5))

    def test_a_unit_norm_at_the_end(self):
        g = Graph()
        y, _, _ = self.lstm(g, "x", 5, 4)
        y = g.add("Squeeze", [y, g.ints(1)])
        length = g.add("ReduceL2", [y], axes=[-1], keepdims=1)
        y = g.add("Div", [y, length])
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_tokens_go_through_an_embedding(self):
        g = Graph()
        y, _, _ = self.lstm(g, g.add("Transpose", [g.add("Gather", [g.weights(11, 5), "x"])], perm=[1, 0, 2]), 5, 4)
        self.time = 1
        tokens = numpy.random.default_rng(3).integers(0, 11, (1, 9))
        self.compare(g, [("x", TensorProto.INT64, ["batch", "sequence"])], y, tokens)

    def test_weights_of_eight_bits_are_made_floats(self):
        g = Graph()
        def quantized(*shape):
            values = g.random.integers(-90, 90, shape).astype(numpy.int8)
            return g.add("DequantizeLinear", [g.constant(values), g.constant(numpy.float32(0.01)),
                                              g.constant(numpy.int8(3))])
        y, _, _ = g.add("LSTM", ["x", quantized(1, 16, 5), quantized(1, 16, 4), g.weights(1, 32)], 3, hidden_size=4)
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_a_gate_that_reads_a_product_twice(self):
        """SiLU and GLU behind PyTorch's Linear, which is a MatMul and an Add for sequences."""
        for op in ("Sigmoid", "Tanh", "Relu"):
            with self.subTest(op):
                g = Graph()
                y = g.add("Add", [g.weights(6), g.add("MatMul", ["x", g.weights(5, 6)])])
                y = g.add("Mul", [y, g.add(op, [y])])
                y = g.add("Add", [g.add("MatMul", [y, g.weights(6, 4)]), g.weights(4)])
                self.compare(g, self.SEQUENCE, g.add("Add", [g.add(op, [y]), y]), self.x(9, 1, 5))

    def test_an_embedding_of_eight_bits(self):
        """What onnxruntime's quantize_dynamic makes of an embedding."""
        g = Graph()
        table = g.constant(g.random.integers(0, 255, (11, 5)).astype(numpy.uint8))
        rows = g.add("Transpose", [g.add("Gather", [table, "x"])], perm=[1, 0, 2])
        y = g.add("DequantizeLinear", [rows, g.constant(numpy.float32(0.02)), g.constant(numpy.uint8(120))])
        y, _, _ = self.lstm(g, y, 5, 4)
        self.time = 1
        tokens = numpy.random.default_rng(3).integers(0, 11, (1, 9))
        self.compare(g, [("x", TensorProto.INT64, ["batch", "sequence"])], y, tokens)

    def test_whole_numbers_that_are_made_floats_and_then_quantized(self):
        """A scale of a power of 2 rounds none of them, so that both answer alike."""
        g = Graph()
        scale, zero = g.constant(numpy.float32(0.5)), g.constant(numpy.uint8(100))
        floats = g.add("Cast", ["x"], to=FLOAT)
        y = g.add("DequantizeLinear", [g.add("QuantizeLinear", [floats, scale, zero]), scale, zero])
        y, _, _ = self.lstm(g, y, 5, 4)
        x = numpy.random.default_rng(3).integers(-20, 20, (9, 1, 5)).astype(numpy.int32)
        self.compare(g, [("x", TensorProto.INT32, ["seq", 1, 5])], y, x)

    def test_the_branch_of_an_if_is_chosen_by_the_shape(self):
        g = Graph()
        rank = g.add("Shape", [g.add("Shape", ["x"])])
        condition = g.add("Squeeze", [g.add("Equal", [rank, g.ints(3)])])
        branches = []
        for scale, letter in ((2, "a"), (100, "b")):
            inner = Graph(letter=letter)
            branches.append(inner.branch(inner.add("Mul", ["x", inner.constant(numpy.float32(scale))])))
        y = g.add("If", [condition], then_branch=branches[0], else_branch=branches[1])
        self.compare(g, self.SEQUENCE, y, self.x(9, 1, 5))

    def test_values_in_other_files_are_those_in_the_file(self):
        g = Graph()
        inner = [Graph(letter=letter) for letter in "ab"]
        branches = [each.branch(each.add("MatMul", ["x", each.weights(5, 6)])) for each in inner]
        condition = g.add("Squeeze", [g.add("Equal", [g.add("Shape", [g.add("Shape", ["x"])]), g.ints(3)])])
        y = g.add("If", [condition], then_branch=branches[0], else_branch=branches[1])
        shift = g.add("Constant", [], value=numpy_helper.from_array(g.random.normal(0, 1, 6).astype(numpy.float32), "shift"))
        y, _, _ = self.lstm(g, g.add("Add", [y, shift]), 6, 4)
        x = self.x(9, 1, 5)
        self.compare(g, self.SEQUENCE, y, x)
        model = g.model(self.SEQUENCE, [y])
        self.convert(model)
        wanted = self.written.read_bytes()
        for saved in ({"location": "graph.onnx.data"}, {"location": "graph.data", "size_threshold": 0},
                      {"all_tensors_to_one_file": False}, {"size_threshold": 0, "convert_attribute": True}):
            with self.subTest(saved):
                self.convert(model, save_as_external_data=True, **{"size_threshold": 64, **saved})
                beside = [path for path in self.written.parents[2].rglob("*") if path.is_file()]
                self.assertGreater(len(beside), 2, "onnx.save wrote no file beside the graph")
                self.assertEqual(self.written.read_bytes(), wanted)


if __name__ == "__main__":
    unittest.main()
