#!/usr/bin/env python3
"""ONNX graphs whose cells go over a timestep's own numbers, or through time at each of them: dual-path networks.

    onnxruntime_frames_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime
"""

import pathlib
import sys
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from onnx_case import OnnxCase  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402

BINS, WIDTH = 70, 4  # more bins than parts that a value may be put together of


class FramesTest(OnnxCase):
    time = 1

    def cell(self, g, op, x, width, units, directions=1, state="", **attributes):
        """PyTorch's batch_first: [batch, steps, width] -> [batch, steps, directions * units], and the last state."""
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
        more = {"linear_before_reset": 1} if op == "GRU" else {}
        if directions == 2:
            more["direction"] = "bidirectional"
        y, h = g.add(op, [g.add("Transpose", [x], perm=[1, 0, 2]), g.weights(directions, gates * units, width),
                          g.weights(directions, gates * units, units), g.weights(directions, 2 * gates * units), "", state],
                     2, hidden_size=units, **more, **attributes)
        y = g.add("Reshape", [g.add("Transpose", [y], perm=[0, 2, 1, 3]), g.ints(0, 0, -1)])
        return g.add("Transpose", [y], perm=[1, 0, 2]), h

    def linear(self, g, x, width, units):
        return g.add("Add", [g.weights(units), g.add("MatMul", [x, g.weights(width, units)])])

    def like(self, g, x, rows, *sizes):
        """x reshaped to [rows of the axis `like`, *sizes], whose sizes a graph of PyTorch asks for."""
        return g.add("Reshape", [x, g.ints(*([rows] if isinstance(rows, int) else rows), *sizes)])

    def dual_path(self, g, x, op="GRU", state=""):
        """One block as GTCRN and DPRNN have it; x is [batch, time, bins, width]."""
        intra, _ = self.cell(g, op, self.like(g, x, -1, BINS, WIDTH), WIDTH, 3, directions=2)
        shape = g.add("Shape", [x])
        intra = g.add("Reshape", [self.linear(g, intra, 6, WIDTH), shape])
        x = g.add("Add", [x, g.add("LayerNormalization", [intra, g.weights(BINS, WIDTH), g.weights(BINS, WIDTH)], axis=-2)])
        turned = g.add("Transpose", [x], perm=[0, 2, 1, 3])
        back = g.add("Shape", [turned])
        times = g.add("Slice", [back, g.ints(2), g.ints(4)])
        inter, h = self.cell(g, op, g.add("Reshape", [turned, g.add("Concat", [g.ints(-1), times], axis=0)]), WIDTH, 5, state=state)
        inter = g.add("Reshape", [self.linear(g, inter, 5, WIDTH), back])
        inter = g.add("Transpose", [inter], perm=[0, 2, 1, 3])
        return g.add("Add", [x, g.add("LayerNormalization", [inter, g.weights(WIDTH), g.weights(WIDTH)], axis=-1)]), h

    def types(self):
        return [each["type"] for each in self.convert(self.model).description["elements"]]

    def test_a_dual_path_block_over_a_sequence(self):
        for batch in (1, "batch"):
            for op in ("GRU", "LSTM", "RNN"):
                with self.subTest(batch=batch, op=op):
                    g = Graph()
                    g.named("y", self.dual_path(g, "x", op)[0])
                    self.compare(g, [("x", FLOAT, [batch, "time", BINS, WIDTH])], "y", self.x(1, 9, BINS, WIDTH), axis=1)

    def test_sequences_of_a_batch_beside_few_bins(self):
        for bins in (3, 8):
            with self.subTest(bins):
                g = Graph()
                turned = g.add("Transpose", ["x"], perm=[0, 2, 1, 3])
                back = g.add("Shape", [turned])
                times = g.add("Slice", [back, g.ints(2), g.ints(4)])
                y, _ = self.cell(g, "GRU", g.add("Reshape", [turned, g.add("Concat", [g.ints(-1), times], axis=0)]), WIDTH, WIDTH)
                g.named("y", g.add("Transpose", [g.add("Reshape", [y, back])], perm=[0, 2, 1, 3]))
                self.compare(g, [("x", FLOAT, ["batch", "time", bins, WIDTH])], "y", self.x(1, 9, bins, WIDTH), axis=1)

    def test_a_dual_path_block_of_one_timestep_keeps_a_state_for_each_bin(self):
        g = Graph()
        y, h = self.dual_path(g, "x", state="inter_cache")
        g.named("y", y)
        g.named("inter_cache_out", h)
        types = self.compare_stream(g, [("x", FLOAT, [1, 1, BINS, WIDTH]), ("inter_cache", FLOAT, [1, BINS, 5])],
                                    ["y", "inter_cache_out"], self.x(7, 1, 1, BINS, WIDTH), {"inter_cache": "inter_cache_out"})
        self.assertEqual((types.count("frame_cell"), types.count("position_cell"), types.count("memory")), (2, 1, 0))

    def test_cells_in_groups_with_planes_around_them(self):
        """GTCRN's grouped cells: halves of the channels, each with its own cell; convolutions before and behind."""
        def groups(g, x, directions, states):
            halves = g.add("Split", [x, g.ints(2, 2)], 2, axis=2)
            both = [self.cell(g, "GRU", half, 2, 2 // directions, directions, state) for half, state in zip(halves, states)]
            return g.add("Concat", [y for y, _ in both], axis=2), g.add("Concat", [h for _, h in both], axis=2)

        g = Graph()
        x = g.add("PRelu", [g.add("Conv", ["mix", g.weights(4, 2, 1, 5), g.weights(4)], strides=[1, 2], pads=[0, 2, 0, 2]),
                            g.constant(numpy.full((4, 1, 1), 0.2, numpy.float32))])
        bins = 9
        turned = g.add("Transpose", [x], perm=[0, 2, 3, 1])  # [batch, time, bins, channels]
        intra, _ = groups(g, g.add("Reshape", [turned, g.ints(-1, bins, 4)]), 2, ["", ""])
        intra = g.add("Reshape", [self.linear(g, intra, 4, 4), g.ints(1, -1, bins, 4)])
        intra = g.add("Add", [turned, g.add("LayerNormalization", [intra, g.weights(bins, 4), g.weights(bins, 4)], axis=-2)])
        inter = g.add("Reshape", [g.add("Transpose", [intra], perm=[0, 2, 1, 3]), g.ints(bins, -1, 4)])
        inter, h = groups(g, inter, 1, g.add("Split", ["inter_cache", g.ints(2, 2)], 2, axis=2))
        inter = g.add("Transpose", [g.add("Reshape", [self.linear(g, inter, 4, 4), g.ints(1, bins, -1, 4)])], perm=[0, 2, 1, 3])
        y = g.add("Add", [intra, inter])
        y = g.add("Mul", [g.add("Transpose", [y], perm=[0, 3, 1, 2]), g.add("Sigmoid", [x])])
        energy = g.add("ReduceMean", [g.add("Mul", [y, y])], axes=[3], keepdims=1)
        y = g.add("Mul", [y, g.add("Tanh", [energy])])
        g.named("enh", g.add("ConvTranspose", [y, g.weights(4, 2, 1, 5)], strides=[1, 2], pads=[0, 2, 0, 2]))
        g.named("inter_cache_out", h)
        types = self.compare_stream(g, [("mix", FLOAT, [1, 2, 1, 17]), ("inter_cache", FLOAT, [1, bins, 4])],
                                    ["enh", "inter_cache_out"], self.x(7, 1, 2, 1, 17), {"inter_cache": "inter_cache_out"})
        self.assertEqual((types.count("frame_cell"), types.count("position_cell"), types.count("memory")), (4, 2, 0))

    def test_the_last_answer_of_cells_along_a_frame(self):
        """One vector a timestep of the bins, by the last states of both directions."""
        g = Graph()
        _, h = self.cell(g, "LSTM", g.add("Reshape", ["x", g.ints(-1, 6, 4)]), 4, 3, directions=2)
        h = g.add("Reshape", [g.add("Transpose", [h], perm=[1, 0, 2]), g.ints(1, -1, 6)])
        g.named("y", self.cell(g, "GRU", h, 6, 3)[0])
        self.compare(g, [("x", FLOAT, [1, "time", 6, 4])], "y", self.x(1, 9, 6, 4), axis=1)

    def test_cells_that_begin_somewhere_else_than_at_zero(self):
        g = Graph()
        start = g.add("Expand", [g.weights(1, 1, 3), g.ints(1, 9, 1)])
        intra, _ = self.cell(g, "GRU", g.add("Reshape", ["x", g.ints(-1, 6, 4)]), 4, 3, state=start)
        inter = g.add("Reshape", [g.add("Transpose", [g.add("Reshape", [intra, g.ints(1, -1, 6, 3)])], perm=[0, 2, 1, 3]), g.ints(6, -1, 3)])
        y, _ = self.cell(g, "GRU", inter, 3, 3, state=g.add("Expand", [g.weights(1, 1, 3), g.ints(1, 6, 1)]))
        g.named("y", g.add("Transpose", [y], perm=[1, 0, 2]))
        self.compare(g, [("x", FLOAT, [1, 9, 6, 4])], "y", self.x(1, 9, 6, 4))

    def test_arithmetic_of_what_is_repeated_over_many_bins(self):
        """Means over the bins, over the channels and over both, before and behind what they are combined with."""
        def mean(*axes):
            return lambda g: g.add("ReduceMean", ["x"], axes=list(axes), keepdims=1)

        others = {"x": lambda g: "x", "equal": lambda g: g.constant(numpy.full((1, 1, BINS, 80), 3, numpy.float32)),
                  "rows": lambda g: g.weights(BINS, 80)}
        for op in ("Add", "Div"):
            for name, other in others.items():
                for axes in ((2,), (3,), (2, 3)):
                    for order in (1, -1):
                        with self.subTest(op=op, other=name, axes=axes, order=order):
                            g = Graph()
                            y = g.add(op, [other(g), g.add("Exp", [mean(*axes)(g)])][::order])
                            g.named("y", g.add("Tanh", [g.add("Mul", [y, "x"])]))
                            self.compare(g, [("x", FLOAT, [1, "time", BINS, 80])], "y", self.x(1, 3, BINS, 80), axis=1, back=op == "Add")

    def test_numbers_of_a_timestep_are_not_taken_for_sequences(self):
        """A mean over sequences that are all taken for equal would be what it is the mean of."""
        g = Graph()
        mean = g.add("ReduceMean", [g.add("Reshape", ["x", g.ints(0, BINS, 80)])], axes=[1], keepdims=1)
        wide = g.add("Reshape", [g.add("Mul", [mean, g.constant(numpy.ones((1, BINS, 80), numpy.float32))]), g.ints(0, -1)])
        self.time = 0
        self.compare(g, [("x", FLOAT, ["time", BINS * 80])], g.add("Add", ["x", wide]), self.x(3, BINS * 80))

    def test_what_is_repeated_over_many_bins_goes_through_any_operator(self):
        for axis in (2, 3):
            with self.subTest(axis):
                g = Graph()
                mean = g.add("ReduceMean", ["x"], axes=[axis], keepdims=1)
                wide = g.add("Tanh", [g.add("Expand", [mean, g.ints(1, 1, BINS, 80)])])
                y = g.add("Reshape", [g.add("Concat", [wide, "x"], axis=3), g.ints(1, -1, BINS * 160)])
                self.compare(g, [("x", FLOAT, [1, "time", BINS, 80])], g.add("Sigmoid", [y]), self.x(1, 3, BINS, 80), axis=1)

    def test_what_has_no_element_is_refused_by_name(self):
        def through_time(g, **attributes):
            turned = g.add("Reshape", [g.add("Transpose", ["x"], perm=[0, 2, 1, 3]), g.ints(6, -1, 4)])
            return self.cell(g, "GRU", turned, 4, 3, **attributes)[0]

        def of_two_axes(g):
            last = g.add("Slice", ["x", g.ints(-1), g.ints(2 ** 62), g.ints(1)])
            return self.cell(g, "GRU", g.add("Reshape", [last, g.ints(2, -1, 4)]), 4, 3)[0]

        for make, wanted in ((lambda g: through_time(g, directions=2), "goes backward through the timesteps at each of 6 places"),
                             (of_two_axes, "apart for each place of another axis")):
            g = Graph()
            g.named("y", make(g))
            self.refuse(g.model([("x", FLOAT, [1, "time", 6, 4])], ["y"]), wanted)


if __name__ == "__main__":
    unittest.main()
