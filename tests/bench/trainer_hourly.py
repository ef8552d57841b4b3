#!/usr/bin/env python3
"""Seven hourly columns, 96 hours ahead, by one command: its time, its error beside ridge regression, and the served answer.

    tests/bench/trainer_hourly.py [FILE.csv] [--bin=build/release/bin]

FILE is a set such as ETTh2 (17,420 rows, a column date and seven others); without it one of that kind is made: daily and weekly
seasons whose size wanders, drift, shifts of level and noise. Only the first 14,400 rows are read: 8640 to train, 2880 to validate,
2880 to test, as that set is split. Printed is the mean squared error over all columns and leads, in standard deviations of the
training part, beside ridge regression on the last 512 values (minus the newest; one layer for all columns; numpy), and how far the
answer of a served session is from the report's. Needs numpy.
"""

import argparse
import csv
import datetime
import io
import json
import pathlib
import subprocess
import tempfile
import time

import numpy
from trainer_coverage import ROOT, RunningServer

ROWS, TRAINING, VALIDATION, HORIZON, LAGS = 14400, 8640, 2880, 96, 512


def make_rows(seed=1):
    """[17420][7]"""
    draw, hours = numpy.random.default_rng(seed), numpy.arange(17420)
    columns = []
    for column in range(7):
        wander = numpy.cumsum(draw.normal(0, 0.004, len(hours)))
        day = (2 + wander) * numpy.sin(2 * numpy.pi * hours / 24 + column) + 0.6 * numpy.sin(4 * numpy.pi * hours / 24 + 2 * column)
        week = 0.8 * numpy.sin(2 * numpy.pi * hours / 168 + column)
        year = 4 * numpy.sin(2 * numpy.pi * hours / 8766 + 0.3 * column)
        level, noise = numpy.cumsum(draw.normal(0, 0.06, len(hours))), 0.0
        for at in draw.integers(0, len(hours), 6):
            level[at:] += draw.normal(0, 2)
        series = numpy.empty(len(hours))
        for t in hours:
            noise = 0.8 * noise + draw.normal(0, 0.35)
            series[t] = noise
        columns.append(20 + day + week + year + level + series)
    return numpy.round(numpy.stack(columns, axis=1), 4)


def write(path, values):
    start = datetime.datetime(2016, 7, 1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *(f"c{i}" for i in range(values.shape[1]))])
        writer.writerows([start + datetime.timedelta(hours=t), *row] for t, row in enumerate(values.tolist()))


def ridge_error(values):
    mean, std = values[:TRAINING].mean(axis=0), values[:TRAINING].std(axis=0)
    z = (values - mean) / std

    def rows_of(first, end):
        xs, ys = [], []
        for t in range(max(first, LAGS) - 1, end - HORIZON):
            xs.append((z[t - LAGS + 1:t + 1] - z[t]).T)
            ys.append((z[t + 1:t + 1 + HORIZON] - z[t]).T)
        return numpy.concatenate(xs), numpy.concatenate(ys)

    def fit(x, y, strength):
        x = numpy.concatenate([x, numpy.ones((len(x), 1))], axis=1)
        gram = x.T @ x
        gram[numpy.diag_indices(LAGS)] += strength * numpy.trace(gram) / LAGS
        return numpy.linalg.solve(gram, x.T @ y)

    def error(weight, x, y):
        return float(((x @ weight[:-1] + weight[-1] - y) ** 2).mean())

    training, validation, test = (rows_of(*part) for part in ((0, TRAINING), (TRAINING, TRAINING + VALIDATION),
                                                              (TRAINING + VALIDATION, ROWS)))
    strength = min((1e-4, 1e-3, 1e-2, 1e-1), key=lambda each: error(fit(*training, each), *validation))
    both = [numpy.concatenate(pair) for pair in zip(training, validation)]
    return error(fit(*both, strength), *test)


def served_difference(bin_dir, folder, path):
    """The largest difference between what a session answers and forecast.csv, in the unit of the first column."""
    with RunningServer(bin_dir, repository=folder) as server, path.open() as rows:
        run = subprocess.run([bin_dir / "rondo", f"--server={server.address}", "stream", "m", "--session=s"], stdin=rows,
                             capture_output=True, text=True, check=True)
    answers = list(csv.DictReader(io.StringIO(run.stdout)))
    reported = list(csv.DictReader((pathlib.Path(folder) / "m/1/forecast.csv").open()))
    first = next(name for name in answers[0] if name.endswith("+1"))
    end = len(answers) - HORIZON
    return max(abs(float(ours[first]) - float(theirs["forecast"]))
               for ours, theirs in zip(answers[end - len(reported):end], reported))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "hourly.csv")
        if arguments.file:
            path.write_text("".join(arguments.file.open().readlines()[:ROWS + 1]))
            rows = list(csv.reader(path.open()))[1:]
            values = numpy.array([[float(cell) for cell in row[1:]] for row in rows])
        else:
            values = make_rows()[:ROWS]
            write(path, values)
        begun = time.monotonic()
        subprocess.run([arguments.bin / "rondo-train", f"--data={path}", "--time=date", "--target=all", f"--horizon={HORIZON}",
                        "--columns_as_series", "--validation=0.2", "--test=0.2", f"--output={folder}/m/1"], check=True)
        seconds = time.monotonic() - begun
        mean = json.loads(pathlib.Path(folder, "m/1/scores.json").read_text())["mean"]
        print(f"mean squared error {mean['mse_standardised']:.4f} in {seconds:.0f} s; the value now "
              f"{mean['persistence_mse_standardised']:.4f}; ridge regression on {LAGS} values {ridge_error(values):.4f}")
        print(f"a served session's first lead is at most {served_difference(arguments.bin, folder, path):.2g} from the report's")


if __name__ == "__main__":
    main()
