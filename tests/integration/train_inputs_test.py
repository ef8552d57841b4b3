#!/usr/bin/env python3
"""Inputs that are known before, categories and yes-or-no through the real `rondo-train`, server and `rondo`.

    train_inputs_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import datetime
import io
import json
import random
import subprocess
import unittest

from train_fixture import BIN, description_of, TrainFixture

DAYS = 300


def shop_rows(seed=3):
    """Sales that a promotion raises by 8 and the weekday's kind by 5: both are known the day before."""
    draw, rows = random.Random(seed), []
    for i in range(DAYS):
        day = datetime.date(2021, 1, 1) + datetime.timedelta(i)
        promo, kind = draw.random() < 0.3, "weekend" if draw.random() < 0.3 else "workday"
        sales = 20 + 8 * promo + 5 * (kind == "weekend") + draw.gauss(0, 0.3)
        rows.append((str(day), f"{sales:.3f}", str(promo).upper(), kind))
    return rows


def text_of(rows):
    return "\n".join(["date,sales,promo,kind", *(",".join(row) for row in rows)]) + "\n"


class TrainInputsTest(TrainFixture):
    OPTIONS = ("--time=date", "--calendar=none", "--target=sales", "--known_inputs=promo,kind", "--categories=kind")

    def run_rondo(self, address, *arguments, rows=""):
        return subprocess.run([BIN / "rondo", f"--server={address}", *arguments], input=rows, capture_output=True, text=True,
                              timeout=60)

    def test_what_is_known_before_is_learned_and_served_without_shifting(self):
        rows = shop_rows()
        for horizon in (1, 3):
            self.output = self.root / "models" / f"shop{horizon}" / "1"
            run = self.train(self.write(text_of(rows)), *self.OPTIONS, f"--horizon={horizon}")
            self.assertEqual(run.returncode, 0, run.stderr)
            scores = json.loads((self.output / "scores.json").read_text())["outputs"][0]
            self.assertLess(scores["model"]["rmse"], 0.7, "the noise has 0.3, the promotion 3.7")
        inputs = {one["name"]: one for one in description_of(self.root / "models/shop3/1")["inputs"]}
        self.assertEqual(list(inputs), ["sales", "promo+1", *(f"kind={kind}+{k}" for k in (1, 2, 3)
                                                               for kind in ("weekend", "workday")), "promo+2", "promo+3"])
        self.assertEqual({key: inputs["kind=weekend+2"][key] for key in ("column", "category", "ahead")},
                         {"column": "kind", "category": "weekend", "ahead": 2})
        address = self.serve().address
        reported = list(csv.DictReader(io.StringIO((self.root / "models/shop1/1/forecast.csv").read_text())))
        answer = self.run_rondo(address, "stream", "shop1", "--session=s", rows=text_of(rows))
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("row 300 has not run", answer.stderr)
        streamed = list(csv.DictReader(io.StringIO(answer.stdout)))
        self.assertEqual(len(streamed), DAYS - 1)
        for ours, theirs in zip(streamed[-len(reported):], reported):
            self.assertAlmostEqual(float(ours["sales"]), float(theirs["forecast"]), delta=1e-3)
        promises = [("2021-10-28", "", "TRUE", "workday"), ("2021-10-29", "", "FALSE", "weekend"),
                    ("2021-10-30", "", "FALSE", "workday")]
        more = self.run_rondo(address, "stream", "shop1", "--session=s", rows=text_of([rows[-1], promises[0]]))
        tomorrow = list(csv.DictReader(io.StringIO(more.stdout)))
        self.assertEqual([row["date"] for row in tomorrow], ["2021-10-27"], more.stderr)
        self.assertAlmostEqual(float(tomorrow[0]["sales"]), 28, delta=1.5)
        known = self.root / "known.csv"
        known.write_text(text_of(promises))
        ahead = self.run_rondo(address, "forecast", "shop1", "--session=s", "--horizon=3", f"--known={known}")
        self.assertEqual(ahead.returncode, 0, ahead.stderr)
        for row, expected in zip(csv.DictReader(io.StringIO(ahead.stdout)), (28, 25, 20)):
            self.assertAlmostEqual(float(row["sales"]), expected, delta=2)
        known.write_text(text_of(promises[:2]))
        refused = self.run_rondo(address, "forecast", "shop1", "--session=s", "--horizon=3", f"--known={known}")
        self.assertIn("--known has too few rows; --horizon=3 takes 3", refused.stderr)
        refused = self.run_rondo(address, "forecast", "shop1", "--session=s", "--horizon=3")
        self.assertIn("the forecast lacks input 'promo+1'", refused.stderr)
        direct = self.run_rondo(address, "predict", "shop3", "--input=-", rows=text_of(rows + promises))
        last = list(csv.DictReader(io.StringIO(direct.stdout)))[-1]
        self.assertEqual(last["date"], "2021-10-27", direct.stderr)
        for name, expected in (("sales+1", 28), ("sales+2", 25), ("sales+3", 20)):
            self.assertAlmostEqual(float(last[name]), expected, delta=1.5)
        unknown = self.run_rondo(address, "predict", "shop1", "--input=-",
                                 rows=text_of([*rows[:2], (*rows[2][:3], "holiday")]))
        self.assertIn("row 3, column 'kind': 'holiday' is none of weekend, workday", unknown.stderr)

    def test_rows_that_only_say_what_is_known_may_end_the_file(self):
        rows = shop_rows() + [("2021-10-28", "", "TRUE", "workday")]
        run = self.train(self.write(text_of(rows)), *self.OPTIONS, "--network=linear")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.expect_again(rows)

    def expect_again(self, rows):
        scored = subprocess.run([BIN / "rondo-train", "evaluate", self.output / "model.safetensors", self.write(text_of(rows))],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(scored.returncode, 0, scored.stderr)
        self.assertIn("below", scored.stdout)

    def test_columns_that_cannot_be_known_before_or_be_categories_are_refused(self):
        data = self.write(text_of(shop_rows()))
        self.expect_refused("the target 'sales' is among --known_inputs", data, "--time=date", "--target=sales",
                            "--known_inputs=sales")
        self.expect_refused("no column 'price'", data, "--time=date", "--target=sales", "--known_inputs=price")
        self.expect_refused("has more than 256 different texts", data, "--target=sales", "--categories=date")
        self.expect_refused("row 2, column 'kind': ", data, "--time=date", "--target=sales", "--inputs=sales,kind")
        run = self.train(data, "--time=date", "--target=sales", "--inputs=sales,kind")
        self.assertIn("--categories takes a column of texts", run.stderr)


if __name__ == "__main__":
    unittest.main()
