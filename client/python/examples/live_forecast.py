#!/usr/bin/env python3
"""A live forecast, drawn: a year of Seattle's weather goes day by day through one session, and what the server expects is
plotted beside what came. A script, or a notebook of the cells between the `# %%` lines.

    rondo-server --model_repository=deploy/demo/models &
    pip install 'client/python[plot]' && python3 client/python/examples/live_forecast.py --output forecast.png

The server is at RONDO_SERVER, or at 127.0.0.1:8001.
"""

# %% The weather: a row a day, of the inputs that the model names
import argparse
import csv
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import rondo

WEATHER = pathlib.Path(__file__).resolve().parents[3] / "deploy/demo/seattle-weather.csv"
parser = argparse.ArgumentParser()
parser.add_argument("--output", default="live_forecast.png")
parser.add_argument("--weather", default=WEATHER, help="a CSV with a column `date` and the model's inputs")
parser.add_argument("--horizon", type=int, default=14, help="days ahead")
options = parser.parse_args()

with open(options.weather, newline="") as file:
    table = list(csv.DictReader(file))
days = np.array([row["date"] for row in table], dtype="datetime64[D]")
live = int(np.searchsorted(days, np.datetime64("2015-01-01")))

# %% The years before 2015 bring the session up to date in one message; then each day is a step
client = rondo.Client()
model = client.get_model("seattle")
weather = np.array([[float(row[name]) for name in model.inputs] for row in table], dtype=np.float32)
tomorrow = np.zeros((len(days), model.output_size), dtype=np.float32)  # [day]: expected for the day after it
forecasts = {}  # index of the last known day -> [horizon, output_size]

with client.open_session("seattle") as town:
    tomorrow[:live] = town.run(weather[:live], days[:live])
    for day in range(live, len(days)):
        tomorrow[day] = town.step(weather[day], days[day])
        if (day - live) % 28 == 27:
            forecasts[day] = town.forecast(options.horizon)  # the session does not move
client.close()

# %% How far off it was, and how far off "tomorrow is like today" would have been
shown = model.outputs.index("temp_max")
actual = weather[:, model.inputs.index("temp_max")]
error = np.abs(tomorrow[live - 1 : -1, shown] - actual[live:]).mean()
persistence = np.abs(actual[live - 1 : -1] - actual[live:]).mean()
print(f"{len(days) - live} days: mean absolute error {error:.2f} C, of persistence {persistence:.2f} C")

# %% The picture
figure, axes = plt.subplots(figsize=(13, 5.5), layout="constrained")
axes.plot(days[live:], actual[live:], ".", color="0.45", markersize=4, label="measured")
axes.plot(days[live:], tomorrow[live - 1 : -1, shown], color="tab:blue", linewidth=1.1, label="expected the day before")
for day, forecast in forecasts.items():
    ahead = days[day] + np.arange(options.horizon + 1, dtype="timedelta64[D]")
    path = np.concatenate([actual[day : day + 1], forecast[:, shown]])
    label = f"forecast for {options.horizon} days" if day == min(forecasts) else None
    axes.plot(ahead, path, color="tab:red", linewidth=2, label=label)
    axes.plot(ahead[0], path[0], "o", color="tab:red", markersize=4)
end = days[-1] + np.timedelta64(options.horizon, "D")
axes.set(title="Seattle's highest temperature of the day, 2015", ylabel="°C", xlim=(days[live], end))
axes.grid(alpha=0.3)
axes.legend(loc="upper left")
figure.savefig(options.output, dpi=110)
print(f"drawn to {options.output}")
