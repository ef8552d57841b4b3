"""Makes ONNX graphs with random weights, node by node. Needs numpy and onnx."""

import numpy
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


class Graph:
    """An ONNX graph in the making: add() appends a node and returns the name of its first output.

    The names of a graph inside another one begin with a letter of its own: names are unique over all graphs.
    """

    def __init__(self, seed=1, letter=""):
        self.random, self.letter = numpy.random.default_rng(seed), letter
        self.nodes, self.initializers, self.count = [], [], 0

    def constant(self, array):
        name = f"{self.letter}k{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(numpy.asarray(array), name))
        return name

    def weights(self, *shape):
        return self.constant(self.random.normal(0, 0.4, shape).astype(numpy.float32))

    def ints(self, *values):
        return self.constant(numpy.array(values, numpy.int64))

    def add(self, op, inputs, outputs=1, domain="", **attributes):
        names = [f"{self.letter}v{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{self.count}", domain=domain, **attributes))
        self.count += 1
        return names[0] if outputs == 1 else names

    def named(self, name, value):
        """A name of the graph's outputs for a value."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        return name

    def branch(self, output):
        return helper.make_graph(self.nodes, "branch", [], [helper.make_tensor_value_info(output, FLOAT, None)],
                                 self.initializers)

    def model(self, inputs, outputs, opset=17):
        graph = helper.make_graph(
            self.nodes, "graph", [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs],
            [helper.make_tensor_value_info(n, FLOAT, None) for n in outputs], self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset),
                                                       helper.make_opsetid("com.microsoft", 1)], ir_version=8)
