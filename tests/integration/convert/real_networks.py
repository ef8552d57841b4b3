"""What is known of silero-vad's files, and onnxruntime's answers of graphs whose state goes in and out.

Needs numpy, onnx and onnxruntime.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from interpreter import read_safetensors  # noqa: E402


def run_onnx(path, feeds_of, states, steps, output):
    """The answers of onnxruntime, its states handed on by name, step by step."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    state = {name: numpy.zeros(shape, numpy.float32) for name, (shape, _) in states.items()}
    names = [o.name for o in session.get_outputs()]
    answers = []
    for step in range(steps):
        given = dict(zip(names, session.run(None, {**feeds_of(step), **state})))
        answers.append(numpy.asarray(given[output], numpy.float64).reshape(-1))
        state = {name: given[back] for name, (_, back) in states.items()}
    return numpy.stack(answers)


def silero_sequence_answers(file, x):
    states = {"h": ((1, 1, 128), "hn"), "c": ((1, 1, 128), "cn")}
    return run_onnx(file, lambda i: {"input": x[i:i + 1]}, states, len(x), "speech_probs")


def op15_answers(file, x):
    feeds = lambda i: {"input": x[i:i + 1], "sr": numpy.array(16000, numpy.int64)}  # noqa: E731
    return run_onnx(file, feeds, {"state": ((2, 1, 128), "stateN")}, len(x), "output")


# silero-vad's network as its package's utils say it: an STFT as a convolution, four convolutions, an LSTMCell.
SILERO = {
    "format": 2, "inputs": {"size": 576},
    "elements": [
        {"name": "samples", "type": "reshape", "of": "input", "channels": 1, "length": 576},
        {"name": "padded", "type": "pad", "of": "samples", "left": 0, "right": 64, "mode": "reflect"},
        {"name": "stft", "type": "conv1d", "of": "padded", "channels": 258, "kernel": 256, "stride": 128, "bias": False,
         "module": "stft_conv"},
        {"name": "real", "type": "slice", "of": "stft", "from": 0, "to": 129},
        {"name": "imaginary", "type": "slice", "of": "stft", "from": 129, "to": 258},
        {"name": "real2", "type": "activation", "of": "real", "function": "square"},
        {"name": "imaginary2", "type": "activation", "of": "imaginary", "function": "square"},
        {"name": "power", "type": "add", "of": ["real2", "imaginary2"]},
        {"name": "magnitude", "type": "activation", "of": "power", "function": "sqrt"},
        {"name": "conv1", "type": "conv1d", "of": "magnitude", "channels": 128, "kernel": 3, "padding": [1, 1],
         "activation": "relu"},
        {"name": "conv2", "type": "conv1d", "of": "conv1", "channels": 64, "kernel": 3, "stride": 2, "padding": [1, 1],
         "activation": "relu"},
        {"name": "conv3", "type": "conv1d", "of": "conv2", "channels": 64, "kernel": 3, "stride": 2, "padding": [1, 1],
         "activation": "relu"},
        {"name": "conv4", "type": "conv1d", "of": "conv3", "channels": 128, "kernel": 3, "padding": [1, 1],
         "activation": "relu"},
        {"name": "rnn", "type": "lstm", "of": "conv4", "units": 128, "module": "lstm_cell"},
        {"name": "active", "type": "activation", "of": "rnn", "function": "relu"},
        {"name": "final", "type": "conv1d", "of": "active", "channels": 1, "kernel": 1, "module": "final_conv",
         "activation": "sigmoid"},
    ],
    "output": {"of": "final", "head": "linear"},
}

# Where the same weights are in silero_vad_16k_op15.onnx.
SILERO_NAMES = {"model.stft.forward_basis_buffer": "stft_conv.weight"}
for kind in ("weight", "bias"):
    SILERO_NAMES[f"model.decoder.decoder.2.{kind}"] = f"final_conv.{kind}"
    SILERO_NAMES.update({f"model.encoder.{i}.reparam_conv.{kind}": f"conv{i + 1}.{kind}" for i in range(4)})
    SILERO_NAMES.update({f"model.decoder.rnn.{kind}_{of}": f"lstm_cell.{kind}_{of}" for of in ("ih", "hh")})


def save_with_weights(graph, weights, path):
    """silero-vad's ONNX graph with the weights of its safetensors file in place of its own."""
    (_, tensors), model = read_safetensors(weights), onnx.load(graph)
    for each in model.graph.initializer:
        values = tensors.pop(SILERO_NAMES[each.name]).astype(numpy.float32)
        if list(values.shape) != list(each.dims):
            raise ValueError(f"{each.name} is {list(each.dims)} in the graph, {values.shape} in the weights")
        each.CopyFrom(numpy_helper.from_array(values, each.name))
    if tensors:
        raise ValueError(f"the graph has no place for {list(tensors)}")
    onnx.save(model, path)
