#!/usr/bin/env python3
"""Follows a page of client/examples/ for newcomers word by word (follow_page.sh), and looks at what its commands say.

usage: tutorial_test.py PAGE BIN_DIR      PAGE: FIRST_NETWORK or OWN_TABLE; exit 77: /usr/bin/python3 has no torch, which FIRST_NETWORK
                                          needs (Debian: python3-torch)
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def follow(page, bin_dir):
    """[(command, what it printed)]"""
    run = subprocess.run(["tests/integration/follow_page.sh", f"client/examples/{page}.md", str(pathlib.Path(bin_dir).resolve())], cwd=ROOT,
                         stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert run.returncode == 0, run.stdout
    return [part.partition("\n")[::2] for part in ("\n" + run.stdout).split("\n$ ")[1:]]


def numbers(text):
    return [[float(cell) for cell in line.split(",")] for line in text.split()]


def first_network(said):
    torch_says, _, models, served, _, stepped = (output for _, output in said)
    wanted = numbers(torch_says)
    assert [len(row) for row in wanted] == [5, 5, 5], wanted
    assert "graph" in models and "x9" in models and "y4" in models, models
    for row, answer in zip(wanted, numbers(served)):
        assert all(abs(a - b) <= 6e-5 for a, b in zip(row, answer)), (row, answer)  # it prints four digits
    assert stepped.strip() == served.splitlines()[0], (stepped, served)


def own_table(said):
    forecasts = [output.split() for command, output in said if command.startswith("rondo forecast")]
    assert [len(rows) for rows in forecasts] == [1 + 7, 1 + 3, 1 + 7], forecasts
    week, later, sure = (dict(zip(rows[0].split(","), zip(*(row.split(",") for row in rows[1:])))) for rows in forecasts)
    predictions = [output.split()[-1].split(",") for command, output in said if command.startswith(("rondo predict", "printf"))]
    assert week["date"][0] == "2016-01-01T00:00:00Z" and later["date"][0] == "2016-01-02T00:00:00Z", (week, later)
    assert week["temp_max"][0] == predictions[0][1] and later["temp_max"][0] == predictions[1][1], predictions
    assert all(float(low) < float(middle) < float(high) for low, middle, high in
               zip(sure["temp_max_q0.1"], sure["temp_max_q0.5"], sure["temp_max_q0.9"])), sure  # fmt: skip


def main():
    page, bin_dir = sys.argv[1:]
    if page == "FIRST_NETWORK" and subprocess.run(["/usr/bin/python3", "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        print("/usr/bin/python3 has no torch: Debian's package is python3-torch")
        return 77
    {"FIRST_NETWORK": first_network, "OWN_TABLE": own_table}[page](follow(page, bin_dir))
    print("the page does what it says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
