"""What the tests of rondo-train share: BIN_DIR and SOURCE_DIR of the command line, series, and a folder of their own."""

import csv
import io
import itertools
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from running_server import RunningServer

BIN, SOURCE = (pathlib.Path(sys.argv.pop(1)) for _ in range(2))
SEATTLE = SOURCE / "deploy/demo/seattle-weather.csv"
WEATHER = [f"--data={SEATTLE}", "--time=date", "--target=temp_max", "--inputs=temp_max,temp_min,wind,precipitation",
           "--threads=1"]


def sine(rows, noise=0.05, seed=1):
    draw = random.Random(seed)
    return "t,x,level\n" + "".join(f"{1577836800 + 60 * t},{math.sin(0.3 * t) + draw.gauss(0, noise):.6f},7\n"
                                   for t in range(rows))


def tensors(path):
    """The bytes after a .safetensors header: the weights alone."""
    content = path.read_bytes()
    return content[8 + struct.unpack("<Q", content[:8])[0]:]


def autoregression(rows, seed=1):
    """x' = 0.7 x + noise: what is known of the steps ahead fades, and is known exactly."""
    draw, x, text = random.Random(seed), 0, "t,x\n"
    for t in range(rows):
        x = 0.7 * x + draw.gauss(0, 1)
        text += f"{1577836800 + 60 * t},{x:.6f}\n"
    return text


def description_of(output):
    content = (output / "model.safetensors").read_bytes()
    header = json.loads(content[8:8 + struct.unpack("<Q", content[:8])[0]])
    return json.loads(header["__metadata__"]["rondo"])


def training_of(output):
    """What a model says of its training."""
    return description_of(output)["training"]


class TrainFixture(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.output = self.root / "models" / "sine" / "1"
        self.numbers = itertools.count()

    def write(self, text):
        path = self.root / "series.csv"
        path.write_text(text)
        return f"--data={path}"

    def train(self, *arguments, wait=True):
        command = [BIN / "rondo-train", f"--output={self.output}", "--threads=1", *arguments]
        if not wait:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return subprocess.run(command, capture_output=True, text=True, timeout=600)

    def expect_refused(self, message, *arguments):
        run = self.train(*arguments)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn(message, run.stderr)
        self.assertFalse(self.output.exists())
        self.assertEqual([p.name for p in self.output.parent.glob(".*")] if self.output.parent.exists() else [], [])

    def wait_for_checkpoints(self, process, checkpoint, count):
        """Until so many were seen to be written; some more may be."""
        seen = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while count > 0:
            self.assertIsNone(process.poll())
            now = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            count -= now != seen
            seen = now
            time.sleep(0.0005)

    def serve(self):
        """A server of everything trained so far; returns a function that runs `rondo` against it."""
        server = RunningServer(BIN, repository=f"{self.root}/models")
        self.addCleanup(server.stop)

        def rondo(*arguments, rows=""):
            answer = subprocess.run([BIN / "rondo", f"--server={server.address}", *arguments], input=rows, capture_output=True,
                                    text=True, timeout=60)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            return [{name: float(cell) for name, cell in row.items() if name not in ("t", "date")}
                    for row in csv.DictReader(io.StringIO(answer.stdout))]
        rondo.address = server.address
        return rondo
