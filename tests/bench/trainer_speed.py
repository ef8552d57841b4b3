#!/usr/bin/env python3
"""Optimiser steps a second of rondo-train and of PyTorch on the same network, in turns, on one thread each.

usage: trainer_speed.py RONDO_TRAIN [--turns=N]

An lstm of 64, 128 and 256 units, as many inputs, 64 timesteps x 64 series, a linear head of one output: forward, squared
error, backward, clipping by global norm, AdamW. Both in CPU time, so that other programs hardly show; medians of turns.
Needs torch: Debian's python3-torch, or PyPI's.
"""

import re
import statistics
import subprocess
import sys
import time

import torch

TIMESTEPS = SERIES = 64


class Network(torch.nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm = torch.nn.LSTM(units, units)
        self.head = torch.nn.Linear(units, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


def torch_steps(units, seconds=1.0):
    network = Network(units)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    x, y = torch.randn(TIMESTEPS, SERIES, units), torch.randn(TIMESTEPS, SERIES, 1)

    def step():
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(network(x), y).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    step()
    steps, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        step()
        steps += 1
    return steps / (time.process_time() - start)


def our_steps(program):
    done = subprocess.run([program, "--benchmark", "--threads=1"], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^ *(64|128|256) +([0-9.]+) +([0-9.]+)", done, re.MULTILINE)
    return {int(units): float(steps) for units, _, steps in rows}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    turns = int(sys.argv[2].split("=")[1]) if len(sys.argv) == 3 else 3
    torch.set_num_threads(1)
    ours, theirs = {}, {}
    for _ in range(turns):
        for units, steps in our_steps(sys.argv[1]).items():
            ours.setdefault(units, []).append(steps)
            theirs.setdefault(units, []).append(torch_steps(units))
    print(f"units  rondo-train steps/s  least..largest   torch {torch.__version__} steps/s  least..largest   ratio")
    for units in ours:
        spread = lambda steps: f"{min(steps):.1f}..{max(steps):.1f}"  # noqa: E731
        mine, other = (statistics.median(steps[units]) for steps in (ours, theirs))
        print(f"{units:>5}{mine:>21.1f}{spread(ours[units]):>16}{other:>27.1f}{spread(theirs[units]):>16}{mine / other:>8.2f}")


if __name__ == "__main__":
    main()
