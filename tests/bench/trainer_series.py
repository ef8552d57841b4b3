#!/usr/bin/env python3
"""Writes series of many kinds for trainer_baselines.py, and prints its arguments for them.

    tests/bench/trainer_series.py FOLDER > tasks.txt
    tests/bench/trainer_baselines.py --tasks=tasks.txt

Real ones are those that the Python packages statsmodels and vega_datasets bring along; those of known structure are drawn
from fixed seeds: electricity-like columns of quarter hours, half-hourly load, a week in daily counts, counts that are
mostly zero, exchange rates, short months, quarters and years, and several series of very different levels and scales.
"""

import argparse
import csv
import datetime
import itertools
import pathlib

from trainer_baselines import enter_environment


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def months(year, count, apart=1):
    return [f"{year + (apart * i) // 12}-{(apart * i) % 12 + 1:02}-01" for i in range(count)]


def days(count, start="2015-01-01"):
    first = datetime.date.fromisoformat(start)
    return [(first + datetime.timedelta(days=i)).isoformat() for i in range(count)]


def minutes(count, apart):
    first = datetime.datetime(2018, 1, 1)
    return [str(first + datetime.timedelta(minutes=apart * i)) for i in range(count)]


def real(folder):
    """Yields the tasks of the packages' series."""
    import statsmodels.datasets as sets
    import vega_datasets

    nile = sets.nile.load_pandas().data
    write(folder / "nile.csv", ["year", "flow"], zip(nile.year.astype(int), nile.volume))
    yield "nile.csv --time=year --target=flow --horizon=1"
    elnino = sets.elnino.load_pandas().data
    values = elnino.drop(columns="YEAR").to_numpy().ravel().round(2).tolist()
    write(folder / "elnino.csv", ["month", "sea"], zip(months(1950, len(values)), values))
    yield "elnino.csv --time=month --target=sea --horizon=1,12"
    macro = sets.macrodata.load_pandas().data
    write(folder / "macro.csv", ["quarter", "gdp", "unemployed", "rate"],
          zip(months(1959, len(macro), 3), macro.realgdp, macro.unemp, macro.tbilrate))
    for target in ("gdp", "unemployed", "rate"):
        yield f"macro.csv --time=quarter --target={target} --horizon=1,4"
    weekly = sets.co2.load_pandas().data.co2.dropna().iloc[-900:]
    write(folder / "co2_weekly.csv", ["week", "co2"], zip(days(len(weekly) * 7)[::7], weekly))
    yield "co2_weekly.csv --time=week --target=co2 --horizon=1,8"
    jobs = vega_datasets.local_data.us_employment()
    write(folder / "jobs.csv", ["month", "private", "construction", "retail"],
          zip(months(2006, len(jobs)), jobs.private, jobs.construction, jobs.retail_trade))
    for target in ("private", "retail"):
        yield f"jobs.csv --time=month --target={target} --horizon=1,6"
    heat = vega_datasets.local_data.seattle_temps().temp.iloc[:4000]
    write(folder / "heat.csv", ["time", "heat"], zip(minutes(len(heat), 60), heat))
    yield "heat.csv --time=time --target=heat --horizon=1,24"
    power = vega_datasets.local_data.iowa_electricity()
    write(folder / "power.csv", ["year", "net", "source"], zip([date.year for date in power.year], power.net_generation, power.source))
    yield "power.csv --time=year --target=net --series=source --horizon=1"


def autoregression(draw, count, part, scale):
    made = draw.normal(0, scale, count)
    for t in range(1, count):
        made[t] += part * made[t - 1]
    return made


def drawn(folder):
    """Yields the tasks of series whose structure is known."""
    import numpy
    draw = numpy.random.default_rng(11)
    yield from drawn_by_the_clock(folder, draw)
    yield from drawn_by_the_calendar(folder, draw)


def drawn_by_the_clock(folder, draw):
    """Yields those of minutes, hours and days."""
    import numpy
    pi = numpy.pi
    t = numpy.arange(6000)
    load = 3 + numpy.sin(2 * pi * t / 96) * (1 + 0.3 * autoregression(draw, len(t), 0.999, 0.02)) + 0.4 * numpy.sin(2 * pi * t / 672)
    columns = [load + 0.05 * autoregression(draw, len(t), 0.95, 1),
               0.7 * numpy.roll(load, 3) + autoregression(draw, len(t), 0.98, 0.03),
               20 + 6 * numpy.sin(2 * pi * t / 30000) + 3 * numpy.sin(2 * pi * (t - 30) / 96) + autoregression(draw, len(t), 0.99, 0.15)]
    write(folder / "quarter_hours.csv", ["time", "a", "b", "oil"], zip(minutes(len(t), 15), *numpy.round(columns, 4)))
    yield "quarter_hours.csv --time=time --target=oil --inputs=oil,a,b --horizon=1,24"
    t = numpy.arange(48 * 90)
    hour, weekend = t / 2 % 24, (t // 48 % 7) >= 5
    load = (900 + 250 * numpy.sin(2 * pi * (hour - 9) / 24) + 90 * numpy.sin(4 * pi * (hour - 6) / 24)) * numpy.where(weekend, 0.82, 1)
    load += autoregression(draw, len(t), 0.9, 12)
    write(folder / "half_hours.csv", ["time", "load"], zip(minutes(len(t), 30), load.round(1)))
    yield "half_hours.csv --time=time --target=load --horizon=1,48"
    t = numpy.arange(1100)
    visits = draw.poisson(200 * (1 + t / 3000) * numpy.array([1, 1.1, 1.05, 1, 1.3, 0.6, 0.5])[t % 7])
    write(folder / "visits.csv", ["day", "visits"], zip(days(len(t)), visits))
    yield "visits.csv --time=day --target=visits --horizon=1,14"
    spares = draw.poisson(numpy.where(draw.random(800) < 0.15, 4, 0.02))
    write(folder / "spares.csv", ["day", "sold"], zip(days(len(spares)), spares))
    yield "spares.csv --time=day --target=sold --horizon=1,7"
    rates = numpy.exp(numpy.cumsum(draw.normal(0, 0.006, (1500, 2)), axis=0))
    write(folder / "rates.csv", ["day", "chf", "jpy"], zip(days(1500), rates[:, 0].round(6), (110 * rates[:, 1]).round(4)))
    yield "rates.csv --time=day --target=chf --horizon=1,24"
    yield "rates.csv --time=day --target=jpy --horizon=1"


def drawn_by_the_calendar(folder, draw):
    """Yields those of months, quarters and years, and of many series."""
    import numpy
    pi = numpy.pi
    for i, (trend, season, noise, count) in enumerate([(2, 30, 6, 130), (-0.5, 8, 4, 170), (0.2, 60, 20, 110)]):
        t = numpy.arange(count)
        level = 300 + trend * t + numpy.cumsum(draw.normal(0, noise / 3, count))
        series = level + season * numpy.sin(2 * pi * t / 12 + i) + season / 2 * numpy.sin(4 * pi * t / 12) + draw.normal(0, noise, count)
        write(folder / f"monthly{i}.csv", ["month", "value"], zip(months(2005, count), series.round(2)))
        yield f"monthly{i}.csv --time=month --target=value --horizon=1,12"
    for i, count in enumerate((72, 110)):
        t = numpy.arange(count)
        series = 80 * numpy.exp(0.012 * t + numpy.cumsum(draw.normal(0, 0.02, count))) * numpy.array([1, 1.1, 0.9, 1.05])[t % 4]
        write(folder / f"quarterly{i}.csv", ["quarter", "value"], zip(months(1990, count, 3), series.round(3)))
        yield f"quarterly{i}.csv --time=quarter --target=value --horizon=1,4"
    series = 1000 + numpy.cumsum(draw.normal(12, 20, 70))
    write(folder / "yearly.csv", ["year", "value"], zip(range(1950, 2020), series.round(1)))
    yield "yearly.csv --time=year --target=value --horizon=1,4"
    rows = []
    for i in range(12):
        t, scale = numpy.arange(500), 10.0 ** draw.uniform(-1, 4)
        week = numpy.sin(2 * pi * t / 7 + draw.uniform(0, 6)) * draw.uniform(0.3, 1.5)
        made = scale * (draw.uniform(3, 20) + week + autoregression(draw, len(t), 0.8, 0.4) + t * draw.normal(0, 0.002))
        rows += zip(days(len(t)), made.round(5), itertools.repeat(f"shop{i}"))
    write(folder / "shops.csv", ["day", "sales", "id"], rows)
    yield "shops.csv --time=day --target=sales --series=id --horizon=1,7"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    enter_environment()
    folder.mkdir(parents=True, exist_ok=True)
    for task in (*real(folder), *drawn(folder)):
        print(folder.resolve() / task)


if __name__ == "__main__":
    main()
