#!/usr/bin/env python3
"""What forecasts of the real `rondo-train` are worth, and that the server answers what the report says.

    train_forecast_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import datetime
import io
import json
import math
import random
import unittest

from train_fixture import autoregression, SEATTLE, sine, tensors, TrainFixture, training_of, WEATHER


class TrainForecastTest(TrainFixture):
    def test_several_series_of_other_scales_are_each_scored(self):
        draw, rows = random.Random(6), ["id,t,x"]
        for name, scale in (("big", 1e6), ("small", 1e-3)):
            rows += [f"{name},{1577836800 + 60 * t},{scale * (5 + math.sin(0.3 * t) + draw.gauss(0, 0.05)):.9g}"
                     for t in range(300)]
        run = self.train(self.write("\n".join(rows) + "\n"), "--target=x", "--time=t", "--series=id")
        self.assertEqual(run.returncode, 0, run.stderr)
        by_series = json.loads((self.output / "scores.json").read_text())["outputs"][0]["by_series"]
        self.assertEqual({one["name"] for one in by_series["series"]}, {"big", "small"})
        for one in by_series["series"]:
            self.assertGreater(one["skill"], 0.3, one)
        self.assertIn("2 series: median", run.stdout)
        rondo = self.serve()
        for name, scale in (("big", 1e6), ("small", 1e-3)):
            answer = rondo("predict", "sine", f"--input={self.root}/series.csv", f"--series={name}")
            self.assertEqual(len(answer), 300)
            self.assertTrue(all(3 < row["x"] / scale < 7 for row in answer))

    def test_the_simplest_network_that_validates_best_is_taken_and_served_as_reported(self):
        draw, rows = random.Random(7), ["date,a,b"]
        for t in range(600):
            day = math.sin(2 * math.pi * t / 24)
            at = datetime.datetime(2021, 1, 1) + datetime.timedelta(hours=t)
            rows.append(f"{at:%Y-%m-%d %H:%M},{day + draw.gauss(0, 0.1):.4f},{200 - 30 * day + draw.gauss(0, 3):.4f}")
        data = self.write("\n".join(rows) + "\n")
        run = self.train(data, "--time=date", "--target=all", "--horizon=6", "--network=linear")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"(linear on the last|the mean of the) .* taken")
        again, self.output = tensors(self.output / "model.safetensors"), self.root / "again" / "1"
        self.assertEqual(self.train(data, "--time=date", "--target=all", "--horizon=6", "--network=linear").returncode, 0)
        self.assertEqual(tensors(self.output / "model.safetensors"), again)
        scores = json.loads((self.output / "scores.json").read_text())["outputs"]
        for output in scores:
            self.assertGreater(output["seasonal_skill"], 0.2, output)
        answers = self.serve()("stream", "sine", "--session=s", rows="\n".join(rows) + "\n")
        reported = [float(row["forecast"]) for row in csv.DictReader(io.StringIO((self.output / "forecast.csv").read_text()))]
        for ours, theirs in zip(answers[-len(reported) - 6:-6], reported):
            self.assertAlmostEqual(ours["a+1"], theirs, delta=1e-4)

    def test_heads_with_a_spread_cover_what_they_say(self):
        for loss in ("quantile", "gaussian"):
            self.output = self.root / loss / "1"
            run = self.train(self.write(sine(2000, noise=0.3)), "--target=x", f"--loss={loss}", "--epochs=15")
            self.assertEqual(run.returncode, 0, run.stderr)
            coverage = json.loads((self.output / "scores.json").read_text())["outputs"][0]["coverage"]
            for quantile, part in coverage.items():
                self.assertAlmostEqual(part, float(quantile), delta=0.07, msg=f"{loss} {quantile}")

    def test_a_loss_below_zero_is_one_like_another(self):
        run = self.train(self.write(sine(600, noise=0.001)), "--target=x", "--loss=gaussian", "--epochs=20")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertLess(training_of(self.output)["validation_loss"], 0)

    def test_a_random_walk_is_said_to_have_no_skill(self):
        draw, value, rows = random.Random(2), 1000.0, ["price"]
        for _ in range(400):
            value += draw.gauss(0, 10)
            rows.append(f"{value:.3f}")
        run = self.train(self.write("\n".join(rows) + "\n"), "--target=price")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("no skill", run.stdout)
        self.assertLess(abs(json.loads((self.output / "scores.json").read_text())["outputs"][0]["skill"]), 0.02)

    def test_seattles_weather_is_forecast_better_than_persistence_with_default_options(self):
        skills = []
        for seed in (1, 2, 3):
            self.output = self.root / f"seed{seed}"
            run = self.train(*WEATHER, f"--seed={seed}")
            self.assertEqual(run.returncode, 0, run.stderr)
            skills.append(json.loads((self.output / "scores.json").read_text())["outputs"][0]["skill"])
        self.assertGreaterEqual(sum(skills) / 3, 0.06, skills)

    def train_on_noise(self, loss):
        rows = autoregression(2000).splitlines()
        self.output = self.root / "models" / loss / "1"
        run = self.train(self.write("\n".join(rows) + "\n"), "--time=t", "--calendar=none", "--target=x",
                         f"--loss={loss}", "--epochs=30")
        self.assertEqual(run.returncode, 0, run.stderr)
        return rows

    def test_quantiles_are_served_in_order_and_cover_what_they_say(self):
        header, *rows = self.train_on_noise("quantile")
        rondo = self.serve()
        answers = rondo("stream", "quantile", "--session=a", rows="\n".join([header, *rows]) + "\n")[1500:-1]
        actual = [float(row.split(",")[1]) for row in rows[1501:]]
        self.assertEqual(len(answers), len(actual))
        names = ["x_q0.1", "x_q0.5", "x_q0.9"]
        for answer in answers + rondo("forecast", "quantile", "--session=a", "--horizon=20"):
            self.assertEqual([answer[name] for name in names], sorted(answer[name] for name in names))
        for name in names:
            covered = sum(x <= answer[name] for answer, x in zip(answers, actual)) / len(actual)
            self.assertAlmostEqual(covered, float(name[3:]), delta=0.06, msg=name)

    def test_sampled_paths_of_a_gaussian_head_cover_what_they_say(self):
        header, *rows = self.train_on_noise("gaussian")
        rondo = self.serve()

        def step(first, end):
            return rondo("stream", "gaussian", "--session=a", rows="\n".join([header, *rows[first:end]]) + "\n")

        answers = step(0, 1500)
        self.assertTrue(all(answer["x_std"] > 0 for answer in answers))
        inside, below, horizon = 0, 0, 5
        origins = range(1500, 1700, horizon)
        for origin in origins:
            paths = rondo("forecast", "gaussian", "--session=a", f"--horizon={horizon}", "--paths=200")
            for ahead, path in enumerate(paths):
                self.assertLess(path["x_q0.1"], path["x_q0.5"])
                self.assertLess(path["x_q0.5"], path["x_q0.9"])
                x = float(rows[origin + ahead].split(",")[1])
                inside += path["x_q0.1"] <= x <= path["x_q0.9"]
                below += x <= path["x_q0.5"]
            step(origin, origin + horizon)
        self.assertAlmostEqual(inside / (horizon * len(origins)), 0.8, delta=0.1)
        self.assertAlmostEqual(below / (horizon * len(origins)), 0.5, delta=0.12)

    def test_the_server_answers_what_the_report_says(self):
        run = self.train(*WEATHER, "--epochs=8")
        self.assertEqual(run.returncode, 0, run.stderr)
        answers = self.serve()("stream", "sine", "--session=parity", rows=SEATTLE.read_text())
        streamed = [row["temp_max"] for row in answers]
        reported = [float(row["forecast"]) for row in csv.DictReader(io.StringIO((self.output / "forecast.csv").read_text()))]
        self.assertEqual(len(reported), 365)
        # The last row of the file has no day after it: it is streamed and not scored.
        for ours, theirs in zip(streamed[-366:-1], reported):
            self.assertAlmostEqual(ours, theirs, delta=1e-4)


if __name__ == "__main__":
    unittest.main()
