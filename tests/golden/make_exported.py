#!/usr/bin/python3
"""Makes the exported_*.safetensors of this folder: files as safetensors.torch.save_file writes them, in the types that
tensors have, with a description of format 1. Needs Debian's python3-torch.

Every tensor holds ((0, 1, 2, ...) % 97 - 48) / 64, exact in float16, so that the test knows what must be read.
"""

import ctypes
import json
import pathlib
import struct

import torch

HERE = pathlib.Path(__file__).resolve().parent
TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16"}


def save(tensors, description, path):
    header = {"__metadata__": {"format": "pt", "rondo": json.dumps(description)}}
    content = b""
    for name, tensor in tensors.items():
        # Not tensor.numpy(): numpy has no bfloat16.
        content += ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())
        begin = len(content) - tensor.numel() * tensor.element_size()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, len(content)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


def filled(module):
    return {name: ((torch.arange(tensor.numel()) % 97 - 48) / 64).reshape(tensor.shape)
            for name, tensor in module.state_dict().items()}


def main():
    gru = torch.nn.ModuleDict({"rnn": torch.nn.GRU(4, 5, num_layers=2), "fc": torch.nn.Linear(5, 2, bias=False)})
    save(
        {**{"module." + name: tensor.half() for name, tensor in filled(gru).items()},  # as DataParallel names them
         "module.fc.bias": torch.zeros(2).half()},
        {"format": 1, "cell": "gru", "gru": {"reset": "after", "update": "keep"},
         "inputs": [{"name": "temp", "mean": 16.5, "std": 7.25}, {"name": "wind"}], "calendar": ["day_of_year"],
         "outputs": [{"name": "temp", "added_to": "temp"}], "horizon": 2, "training": {"library": "torch"}},
        HERE / "exported_gru.safetensors")
    lstm = torch.nn.ModuleDict({"emb": torch.nn.Embedding(7, 3), "lstm": torch.nn.LSTM(3, 4, bias=False),
                                "out": torch.nn.Linear(4, 2)})
    save(
        {name: tensor.double() if name.startswith("out") else tensor.bfloat16()
         for name, tensor in filled(lstm).items()},
        {"format": 1, "cell": "lstm", "inputs": {"tokens": 7}, "outputs": [{"name": "no"}, {"name": "yes"}],
         "head": "softmax"},
        HERE / "exported_lstm.safetensors")


if __name__ == "__main__":
    main()
