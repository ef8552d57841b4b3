"""Writes torch_training.json: gradients and loss curves of PyTorch, which model/train is compared with.

    /usr/bin/python3 make_torch_training.py        (Debian's python3-torch)

nn.GRU has only reset-after, so reset-before is written by its formula (Cho et al. 2014, in PyTorch's gate order). The
data of the loss curves are formulas of the indices (see inputs() and targets()), evaluated again by the test.
"""
import json
import math
import pathlib

import torch
from torch import nn

CURVE = {"timesteps": 12, "batch_size": 6, "input_size": 3, "hidden_size": 8, "batches": 4, "steps": 200,
         "learning_rate": 0.005, "weight_decay": 0.01, "max_norm": 0.5}
GRADIENT = {"timesteps": 4, "batch_size": 2, "input_size": 3, "hidden_size": 4}


class GruResetBefore(nn.Module):
    """nn.GRU's parameters and gate order (r, z, n); the reset gate acts before the recurrent product."""

    def __init__(self, input_size, hidden_size, num_layers):
        super().__init__()
        self.layers = num_layers
        plain = nn.GRU(input_size, hidden_size, num_layers)
        for name, value in plain.named_parameters():
            self.register_parameter(name, nn.Parameter(value.detach().clone()))

    def forward(self, x):
        for k in range(self.layers):
            w_ih, w_hh, b_ih, b_hh = (getattr(self, f"{n}_l{k}") for n in
                                      ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            u_r, u_z, u_n = w_hh.chunk(3)
            b_r, b_z, b_n = b_hh.chunk(3)
            h = x.new_zeros(x.shape[1], w_hh.shape[1])
            steps = []
            for t in range(x.shape[0]):
                a_r, a_z, a_n = (x[t] @ w_ih.T + b_ih).chunk(3, dim=1)
                r = torch.sigmoid(a_r + h @ u_r.T + b_r)
                z = torch.sigmoid(a_z + h @ u_z.T + b_z)
                n = torch.tanh(a_n + (r * h) @ u_n.T + b_n)
                h = z * h + (1 - z) * n
                steps.append(h)
            x = torch.stack(steps)
        return x, None


CELLS = {
    "lstm": nn.LSTM,
    "gru_after": nn.GRU,
    "gru_before": GruResetBefore,
    "rnn_tanh": nn.RNN,
    "rnn_relu": lambda i, h, l: nn.RNN(i, h, l, nonlinearity="relu"),
}


class Network(nn.Module):
    def __init__(self, cell, input_size, hidden_size, num_layers):
        super().__init__()
        self.rnn = CELLS[cell](input_size, hidden_size, num_layers)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0])

    def tensors(self):
        """In the order of ParameterLayout: per layer weight_ih, weight_hh, bias_ih, bias_hh; then the head."""
        layers = getattr(self.rnn, "num_layers", getattr(self.rnn, "layers", 0))
        for k in range(layers):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                yield getattr(self.rnn, f"{name}_l{k}")
        yield self.head.weight
        yield self.head.bias

    def flat(self):
        return [float(v) for t in self.tensors() for v in t.detach().reshape(-1)]

    def flat_gradient(self):
        return [float(v) for t in self.tensors() for v in t.grad.reshape(-1)]


def inputs(batch, shape):
    return torch.tensor([[[math.sin(0.7 * t + 1.3 * n + 2.1 * i + 0.37 * batch)
                           for i in range(shape["input_size"])]
                          for n in range(shape["batch_size"])]
                         for t in range(shape["timesteps"])])


def targets(batch, shape):
    return torch.tensor([[[math.cos(0.7 * t + 1.3 * n + 0.37 * batch) * math.sin(0.5 * t)]
                          for n in range(shape["batch_size"])]
                         for t in range(shape["timesteps"])])


def gradient_case(cell):
    torch.manual_seed(1)
    network = Network(cell, GRADIENT["input_size"], GRADIENT["hidden_size"], 2)
    loss = nn.functional.mse_loss(network(inputs(0, GRADIENT)), targets(0, GRADIENT))
    loss.backward()
    return {"parameters": network.flat(), "loss": float(loss), "gradient": network.flat_gradient()}


def curve_case(cell):
    torch.manual_seed(2)
    network = Network(cell, CURVE["input_size"], CURVE["hidden_size"], 1)
    start = network.flat()
    matrices = [t for t in network.tensors() if t.dim() == 2]
    vectors = [t for t in network.tensors() if t.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": CURVE["weight_decay"]},
                                   {"params": vectors, "weight_decay": 0.0}], lr=CURVE["learning_rate"])
    curve = []
    for step in range(CURVE["steps"]):
        batch = step % CURVE["batches"]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(inputs(batch, CURVE)), targets(batch, CURVE))
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CURVE["max_norm"])
        optimizer.step()
        curve.append(float(loss))
    return {"parameters": start, "losses": curve}


def rounded(value):
    """Nine significant digits: exact for a float32."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


golden = {
    "gradient": {**GRADIENT, "cells": {cell: gradient_case(cell) for cell in CELLS}},
    "curve": {**CURVE, "cells": {cell: curve_case(cell) for cell in ("lstm", "gru_after", "gru_before")}},
}
path = pathlib.Path(__file__).with_name("torch_training.json")
path.write_text(json.dumps(rounded(golden), separators=(",", ":")) + "\n")
