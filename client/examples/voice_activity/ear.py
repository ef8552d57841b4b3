"""usage: ear.py OUTPUT [NETWORK]

Writes a model that takes sound as it comes, 80 samples a timestep, and answers how loud it is in 33 bands: a Fourier transform of
the last 20 ms, as two layers with fixed weights. With NETWORK, a model of one GRU layer that rondo-train made of these answers, the
model goes on with that network: sound goes in, and its classes come out.
"""

import json
import math
import pathlib
import struct
import sys

FRAME = 80
WINDOW = 2 * FRAME  # samples
# In multiples of 50 Hz: narrow below 1000 Hz, where a voice has its pitch, and wider above.
EDGES = [*range(1, 21), 22, 24, 27, 29, 32, 35, 39, 43, 47, 52, 57, 63, 69, 76]
BANDS = len(EDGES) - 1


def ear():
    """(elements, tensors) from samples to the logarithm of each band's power."""
    fade = [0.5 - 0.5 * math.cos(2 * math.pi * (i + 0.5) / WINDOW) for i in range(WINDOW)]
    waves = [fade[i] * wave(2 * math.pi * k * i / WINDOW) / WINDOW
             for k in range(FRAME) for wave in (math.cos, math.sin) for i in range(WINDOW)]  # fmt: skip
    bands = [float(low <= j // 2 < high) for low, high in zip(EDGES, EDGES[1:]) for j in range(WINDOW)]
    elements = [
        {"name": "before", "type": "delay", "of": "input"},
        {"name": "sound", "type": "concat", "of": ["before", "input"]},
        {"name": "waves", "type": "dense", "of": "sound", "units": WINDOW, "bias": False},
        {"name": "power", "type": "activation", "of": "waves", "function": "square"},
        {"name": "bands", "type": "dense", "of": "power", "units": BANDS, "bias": False},
        {"name": "loud", "type": "activation", "of": "bands", "function": "log", "alpha": 1e-9},
    ]
    return elements, {"waves.weight": ([WINDOW, WINDOW], waves), "bands.weight": ([BANDS, WINDOW], bands)}


def read(path):
    """(description, tensors) of a model file."""
    content = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    description = json.loads(header.pop("__metadata__")["rondo"])
    tensors = {name: (tensor["shape"], struct.unpack(f"<{math.prod(tensor['shape'])}f", body[slice(*tensor["data_offsets"])]))
               for name, tensor in header.items()}  # fmt: skip
    return description, tensors


def write(path, description, tensors):
    header, body = {"__metadata__": {"rondo": json.dumps(description)}}, b""
    for name, (shape, numbers) in tensors.items():
        packed = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(packed)]}
        body += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    output = pathlib.Path(path)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(struct.pack("<Q", len(text)) + text + body)


def go_on(elements, tensors, path):
    """Adds the network of a plain stack, as elements; returns what its model answers."""
    description, learned = read(path)
    inputs, cell = description["inputs"], {"type": description["cell"], **description["gru"]}
    learned = {name.removeprefix("rnn.").removesuffix("_l0"): tensor for name, tensor in learned.items()}
    tensors["likeness.mean"] = [BANDS], [column.get("mean", 0.0) for column in inputs]
    tensors["likeness.deviation"] = [BANDS], [column.get("std", 1.0) for column in inputs]
    for name, tensor in learned.items():
        tensors[name.replace("head.", "classes.") if name.startswith("head.") else f"memory.{name}"] = tensor
    elements += [
        {"name": "likeness", "type": "standardise", "of": "loud"},
        {"name": "memory", "of": "likeness", "units": learned["weight_hh"][0][1], **cell},
        {"name": "classes", "type": "dense", "of": "memory", "units": len(description["outputs"])},
    ]
    return {"of": "classes", "head": description["head"], "outputs": description["outputs"]}


def main():
    elements, tensors = ear()
    output = {"of": "loud", "outputs": [{"name": f"band{i}"} for i in range(BANDS)]}
    if len(sys.argv) > 2:
        output = go_on(elements, tensors, sys.argv[2])
    inputs = [{"name": f"sample{i}", "std": 32768} for i in range(FRAME)]
    write(sys.argv[1], {"format": 2, "inputs": inputs, "elements": elements, "output": output}, tensors)


if __name__ == "__main__":
    main()
