#!/usr/bin/env python3
"""ONNX graphs of one step that take their states as inputs and give them back, as speech tools ship them.

    onnxruntime_streams_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime
"""

import pathlib
import sys
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from onnx_case import OnnxCase  # noqa: E402
from onnx_maker import FLOAT, Graph  # noqa: E402


class StreamsTest(OnnxCase):
    def chunk(self, g, value, parts, axis):
        return g.add("Split", [value, g.ints(*parts)], len(parts), axis=axis)

    def test_the_past_of_a_convolution_is_a_state(self):
        """The cache of a denoiser: joined with the new frame in front of the convolution, cut behind it."""
        for batch in (1, "batch"):
            for units in (5, 70):
                with self.subTest(batch=batch, units=units):
                    g = Graph()
                    both = g.add("Concat", ["conv_cache", "x"], axis=2)
                    y = g.add("Tanh", [g.add("Conv", [both, g.weights(units, units, 4), g.weights(units)], dilations=[2])])
                    g.named("conv_cache_out", g.add("Slice", [both, g.ints(1), g.ints(2 ** 62), g.ints(2)]))
                    g.named("y", y)
                    types = self.compare_stream(
                        g, [("x", FLOAT, [batch, units, 1]), ("conv_cache", FLOAT, [batch, units, 6])],
                        ["y", "conv_cache_out"], self.x(12, 1, units, 1), {"conv_cache": "conv_cache_out"})
                    self.assertIn("memory", types)

    def test_a_cache_of_planes_beside_the_state_of_a_gru(self):
        """GTCRN's kind: convolutions over frequency and time with a cache, attention over channels by a GRU."""
        g = Graph()
        x = g.add("Conv", ["mix", g.weights(4, 2, 1, 5), g.weights(4)], strides=[1, 2], pads=[0, 2, 0, 2])
        both = g.add("Concat", ["conv_cache", g.add("PRelu", [x, g.constant(numpy.full((1, 1, 1), 0.2, numpy.float32))])], axis=2)
        y = g.add("Conv", [both, g.weights(4, 1, 3, 3), g.weights(4)], pads=[0, 1, 0, 1], dilations=[2, 1], group=4)
        energy = g.add("ReduceMean", [g.add("Mul", [y, y])], axes=[3], keepdims=0)
        _, h = g.add("GRU", [g.add("Transpose", [energy], perm=[2, 0, 1]), g.weights(1, 24, 4), g.weights(1, 24, 8),
                             g.weights(1, 48), "", "tra_cache"], 2, hidden_size=8, linear_before_reset=1)
        gain = g.add("Sigmoid", [g.add("MatMul", [g.add("Squeeze", [h, g.ints(0)]), g.weights(8, 4)])])
        y = g.add("Mul", [y, g.add("Unsqueeze", [gain, g.ints(2, 3)])])
        g.named("enh", g.add("ConvTranspose", [y, g.weights(4, 2, 1, 5)], strides=[1, 2], pads=[0, 2, 0, 2]))
        g.named("conv_cache_out", g.add("Slice", [both, g.ints(1), g.ints(2 ** 62), g.ints(2)]))
        g.named("tra_cache_out", h)
        types = self.compare_stream(
            g, [("mix", FLOAT, [1, 2, 1, 17]), ("conv_cache", FLOAT, [1, 4, 4, 9]), ("tra_cache", FLOAT, [1, 1, 8])],
            ["enh", "conv_cache_out", "tra_cache_out"], self.x(10, 1, 2, 1, 17),
            {"conv_cache": "conv_cache_out", "tra_cache": "tra_cache_out"})
        self.assertIn("gru", types)  # it keeps its own state
        self.assertEqual(types.count("memory"), 1)

    def test_states_that_come_back_together_in_one_output(self):
        """As in a DTLN that PyTorch exported: four states in, all of them one behind the other out."""
        g = Graph()
        y, h, c = self.lstm_from(g, "x", 6, 4, ["h1", "c1"])
        y, h2, c2 = self.lstm_from(g, g.add("Squeeze", [y, g.ints(1)]), 4, 3, ["h2", "c2"])
        g.named("y", g.add("MatMul", [g.add("Squeeze", [y, g.ints(1)]), g.weights(3, 2)]))
        g.named("states", g.add("Concat", [g.add("Reshape", [each, g.ints(-1)]) for each in (h, c, h2, c2)], axis=0))
        inputs = [("x", FLOAT, [1, 1, 6])] + [(f"{s}{i}", FLOAT, [1, 1, n]) for i, n in ((1, 4), (2, 3)) for s in "hc"]
        model = g.model(inputs, ["y", "states"])
        session, states, theirs = self.session(model), numpy.zeros(14, numpy.float32), []
        x = self.x(9, 1, 1, 6)
        for row in x:
            parts = dict(zip(("h1", "c1", "h2", "c2"), numpy.split(states, (4, 8, 11))))
            y, states = session.run(["y", "states"], {"x": row, **{n: p.reshape(1, 1, -1) for n, p in parts.items()}})
            theirs.append(y.reshape(-1))
        numpy.testing.assert_allclose(self.convert(model).run(x.reshape(9, -1)), theirs, atol=1e-5)

    def test_an_answer_that_shows_a_state_beside_other_numbers_stays_an_answer(self):
        g = Graph()
        y, h, c = self.lstm_from(g, "x", 6, 4, ["h", "c"])
        g.named("y", g.add("Concat", [g.add("Squeeze", [y, g.ints(1)]), "x"], axis=2))
        g.named("states", g.add("Concat", [h, c], axis=0))
        model = g.model([("x", FLOAT, [1, 1, 6]), ("h", FLOAT, [1, 1, 4]), ("c", FLOAT, [1, 1, 4])], ["y", "states"])
        session, states, theirs = self.session(model), numpy.zeros((2, 1, 1, 4), numpy.float32), []
        x = self.x(9, 1, 1, 6)
        for row in x:
            y, states = session.run(["y", "states"], {"x": row, "h": states[0].reshape(1, 1, 4), "c": states[1].reshape(1, 1, 4)})
            theirs.append(y.reshape(-1))
        numpy.testing.assert_allclose(self.convert(model).run(x.reshape(9, -1)), theirs, atol=1e-5)

    def test_an_answer_that_is_a_state_stays_the_answer(self):
        g = Graph()
        y, h, c = self.lstm_from(g, "x", 6, 4, ["h", "c"])
        g.named("y", g.add("Squeeze", [y, g.ints(1)]))
        g.named("other", g.add("Tanh", ["x"]))
        g.named("h_out", g.add("Identity", [h]))
        g.named("c_out", g.add("Identity", [c]))
        self.compare_stream(g, [("x", FLOAT, [1, 1, 6]), ("h", FLOAT, [1, 1, 4]), ("c", FLOAT, [1, 1, 4])],
                            ["y", "other", "h_out", "c_out"], self.x(9, 1, 1, 6), {"h": "h_out", "c": "c_out"})

    def lstm_from(self, g, x, width, units, states):
        return g.add("LSTM", [x, g.weights(1, 4 * units, width), g.weights(1, 4 * units, units), g.weights(1, 8 * units), "",
                              *states], 3, hidden_size=units)

    def test_sizes_that_have_no_names_are_said_by_input_and_axis(self):
        """As in silero_vad.onnx: the sequences of a batch, and the samples of a step."""
        g = Graph()
        y, h = g.add("GRU", [g.add("Unsqueeze", ["x", g.ints(0)]), g.weights(1, 12, 6), g.weights(1, 12, 4), g.weights(1, 24),
                             "", "state"], 2, hidden_size=4, linear_before_reset=1)
        g.named("y", g.add("Add", [g.add("Squeeze", [y, g.ints(0, 1)]), g.add("Squeeze", ["state", g.ints(0)])]))
        g.named("state_out", h)
        inputs = [("x", FLOAT, [None, None]), ("state", FLOAT, [1, None, 4])]
        self.compare_stream(g, inputs, ["y", "state_out"], self.x(9, 1, 6), {"state": "state_out"}, "--dimension=x.1=6")
        self.refuse(g.model(inputs, ["y", "state_out"]), r"say it with --dimension=x\.[01]=N")

    def test_an_lstm_of_single_operators_keeps_its_states(self):
        """What PyTorch writes for an LSTMCell: two products, four gates."""
        g = Graph()
        gates = g.add("Add", [g.add("Gemm", ["x", g.weights(24, 5), g.weights(24)], transB=1),
                              g.add("Gemm", ["h", g.weights(24, 6), g.weights(24)], transB=1)])
        i, f, c, o = self.chunk(g, gates, (6, 6, 6, 6), 1)
        kept = g.add("Mul", [g.add("Sigmoid", [f]), "c"])
        c = g.add("Add", [kept, g.add("Mul", [g.add("Sigmoid", [i]), g.add("Tanh", [c])])])
        h = g.add("Mul", [g.add("Sigmoid", [o]), g.add("Tanh", [c])])
        g.named("y", g.add("Gemm", [h, g.weights(6, 2)]))
        g.named("h_out", h)
        g.named("c_out", c)
        types = self.compare_stream(g, [("x", FLOAT, [1, 5]), ("h", FLOAT, [1, 6]), ("c", FLOAT, [1, 6])],
                                    ["y", "h_out", "c_out"], self.x(9, 1, 5), {"h": "h_out", "c": "c_out"})
        self.assertEqual(types.count("memory"), 2)

    def test_a_graph_of_any_number_of_timesteps_is_followed_with_one(self):
        g = Graph()
        both = g.add("Concat", ["in_cache", "x"], axis=1)
        y = g.add("Conv", [g.add("Transpose", [both], perm=[0, 2, 1]), g.weights(5, 1, 3)], group=5)
        g.named("y", g.add("Transpose", [y], perm=[0, 2, 1]))
        g.named("out_cache", g.add("Slice", [both, g.ints(-2), g.ints(2 ** 62), g.ints(1)]))
        self.compare_stream(g, [("x", FLOAT, [1, "time", 5]), ("in_cache", FLOAT, [1, 2, 5])], ["y", "out_cache"],
                            self.x(9, 1, 1, 5), {"in_cache": "out_cache"})

    def test_two_states_of_one_shape_are_told_by_their_names_or_asked_for(self):
        def graph(*names):
            g = Graph()
            mean = g.add("Add", [g.add("Mul", ["mean", g.constant(numpy.float32(0.9))]), g.add("Mul", ["x", g.constant(numpy.float32(0.1))])])
            peak = g.add("Add", [g.add("Mul", ["peak", g.constant(numpy.float32(0.5))]), g.add("Mul", ["x", g.constant(numpy.float32(0.5))])])
            g.named("y", g.add("Sub", [g.add("Tanh", ["x"]), g.add("Mul", [mean, peak])]))
            g.named(names[0], peak)
            g.named(names[1], mean)
            return g
        inputs = [(name, FLOAT, [1, 3]) for name in ("x", "mean", "peak")]
        x = self.x(9, 1, 3)
        g = graph("peak_out", "mean_out")
        self.compare_stream(g, inputs, ["y", "peak_out", "mean_out"], x, {"mean": "mean_out", "peak": "peak_out"})
        g = graph("s1", "s2")
        self.compare_stream(g, inputs, ["y", "s1", "s2"], x, {"mean": "s2", "peak": "s1"}, "--state=mean:s2,peak:s1")

    def test_a_cell_that_does_not_go_on_beside_a_state_that_does_is_refused(self):
        for direction, state, wanted in (("forward", "", "begins anew at each call"), ("reverse", "h", "goes backward from a state")):
            with self.subTest(direction):
                g = Graph()
                x = g.add("Unsqueeze", [g.add("Add", ["x", "c"]), g.ints(0)])
                y, h = g.add("GRU", [x, g.weights(1, 12, 5), g.weights(1, 12, 4), g.weights(1, 24), "", state], 2, hidden_size=4,
                             direction=direction)
                outputs = [g.named("y", g.add("Squeeze", [y, g.ints(0, 1)])), g.named("c_out", "x"), g.named("h_out", h)]
                inputs = [("x", FLOAT, ["batch", 5]), ("c", FLOAT, ["batch", 5]), ("h", FLOAT, [1, "batch", 4])]
                self.refuse(g.model(inputs[:3 if state else 2], outputs[:3 if state else 2]), wanted)

    def test_a_cell_that_runs_once_over_several_timesteps_is_none_of_timesteps(self):
        """Three frames of context are one timestep of the LSTM behind them."""
        g = Graph()
        x = g.add("Conv", [g.add("Unsqueeze", ["input_1", g.ints(1)]), g.weights(1, 1, 3, 3)], pads=[0, 1, 0, 1])
        y, h, c = g.add("LSTM", [g.add("Reshape", [x, g.ints(1, 1, -1)]), g.weights(1, 16, 7), g.weights(1, 16, 4), g.weights(1, 32),
                                 "", "input_2", "input_3"], 3, hidden_size=4)
        g.named("output_1", y)
        g.named("output_2", h)
        g.named("output_3", c)
        self.compare_stream(g, [("input_1", FLOAT, [1, 3, 7]), ("input_2", FLOAT, [1, 1, 4]), ("input_3", FLOAT, [1, 1, 4])],
                            ["output_1", "output_2", "output_3"], self.x(9, 1, 3, 7), {"input_2": "output_2", "input_3": "output_3"})


if __name__ == "__main__":
    unittest.main()
