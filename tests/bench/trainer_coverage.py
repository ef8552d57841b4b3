#!/usr/bin/env python3
"""What part of the values that came lie inside the 80 % band of rondo-train's forecasts, by lead.

    tests/bench/trainer_coverage.py FILE.csv --time=COLUMN --target=COLUMN [--bin=build/release/bin] [--every=3]

Trains with --loss=gaussian, serves the model, runs a session through the test part, and from every third timestep samples paths
with `rondo forecast`, and with the Python package `rondo` if it can be imported. A band covers what it says if each lead has
0.75 to 0.85.
"""

import argparse
import csv
import io
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from running_server import RunningServer  # noqa: E402

PATHS = 200


def by_command(bin_dir, server, target, header, rows, first, every, horizon):
    """Yields each origin and its band: the lower and the upper bounds by lead."""
    def rondo(*arguments, rows=()):
        text = "\n".join([",".join(header), *map(",".join, rows)]) + "\n"
        run = subprocess.run([bin_dir / "rondo", f"--server={server.address}", *arguments], input=text, capture_output=True,
                             text=True, check=True)
        return list(csv.DictReader(io.StringIO(run.stdout)))

    done = 0
    for origin in range(first, len(rows) - horizon, every):
        rondo("stream", "m", "--session=cli", rows=rows[done:origin + 1])
        done = origin + 1
        ahead = rondo("forecast", "m", "--session=cli", f"--horizon={horizon}", f"--paths={PATHS}")
        yield origin, [float(row[f"{target}_q0.1"]) for row in ahead], [float(row[f"{target}_q0.9"]) for row in ahead]


def by_python(rondo, server, times, values, first, every, horizon):
    with rondo.Client(server.address) as client, client.open_session("m") as session:
        done = 0
        for origin in range(first, len(values) - horizon, every):
            session.run([[value] for value in values[done:origin + 1]], times=times[done:origin + 1])
            done = origin + 1
            ahead = session.forecast(horizon, num_paths=PATHS, path_quantiles=[0.1, 0.9], seed=origin)
            yield origin, ahead[:, 0], ahead[:, 1]


def show(name, bands, values, leads):
    inside, count = dict.fromkeys(leads, 0), 0
    for origin, low, high in bands:
        count += 1
        for lead in leads:
            inside[lead] += low[lead - 1] <= values[origin + lead] <= high[lead - 1]
    parts = {lead: inside[lead] / count for lead in leads}
    kept = all(0.75 <= part <= 0.85 for part in parts.values())
    print(f"{name:<8} {count} origins  " + "  ".join(f"lead {lead}: {part:.3f}" for lead, part in parts.items())
          + ("  kept" if kept else "  NOT KEPT"), flush=True)
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--time", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--leads", default="1,6,24,48")
    arguments = parser.parse_args()
    leads = [int(lead) for lead in arguments.leads.split(",")]
    header, *rows = csv.reader(arguments.file.open(newline=""))
    values = [float(row[header.index(arguments.target)]) for row in rows]
    times = [row[header.index(arguments.time)] for row in rows]
    first = round(0.75 * len(rows)) - 1
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([arguments.bin / "rondo-train", f"--data={arguments.file}", f"--time={arguments.time}",
                        f"--target={arguments.target}", "--loss=gaussian", f"--output={folder}/m/1"],
                       check=True, stdout=subprocess.DEVNULL)
        with RunningServer(arguments.bin, repository=folder) as server:
            way = (first, arguments.every, max(leads))
            kept = show("rondo", by_command(arguments.bin, server, arguments.target, header, rows, *way), values, leads)
            try:
                import rondo
            except ImportError:
                print("python   left out: no package rondo here")
            else:
                kept = show("python", by_python(rondo, server, times, values, *way), values, leads) and kept
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
