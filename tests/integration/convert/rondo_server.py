"""A real rondo-server on a free port, asked by the command line `rondo`. Needs numpy."""

import csv
import io
import pathlib
import subprocess
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from running_server import RunningServer  # noqa: E402


class Server(RunningServer):
    def __init__(self, binaries, models, *flags):
        self.binaries = binaries
        super().__init__(binaries, *flags, repository=models)

    def rondo(self, *arguments, given=b""):
        done = subprocess.run([self.binaries / "rondo", f"--server={self.address}", *arguments], input=given, capture_output=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        return done.stdout

    def answers(self, model, rows, *options, names=None, times=()):
        """The model's answers to the rows, with options of `rondo predict`."""
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow([*(["time"] if len(times) else []), *(names or [f"x{i}" for i in range(rows.shape[1])])])
        for i, row in enumerate(rows):
            writer.writerow([*([times[i]] if len(times) else []), *[repr(float(value)) for value in row]])
        said = self.rondo("predict", model, "--input=-", *options, given=table.getvalue().encode())
        answers = list(csv.reader(io.StringIO(said.decode())))[1:]
        return numpy.array([[float(value) for value in row[1 if len(times) else 0:]] for row in answers])
