#!/usr/bin/env python3
"""What rondo-train's default options are worth on real series, as the mean of seeds, beside persistence.

    tests/bench/trainer_skill.py [BIN_DIR] [--defaults] [--vega=FOLDER]        BIN_DIR: build/release/bin

Prints how far the MAE on the test part, one step ahead, is below that of persistence (tomorrow is like today), for the
highest temperature in Seattle and for other held-out tasks. --vega, the folder data/ of the npm package vega-datasets, adds
New York's weather, which no default was chosen by, and the closes of the S&P 500, of which the report must say "no skill".

--defaults prints how the defaults were chosen, and never looks at the test part: each line changes one of them, trains on
the first 60 % of Seattle's days (the last quarter of those for early stopping) and is scored on the 15 % that follow.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEATTLE = ROOT / "deploy/demo/seattle-weather.csv"
INPUTS = "--inputs=temp_max,temp_min,wind,precipitation"
VARIATIONS = [
    "", "--cell=lstm", "--cell=rnn", "--gru_reset=before", "--layers=2", "--hidden_size=8", "--hidden_size=32",
    "--hidden_size=64", "--window=16", "--window=64", "--batch_size=8", "--batch_size=32", "--learning_rate=3e-4",
    "--learning_rate=2e-3", "--learning_rate=4e-3", "--epochs=60", "--decay=plateau", "--weight_decay=0",
    "--weight_decay=0.1", "--state=carry", "--refit=false", "--predict=value", "--loss=mae", "--loss=gaussian",
    "--target=all", "--target=all --loss=gaussian", "--target=all --loss=quantile",
    "--target=all --loss=quantile --epochs=60", "--target=all --inputs=temp_max,temp_min,wind --loss=gaussian",
]


def skill(program, *arguments):
    """Of the first output, in percent; and what the table says of it."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([program, f"--output={folder}/1", "--threads=1", *arguments], capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(run.stderr)
        scores = json.loads(pathlib.Path(folder, "1/scores.json").read_text())["outputs"][0]
        verdict = next(line for line in run.stdout.splitlines() if line.startswith(f"  {scores['name']}: "))
        return 100 * scores["skill"], verdict.split(": ", 1)[1]


def show(label, program, seeds, *arguments):
    runs = [skill(program, *arguments, f"--seed={seed}") for seed in range(1, seeds + 1)]
    values = [value for value, _ in runs]
    no_skill = sum(verdict.startswith("no skill") for _, verdict in runs)
    print(f"  {label:<66} {statistics.mean(values):6.2f} %  (deviation {statistics.pstdev(values):.2f}"
          + (f"; {no_skill} of {seeds} say no skill)" if no_skill else ")"), flush=True)


def choose_defaults(program, folder):
    rows = SEATTLE.read_text().splitlines()
    before_test = pathlib.Path(folder, "seattle.csv")
    before_test.write_text("\n".join(rows[:1 + round(0.75 * (len(rows) - 1))]) + "\n")
    print("below persistence on the part before the test part, mean of 5 seeds")
    for variation in VARIATIONS:
        show(variation or "(defaults)", program, 5, f"--data={before_test}", "--time=date", "--target=temp_max", INPUTS,
             "--test=0.2", "--validation=0.2", *variation.split())


def score_tasks(program):
    print("below persistence on the test part, mean of 3 seeds")
    weather = (f"--data={SEATTLE}", "--time=date", INPUTS)
    for target in ("temp_max", "temp_min", "wind"):
        show(f"Seattle, {target}, last 25 %", program, 3, *weather, f"--target={target}")
    for test in (0.15, 0.35, 0.45):
        show(f"Seattle, temp_max, last {100 * test:.0f} %", program, 3, *weather, "--target=temp_max", f"--test={test}")


def score_vega(program, vega, folder):
    header, *rows = (vega / "weather.csv").read_text().splitlines()
    new_york = pathlib.Path(folder, "new_york.csv")
    new_york.write_text("\n".join([header] + [row for row in rows if row.startswith("New York,")]) + "\n")
    for target in ("temp_max", "temp_min", "wind"):
        show(f"New York, {target}, last 25 %", program, 3, f"--data={new_york}", "--time=date", INPUTS,
             f"--target={target}")
    show("S&P 500, monthly closes", program, 3, f"--data={vega / 'sp500.csv'}", "--target=price")
    show("S&P 500, daily closes", program, 3, f"--data={vega / 'sp500-2000.csv'}", "--target=close")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir", nargs="?", default=ROOT / "build/release/bin")
    parser.add_argument("--defaults", action="store_true")
    parser.add_argument("--vega", type=pathlib.Path)
    options = parser.parse_args()
    program = os.path.join(options.bin_dir, "rondo-train")
    with tempfile.TemporaryDirectory() as folder:
        if options.defaults:
            choose_defaults(program, folder)
            return
        score_tasks(program)
        if options.vega:
            score_vega(program, options.vega, folder)


if __name__ == "__main__":
    main()
