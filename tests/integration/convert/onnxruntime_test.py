#!/usr/bin/env python3
"""ONNX graphs of many shapes, converted and compared with onnxruntime step by step; and PyTorch's own numbers.

    onnxruntime_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy
import onnx
import onnxruntime
from onnx import TensorProto

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import foreign_files as ff  # noqa: E402
from interpreter import Interpreter  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
TOLERANCE = 1e-5


class OnnxTest(unittest.TestCase):
    def convert(self, model, *options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "graph.onnx"
        onnx.save(model, path)
        done = subprocess.run([BIN / "rondo-convert", path, f"--output={folder.name}", "--name=it", *options], text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.written = pathlib.Path(folder.name) / "it/1/model.safetensors"
        return Interpreter(self.written)

    def refuse(self, model, wanted):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "graph.onnx"
            onnx.save(model, path)
            done = subprocess.run([BIN / "rondo-convert", path, f"--output={folder}/out"], text=True, capture_output=True)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stderr, wanted)
            self.assertFalse((pathlib.Path(folder) / "out").exists())

    def there_and_back(self, x, ours):
        """The model written as ONNX, in onnxruntime, and read again: the numbers stay."""
        path = self.written.parent / "out.onnx"
        done = subprocess.run([BIN / "rondo-convert", self.written, f"--to_onnx={path}"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        model = onnx.load(path)
        onnx.checker.check_model(model)
        tokens = model.graph.input[0].type.tensor_type.elem_type == TensorProto.INT64
        fed = x[:, 0].astype(numpy.int64) if tokens else x.astype(numpy.float32)
        (theirs,) = self.session(model).run(None, {"X": fed})
        numpy.testing.assert_allclose(ours, theirs, atol=5e-6, rtol=0)
        again = self.convert(model).run(x)
        numpy.testing.assert_allclose(again, ours, atol=1e-6, rtol=0)

    def session(self, model):
        return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def compare(self, graph, inputs, output, x, axis=0, model_options=(), tolerance=TOLERANCE, opset=17, back=True):
        """Both run over the whole of x; `axis` is the output's axis of timesteps, None if it is of the last one."""
        model = graph.model(inputs, [output], opset)
        ours = all_of_ours = self.convert(model, *model_options).run(self.rows(x))
        (theirs,) = self.session(model).run([output], {inputs[0][0]: x})
        theirs = theirs.reshape(1, -1) if axis is None else numpy.moveaxis(theirs, axis, 0).reshape(theirs.shape[axis], -1)
        ours = ours[-1:] if axis is None else ours[len(ours) - len(theirs):]
        numpy.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=0)
        if back:
            self.there_and_back(self.rows(x), all_of_ours)

    def rows(self, x):
        return numpy.moveaxis(x, self.time, 0).reshape(x.shape[self.time], -1)

    time = 0  # the axis of timesteps of x

    def x(self, *shape):
        return numpy.random.default_rng(5).normal(0, 1, shape).astype(numpy.float32)

    SEQUENCE = [("x", FLOAT, ["seq", 1, 5])]
    CHANNELS = [("x", FLOAT, [1, 5, "time"])]

    def lstm(self, g, x, width, units, directions=1, bias=True, peepholes=False, **attributes):
        b = g.weights(directions, 8 * units) if bias else ""
        inputs = [x, g.weights(directions, 4 * units, width), g.weights(directions, 4 * units, units), b]
        if peepholes:
            inputs += ["", "", "", g.weights(directions, 3 * units)]
        return g.add("LSTM", inputs, 3, hidden_size=units, **attributes)

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

    def test_causal_and_centred_convolutions_along_time(self):
        self.time = 2
        for name, pads, dilation, groups in (("causal", (4, 0), 2, 1), ("centred", (1, 1), 1, 5), ("valid", (0, 0), 1, 1)):
            with self.subTest(name):
                g = Graph()
                padded = g.add("Pad", ["x", g.ints(0, 0, pads[0], 0, 0, pads[1])]) if any(pads) else "x"
                y = g.add("Conv", [padded, g.weights(10, 5 // groups, 3), g.weights(10)], dilations=[dilation], group=groups)
                y = g.add("Relu", [y])
                y = g.add("BatchNormalization", [y, g.weights(10), g.weights(10), g.weights(10),
                                                 g.constant(numpy.linspace(0.5, 2, 10).astype(numpy.float32))])
                self.compare(g, self.CHANNELS, y, self.x(1, 5, 12), axis=2)

    def test_a_convolution_that_pads_both_sides_and_cuts_the_end_is_causal(self):
        self.time = 2
        g = Graph()
        y = g.add("Conv", ["x", g.weights(5, 5, 3), g.weights(5)], pads=[2, 2])
        y = g.add("Slice", [y, g.ints(0), g.ints(-2), g.ints(2)])
        y = g.add("Add", [g.add("Relu", [y]), "x"])
        model = g.model(self.CHANNELS, [y])
        self.assertNotIn("ahead", str(self.convert(model).description))
        self.compare(g, self.CHANNELS, y, self.x(1, 5, 12), axis=2)

    def test_convolutions_and_pools_inside_a_timesteps_frame(self):
        g = Graph()
        frame = g.add("Unsqueeze", ["x", g.ints(1)])
        y = g.add("Conv", [frame, g.weights(6, 1, 5), g.weights(6)], strides=[2], pads=[2, 1])
        y = g.add("MaxPool", [g.add("LeakyRelu", [y], alpha=0.2)], kernel_shape=[2], strides=[2])
        y = g.add("AveragePool", [y], kernel_shape=[3], strides=[1], pads=[1, 1])
        y = g.add("Conv", [y, g.weights(4, 3, 3), g.weights(4)], group=2, pads=[1, 1])
        y = g.add("Flatten", [y])
        h, _ = g.add("GRU", [g.add("Unsqueeze", [y, g.ints(1)]), g.weights(1, 12, 20), g.weights(1, 12, 4), g.weights(1, 24)],
                     2, hidden_size=4, linear_before_reset=1)
        out = g.add("Squeeze", [h, g.ints(1, 2)])
        self.compare(g, [("x", FLOAT, ["frames", 20])], out, self.x(9, 20))

    PLANES = {"time before frequency": 2, "frequency before time": 3}  # the axis of timesteps

    def plane(self, time_axis, time, frequency):
        """Numbers along the last two axes."""
        return [time, frequency] if time_axis == 2 else [frequency, time]

    def causal(self, g, x, time_axis, back):
        pads = [0, 0, *self.plane(time_axis, back, 0), 0, 0, 0, 0]
        return g.add("Pad", [x, g.ints(*pads)])

    def test_causal_convolutions_over_frequency_and_time(self):
        for name, axis in self.PLANES.items():
            for dilation, stride, groups in ((1, 1, 1), (2, 2, 1), (1, 2, 2)):
                with self.subTest(name, dilation=dilation, stride=stride, groups=groups):
                    self.time = axis
                    g = Graph()
                    y = g.add("Conv", [self.causal(g, "x", axis, 2 * dilation), g.weights(4, 2 // groups, *self.plane(axis, 3, 5)),
                                       g.weights(4)], dilations=self.plane(axis, dilation, 1), group=groups,
                              strides=self.plane(axis, 1, stride), pads=[*self.plane(axis, 0, 2), *self.plane(axis, 0, 1)])
                    y = g.add("PRelu", [y, g.weights(4, 1, 1)])
                    y = g.add("Conv", [self.causal(g, y, axis, 1), g.weights(3, 4, *self.plane(axis, 2, 1))])
                    shape = [1, 2, *self.plane(axis, "time", 9)]
                    self.compare(g, [("x", FLOAT, shape)], y, self.x(1, 2, *self.plane(axis, 11, 9)), axis=axis, back=False)

    def test_a_denoiser_of_convolutions_a_gru_and_transposed_convolutions(self):
        """An encoder, a GRU over all frequencies, a decoder that mirrors the encoder, skips between them, and a mask."""
        for name, axis in self.PLANES.items():
            with self.subTest(name):
                self.time = axis
                g = Graph()
                norm = lambda y, n: g.add("BatchNormalization", [y, g.weights(n), g.weights(n), g.weights(n),  # noqa: E731
                                          g.constant(numpy.linspace(0.5, 2, n).astype(numpy.float32))])
                down = dict(strides=self.plane(axis, 1, 2), pads=[*self.plane(axis, 0, 1), *self.plane(axis, 0, 1)])
                a = g.add("Elu", [norm(g.add("Conv", [self.causal(g, "x", axis, 1), g.weights(4, 1, *self.plane(axis, 2, 3)),
                                                      g.weights(4)], **down), 4)])
                b = g.add("Relu", [norm(g.add("Conv", [self.causal(g, a, axis, 1), g.weights(6, 4, *self.plane(axis, 2, 3)),
                                                       g.weights(6)], **down), 6)])
                order = [2, 0, 1, 3] if axis == 2 else [3, 0, 1, 2]
                rows = g.add("Reshape", [g.add("Transpose", [b], perm=order), g.ints(0, 1, -1)])
                h, _ = g.add("GRU", [rows, g.weights(1, 54, 18), g.weights(1, 54, 18), g.weights(1, 108)], 2, hidden_size=18,
                             linear_before_reset=1)
                frames = g.add("Reshape", [g.add("Squeeze", [h, g.ints(1)]), g.ints(-1, 1, 6, 3)])
                back = g.add("Transpose", [frames], perm=[1, 2, 0, 3] if axis == 2 else [1, 2, 3, 0])
                last = g.add("Mul", [g.add("Shape", [back], start=axis, end=axis + 1), g.ints(1)])

                def up(y, inputs, outputs, more):
                    y = g.add("ConvTranspose", [y, g.weights(inputs, outputs, *self.plane(axis, 2, 3)), g.weights(outputs)],
                              output_padding=self.plane(axis, 0, more), **down)
                    return g.add("Slice", [y, g.ints(0), last, g.ints(axis)])
                y = g.add("Relu", [up(g.add("Concat", [back, b], axis=1), 12, 4, 0)])
                y = g.add("Sigmoid", [up(g.add("Concat", [y, a], axis=1), 8, 1, 1)])
                y = g.add("Mul", ["x", y])
                self.compare(g, [("x", FLOAT, [1, 1, *self.plane(axis, "time", 10)])], y,
                             self.x(1, 1, *self.plane(axis, 11, 10)), axis=axis, back=False)

    def test_transposed_convolutions_of_every_kind(self):
        for stride, groups, kernel, pads, more in ((1, 1, 3, (1, 1), 0), (2, 1, 4, (1, 1), 0), (3, 1, 5, (0, 2), 1), (2, 2, 3, (1, 0), 1),
                                                   (1, 4, 3, (0, 0), 0)):
            with self.subTest(stride=stride, groups=groups, kernel=kernel):
                g = Graph()
                y = g.add("ConvTranspose", ["x", g.weights(4, 8 // groups, kernel), g.weights(8)], strides=[stride], group=groups,
                          pads=pads, output_padding=[more])
                self.compare(g, [("x", FLOAT, ["frames", 4, 7])], y, self.x(9, 4, 7))

    def test_a_convolution_over_frequency_and_time_that_looks_ahead_is_refused(self):
        g = Graph()
        y = g.add("Conv", ["x", g.weights(4, 1, 3, 3)], pads=[1, 1, 1, 1])
        self.refuse(g.model([("x", FLOAT, [1, 1, "time", 9])], [y]), r"'Conv_0' \(Conv\) looks 1 timesteps ahead over two axes")

    def test_pools_of_frequencies(self):
        self.time = 2
        g = Graph()
        y = g.add("MaxPool", ["x"], kernel_shape=[1, 3], strides=[1, 2])
        y = g.add("AveragePool", [y], kernel_shape=[1, 2], pads=[0, 1, 0, 0], strides=[1, 1])
        self.compare(g, [("x", FLOAT, [1, 2, "time", 9])], y, self.x(1, 2, 11, 9), axis=2)

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

    def test_what_begins_later_than_the_first_timestep_is_refused_where_that_matters(self):
        """A cell, or zeros before a sequence, begin where a convolution without padding begins to answer."""
        for name, wanted in (("cell", r"'GRU_2' \(GRU\) begins at timestep 2"), ("padded", r"'Conv_1' \(Conv\) pads a sequence"),
                             ("plane", r"'Conv_1' \(Conv\) pads a sequence")):
            with self.subTest(name):
                g = Graph()
                shape = [1, 5, "time"] if name != "plane" else [1, 5, "time", 4]
                kernel, pads = ([3], [2, 0]) if name != "plane" else ([3, 1], [2, 0, 0, 0])
                y = g.add("Conv", ["x", g.weights(6, 5, *kernel)])
                if name == "cell":
                    y = g.add("Transpose", [y], perm=[2, 0, 1])
                    y, _ = g.add("GRU", [y, g.weights(1, 12, 6), g.weights(1, 12, 4), g.weights(1, 24)], 2, hidden_size=4)
                else:
                    y = g.add("Conv", [y, g.weights(3, 6, *kernel)], pads=pads)
                self.refuse(g.model([("x", FLOAT, shape)], [y]), wanted)

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
