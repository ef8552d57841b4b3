"""What tests of rondo-convert against onnxruntime have in common."""

import copy
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy
import onnx
import onnxruntime
from onnx import TensorProto

from interpreter import Interpreter
from onnx_maker import FLOAT

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
TOLERANCE = 1e-5


class OnnxCase(unittest.TestCase):
    def convert(self, model, *options, **saved):
        """`saved`: options of onnx.save, which changes a model whose values it writes to other files."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "graph.onnx"
        onnx.save(copy.deepcopy(model), path, **saved)
        done = subprocess.run([BIN / "rondo-convert", path, f"--output={folder.name}", "--name=it", *options], text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.said = done.stdout
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

    def there_and_back(self, x, ours, back=True):
        """The model written as ONNX, in onnxruntime, and (`back`) read again: the numbers stay."""
        path = self.written.parent / "out.onnx"
        done = subprocess.run([BIN / "rondo-convert", self.written, f"--to_onnx={path}"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        model = onnx.load(path)
        onnx.checker.check_model(model)
        tokens = model.graph.input[0].type.tensor_type.elem_type == TensorProto.INT64
        fed = x[:, 0].astype(numpy.int64) if tokens else x.astype(numpy.float32)
        (theirs,) = self.session(model).run(None, {"X": fed})
        numpy.testing.assert_allclose(ours, theirs, atol=5e-6, rtol=0)
        if back:
            numpy.testing.assert_allclose(self.convert(model).run(x), ours, atol=1e-6, rtol=0)

    def session(self, model):
        return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def compare(self, graph, inputs, output, x, axis=0, model_options=(), tolerance=TOLERANCE, opset=17, back=True):
        """Both run over the whole of x; `axis` is the output's axis of timesteps, None if it is of the last one. `back`: what is
        written as ONNX can be read again."""
        model = graph.model(inputs, [output], opset)
        ours = all_of_ours = self.convert(model, *model_options).run(self.rows(x))
        (theirs,) = self.session(model).run([output], {inputs[0][0]: x})
        theirs = theirs.reshape(1, -1) if axis is None else numpy.moveaxis(theirs, axis, 0).reshape(theirs.shape[axis], -1)
        ours = ours[-1:] if axis is None else ours[len(ours) - len(theirs):]
        numpy.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=0)
        self.there_and_back(self.rows(x), all_of_ours, back)

    def rows(self, x):
        return numpy.moveaxis(x, self.time, 0).reshape(x.shape[self.time], -1)

    def compare_stream(self, graph, inputs, outputs, x, states, *options, opset=17):
        """A graph of one step, its states handed on outside, against one sequence of ours.

        `states`: the output that each state's input comes back in.
        """
        model = graph.model(inputs, outputs, opset)
        session, kept, theirs = self.session(model), {}, []
        for name, _, shape in inputs[1:]:
            kept[name] = numpy.zeros([size if isinstance(size, int) else 1 for size in shape], numpy.float32)
        for row in x:
            given = dict(zip(outputs, session.run(outputs, {inputs[0][0]: row, **kept})))
            theirs.append(given[outputs[0]].reshape(-1))
            kept = {name: given[back] for name, back in states.items()}
        ours = self.convert(model, *options)
        numpy.testing.assert_allclose(ours.run(x.reshape(len(x), -1)), theirs, atol=TOLERANCE)
        return [each["type"] for each in ours.description["elements"]]

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
