#!/usr/bin/python3
"""Writes the golden vectors of networks_*.json: what PyTorch, or the formula for cells that it lacks, answers.

    /usr/bin/python3 tests/golden/make_golden.py        (Debian's python3-torch)

Weights are float32; everything is computed in float64. A case holds the weights under the names of our model files,
inputs [series][timesteps][input_size], and for each series outputs [timesteps][output_size] of a linear head and the
final state [layers][h, then c for an lstm][hidden_size].
"""

import json
import pathlib

import torch

torch.manual_seed(20260101)
FOLDER = pathlib.Path(__file__).resolve().parent
SERIES, TIMESTEPS, INPUT, HIDDEN, OUTPUT = 2, 5, 4, 7, 3


def numbers(tensor):
    """Nested lists with as many digits as a float32 needs."""
    if tensor.dim() > 1:
        return [numbers(row) for row in tensor]
    return [float(f"{value:.9g}") for value in tensor.tolist()]


def as_float32(module):
    """A float64 module whose weights are float32 numbers."""
    return module.to(torch.float32).to(torch.float64)


def gru_by_formula(rnn, inputs, reset, update):
    """GRU over nn.GRU's weights in the conventions that nn.GRU lacks; gates r, z, n.

    reset before (Cho et al. 2014): n = tanh(W x + b_i + U (r * h) + b_h); after: n = tanh(W x + b_i + r * (U h + b_h)).
    update keep: h = z * h + (1 - z) * n; replace (Chung et al. 2014): h = (1 - z) * h + z * n.
    """
    layer_input, final = inputs, []
    for k in range(rnn.num_layers):
        w_r, w_z, w_n = getattr(rnn, f"weight_ih_l{k}").chunk(3)
        u_r, u_z, u_n = getattr(rnn, f"weight_hh_l{k}").chunk(3)
        bi_r, bi_z, bi_n = getattr(rnn, f"bias_ih_l{k}").chunk(3)
        bh_r, bh_z, bh_n = getattr(rnn, f"bias_hh_l{k}").chunk(3)
        h = torch.zeros(inputs.shape[0], rnn.hidden_size, dtype=torch.float64)
        steps = []
        for t in range(inputs.shape[1]):
            x = layer_input[:, t]
            r = torch.sigmoid(x @ w_r.T + bi_r + h @ u_r.T + bh_r)
            z = torch.sigmoid(x @ w_z.T + bi_z + h @ u_z.T + bh_z)
            if reset == "before":
                n = torch.tanh(x @ w_n.T + bi_n + (r * h) @ u_n.T + bh_n)
            else:
                n = torch.tanh(x @ w_n.T + bi_n + r * (h @ u_n.T + bh_n))
            h = z * h + (1 - z) * n if update == "keep" else (1 - z) * h + z * n
            steps.append(h)
        layer_input = torch.stack(steps, dim=1)
        final.append(h)
    return layer_input, torch.stack(final)


def make_case(name, cell, num_layers, reset="after", update="keep", activation="tanh", sizes=None):
    input_size, hidden_size, output_size, shape = sizes or (INPUT, HIDDEN, OUTPUT, (SERIES, TIMESTEPS))
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    options = {"nonlinearity": activation} if cell == "rnn" else {}
    rnn = as_float32(kind(input_size, hidden_size, num_layers, batch_first=True, **options))
    head = as_float32(torch.nn.Linear(hidden_size, output_size))
    inputs = torch.randn(*shape, input_size).to(torch.float64)
    if cell == "gru" and (reset, update) != ("after", "keep"):
        hidden, h = gru_by_formula(rnn, inputs, reset, update)
        states = h.unsqueeze(1)
    elif cell == "lstm":
        hidden, (h, c) = rnn(inputs)
        states = torch.stack([h, c], dim=1)
    else:
        hidden, h = rnn(inputs)
        states = h.unsqueeze(1)
    weights = {f"rnn.{key}": numbers(value.flatten()) for key, value in rnn.state_dict().items()}
    weights |= {f"head.{key}": numbers(value.flatten()) for key, value in head.state_dict().items()}
    return {
        "name": name, "cell": cell, "reset": reset, "update": update, "activation": activation,
        "num_layers": num_layers, "input_size": input_size, "hidden_size": hidden_size, "output_size": output_size,
        "weights": weights,
        "inputs": numbers(inputs),
        "outputs": numbers(head(hidden)),
        "states": numbers(states.permute(2, 0, 1, 3).flatten(1)),  # one row a series
    }


def write(file_name, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (FOLDER / file_name).write_text(f"[\n{lines}\n]\n")


def check_formula():
    """The formula, in nn.GRU's own conventions, is nn.GRU."""
    rnn = as_float32(torch.nn.GRU(INPUT, HIDDEN, 2, batch_first=True))
    inputs = torch.randn(SERIES, TIMESTEPS, INPUT, dtype=torch.float64)
    torch.testing.assert_close(gru_by_formula(rnn, inputs, "after", "keep"), rnn(inputs), rtol=0, atol=1e-14)


@torch.no_grad()
def main():
    check_formula()
    write("networks_torch.json", [
        make_case(f"{label}{layers}Layers", cell, layers, activation=activation)
        for label, cell, activation in (("Lstm", "lstm", "tanh"), ("Gru", "gru", "tanh"), ("RnnTanh", "rnn", "tanh"),
                                        ("RnnRelu", "rnn", "relu"))
        for layers in (1, 2, 3)
    ] + [make_case("Rnn10To20To5OnABatchOf3By5", "rnn", 1, sizes=(10, 20, 5, (3, 5)))])
    write("networks_formula.json", [
        make_case(f"GruReset{reset.title()}Update{update.title()}{layers}Layers", "gru", layers, reset, update)
        for reset, update in (("before", "replace"), ("before", "keep"), ("after", "replace")) for layers in (1, 2)
    ])


if __name__ == "__main__":
    main()
