#!/usr/bin/env python3
"""Models of ours, written as ONNX: each type of element, each head, calendar and units, run by onnxruntime.

    export_test.py BIN_DIR [unittest arguments]      needs numpy, onnx and onnxruntime

Elements are compared with the interpreter in this folder and read again; what a server does beside the network is
compared with a rondo-server.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy
import onnx
import onnxruntime

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from interpreter import Interpreter, read_safetensors  # noqa: E402
from rondo_server import Server  # noqa: E402
from small_models import write_model  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
STEPS = 11


def cell(kind, gates, **attributes):
    e = {"name": "y", "type": kind, "of": "input", "units": 3, **attributes}
    tensors = {"y.weight_ih": [3 * gates, 4], "y.weight_hh": [3 * gates, 3], "y.bias_ih": [3 * gates], "y.bias_hh": [3 * gates]}
    if attributes.get("peepholes"):
        tensors["y.peephole"] = [9]
    if attributes.get("initial_state") == "given":
        tensors.update({f"y.initial_{part}": [3] for part in ("hc" if kind == "lstm" else "h")})
    return [e], tensors


def cell_of_frame(kind, cell, gates, **attributes):
    """Of a frame of 2 channels x 2 places."""
    e = {"name": "y", "type": kind, "of": "frame", "cell": cell, "units": 3, **attributes}
    tensors = {"y.weight_ih": [3 * gates, 2], "y.weight_hh": [3 * gates, 3], "y.bias_ih": [3 * gates], "y.bias_hh": [3 * gates]}
    if attributes.get("initial_state") == "given":
        tensors.update({f"y.initial_{part}": [3] for part in ("hc" if cell == "lstm" else "h")})
    return [{"name": "frame", "type": "reshape", "of": "input", "channels": 2, "length": 2}, e], tensors


def of(kind, tensors=None, of="input", **attributes):
    """One element that reads the 4 inputs, or a frame of 2 x 2 where it needs one."""
    frame = [{"name": "frame", "type": "reshape", "of": "input", "channels": 2, "length": 2}] if of == "frame" else []
    return [*frame, {"name": "y", "type": kind, "of": of, **attributes}], tensors or {}


def by_constant(kind):
    return [{"name": "k", "type": "constant", "units": 4}, {"name": "y", "type": kind, "of": ["input", "k"]}], {"k.value": [4]}


STATISTICS = {"name": "s", "type": "instance_statistics", "of": "input"}
# Elements and their tensors' shapes by type; a network reads 4 numbers, and the answer is "y".
CASES = {
    "dense": [of("dense", {"y.weight": [3, 4], "y.bias": [3]}, units=3, activation=f) for f in
              ("linear", "relu", "softmax", "log_softmax", "softplus", "selu", {"function": "clip", "alpha": -0.5, "beta": 0.5})],
    "lstm": [cell("lstm", 4), cell("lstm", 4, peepholes=True, initial_state="given"), cell("lstm", 4, direction="reverse")],
    "gru": [cell("gru", 3, reset=reset, update=update) for reset in ("after", "before") for update in ("keep", "replace")],
    "rnn": [cell("rnn", 1), cell("rnn", 1, activation="relu", initial_state="given")],
    "frame_cell": [cell_of_frame("frame_cell", "lstm", 4, initial_state="given", direction="reverse"),
                   cell_of_frame("frame_cell", "gru", 3, reset="before", update="replace"), cell_of_frame("frame_cell", "rnn", 1)],
    "position_cell": [cell_of_frame("position_cell", "lstm", 4, initial_state="given"),
                      cell_of_frame("position_cell", "gru", 3, reset="after", update="keep"), cell_of_frame("position_cell", "rnn", 1)],
    "embedding": [of("embedding", {"y.weight": [7, 3]}, units=3)],
    "standardise": [of("standardise", {"y.mean": [4], "y.deviation": [4]})],
    "scale": [of("scale", {"y.weight": [2], "y.bias": [2]}, of="frame")],
    "constant": [by_constant("add")],
    "activation": [of("activation", of="frame", function=f) for f in
                   ("sigmoid", "tanh", "hard_sigmoid", "leaky_relu", "elu", "softsign", "swish", "exp", "square", "abs", "negate",
                    "clip", "softmax")],
    "add": [by_constant("add")], "subtract": [by_constant("subtract")], "multiply": [by_constant("multiply")],
    "divide": [by_constant("divide")],
    "concat": [([{"name": "frame", "type": "reshape", "of": "input", "channels": 2, "length": 2},
                 {"name": "y", "type": "concat", "of": ["frame", "frame"], "axis": axis}], {}) for axis in ("channels", "length")],
    "slice": [of("slice", **{"from": 1, "to": 4, "step": 2}), of("slice", of="frame", axis="length", **{"from": 1, "to": 2})],
    "reshape": [of("reshape", channels=2, length=2)],
    "transpose": [of("transpose", of="frame")],
    "pad": [of("pad", of="frame", left=1, right=1, mode=mode) for mode in ("zero", "reflect", "edge")],
    "lag_window": [([{"name": "one", "type": "slice", "of": "input", "from": 1, "to": 2},
                     {"name": "y", "type": "lag_window", "of": "one", "length": 5, "minus_newest": newest}], {})
                   for newest in (False, True)],
    "delay": [of("delay", steps=3)],
    "causal_conv1d": [of("causal_conv1d", {"y.weight": [6, 4, 3], "y.bias": [6]}, units=6, kernel=3, dilation=2),
                      of("causal_conv1d", {"y.weight": [4, 1, 3], "y.bias": [4]}, units=4, kernel=3, groups=4, ahead=1)],
    "conv1d": [of("conv1d", {"y.weight": [4, 2, 2], "y.bias": [4]}, of="frame", channels=4, kernel=2, padding=[1, 0])],
    "max_pool": [of("max_pool", of="frame", kernel=2)],
    "average_pool": [of("average_pool", of="frame", kernel=2, stride=1, padding=[1, 0], count_padding=counted)
                     for counted in (False, True)],
    "mean": [of("mean", of="frame")], "max": [of("max", of="frame")], "sum": [of("sum", of="frame")],
    "layer_norm": [of("layer_norm", {"y.weight": [4], "y.bias": [4]}), of("layer_norm", {"y.weight": [4], "y.bias": [4]}, of="frame")],
    "l2_norm": [of("l2_norm"), of("l2_norm", epsilon=0.5)],
    "instance_statistics": [([{**STATISTICS, "name": "y"}], {})],
    "instance_scale": [([STATISTICS, {"name": "y", "type": "instance_scale", "of": ["input", "s"]}], {})],
    "instance_unscale": [([STATISTICS, {"name": "y", "type": "instance_unscale", "of": ["input", "s"]}], {})],
    "sequence_mean": [of("sequence_mean")], "sequence_max": [of("sequence_max")], "sequence_last": [of("sequence_last")],
    "sequence_first": [of("sequence_first")],
    "sequence_max_pool": [of("sequence_max_pool", kernel=3, stride=2)],
    "sequence_average_pool": [of("sequence_average_pool", kernel=2), of("sequence_average_pool", kernel=3, padding=[1, 1]),
                              of("sequence_average_pool", kernel=2, partial=True)],
}
REMEMBERED = [{"name": "m", "type": "memory", "units": 3, "next": "y"}, {"name": "c", "type": "concat", "of": ["input", "m"]}]
# A memory, and all that keeps a state beside one; what goes timestep by timestep is written as a graph of one timestep.
CASES["memory"] = [
    ([*REMEMBERED, {"name": "y", "type": "dense", "of": "c", "units": 3}], {"y.weight": [3, 7], "y.bias": [3]}),
    ([*REMEMBERED, {"name": "late", "type": "delay", "of": "c", "steps": 2},
      {"name": "past", "type": "causal_conv1d", "of": "late", "units": 3, "kernel": 3, "dilation": 2},
      {"name": "one", "type": "slice", "of": "past", "from": 0, "to": 1}, {"name": "window", "type": "lag_window", "of": "one", "length": 3},
      {"name": "frame", "type": "reshape", "of": "c", "channels": 1, "length": 7},
      {"name": "places", "type": "position_cell", "cell": "lstm", "of": "frame", "units": 1},
      {"name": "along", "type": "frame_cell", "cell": "rnn", "of": "places", "units": 1},
      {"name": "flat", "type": "reshape", "of": "along", "channels": 7, "length": 1},
      {"name": "cell", "type": "gru", "of": "flat", "units": 2, "reset": "before", "update": "keep"},
      {"name": "all", "type": "concat", "of": ["past", "window", "cell"]}, {"name": "y", "type": "dense", "of": "all", "units": 3}],
     {"past.weight": [3, 7, 3], "past.bias": [3], "places.weight_ih": [4, 1], "places.weight_hh": [4, 1], "along.weight_ih": [1, 1],
      "along.weight_hh": [1, 1], "cell.weight_ih": [6, 7], "cell.weight_hh": [6, 2], "y.weight": [3, 8], "y.bias": [3]})]
# What a graph of ONNX can't say.
NOT_WRITTEN = [
    ([{**STATISTICS, "name": "y", "memory": 5}], {}, "element 'y' has a memory of its own, which is not written as ONNX"),
    ([{"name": "m", "type": "memory", "units": 8, "next": "s"}, {**STATISTICS}, {"name": "y", "type": "add", "of": ["m", "s"]}], {},
     "element 's' stands in a network with a memory, which"),
    ([{"name": "m", "type": "memory", "units": 1, "next": "one"}, {"name": "one", "type": "slice", "of": "input", "from": 0, "to": 1},
      {"name": "w", "type": "lag_window", "of": "one", "length": 4, "minus_newest": True}, {"name": "y", "type": "add", "of": ["w", "m"]}], {},
     "element 'w' begins with its first value, in a network with a memory, which"),
    ([*REMEMBERED, {**cell("gru", 3, reset="after", update="keep", initial_state="given")[0][0], "of": "c"}],
     {**cell("gru", 3, initial_state="given")[1], "y.weight_ih": [9, 7]},
     "element 'y' begins somewhere else than at zero, in a network with a memory, which")]


class ExportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = numpy.random.default_rng(4)

    def write(self, description, shapes, name="it"):
        def values(tensor, shape):
            drawn = self.random.normal(0, 0.5, shape)
            return (numpy.abs(drawn) + 0.5 if tensor.endswith("deviation") else drawn).reshape(-1).tolist()
        tensors = {tensor: (shape, values(tensor, shape)) for tensor, shape in shapes.items()}
        write_model(self.folder / "models", name, description, tensors)
        return self.folder / "models" / name / "1" / "model.safetensors"

    def convert(self, file, *options):
        return subprocess.run([BIN / "rondo-convert", file, *options], text=True, capture_output=True)

    def export(self, file):
        path = self.folder / "out.onnx"
        done = self.convert(file, f"--to_onnx={path}")
        self.assertEqual(done.returncode, 0, done.stderr)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        return path

    def run_onnx(self, path, x, **more):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        tokens = session.get_inputs()[0].type == "tensor(int64)"
        states = {each.name: numpy.zeros(each.shape, numpy.float32) for each in session.get_inputs() if each.name.startswith("state_")}
        rows = []
        for row in x[:, None] if states else ():
            y, *new = session.run(None, {"X": row.astype(numpy.float32), **states})
            names = [each.name.replace("_out", "_in") for each in session.get_outputs()[1:]]
            states = dict(zip(names, new, strict=True))
            rows.append(y[0])
        if states:
            return numpy.stack(rows)
        (y,) = session.run(None, {"X": x[:, 0].astype(numpy.int64) if tokens else x.astype(numpy.float32), **more})
        return y

    def element(self, kind, elements, shapes):
        tokens = kind == "embedding"
        x = self.random.integers(0, 7, (STEPS, 1)) if tokens else self.random.normal(0, 1, (STEPS, 4)).astype(numpy.float32)
        inputs = {"tokens": 7} if tokens else {"size": 4}
        file = self.write({"format": 2, "inputs": inputs, "elements": elements, "output": {"of": "y", "head": "linear"}}, shapes)
        ours = Interpreter(file).run(x)
        path = self.export(file)
        numpy.testing.assert_allclose(self.run_onnx(path, x), ours, atol=2e-6, rtol=2e-6)
        back = self.convert(path, f"--output={self.folder / 'back'}", "--name=it")
        self.assertEqual(back.returncode, 0, back.stderr)
        again = Interpreter(self.folder / "back/it/1/model.safetensors").run(x)
        # One answer for all timesteps is read as one of the last timestep.
        rows = slice(-1, None) if kind == "sequence_last" else slice(None)
        numpy.testing.assert_allclose(again[rows], ours[rows], atol=2e-6, rtol=2e-6)

    def test_every_element_goes_there_and_back(self):
        readme = (ROOT / "model/network/README.md").read_text().partition("## The elements")[2].partition("\nFunctions:")[0]
        listed = [name for row in re.findall(r"^\| (`.*?) \|", readme, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
        self.assertEqual(sorted(CASES), sorted(set(listed)))
        for elements, shapes, wanted in NOT_WRITTEN:
            file = self.write({"format": 2, "inputs": {"size": 4}, "elements": elements, "output": {"of": "y", "head": "linear"}}, shapes)
            self.assertRegex(self.convert(file, f"--to_onnx={self.folder}/not.onnx").stderr, wanted)
            self.setUp()
        for kind, cases in CASES.items():
            for i, (elements, shapes) in enumerate(cases):
                with self.subTest(kind, case=i, last=elements[-1]):
                    self.setUp()
                    self.element(kind, elements, shapes)

    def served(self, name, x, **times):
        server = Server(BIN, self.folder / "models")
        self.addCleanup(server.stop)
        return server.answers(name, x, names=["a", "b"], **times)

    INPUTS = [{"name": "a", "mean": 1000.5, "std": 2.5}, {"name": "b", "mean": -3, "std": 0.5}]

    def plain(self, head, values, calendar=(), **output):
        features = 2 + 2 * len(calendar)
        outputs = [{"name": "a", "mean": 5, "std": 3, "added_to": "a"}, {"name": "c", "mean": 1, "std": 2}, {"name": "d"}]
        if head in ("softmax", "sigmoid"):
            outputs = [{"name": each["name"]} for each in outputs]
        description = {"format": 1, "cell": "lstm", "inputs": self.INPUTS, "calendar": list(calendar), "outputs": outputs,
                       "head": head, "horizon": 2, **output}
        rows = 2 * 3 * values
        return description, {"rnn.weight_ih_l0": [20, features], "rnn.weight_hh_l0": [20, 5], "rnn.bias_ih_l0": [20],
                             "rnn.bias_hh_l0": [20], "head.weight": [rows, 5], "head.bias": [rows]}

    def rows(self):
        return self.random.normal([1000, -3], [3, 0.6], (STEPS, 2)).astype(numpy.float32)

    def test_every_head_answers_in_the_units_of_a_server(self):
        for head, values, output in (("linear", 1, {}), ("sigmoid", 1, {}), ("softmax", 1, {}), ("gaussian", 2, {}),
                                     ("quantile", 3, {"quantiles": [0.1, 0.5, 0.9]})):
            with self.subTest(head):
                self.setUp()
                file, x = self.write(*self.plain(head, values, **output)), self.rows()
                theirs = self.run_onnx(self.export(file), x)
                numpy.testing.assert_allclose(theirs, self.served("it", x), atol=1e-6, rtol=1e-6)

    def there_and_back(self, path, x, **times):
        """Reads the ONNX file again: a server answers as before, and the description says what it said."""
        done = self.convert(path, f"--output={self.folder}/models", "--name=again")
        self.assertEqual(done.returncode, 0, done.stderr)
        server = Server(BIN, self.folder / "models")
        self.addCleanup(server.stop)
        one, other = (server.answers(name, x, names=["a", "b"], **times) for name in ("it", "again"))
        numpy.testing.assert_allclose(other, one, atol=1e-6, rtol=1e-6)
        again = read_safetensors(self.folder / "models/again/1/model.safetensors")[0]
        return json.loads(again["rondo"])

    def test_heads_units_and_calendars_are_read_back(self):
        for head, values, output in (("linear", 1, {}), ("sigmoid", 1, {}), ("softmax", 1, {}), ("gaussian", 2, {}),
                                     ("quantile", 3, {"quantiles": [0.1, 0.5, 0.9]})):
            for calendar in ([], ["hour", "weekday", "day_of_year"]):
                with self.subTest(head, calendar=calendar):
                    self.setUp()
                    description, shapes = self.plain(head, values, calendar, **output)
                    file, x = self.write(description, shapes), self.rows()
                    times = {"times": 1700000000 + 3600 * numpy.arange(STEPS)} if calendar else {}
                    read = self.there_and_back(self.export(file), x, **times)
                    self.assertEqual(read.get("calendar", []), calendar)
                    self.assertEqual(read["output"]["head"], head)
                    self.assertEqual([each["name"] for each in read["inputs"]], ["a", "b"])
                    self.assertEqual(read["output"].get("quantiles"), output.get("quantiles"))

    def test_a_network_with_a_memory_keeps_its_units_too(self):
        description = {"format": 2, "inputs": self.INPUTS, "elements": [
            {"name": "m", "type": "memory", "units": 2, "next": "y"}, {"name": "c", "type": "concat", "of": ["input", "m"]},
            {"name": "y", "type": "dense", "of": "c", "units": 2, "activation": "tanh"}],
            "output": {"of": "y", "head": "gaussian", "outputs": [{"name": "a", "mean": 2, "std": 7, "added_to": "b"}]}}
        file, x = self.write(description, {"y.weight": [2, 4], "y.bias": [2]}), self.rows()
        path = self.export(file)
        numpy.testing.assert_allclose(self.run_onnx(path, x), self.served("it", x), atol=1e-5, rtol=1e-6)
        read = self.there_and_back(path, x)
        self.assertEqual([each["type"] for each in read["elements"]].count("memory"), 1)
        self.assertEqual(read["output"]["outputs"], description["output"]["outputs"])

    def test_metadata_that_is_no_description_is_refused(self):
        path = self.export(self.write(*self.plain("linear", 1)))
        for said in ("{", "[]", '{"elements": []}'):
            model = onnx.load(path)
            for each in model.metadata_props:
                if each.key == "rondo":
                    each.value = said
            onnx.save(model, self.folder / "changed.onnx")
            done = self.convert(self.folder / "changed.onnx")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, "the metadata 'rondo' is no description")

    def test_a_graphs_head_and_units_are_written_too(self):
        description = {"format": 2, "inputs": self.INPUTS, "calendar": ["hour"], "elements": [
            {"name": "cell", "type": "gru", "of": "input", "units": 3}, {"name": "y", "type": "dense", "of": "cell", "units": 2}],
            "output": {"of": "y", "head": "gaussian", "outputs": [{"name": "a", "mean": 2, "std": 7, "added_to": "b"}]}}
        shapes = {"cell.weight_ih": [9, 4], "cell.weight_hh": [9, 3], "cell.bias_ih": [9], "cell.bias_hh": [9],
                  "y.weight": [2, 3], "y.bias": [2]}
        file, x = self.write(description, shapes), self.rows()
        times = 1700000000 + 3600 * numpy.arange(STEPS)
        theirs = self.run_onnx(self.export(file), x, times=times)
        numpy.testing.assert_allclose(theirs, self.served("it", x, times=times), atol=1e-6, rtol=1e-6)

    def test_a_calendar_is_made_of_times(self):
        file, x = self.write(*self.plain("linear", 1, ["hour", "weekday", "day_of_year"])), self.rows()
        path = self.export(file)
        self.assertEqual([i.name for i in onnx.load(path).graph.input], ["X", "times"])
        # Around leap days and new years.
        around = [951782400, 951868799, 978307199, 1709164800, 1735689599, 4107542400, 4107456000, 868169600, 1294694399, 1700000000, 1699999999]
        times = numpy.array(sorted(around), numpy.int64)
        theirs = self.run_onnx(path, x, times=times)
        numpy.testing.assert_allclose(theirs, self.served("it", x, times=times), atol=2e-6, rtol=1e-6)

    def test_a_model_of_format_1_keeps_its_names_and_head_as_elements(self):
        file = self.write(*self.plain("gaussian", 2, ["hour"]))
        done = self.convert(file, f"--output={self.folder}/models", "--name=again")
        self.assertEqual(done.returncode, 0, done.stderr)
        x, times = self.rows(), 1700000000 + 3600 * numpy.arange(STEPS)
        server = Server(BIN, self.folder / "models")
        self.addCleanup(server.stop)
        one, other = (server.answers(name, x, names=["a", "b"], times=times) for name in ("it", "again"))
        numpy.testing.assert_allclose(other, one, atol=1e-6, rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
