#!/usr/bin/env python3
"""Mixed load for many minutes, and what it leaves behind: memory, descriptors, threads.

usage: soak.py BIN_DIR [--minutes=20] [--flag=SERVER_FLAG ...]

All at once: streams and unary calls of both protocols, with sessions that end and others that stay; calls that are
refused; calls cancelled half way; connections that come and go without a word; the model file written anew, and the
registry told to look. The first quarter of the time is for warming up. Exit code 1: the resident memory grows by more
than 1 MB an hour beyond what its own noise explains, there are more descriptors or threads than at the end of the
warm-up, or the server does not end well.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

from server import ROOT, Server, call, frame

MB_AN_HOUR = 1.0
SAMPLE_SECONDS = 5
LOADS = (
    ["--streams=16", "--session_pool=4096"],
    ["--streams=4", "--sessions_per_message=64", "--session_pool=8192"],
    ["--streams=8", "--protocol=open_inference"],
    ["--streams=8", "--unary"],
    ["--streams=4", "--stateless", "--timesteps=50"],
)


def process_figures(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    field = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(field["VmRSS"].split()[0]) * 1024, len(os.listdir(f"/proc/{pid}/fd")), int(field["Threads"])


def slope(points):
    """Least squares: (change of y a unit of x, its standard error)."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    return rise, (rest / max(1, n - 2) / spread) ** 0.5


def refused(server, _):
    """A session that is not there, a message that is none, a method that is none."""
    with server.connect() as connection:
        connection.sendall(call(1, "/rondo.v1.Sessions/GetSession", b"\x0a\x04none")
                           + call(3, "/rondo.v1.Inference/Predict", b"\xff\xff\xff")
                           + call(5, "/rondo.v1.Nothing/None", b""))
        connection.recv(1 << 16)


def cancelled(server, _):
    with server.connect() as connection:
        for stream in range(1, 41, 2):
            connection.sendall(call(stream, "/rondo.v1.Inference/StreamPredict", b"")
                               + frame(3, 0, stream, struct.pack(">I", 8)))
        connection.recv(1 << 16)


def silent(server, _):
    server.connect().close()


def reloaded(server, models):
    file = next(models.glob("*/*/model.safetensors"))
    copy = file.with_suffix(".new")
    shutil.copyfile(file, copy)
    copy.rename(file)
    server.process.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def abuse(server, models):
    """Lets all of the above happen again and again, each at its pace; yields how often each did, by name."""
    stopped, counts = threading.Event(), {}

    def repeat(act, pause):
        while not stopped.wait(pause):
            act(server, models)
            counts[act.__name__] = counts.get(act.__name__, 0) + 1

    threads = [threading.Thread(target=repeat, args=pair)
               for pair in ((refused, 0.05), (cancelled, 0.05), (silent, 0.2), (reloaded, 5.0))]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def load(server, bin_dir, seconds):
    command = [f"{bin_dir}/rondo-load", f"--server=127.0.0.1:{server.port}", f"--duration={seconds}s", "--json",
               "--model=seattle", "--rate=200"]
    running = [subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
               for flags in LOADS]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def watch(server, running, seconds):
    """Samples of (hours, RSS, descriptors, threads) while the load runs."""
    began, samples = time.monotonic(), []
    while time.monotonic() < began + seconds:
        time.sleep(SAMPLE_SECONDS)
        for process in running:
            if process.poll() not in (None, 0):
                sys.exit(f"soak: {' '.join(process.args)} ended with {process.returncode}: {process.stderr.read()[-2000:]}")
        samples.append(((time.monotonic() - began) / 3600, *process_figures(server.process.pid)))
        server.page(30)
    return samples


def judge(samples):
    """Prints what was measured; returns what is wrong with it."""
    warm = samples[len(samples) // 4:]
    rise, error = slope([(hours, rss / 1e6) for hours, rss, _, _ in warm])
    faults = [f"memory grows by {rise:.2f} MB an hour"] if rise - 2 * error > MB_AN_HOUR else []
    print(f"RSS: {samples[0][1] / 1e6:.1f} MB at first, {warm[0][1] / 1e6:.1f} warm, {warm[-1][1] / 1e6:.1f} at the end, "
          f"peak {max(sample[1] for sample in samples) / 1e6:.1f}; {rise:+.2f} +- {2 * error:.2f} MB an hour")
    tenth = max(1, len(warm) // 10)
    for place, what in ((2, "descriptors"), (3, "threads")):
        first = max(sample[place] for sample in warm[:tenth])
        last = min(sample[place] for sample in warm[-tenth:])
        print(f"{what}: {first} warm, {last} at the end")
        if last > first:
            faults.append(f"there are {last - first} more {what} than after the warm-up")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("bin_dir")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--flag", action="append", default=[])
    options = parser.parse_args()
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        models = pathlib.Path(folder) / "models"
        shutil.copytree(ROOT / "deploy/demo/models", models)
        server = Server(options.bin_dir, f"--model_repository={models}", *options.flag)
        try:
            with load(server, options.bin_dir, int(seconds) + 60) as running, abuse(server, models) as counts:
                samples = watch(server, running, seconds)
            print(f"{options.minutes:g} minutes beside", ", ".join(f"{n} {what}" for what, n in counts.items()))
            faults = judge(samples)
        finally:
            code = server.stop()
        if code != 0:
            faults.append(f"the server ended with exit code {code}")
    for fault in faults:
        print(f"soak: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
