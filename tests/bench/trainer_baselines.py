#!/usr/bin/env python3
"""What rondo-train's defaults are worth beside rules and regressions that a forecaster would try first.

    tests/bench/trainer_baselines.py [--bin=build/release/bin] [--horizons=1,12] "FILE.csv [OPTION...]" ...

Each argument is a file and options of rondo-train for it, such as "airline.csv --time=Date --target=Passengers"; of a file
alone the first column is the time, a column named id, symbol or series names the series, and the first other one is the target.
Every row of the table is scored on the same last quarter, over all leads of the horizon, from every origin: the root of the mean
squared error. The baselines: the value now; the value one season before; ETS (statsmodels: error, trend and season of least
AIC); ridge regression and gradient boosting on lags (scikit-learn: lags and strength of least validation error, direct for each
lead, refitted on training and validation part). Of several series each has baselines of its own, and so has one more Rondo model.
The environment with both packages is made in build/trainer_baselines when it is not there.
"""

import argparse
import csv
import json
import math
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "build/trainer_baselines"
SEASONS = (4, 5, 7, 12, 24, 48, 52, 168, 336, 365)
LAGS = (1, 2, 3, 4, 6, 8, 12, 14, 18, 24, 28, 36, 48, 52, 72, 96, 168, 240, 336)
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "None", "?", "."}


def enter_environment():
    """Goes on in an environment with statsmodels and scikit-learn, which is made if it is not there."""
    if pathlib.Path(sys.prefix) == ENVIRONMENT:
        return
    if not (ENVIRONMENT / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        subprocess.run([ENVIRONMENT / "bin/pip", "install", "--quiet", "statsmodels", "scikit-learn", "vega_datasets"], check=True)
        (ENVIRONMENT / "complete").touch()
    os.execv(ENVIRONMENT / "bin/python", [str(ENVIRONMENT / "bin/python"), *sys.argv])


class Series:
    """One series' values, forward filled, and its parts as rondo-train cuts them."""

    def __init__(self, values, inputs):
        import numpy
        self.present = numpy.array([not math.isnan(value) for value in values])
        first = int(numpy.argmax(self.present))
        self.present, values, inputs = self.present[first:], values[first:], inputs[first:]
        self.values, self.inputs = self.filled(values), numpy.stack([self.filled(each) for each in zip(*inputs)], axis=1)
        rows = len(self.values)
        self.bounds = [1, math.floor(0.6 * rows + 0.5), math.floor(0.75 * rows + 0.5), rows]

    @staticmethod
    def filled(values):
        import numpy
        made = numpy.array(values, dtype=float)
        for i in range(1, len(made)):
            made[i] = made[i - 1] if math.isnan(made[i]) else made[i]
        return numpy.nan_to_num(made)

    def origins(self, part, horizon):
        """The timesteps from which a part is forecast: all `horizon` values that follow lie in the part."""
        first, last = {"training": (0, 1), "validation": (1, 2), "test": (2, 3), "before test": (0, 2)}[part]
        return list(range(self.bounds[first] - 1, self.bounds[last] - horizon))

    def squared_errors(self, part, horizon, forecast):
        """forecast: [origins][horizon]. Squared errors of the values that are there and come after one that is."""
        import numpy
        origins = numpy.array(self.origins(part, horizon), dtype=int)
        places = origins[:, None] + numpy.arange(1, horizon + 1)
        scored = self.present[places] & self.present[origins][:, None]
        return ((forecast - self.values[places]) ** 2)[scored]

    def error(self, part, horizon, forecast):
        errors = self.squared_errors(part, horizon, forecast)
        return float(errors.mean()) if errors.size else math.inf  # as of a validation part shorter than the horizon


def naive(series, part, horizon, season):
    import numpy
    origins = numpy.array(series.origins(part, horizon), dtype=int)
    leads = numpy.arange(1, horizon + 1)
    places = numpy.repeat(origins[:, None], horizon, 1) if season == 0 else (
        origins[:, None] + leads - (leads + season - 1) // season * season)
    return series.values[numpy.maximum(places, 0)]


def best_season(series, horizon):
    fitting = [season for season in SEASONS if 2 * season <= series.bounds[1]]
    return min(fitting, key=lambda season: series.error("validation", horizon, naive(series, "validation", horizon, season)),
               default=1)


def lagged(series, part, horizon, lags):
    import numpy
    origins = numpy.array(series.origins(part, horizon), dtype=int)
    origins = origins[origins >= lags - 1] if part in ("training", "before test") else origins
    back = numpy.maximum(origins[:, None] - numpy.arange(lags), 0)
    features = numpy.concatenate([series.inputs[back, i] for i in range(series.inputs.shape[1])], axis=1)
    return features, series.values[origins[:, None] + numpy.arange(1, horizon + 1)]


def ridge(series, horizon):
    """Returns the test forecast, and the lags that are best on validation."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    best = (math.inf, 1, 1)
    for lags in LAGS:
        if lags * series.inputs.shape[1] > 400 or 3 * lags > series.bounds[1]:
            continue
        x, y = lagged(series, "training", horizon, lags)
        at = lagged(series, "validation", horizon, lags)[0]
        for strength in (1e-3, 1e-2, 1e-1, 1, 10, 100):
            forecast = make_pipeline(StandardScaler(), Ridge(strength)).fit(x, y).predict(at).reshape(-1, horizon)
            best = min(best, (series.error("validation", horizon, forecast), lags, strength))
    _, lags, strength = best
    model = make_pipeline(StandardScaler(), Ridge(strength)).fit(*lagged(series, "before test", horizon, lags))
    return model.predict(lagged(series, "test", horizon, lags)[0]).reshape(-1, horizon), lags


def boosting(series, horizon, lags):
    import numpy
    from sklearn.ensemble import HistGradientBoostingRegressor
    x, y = lagged(series, "before test", horizon, max(lags, min(8, series.bounds[1] // 8)))
    at = lagged(series, "test", horizon, x.shape[1] // series.inputs.shape[1])[0]
    leads = sorted({0, horizon - 1} | set(range(0, horizon, max(1, horizon // 12))))
    forecast = numpy.empty((len(at), horizon))
    for lead in range(horizon):
        # Every lead of a short horizon; of a long one every fourth or so, and those between by interpolation.
        if lead in leads or horizon <= 12:
            model = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.05, min_samples_leaf=5, random_state=1)
            forecast[:, lead] = model.fit(x, y[:, lead]).predict(at)
    if horizon > 12:
        for row in forecast:
            row[:] = numpy.interp(range(horizon), leads, row[leads])
    return forecast


def ets(series, horizon, season):
    """Smoothing as statsmodels fits it before the test part, run on with its parameters from every origin."""
    import numpy
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel
    before = series.values[:series.bounds[2]]
    kinds = [("add", None)] + [("add", "add")] * (2 <= season <= 52) + [("mul", "mul")] * (2 <= season <= 52 and float(before.min()) > 0)
    choices = [(error, trend, damped, seasonal)
               for error, seasonal in kinds for trend, damped in ((None, False), ("add", False), ("add", True))]
    best, least = None, math.inf
    for error, trend, damped, seasonal in choices:
        try:
            model = ETSModel(before, error=error, trend=trend, damped_trend=damped, seasonal=seasonal,
                             seasonal_periods=season if seasonal else None, initialization_method="heuristic")
            fitted = model.fit(disp=False, maxiter=40)
            if fitted.aic < least and numpy.isfinite(fitted.fittedvalues).all():
                best, least = (fitted, error, trend, damped, seasonal), fitted.aic
        except (ValueError, FloatingPointError, numpy.linalg.LinAlgError):
            continue
    fitted, error, trend, damped, seasonal = best
    whole = ETSModel(series.values, error=error, trend=trend, damped_trend=damped, seasonal=seasonal,
                     seasonal_periods=season if seasonal else None, initialization_method="known",
                     initial_level=fitted.initial_level, initial_trend=fitted.initial_trend if trend else None,
                     initial_seasonal=fitted.initial_seasonal if seasonal else None)
    smoothing = [fitted.params[i] for i, name in enumerate(fitted.model.param_names) if not name.startswith("initial")]
    states = whole.smooth(numpy.array(smoothing)).states
    level, slope = states[:, 0], states[:, 1] if trend else 0 * states[:, 0]
    damping = fitted.damping_trend if damped else 1
    origins = numpy.array(series.origins("test", horizon), dtype=int)
    forecast = numpy.empty((len(origins), horizon))
    for lead in range(1, horizon + 1):
        forecast[:, lead - 1] = level[origins] + slope[origins] * sum(damping ** k for k in range(1, lead + 1))
        if seasonal:
            its = states[origins + 1 + (lead - 1) % season - season, -1]
            forecast[:, lead - 1] = forecast[:, lead - 1] + its if seasonal == "add" else forecast[:, lead - 1] * its
    return forecast


def describe(task):
    """Returns the file and the options, with those that the file's columns suggest where none are given."""
    path, *all_options = shlex.split(task)
    options = [option for option in all_options if not option.startswith("--horizon=")]
    header = next(csv.reader(open(path, newline="")))
    given = dict(option[2:].split("=", 1) for option in all_options if "=" in option)
    if "target" not in given:
        series = [name for name in header if name in ("id", "symbol", "series") and "series" not in given]
        time = next(name for name in header if name not in series)
        target = next(name for name in header if name not in (time, *series))
        found = {"time": time, "target": target, **({"series": series[0]} if series else {})}
        options += [f"--{name}={value}" for name, value in found.items() if name not in given]
        given = {**found, **given}
    return path, options, given


def read(path, given):
    number = lambda text: math.nan if text.strip() in MISSING else float(text)
    target, column = given["target"], given.get("series")
    names = [target] + [name for name in given.get("inputs", target).split(",") if name != target]
    all_rows = {}
    for row in csv.DictReader(open(path, newline="")):
        all_rows.setdefault(row[column] if column else "", []).append([number(row[name]) for name in names])
    return {name: Series([row[0] for row in rows], rows) for name, rows in all_rows.items()}


def rondo(program, path, options, horizon):
    """Returns the root mean squared error by series (of one alone: under ''), and what the report says."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([program, f"--data={path}", f"--output={folder}/1", f"--horizon={horizon}", *options],
                             capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(run.stderr)
        scores = json.loads(pathlib.Path(folder, "1/scores.json").read_text())["outputs"][0]
    taken = next((line.strip().rsplit("  ", 2)[0].strip() for line in run.stdout.splitlines() if line.endswith("taken")), "")
    verdict = next(line.split(": ", 1)[1] for line in run.stdout.splitlines() if line.startswith(f"  {scores['name']}: "))
    by_series = {one["name"]: one["rmse"] for one in scores.get("by_series", {}).get("series", [])}
    return by_series or {"": scores["model"]["rmse"]}, " ".join(taken.split()), verdict


def alone(program, path, options, given, name, horizon, folder):
    rows = list(csv.reader(open(path, newline="")))
    place = rows[0].index(given["series"])
    own = pathlib.Path(folder, "own.csv")
    with own.open("w", newline="") as file:
        csv.writer(file).writerows([rows[0]] + [row for row in rows[1:] if row[place] == name])
    return next(iter(rondo(program, own, options, horizon)[0].values()))


class Table:
    COLUMNS = ("rondo", "persist.", "seasonal", "ETS", "ridge", "boosting", "alone")

    def __init__(self):
        self.rows = []
        print(f"{'series':<28} {'h':>3} " + " ".join(f"{name:>10}" for name in self.COLUMNS) + "   of best  of naive")

    def add(self, label, horizon, errors, note):
        best, rule = min(errors[2:6] + [errors[1]]), min(errors[1:3])
        self.rows.append((errors[0] / best, errors[0] / rule, errors[0] / errors[6] if errors[6] else None))
        cells = " ".join(f"{error:10.4g}" if error is not None else f"{'-':>10}" for error in errors)
        print(f"{label:<28} {horizon:>3} {cells}   {errors[0] / best:7.3f}  {errors[0] / rule:8.3f}   {note}", flush=True)

    def finish(self):
        count = len(self.rows)
        best = sum(row[0] <= 1.02 for row in self.rows)
        rule = sum(row[1] <= 1.02 for row in self.rows)
        shared = [row[2] for row in self.rows if row[2]]
        mean = math.exp(sum(math.log(row[0]) for row in self.rows) / count)
        print(f"at most 2 % above the best baseline: {best} of {count} (wanted 3 of 4; geometric mean of the ratios {mean:.3f})")
        print(f"at most 2 % above the best naive rule: {rule} of {count} (wanted all)")
        if shared:
            print(f"at most 2 % above a model of its own: {sum(ratio <= 1.02 for ratio in shared)} of {len(shared)}"
                  " (wanted 9 of 10)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="'FILE.csv [OPTION...]'")
    parser.add_argument("--tasks", dest="task_file", type=pathlib.Path, help="a file of more of them, one a line")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--horizons", default="1,12")
    parser.add_argument("--only_naive", action="store_true", help="leave out ETS, ridge and boosting")
    parser.add_argument("--cache", type=pathlib.Path, help="keep the baselines' errors in this file, and take them from it")
    arguments = parser.parse_args()
    if arguments.task_file:
        arguments.tasks += arguments.task_file.read_text().splitlines()
    enter_environment()
    warnings.simplefilter("ignore")
    kept = json.loads(arguments.cache.read_text()) if arguments.cache and arguments.cache.exists() else {}
    table, program = Table(), arguments.bin / "rondo-train"
    with tempfile.TemporaryDirectory() as folder:
        for task in arguments.tasks:
            path, options, given = describe(task)
            for horizon in map(int, given.get("horizon", arguments.horizons).split(",")):
                errors, taken, verdict = rondo(program, path, options, horizon)
                all_series = read(path, given)
                for name, series in all_series.items():
                    if name not in errors and len(all_series) > 1:
                        continue
                    key = f"{task}|{horizon}|{name}"
                    if key not in kept:
                        kept[key] = baselines(series, horizon, arguments.only_naive)
                    own = alone(program, path, options, given, name, horizon, folder) if len(all_series) > 1 else None
                    label = " ".join((pathlib.Path(path).stem, name)).strip()
                    table.add(label, horizon, [errors.get(name, errors.get(""))] + kept[key] + [own], f"{taken}; {verdict}")
                if arguments.cache:
                    arguments.cache.write_text(json.dumps(kept))
    table.finish()


def baselines(series, horizon, only_naive):
    """Root mean squared errors in the order of Table.COLUMNS, from persistence to boosting."""
    season = best_season(series, horizon)
    forecasts = [naive(series, "test", horizon, 0), naive(series, "test", horizon, season)]
    if not only_naive:
        by_ridge, lags = ridge(series, horizon)
        forecasts += [ets(series, horizon, season), by_ridge, boosting(series, horizon, lags)]
    errors = [math.sqrt(series.error("test", horizon, forecast)) for forecast in forecasts]
    return errors + [math.inf] * (5 - len(errors))


if __name__ == "__main__":
    main()
