"""Model files small enough to know every answer, written with nothing but the standard library."""

import json
import struct


def write_model(repository, name, description, tensors, version=1):
    """A .safetensors file: 8 bytes of header length, a JSON header, then float32 tensors back to back."""
    header = {"__metadata__": {"rondo": json.dumps(description)}}
    body = b""
    for tensor, (shape, values) in tensors.items():
        packed = struct.pack("<%df" % len(values), *values)
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(packed)]}
        body += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = repository / name / str(version) / "model.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def write_sum_model(repository, name, inputs, calendar=(), fed_back=("x",), horizon=1, version=1, scale=1.0):
    """Answers the running sum of all inputs, times `scale`; the calendar has no weight."""
    features = len(inputs) + 2 * len(calendar)
    description = {
        "format": 1, "cell": "rnn", "activation": "relu", "inputs": [{"name": i} for i in inputs],
        "calendar": list(calendar), "outputs": [{"name": "sum"}], "horizon": horizon, "step_seconds": 3600,
        "feedback": [{"output": "sum", "input": i} for i in fed_back] if horizon == 1 else [],
    }
    write_model(repository, name, description, {
        "rnn.weight_ih_l0": ([1, features], [1.0] * len(inputs) + [0.0] * (2 * len(calendar))),
        "rnn.weight_hh_l0": ([1, 1], [1.0]),
        "rnn.bias_ih_l0": ([1], [0.0]),
        "rnn.bias_hh_l0": ([1], [0.0]),
        "head.weight": ([horizon, 1], [scale] * horizon),
        "head.bias": ([horizon], [0.0] * horizon),
    }, version)


def write_chain_model(repository, name, texts):
    """A token model: after each of `texts` the next one in the list is the most probable, after the last the first."""
    count = len(texts)
    identity = [float(i == j) for i in range(count) for j in range(count)]
    after = [8.0 * (i == (j + 1) % count) for i in range(count) for j in range(count)]
    write_model(repository, name, {
        "format": 1, "cell": "rnn", "activation": "relu", "inputs": {"tokens": count, "vocabulary": list(texts)},
        "head": "softmax", "outputs": [{"name": f"y{i}"} for i in range(count)],
    }, {
        "embedding.weight": ([count, count], identity),
        "rnn.weight_ih_l0": ([count, count], identity),
        "rnn.weight_hh_l0": ([count, count], [0.0] * count * count),
        "rnn.bias_ih_l0": ([count], [0.0] * count),
        "rnn.bias_hh_l0": ([count], [0.0] * count),
        "head.weight": ([count, count], after),
        "head.bias": ([count], [0.0] * count),
    })
