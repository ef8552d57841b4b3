"""A session of onnxruntime on one thread, for the benches that run a network there."""

import onnxruntime
from onnx import helper, numpy_helper


def session_of(nodes, inputs, outputs, weights):
    """Runs the nodes as one graph; `weights`: arrays by name."""
    graph = helper.make_graph(nodes, "step", inputs, outputs,
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
