#!/usr/bin/env python3
"""Several series in one model through the real `rondo-train`, server and `rondo`.

    train_series_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import io
import json
import random
import subprocess
import unittest

from train_fixture import BIN, description_of, TrainFixture

ROWS = 160
PARTS = {"calm": 0.9, "jumpy": -0.9}  # of the value before


def rows_of(name, seed, scale=1):
    """Two series whose windows look alike, and whose next values do not."""
    draw, x, rows = random.Random(seed), 0, []
    for t in range(ROWS):
        x = PARTS[name] * x + draw.gauss(0, 1)
        rows.append((str(1577836800 + 60 * t), name, f"{scale * x:.6f}"))
    return rows


def text_of(rows, header="t,id,x"):
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


class TrainSeriesTest(TrainFixture):
    OPTIONS = ("--time=t", "--target=x", "--series=id", "--calendar=none", "--network=linear")

    def run_rondo(self, address, *arguments, rows=""):
        run = subprocess.run([BIN / "rondo", f"--server={address}", *arguments], input=rows, capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return list(csv.DictReader(io.StringIO(run.stdout)))

    def evaluate(self, data, *options):
        return subprocess.run([BIN / "rondo-train", "evaluate", self.output / "model.safetensors", data, *options],
                              capture_output=True, text=True, timeout=60)

    def test_each_series_is_told_by_what_it_is_and_served_so(self):
        rows = rows_of("calm", 1) + rows_of("jumpy", 2)
        run = self.train(self.write(text_of(rows)), *self.OPTIONS)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"what is best for each series of \d+ networks .* taken")
        scores = json.loads((self.output / "scores.json").read_text())["outputs"][0]["by_series"]["series"]
        for one in scores:
            self.assertLess(one["rmse"], 1.25, "the noise has 1; what is not told apart errs more")
        self.assertEqual([one["name"] for one in description_of(self.output)["inputs"]], ["x", "id=calm", "id=jumpy"])
        address = self.serve().address
        reported = list(csv.DictReader(io.StringIO((self.output / "forecast.csv").read_text())))
        streamed = self.run_rondo(address, "stream", "sine", "--session=s", "--series=calm", rows=text_of(rows))
        self.assertEqual(len(streamed), ROWS)
        for ours, theirs in zip(streamed[-len(reported) - 1:-1], reported):
            self.assertAlmostEqual(float(ours["x"]), float(theirs["forecast"]), delta=1e-4)
        # Rows that name no series are of the one that is said; so are the steps ahead, without a word of them.
        unnamed = self.run_rondo(address, "stream", "sine", "--session=u", "--series=jumpy",
                                 rows=text_of([(time, x) for time, _, x in rows[ROWS:]], "t,x"))
        named = self.run_rondo(address, "predict", "sine", "--input=-", rows=text_of(rows[ROWS:]))
        self.assertEqual([row["x"] for row in unnamed], [row["x"] for row in named])
        ahead = [float(row["x"]) for row in self.run_rondo(address, "forecast", "sine", "--session=u", "--horizon=3")]
        self.assertLess(ahead[0] * ahead[1], 0)
        self.assertLess(ahead[1] * ahead[2], 0)
        unknown = self.run_rondo(address, "predict", "sine", "--input=-",
                                 rows=text_of([(time, "new", x) for time, _, x in rows[:ROWS]]))
        self.assertEqual(len(unknown), ROWS)
        self.assertNotEqual([row["x"] for row in unknown], [row["x"] for row in streamed])

    def test_series_whose_names_no_input_can_have_share_a_network(self):
        rows = [(time, f"{name}\tone", x) for time, name, x in rows_of("calm", 1) + rows_of("jumpy", 2)]
        run = self.train(self.write(text_of(rows)), *self.OPTIONS)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual([one["name"] for one in description_of(self.output)["inputs"]], ["x"])

    def test_a_model_that_knows_its_series_scores_a_file_again(self):
        data = self.write(text_of(rows_of("calm", 1) + rows_of("jumpy", 2, scale=1000)))
        self.assertEqual(self.train(data, *self.OPTIONS).returncode, 0)
        scored = self.evaluate(data)
        self.assertEqual(scored.returncode, 0, scored.stderr)
        self.assertIn("2 series: ", scored.stdout)
        self.assertIn(" 0 ABOVE", scored.stdout)
        bare = self.write(text_of([(time, x) for time, _, x in rows_of("calm", 1)], "t,x"))
        refused = self.evaluate(bare)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("no column 'id' that says of which series a row is, and each series of the model has a unit of its own; "
                      "--series=COLUMN says", refused.stderr)

    def test_a_file_without_the_column_of_the_series_is_scored_as_one_that_is_not_known(self):
        rows = rows_of("calm", 1) + rows_of("jumpy", 2)
        self.assertEqual(self.train(self.write(text_of(rows)), *self.OPTIONS).returncode, 0)
        self.assertEqual(len(description_of(self.output)["inputs"]), 3, "it knows its series")
        scored = self.evaluate(self.write(text_of([(time, x) for time, _, x in rows[:ROWS]], "t,x")))
        self.assertEqual(scored.returncode, 0, scored.stderr)
        self.assertIn("note: there is no column 'id': the rows count as one series, which the model does not know; "
                      "--series=COLUMN says which column tells series apart", scored.stderr)
        unknown = self.evaluate(self.write(text_of([(time, "new", x) for time, _, x in rows[:ROWS]])))
        self.assertEqual(scored.stdout, unknown.stdout)
        known = self.evaluate(self.write(text_of(rows[:ROWS])))
        self.assertNotEqual(known.stdout, unknown.stdout)
        renamed = self.evaluate(self.write(text_of(rows[:ROWS], "t,who,x")), "--series=who")
        self.assertEqual(renamed.stdout, known.stdout, renamed.stderr)
        missing = self.evaluate(self.write(text_of(rows[:ROWS])), "--series=who")
        self.assertIn("no column 'who'", missing.stderr)


if __name__ == "__main__":
    unittest.main()
