#!/usr/bin/python3
"""Makes the exported_*.safetensors of this folder with model/export_torch.py. Needs Debian's python3-torch.

Every tensor holds ((0, 1, 2, ...) % 97 - 48) / 64, exact in float16, so that the test knows what must be read.
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "model"))
import export_torch  # noqa: E402


def filled(module):
    return {name: ((torch.arange(tensor.numel()) % 97 - 48) / 64).reshape(tensor.shape)
            for name, tensor in module.state_dict().items()}


def main():
    gru = torch.nn.ModuleDict({"rnn": torch.nn.GRU(4, 5, num_layers=2), "fc": torch.nn.Linear(5, 2, bias=False)})
    export_torch.save(
        {"module." + name: tensor.half() for name, tensor in filled(gru).items()},  # as DataParallel names them
        {"format": 1, "cell": "gru", "gru": {"reset": "after", "update": "keep"},
         "inputs": [{"name": "temp", "mean": 16.5, "std": 7.25}, {"name": "wind"}], "calendar": ["day_of_year"],
         "outputs": [{"name": "temp", "added_to": "temp"}], "horizon": 2, "training": {"library": "torch"}},
        HERE / "exported_gru.safetensors")
    lstm = torch.nn.ModuleDict({"emb": torch.nn.Embedding(7, 3), "lstm": torch.nn.LSTM(3, 4, bias=False),
                                "out": torch.nn.Linear(4, 2)})
    export_torch.save(
        {name: tensor.double() if name.startswith("out") else tensor.bfloat16()
         for name, tensor in filled(lstm).items()},
        {"format": 1, "cell": "lstm", "inputs": {"tokens": 7}, "outputs": [{"name": "no"}, {"name": "yes"}],
         "head": "softmax"},
        HERE / "exported_lstm.safetensors")


if __name__ == "__main__":
    main()
