#!/usr/bin/env python3
"""ONNX graphs with convolutions and pools, converted and compared with onnxruntime step by step.

    onnxruntime_convolutions_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime
"""

import pathlib
import sys
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from onnx_case import OnnxCase  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402


class ConvolutionsTest(OnnxCase):
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
                    self.compare(g, [("x", FLOAT, shape)], y, self.x(1, 2, *self.plane(axis, 11, 9)), axis=axis)

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
                             self.x(1, 1, *self.plane(axis, 11, 10)), axis=axis)

    def test_transposed_convolutions_of_every_kind(self):
        for stride, groups, kernel, pads, more in ((1, 1, 3, (1, 1), 0), (2, 1, 4, (1, 1), 0), (3, 1, 5, (0, 2), 1), (2, 2, 3, (1, 0), 1),
                                                   (1, 4, 3, (0, 0), 0)):
            with self.subTest(stride=stride, groups=groups, kernel=kernel):
                g = Graph()
                y = g.add("ConvTranspose", ["x", g.weights(4, 8 // groups, kernel), g.weights(8)], strides=[stride], group=groups,
                          pads=pads, output_padding=[more])
                self.compare(g, [("x", FLOAT, ["frames", 4, 7])], y, self.x(9, 4, 7))

    def test_convolutions_over_frequency_and_time_that_look_ahead(self):
        """As in networks of convolutions and bidirectional cells: padded on both sides of time, with dilations too."""
        self.time = 2
        for kernel, dilation, pads in ((3, 1, (1, 1)), (5, 1, (2, 2)), (5, 1, (1, 3)), (3, 2, (2, 2)), (3, 3, (1, 5))):
            with self.subTest(kernel=kernel, dilation=dilation, pads=pads):
                g = Graph()
                y = g.add("Conv", ["x", g.weights(4, 2, kernel, 3), g.weights(4)], pads=[pads[0], 1, pads[1], 1], dilations=[dilation, 1])
                y = g.add("ConvTranspose", [g.add("Relu", [y]), g.weights(4, 2, 3, 3)], pads=[1, 1, 1, 1])
                self.compare(g, [("x", FLOAT, [1, 2, "time", 7])], y, self.x(1, 2, 13, 7), axis=2)

    def test_both_axes_of_a_convolution_in_one_timestep(self):
        """Whatever their sizes: zeros around a single row are no timesteps."""
        self.time = 0
        for op, rows, kernel, pads in (("Conv", 1, (3, 3), (1, 1, 1, 1)), ("Conv", 1, (3, 1), (2, 0, 0, 0)), ("Conv", 4, (3, 3), (1, 1, 1, 1)),
                                       ("ConvTranspose", 1, (3, 3), (1, 1, 1, 1)), ("ConvTranspose", 4, (3, 2), (2, 0, 1, 0)),
                                       ("ConvTranspose", 4, (2, 1), (0, 0, 0, 0))):
            for groups in (1, 2):
                with self.subTest(op=op, rows=rows, kernel=kernel, groups=groups):
                    g = Graph()
                    y = g.add(op, ["x", g.weights(4, 4 // groups, *kernel), g.weights(4)], pads=list(pads), group=groups)
                    self.compare(g, [("x", FLOAT, ["time", 4, rows, 5])], y, self.x(7, 4, rows, 5))

    def test_a_transposed_convolution_of_one_place_makes_more_of_it(self):
        """As decoders begin: neither axis of the one place is that of the timesteps."""
        self.time = 0
        for kernel, strides in (((3, 4), (1, 1)), ((3, 1), (1, 1)), ((1, 4), (1, 1)), ((2, 3), (2, 2)), ((4,), (1,)), ((3,), (2,))):
            with self.subTest(kernel=kernel, strides=strides):
                g = Graph()
                y = g.add("ConvTranspose", ["x", g.weights(4, 3, *kernel), g.weights(3)], strides=list(strides))
                ones = [1] * len(kernel)
                self.compare(g, [("x", FLOAT, ["time", 4, *ones])], y, self.x(7, 4, *ones))

    def test_a_stride_that_makes_too_many_weights_is_refused(self):
        g = Graph()
        y = g.add("ConvTranspose", ["x", g.weights(64, 64, 1, 1)], strides=[1, 2 ** 20])
        self.refuse(g.model([("x", FLOAT, [1, 64, "time", 3])], [y]), r"'ConvTranspose_0' \(ConvTranspose\) has a stride of 1048576")

    def test_pools_of_frequencies(self):
        self.time = 2
        g = Graph()
        y = g.add("MaxPool", ["x"], kernel_shape=[1, 3], strides=[1, 2])
        y = g.add("AveragePool", [y], kernel_shape=[1, 2], pads=[0, 1, 0, 0], strides=[1, 1])
        self.compare(g, [("x", FLOAT, [1, 2, "time", 9])], y, self.x(1, 2, 11, 9), axis=2)

    def test_what_begins_later_than_the_first_timestep_is_refused_where_that_matters(self):
        """Zeros before a sequence, or a cell that no gate can hold back, begin where a convolution without padding does."""
        for name, wanted in (("cell", r"'RNN_2' begins 2 timesteps after the sequence"), ("padded", r"'Conv_1' \(Conv\) pads a sequence"),
                             ("plane", r"'Conv_1' \(Conv\) pads a sequence")):
            with self.subTest(name):
                g = Graph()
                shape = [1, 5, "time"] if name != "plane" else [1, 5, "time", 4]
                kernel, pads = ([3], [2, 0]) if name != "plane" else ([3, 1], [2, 0, 0, 0])
                y = g.add("Conv", ["x", g.weights(6, 5, *kernel)])
                if name == "cell":
                    y = g.add("Transpose", [y], perm=[2, 0, 1])
                    y, _ = g.add("RNN", [y, g.weights(1, 4, 6), g.weights(1, 4, 4), g.weights(1, 8)], 2, hidden_size=4)
                else:
                    y = g.add("Conv", [y, g.weights(3, 6, *kernel)], pads=pads)
                self.refuse(g.model([("x", FLOAT, shape)], [y]), wanted)

    def test_what_looks_ahead_over_the_end_of_a_part_is_refused(self):
        """Where the part ends the sequence goes on: no zeros stand there."""
        for name, wanted in (("Conv", r"'Conv_1' \(Conv\) pads a sequence of \d+ timesteps"), ("GRU", r"'GRU_\d' \(GRU\) goes backward from timestep"),
                             ("plane", r"'Conv_1' \(Conv\) pads a sequence of \d+ timesteps")):
            with self.subTest(name):
                g, plane = Graph(), name == "plane"
                part = g.add("Slice", ["x", g.ints(0), g.ints(-1), g.ints(2)])
                if name == "GRU":
                    y, _ = g.add("GRU", [g.add("Transpose", [part], perm=[2, 0, 1]), g.weights(1, 12, 5), g.weights(1, 12, 4), g.weights(1, 24)],
                                 2, hidden_size=4, direction="reverse")
                else:
                    y = g.add("Conv", [part, g.weights(3, 5, *([3, 3] if plane else [3]))], pads=[1, 1, 1, 1] if plane else [1, 1])
                self.refuse(g.model([("x", FLOAT, [1, 5, "time", 4] if plane else [1, 5, "time"])], [y]), wanted)

    def test_cells_behind_a_convolution_without_padding_begin_with_it(self):
        self.time = 2
        for op, gates, options in (("LSTM", 4, {}), ("GRU", 3, {}), ("GRU", 3, {"linear_before_reset": 1}),
                                   ("LSTM", 4, {"direction": "bidirectional"}), ("GRU", 3, {"direction": "reverse"})):
            with self.subTest(op=op, **options):
                g, d = Graph(), 2 if options.get("direction") == "bidirectional" else 1
                y = g.add("Transpose", [g.add("Conv", ["x", g.weights(6, 5, 3), g.weights(6)])], perm=[2, 0, 1])
                for width in (6, 4 * d):
                    y, *_ = g.add(op, [y, g.weights(d, gates * 4, width), g.weights(d, gates * 4, 4), g.weights(d, 2 * gates * 4)], 2,
                                  hidden_size=4, **options)
                    y = g.add("Reshape", [g.add("Transpose", [y], perm=[0, 2, 1, 3]), g.ints(0, 0, -1)])
                self.compare(g, self.CHANNELS, y, self.x(1, 5, 11), back=False)  # a constant that begins late


if __name__ == "__main__":
    unittest.main()
