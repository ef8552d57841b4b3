#!/usr/bin/python3
"""From PyTorch to rondo-server: tomorrow's weather in Seattle from all days so far. Needs Debian's python3-torch.

    deploy/demo/train_seattle.py [--output=deploy/demo/models/seattle/1/model.safetensors]

An LSTM reads one day at a time (four measurements and the day of the year) and predicts how much each measurement
changes until the next day. The model learns from 2012-2014 only: it trains on 2012-2013 first to choose the number of
updates by the error in 2014, then once more on all three years for that many updates. 2015 is only looked at for the
figures that are printed last. The same versions of Python and torch give the same file: the seed is fixed.
"""

import argparse
import copy
import csv
import datetime
import math
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "model"))
import export_torch  # noqa: E402  (model/export_torch.py, found by the line above)

COLUMNS = ["temp_max", "temp_min", "precipitation", "wind"]
HIDDEN_SIZE = 32
WINDOW = 30  # days in a training sequence
BURN_IN = 5  # its first days count for nothing: the state is still empty
WINDOWS_PER_UPDATE = 32
UPDATES = 200  # at most
CHECK_EVERY = 10
DROPOUT = 0.3
INPUT_NOISE = [0.3] * len(COLUMNS) + [0.1, 0.1]  # standard deviations; with so few days it regularises best
LOSS_WEIGHTS = [2.0, 1.0, 1.0, 1.0]
AVERAGING = 0.97  # of the weights over the updates


class Lstm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(len(COLUMNS) + 2, HIDDEN_SIZE, batch_first=True)
        self.dropout = torch.nn.Dropout(DROPOUT)
        self.head = torch.nn.Linear(HIDDEN_SIZE, len(COLUMNS))

    def forward(self, x):
        return self.head(self.dropout(self.rnn(x)[0]))


class Scale:
    """Standardises by what the training days say, and nothing else."""

    def __init__(self, values):
        changes = values[1:] - values[:-1]
        self.mean, self.std = values.mean(0), values.std(0)
        self.change_mean, self.change_std = changes.mean(0), changes.std(0)


def read_days(path):
    """([days][4] measurements, [days][2] sine and cosine of the day in its year, [days] years)."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    dates = [datetime.date.fromisoformat(row["date"]) for row in rows]
    angles = [2 * math.pi * (date.timetuple().tm_yday - 1) / datetime.date(date.year, 12, 31).timetuple().tm_yday
              for date in dates]
    values = torch.tensor([[float(row[column]) for column in COLUMNS] for row in rows])
    return values, torch.tensor([[math.sin(a), math.cos(a)] for a in angles]), [date.year for date in dates]


def predict(network, scale, values, calendar):
    """[days][4]: the prediction, made on each day, for the day after."""
    x = torch.cat([(values - scale.mean) / scale.std, calendar], 1)
    with torch.no_grad():
        return network(x[None])[0] * scale.change_std + scale.change_mean + values


def errors(predictions, values, first, last):
    """Mean absolute error of each column over the days [first, last)."""
    return (predictions[first - 1:last - 1] - values[first:last]).abs().mean(0)


def train(values, calendar, days, updates, after_check=None):
    """Trains on the first `days` days. Returns the network and its scale."""
    torch.manual_seed(0)
    scale = Scale(values[:days])
    x = torch.cat([(values - scale.mean) / scale.std, calendar], 1)[:days]
    y = (values[1:days] - values[:days - 1] - scale.change_mean) / scale.change_std
    network = Lstm()
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3, weight_decay=1e-2)
    noise, loss_weights = torch.tensor(INPUT_NOISE), torch.tensor(LOSS_WEIGHTS)
    for update in range(1, updates + 1):
        starts = torch.randint(0, days - 1 - WINDOW, (WINDOWS_PER_UPDATE,)).tolist()
        batch_x = torch.stack([x[s:s + WINDOW] for s in starts])
        batch_y = torch.stack([y[s:s + WINDOW] for s in starts])
        output = network(batch_x + noise * torch.randn_like(batch_x))
        loss = ((output - batch_y).abs() * loss_weights)[:, BURN_IN:].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        keep = min(AVERAGING, update / (update + 9))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), network.parameters()):
                mean.mul_(keep).add_(now, alpha=1 - keep)
        if after_check and update % CHECK_EVERY == 0:
            after_check(update, average, scale)
    return average, scale


def choose_updates(values, calendar, train_days, all_days):
    """The number of updates on the first `train_days` days with the least temp_max error on those up to `all_days`."""
    checks = []

    def check(update, network, scale):
        error = errors(predict(network, scale, values, calendar), values, train_days, all_days)[0].item()
        checks.append((error, update))
        print(f"update {update:4d}: MAE of temp_max in 2014 {error:.3f}", flush=True)

    train(values, calendar, train_days, UPDATES, check)
    return min(checks)


def rondo_spec(scale, training):
    def feature(name, mean, std):
        return {"name": name, "mean": round(mean.item(), 6), "std": round(std.item(), 6)}

    return {
        "format": 1,
        "cell": "lstm",
        "inputs": [feature(*row) for row in zip(COLUMNS, scale.mean, scale.std)],
        "calendar": ["day_of_year"],
        "outputs": [{**feature(*row), "added_to": row[0]} for row in zip(COLUMNS, scale.change_mean, scale.change_std)],
        "horizon": 1,
        "head": "linear",
        "feedback": [{"output": name, "input": name} for name in COLUMNS],
        "step_seconds": 86400,
        "training": training,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "models/seattle/1/model.safetensors")
    output = parser.parse_args().output
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    values, calendar, years = read_days(HERE / "seattle-weather.csv")
    start_2014, start_2015, end = years.index(2014), years.index(2015), len(years)
    validation, updates = choose_updates(values, calendar, start_2014, start_2015)
    network, scale = train(values, calendar, start_2015, updates)
    test = errors(predict(network, scale, values, calendar), values, start_2015, end)
    persistence = errors(values, values, start_2015, end)
    for row in zip(COLUMNS, test, persistence):
        print("2015 %-14s MAE %.3f, persistence %.3f" % row)

    training = {"script": "deploy/demo/train_seattle.py", "torch": torch.__version__, "days": "2012-01-01..2014-12-31",
                "updates": updates, "validation_mae_temp_max_2014": round(validation, 4),
                "test_mae_temp_max_2015": round(test[0].item(), 4)}
    output.parent.mkdir(parents=True, exist_ok=True)
    export_torch.save(network.state_dict(), rondo_spec(scale, training), output)
    print(f"wrote {output}")


if __name__ == "__main__":
    main()
