#!/usr/bin/python3
"""Writes a PyTorch state_dict and a description as one model file for rondo-server.

Needs torch 1.13 or later and nothing else (Debian: apt install python3-torch). The format is in model/README.md.
"""

import argparse
import ctypes
import json
import os
import pathlib
import struct
import sys

import torch

EXAMPLES = """examples:
  # in your training code:
  #   torch.save(model.state_dict(), "weather.pt")
  cat > weather.json <<'END'
  {"format": 1, "cell": "lstm",
   "inputs": [{"name": "temp", "mean": 16.4, "std": 7.3}, {"name": "wind", "mean": 3.2, "std": 1.4}],
   "outputs": [{"name": "temp", "mean": 0.0, "std": 3.1, "added_to": "temp"}]}
  END
  export_torch.py weather.pt weather.json weather/1/model.safetensors

  # a checkpoint that keeps the state_dict under a key, among other things:
  export_torch.py checkpoint.pt weather.json model.safetensors --key=model_state_dict

  # a file from safetensors.torch.save_file:
  export_torch.py weather.safetensors weather.json model.safetensors

from Python:
  import export_torch
  export_torch.save(model.state_dict(), {"format": 1, "cell": "lstm", ...}, "model.safetensors")
"""

TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16"}
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
MAX_HEADER_BYTES = 1 << 20


class ExportError(Exception):
    """What is wrong with the weights or the description, for people."""


def save(state_dict, spec, path):
    """Writes `state_dict` (names to tensors) and `spec` (the description, a dict) to `path`, atomically."""
    tensors = {name: _checked(name, tensor) for name, tensor in state_dict.items()}
    _check_description(spec)
    _add_missing_bias(tensors, spec)
    _check_tensors(tensors, spec)
    header = {"__metadata__": {"format": "pt", "rondo": json.dumps(spec, allow_nan=False)}}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER_BYTES:
        raise ExportError(f"names and description take {len(text)} bytes; at most {MAX_HEADER_BYTES} are read")
    temporary = pathlib.Path(f"{path}.{os.getpid()}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for tensor in tensors.values():
                # Not tensor.numpy(): numpy has no bfloat16, and may not be there.
                file.write(ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _checked(name, tensor):
    if not isinstance(tensor, torch.Tensor):
        raise ExportError(f"'{name}' is a {type(tensor).__name__}; a state_dict holds tensors only")
    if tensor.dtype not in TYPES:
        raise ExportError(f"'{name}' is {tensor.dtype}; weights must be float32, float64, float16 or bfloat16")
    tensor = tensor.detach().cpu().contiguous()
    if not torch.isfinite(tensor.float()).all():
        raise ExportError(f"'{name}' has a value that is not finite in float32")
    return tensor


def _is_recurrent(name):
    return name.rpartition(".")[2].startswith(("weight_ih_l", "weight_hh_l", "weight_hr_l", "bias_ih_l", "bias_hh_l"))


def _add_missing_bias(tensors, spec):
    """nn.Linear(bias=False) has no bias; the format wants the zeros. Done only where one weight can be the head."""
    plain = [name for name in tensors if not _is_recurrent(name)]
    hidden_sizes = [tensor.shape[-1] for name, tensor in tensors.items() if name.endswith("weight_hh_l0")]
    heads = [name for name in plain if name.endswith(".weight") and len(hidden_sizes) == 1
             and list(tensors[name].shape) == [_output_size(spec), hidden_sizes[0]]]
    if len(heads) == 1 and not any(name.endswith(".bias") for name in plain):
        tensors[heads[0][: -len("weight")] + "bias"] = tensors[heads[0]].new_zeros(_output_size(spec))


def _output_size(spec):
    values = {"gaussian": 2, "quantile": len(spec.get("quantiles", []))}.get(spec.get("head"), 1)
    return spec.get("horizon", 1) * len(spec["outputs"]) * values


# The mistakes that are easy to make here. The server is the judge and checks everything again.


def _check_description(spec):
    for key in ("format", "cell", "inputs", "outputs"):
        if key not in spec:
            raise ExportError(f"the description has no '{key}'")
    if not isinstance(spec["outputs"], list) or not isinstance(spec.get("horizon", 1), int):
        raise ExportError("outputs must be an array and horizon a whole number")
    cell = spec["cell"]
    if cell not in GATES:
        raise ExportError(f"cell is {cell!r}; it must be lstm, gru or rnn")
    if cell == "gru" and set(spec.get("gru", {})) != {"reset", "update"}:
        raise ExportError('cell gru needs "gru": torch.nn.GRU is {"reset": "after", "update": "keep"}')
    if cell == "rnn" and "activation" not in spec:
        raise ExportError('cell rnn needs "activation": "tanh" or "relu", which a state_dict does not say')


def _check_tensors(tensors, spec):
    cell = spec["cell"]
    unsupported = [name for name in tensors if name.endswith("_reverse") or "weight_hr_l" in name]
    if unsupported:
        raise ExportError(f"'{unsupported[0]}': bidirectional networks and projections are not supported")
    first = [name for name in tensors if name.rpartition(".")[2] == "weight_ih_l0"]
    if len(first) != 1:
        raise ExportError(f"the weights have {len(first)} recurrent networks ('...weight_ih_l0'); a model has one")
    recurrent = tensors.get(first[0].replace("weight_ih_l0", "weight_hh_l0"))
    if recurrent is None or recurrent.dim() != 2 or recurrent.shape[0] != GATES[cell] * recurrent.shape[1]:
        shape = None if recurrent is None else list(recurrent.shape)
        raise ExportError(f"weight_hh_l0 is {shape}; cell {cell} takes [{GATES[cell]} * hidden_size, hidden_size]")
    if isinstance(spec["inputs"], list):
        features = len(spec["inputs"]) + 2 * len(spec.get("calendar", []))
        if tensors[first[0]].shape[1] != features:
            raise ExportError(f"'{first[0]}' takes {tensors[first[0]].shape[1]} features; the description has {features}"
                              " (inputs, and two for each entry of calendar)")
    heads = [name for name in tensors if not _is_recurrent(name) and name.endswith("bias")]
    if len(heads) != 1:
        raise ExportError(f"the weights have {len(heads)} layers beside the recurrent ones {heads}; a model has one head")
    outputs = _output_size(spec)
    if list(tensors[heads[0]].shape) != [outputs]:
        raise ExportError(f"'{heads[0]}' is {list(tensors[heads[0]].shape)}; the description has {outputs} output values"
                          " (horizon * outputs * values of the head)")


def load_state_dict(path, key=None):
    """The tensors of a .safetensors file, or of a torch.save file, there perhaps under `key`."""
    if str(path).endswith(".safetensors"):
        return _load_safetensors(path)
    try:
        # weights_only: a pickle from elsewhere must not run code here.
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ExportError(f"{path} is no state_dict: save model.state_dict(), not the model "
                          f"({type(error).__name__})") from error
    if key is not None:
        if not isinstance(loaded, dict) or key not in loaded:
            raise ExportError(f"{path} has no key '{key}'")
        loaded = loaded[key]
    if not isinstance(loaded, dict):
        raise ExportError(f"{path} holds a {type(loaded).__name__}; a state_dict was expected")
    return loaded


def _load_safetensors(path):
    content = pathlib.Path(path).read_bytes()
    types = {name: dtype for dtype, name in TYPES.items()}
    try:
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            part = bytearray(content[8 + length + begin : 8 + length + end])
            tensors[name] = torch.frombuffer(part, dtype=types[entry["dtype"]]).reshape(entry["shape"])
        return tensors
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ExportError(f"{path} is no safetensors file of floats ({type(error).__name__}: {error})") from error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="a file from torch.save(model.state_dict(), ...), or a .safetensors file")
    parser.add_argument("description", help="a JSON file: what tensors cannot say (model/README.md has the keys)")
    parser.add_argument("output", help="the model file to write; its folder must exist")
    parser.add_argument("--key", help="where in a checkpoint the state_dict is, e.g. state_dict (default: it is the file)")
    arguments = parser.parse_args()
    try:
        with open(arguments.description, encoding="utf-8") as file:
            try:
                spec = json.load(file)
            except ValueError as error:
                raise ExportError(f"{arguments.description} is not JSON: {error}") from error
        if not isinstance(spec, dict):
            raise ExportError(f"{arguments.description} is not a JSON object")
        save(load_state_dict(arguments.weights, arguments.key), spec, arguments.output)
    except (ExportError, OSError) as error:
        print(f"export_torch.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
