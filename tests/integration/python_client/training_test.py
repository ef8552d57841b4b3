"""rondo.train: frames through the real rondo-train."""

import math
import pathlib
import tempfile
import unittest

import pandas as pd
import rondo
from server_process import BIN

PROGRAM = BIN / "rondo-train"


class TrainingTest(unittest.TestCase):
    def setUp(self):
        self.output = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "models", "waves", "1")
        times = pd.date_range("2024-01-01", periods=240, freq="h", tz="Europe/Berlin", name="hour")
        self.frame = pd.DataFrame({"a": [math.sin(t / 4) for t in range(240)], "b": range(240)}, index=times)

    def test_a_frame_becomes_a_model_with_its_scores(self):
        trained = rondo.train(self.frame, output=self.output, target="a", inputs=["a", "b"], horizon=2, network="linear",
                              program=PROGRAM)
        self.assertTrue((trained.folder / "model.safetensors").exists())
        self.assertGreater(trained.scores["outputs"][0]["skill"], 0.9)
        self.assertIn("taken", trained.report)
        description = (trained.folder / "model.safetensors").read_bytes()
        self.assertIn(b'3600s', description)

    def test_what_the_program_refuses_is_raised_and_nothing_is_written(self):
        with self.assertRaisesRegex(rondo.TrainingError, "no column 'c'"):
            rondo.train(self.frame, output=self.output, target="c", program=PROGRAM)
        self.assertFalse(self.output.exists())

    def test_a_frame_without_times_is_rows_alone(self):
        trained = rondo.train(self.frame.reset_index(drop=True), output=self.output, target="a", network="linear",
                              sort=False, program=PROGRAM)
        self.assertNotIn("season", trained.scores)
