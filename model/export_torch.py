#!/usr/bin/python3
"""Writes a PyTorch state_dict and a description of format 1 as one model file, by rondo-convert.

The same without this script: torch.save(model.state_dict(), "weather.pt"), then
rondo-convert weather.pt --config=weather.json --output=models. This script is for training code that writes the file
itself. It needs torch, and rondo-convert in the PATH or in build/release/bin.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch

ROOT = pathlib.Path(__file__).resolve().parents[1]


class ExportError(Exception):
    """What is wrong with the weights or the description, for people."""


def save(state_dict, spec, path):
    """Writes `state_dict` (names to tensors) and `spec` (the description, a dict) to `path`, atomically."""
    with tempfile.TemporaryDirectory() as folder:
        weights = f"{folder}/weights.pt"
        torch.save(dict(state_dict), weights)
        _convert(weights, spec, path)


def _convert(weights, spec, path, *options):
    program = shutil.which("rondo-convert") or str(ROOT / "build/release/bin/rondo-convert")
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "description.json"
        config.write_text(json.dumps(spec))
        try:
            done = subprocess.run([program, weights, f"--config={config}", f"--output={folder}", "--name=model", *options],
                                  capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise ExportError("there is no rondo-convert: build it, or put its folder into the PATH") from error
        if done.returncode != 0:
            raise ExportError(done.stderr.strip())
        temporary = f"{path}.{os.getpid()}.tmp"
        shutil.copyfile(f"{folder}/model/1/model.safetensors", temporary)
        os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="a file from torch.save(model.state_dict(), ...), or a .safetensors file")
    parser.add_argument("description", help="a JSON file: what tensors cannot say (model/README.md has the keys)")
    parser.add_argument("output", help="the model file to write; its folder must exist")
    parser.add_argument("--key", default="", help="where in a checkpoint the state_dict is (default: it is found)")
    arguments = parser.parse_args()
    try:
        spec = json.loads(pathlib.Path(arguments.description).read_text(encoding="utf-8"))
        _convert(arguments.weights, spec, arguments.output, f"--key={arguments.key}")
    except (ExportError, OSError, ValueError) as error:
        print(f"export_torch.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
