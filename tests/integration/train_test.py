#!/usr/bin/env python3
"""Runs the real `rondo-train` as a user would: good input, bad input, kill -9 and resume, and what it wrote in the server.

    train_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import datetime
import gzip
import io
import itertools
import json
import math
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

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


class TrainTest(unittest.TestCase):
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
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def expect_refused(self, message, *arguments):
        run = self.train(*arguments)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn(message, run.stderr)
        self.assertFalse(self.output.exists())
        self.assertEqual([p.name for p in self.output.parent.glob(".*")] if self.output.parent.exists() else [], [])

    def test_bad_input_is_a_clear_error_and_leaves_nothing(self):
        x = ["--target=x"]
        self.expect_refused("the file is empty", self.write(""), *x)
        self.expect_refused("a series of 34 rows is enough", self.write("x\n1\n"), *x)
        self.expect_refused("'level' is always 7", self.write(sine(300)), "--target=level")
        self.expect_refused("row 12, column 'x' has no value", self.write("x\n" + "1\n2\n" * 5 + "NaN\n" + "1\n2\n" * 99), *x)
        self.expect_refused("no column 'y'; its columns are t, x, level", self.write(sine(300)), "--target=y")
        self.expect_refused("longer than a part", self.write(sine(300)), "--window=100", *x)
        self.expect_refused("No such file", f"--data={self.root}/absent.csv", *x)

    def test_times_are_read_for_what_they_are_or_refused_but_never_guessed(self):
        def timed(times):
            rows = "".join(f"{t},{math.sin(0.3 * i):.6f}\n" for i, t in enumerate(times))
            return [self.write("t,x\n" + rows), "--time=t", "--target=x", "--epochs=1"]

        days = [datetime.date(2015, 1, 1) + datetime.timedelta(i) for i in range(300)]
        for number, (step, times, *options) in enumerate((
                (86400, [f"{day:%Y%m%d}" for day in days]),
                (86400, [f"{day:%Y/%m/%d}" for day in days]),
                (86400, [f"{day:%Y%m%d}" for day in days], "--time_format=%Y%m%d"),
                (3600, [1577836800000 + 3600000 * hour for hour in range(300)]),
                (31556952, range(1700, 2000)),
                (60, [60 * minute for minute in range(300)], "--time_format=%s"))):
            self.output = self.root / str(number) / "1"
            run = self.train(*timed(times), *options)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(description_of(self.output)["step_seconds"], step)
        self.output = self.root / "refused" / "1"
        self.expect_refused("row 2: '0' is not a time", *timed(range(300)))
        self.expect_refused("row 302 has the time '1420070400' (seconds since 1970) where the rows before have YYYY-MM-DD",
                            *timed([*days, 1420070400]))

    def test_files_as_people_have_them_train_and_are_served_alike(self):
        draw, days = random.Random(4), [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(80)]
        values = [1000 + 500 * math.sin(0.4 * i) + draw.gauss(0, 20) for i in range(80)]
        texts = [f"{value:.2f}" for value in values]
        hole = texts[:40] + [None] + texts[41:]

        def table(cells=texts, times=days, header="date,y", line="{},{}"):
            return header + "\n" + "".join(line.format(t, c) + "\n" for t, c in zip(times, cells))

        def comma(text):
            return text.replace(".", ",")

        local = [datetime.datetime(2020, 10, 24, 12) + datetime.timedelta(hours=i) for i in range(79)]
        local.insert(15, local[14])  # 02:00 comes twice in the night to the 25th
        plain = table()
        kinds = {  # name: the file, options, and whether it says what `plain` says
            "plain": (plain, [], True),
            "gzip": (gzip.compress(plain.encode()), [], True),
            "utf16": (plain.encode("utf-16"), [], True),
            "bom": (plain.encode("utf-8-sig"), [], True),
            "semicolon": (plain.replace(",", ";"), ["--delimiter=;"], True),
            "tab": (plain.replace(",", "\t"), ["--delimiter=tab"], True),
            "decimal": (table(map(comma, texts), line='{},"{}"'), ["--decimal=,"], True),
            "semicolon_decimal": (table(map(comma, texts), header="date;y", line="{};{}"),
                                  ["--delimiter=;", "--decimal=,"], True),
            "thousands": (table([f"{float(text):,}" for text in texts], line='{},"{}"'), ["--thousands=,"], True),
            "pandas_index": (",date,y\n" + "".join(f"{i},{t},{c}\n" for i, (t, c) in enumerate(zip(days, texts))), [], True),
            "crlf": (plain.replace("\n", "\r\n"), [], True),
            "descending": (table(texts[::-1], days[::-1]), ["--sort"], False),
            "german": (table(times=[f"{day:%d.%m.%Y}" for day in days]), ["--time_format=%d.%m.%Y"], True),
            "milliseconds": (table(times=[1577836800000 + 86400000 * i for i in range(80)]), [], True),
            "missing": (table([cell or "N/A" for cell in hole]), ["--missing=forward_fill"], False),
            "sentinel": (table([cell or "-9999" for cell in hole]), ["--missing=mask", "--missing_values=-9999"], False),
            "duplicate": (table(texts[:40] + texts[39:], days[:40] + days[39:]), ["--duplicates=last"], False),
            "quoted": (table(header='date,"y, with comma"'), ["--target=y, with comma"], False),
            "months": (table(times=[f"{2000 + i // 12}-{1 + i % 12:02}-01" for i in range(80)]), [], False),
            "years": (table(times=range(1900, 1980)), [], False),
            "business": (table(times=[day for day in (datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(112))
                                      if day.weekday() < 5]), [], False),
            "local": (table(times=[f"{at:%Y-%m-%d %H:%M}" for at in local]), ["--time_zone=Europe/Berlin"], False),
            "offset": (table([f"{1e9 + value:.2f}" for value in values]), [], False),
            "tiny": (table([f"{value * 1e-38:.8e}" for value in values]), [], False),
            "boolean": (table([f"{text},{str(i % 3 == 0).upper()}" for i, text in enumerate(texts)], header="date,y,promo"),
                        ["--inputs=y,promo"], False)}
        for name, (content, options, _) in kinds.items():
            path = self.root / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            self.output = self.root / "models" / name / "1"
            run = self.train(f"--data={path}", "--time=date", "--calendar=weekday,day_of_year", "--epochs=1",
                             *([] if name == "quoted" else ["--target=y"]), *options)
            self.assertEqual(run.returncode, 0, f"{name}: {run.stderr}")
        steps = {name: description_of(self.root / "models" / name / "1")["table"]["step"] for name in kinds}
        self.assertEqual({name: step for name, step in steps.items() if step != "86400s"},
                         {"months": "1 month", "years": "12 month", "business": "1 business day", "local": "3600s"})
        rondo, expected = self.serve(), None
        for name, (_, _, is_plain) in kinds.items():
            if name in ("descending", "duplicate"):
                continue  # a session takes rows in their order
            answer = rondo("predict", name, f"--input={self.root / name}", f"--session={name}")
            self.assertEqual(len(answer), 80, name)
            if name == "plain":
                expected = answer
            if is_plain:
                self.assertEqual(answer, expected, name)
            target = "y, with comma" if name == "quoted" else "y"
            scale, offset = {"tiny": (1e-38, 0), "offset": (1, 1e9)}.get(name, (1, 0))
            for row, now in zip(answer, values):  # an epoch in, the forecast is near the value now
                self.assertLess(abs(row[target] / scale - offset / scale - now), 600, name)
        for name, ahead in (("months", ["2006-09-01T00:00:00Z", "2006-10-01T00:00:00Z"]),
                            ("business", ["2020-04-22T00:00:00Z", "2020-04-23T00:00:00Z"]),
                            ("local", ["2020-10-27T19:00:00+01:00", "2020-10-27T20:00:00+01:00"])):
            answer = subprocess.run([BIN / "rondo", f"--server={rondo.address}", "forecast", name, f"--session={name}",
                                     "--horizon=2"], capture_output=True, text=True, timeout=60)
            self.assertEqual([row["date"] for row in csv.DictReader(io.StringIO(answer.stdout))], ahead, answer.stderr)

    def test_a_model_is_scored_on_new_rows_and_goes_on_learning_from_them(self):
        rows = sine(700).splitlines()
        first = self.write("\n".join(rows[:500]) + "\n")
        run = self.train(first, "--time=t", "--target=x", "--epochs=5", "--hidden_size=6")
        self.assertEqual(run.returncode, 0, run.stderr)
        model = self.output / "model.safetensors"
        (self.root / "new.csv").write_text("\n".join([rows[0], *rows[400:]]) + "\n")
        scored = subprocess.run([BIN / "rondo-train", "evaluate", model, f"--data={self.root}/new.csv"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(scored.returncode, 0, scored.stderr)
        self.assertIn("300 timesteps", scored.stdout)
        before, self.output = description_of(self.output), self.root / "models" / "sine" / "2"
        self.assertEqual(len(before["accuracy"]["inputs"]), 32)  # by these a server judges narrow weights
        self.assertEqual(len(before["accuracy"]["outputs"]) % 32, 0)
        run = self.train(f"--data={self.root}/new.csv", f"--from={model}", "--epochs=5")
        self.assertEqual(run.returncode, 0, run.stderr)
        after = description_of(self.output)
        for key in ("inputs", "outputs", "calendar", "cell"):
            self.assertEqual(after[key], before[key])
        self.assertEqual(len(tensors(self.output / "model.safetensors")), len(tensors(model)))

    def test_an_output_that_cannot_be_written_is_found_before_the_training(self):
        (self.root / "file").write_text("")
        self.output = self.root / "file" / "1"
        run = self.train(self.write(sine(300)), "--target=x", "--epochs=1000000", "--patience=0")
        self.assertEqual(run.returncode, 1)
        self.assertIn("making the folder", run.stderr)

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
        for t in range(900):
            day = math.sin(2 * math.pi * t / 24)
            at = datetime.datetime(2021, 1, 1) + datetime.timedelta(hours=t)
            rows.append(f"{at:%Y-%m-%d %H:%M},{day + draw.gauss(0, 0.1):.4f},{200 - 30 * day + draw.gauss(0, 3):.4f}")
        data = self.write("\n".join(rows) + "\n")
        run = self.train(data, "--time=date", "--target=all", "--horizon=24", "--network=linear")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"linear on the last \d+ values of (each target|every input) .* taken")
        again, self.output = tensors(self.output / "model.safetensors"), self.root / "again" / "1"
        self.assertEqual(self.train(data, "--time=date", "--target=all", "--horizon=24", "--network=linear").returncode, 0)
        self.assertEqual(tensors(self.output / "model.safetensors"), again)
        scores = json.loads((self.output / "scores.json").read_text())["outputs"]
        for output in scores:
            self.assertGreater(output["seasonal_skill"], 0.2, output)
        answers = self.serve()("stream", "sine", "--session=s", rows="\n".join(rows) + "\n")
        reported = [float(row["forecast"]) for row in csv.DictReader(io.StringIO((self.output / "forecast.csv").read_text()))]
        for ours, theirs in zip(answers[-len(reported) - 24:-24], reported):
            self.assertAlmostEqual(ours["a+1"], theirs, delta=1e-4)

    def test_an_output_that_exists_is_not_touched(self):
        self.output.mkdir(parents=True)
        (self.output / "mine").write_text("kept")
        run = self.train(self.write(sine(300)), "--target=x")
        self.assertEqual(run.returncode, 1)
        self.assertIn("exists", run.stderr)
        self.assertEqual([p.name for p in self.output.iterdir()], ["mine"])

    def test_a_diverging_run_says_the_step_and_keeps_good_weights(self):
        run = self.train(self.write(sine(300)), "--target=x", "--learning_rate=10", "--clip_norm=0", "--cell=rnn",
                         "--activation=relu", "--warmup_steps=0", "--patience=0", "--hidden_size=64")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertRegex(run.stderr, r"diverged (in|by) step \d+")
        self.assertTrue((self.output / "model.safetensors").exists())

    def test_a_full_disk_is_an_error_and_leaves_no_output(self):
        command = [BIN / "rondo-train", f"--output={self.output}", "--threads=1", self.write(sine(300)), "--target=x",
                   "--epochs=2"]
        run = subprocess.run(["bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "bash", *command],
                             capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("File too large", run.stderr)
        self.assertFalse(self.output.exists())
        self.assertEqual(list(self.output.parent.glob(".*")), [])

    def test_options_come_from_a_file_and_stand_in_the_model(self):
        config = self.root / "options"
        config.write_text("--target=x\n--epochs=2\n--hidden_size=5\n")
        run = self.train(self.write(sine(300)), f"--config={config}", "--seed=9")
        self.assertEqual(run.returncode, 0, run.stderr)
        training = training_of(self.output)
        self.assertEqual(training["options"]["epochs"], "2")
        self.assertEqual(training["options"]["seed"], "9")
        self.assertEqual(training["scores"], json.loads((self.output / "scores.json").read_text()))
        self.assertIn("<svg", (self.output / "report.html").read_text())

    def test_heads_with_a_spread_cover_what_they_say(self):
        for loss in ("quantile", "gaussian"):
            self.output = self.root / loss / "1"
            run = self.train(self.write(sine(2000, noise=0.3)), "--target=x", f"--loss={loss}", "--epochs=15")
            self.assertEqual(run.returncode, 0, run.stderr)
            coverage = json.loads((self.output / "scores.json").read_text())["outputs"][0]["coverage"]
            for quantile, part in coverage.items():
                self.assertAlmostEqual(part, float(quantile), delta=0.07, msg=f"{loss} {quantile}")

    def test_killed_at_random_moments_and_resumed_gives_the_same_weights(self):
        run = [self.write(sine(600)), "--target=x", "--epochs=25", "--patience=0", "--checkpoint_interval=0",
               "--layers=2", "--dropout=0.1", "--state=carry"]
        self.assertEqual(self.train(*run).returncode, 0)
        whole = tensors(self.output / "model.safetensors")
        self.output.rename(self.root / "whole")
        draw, checkpoint = random.Random(5), pathlib.Path(f"{self.output}.checkpoint")
        for _ in range(10):
            process = self.train(*run, *(["--resume"] if checkpoint.exists() else []), wait=False)
            self.wait_for_checkpoints(process, checkpoint, draw.randint(0, 25))
            time.sleep(draw.uniform(0, 0.005))
            process.kill()
            process.communicate()
            self.assertEqual(process.returncode, -signal.SIGKILL)
        last = self.train(*run, "--resume")
        self.assertEqual(last.returncode, 0, last.stderr)
        self.assertEqual(tensors(self.output / "model.safetensors"), whole)
        self.assertFalse(checkpoint.exists())

    def wait_for_checkpoints(self, process, checkpoint, count):
        """Until so many were seen to be written; some more may be."""
        seen = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while count > 0:
            self.assertIsNone(process.poll())
            now = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            count -= now != seen
            seen = now
            time.sleep(0.0005)

    def test_an_interrupted_run_is_not_begun_again_unasked(self):
        run = [self.write(sine(1200)), "--target=x", "--epochs=1000000", "--patience=0", "--checkpoint_interval=0"]
        process = self.train(*run, wait=False)
        checkpoint = pathlib.Path(f"{self.output}.checkpoint")
        while not checkpoint.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        self.assertIn("--resume goes on from", errors)
        self.expect_refused("--resume goes on with it", *run)
        self.expect_refused("of other data, options or threads", *run, "--resume", "--seed=2")

    def test_ctrl_c_writes_the_best_so_far(self):
        process = self.train(self.write(sine(1200)), "--target=x", "--epochs=1000000", "--patience=0",
                             "--checkpoint_interval=0", wait=False)
        while not pathlib.Path(f"{self.output}.checkpoint").exists():
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        self.assertTrue((self.output / "model.safetensors").exists())

    def test_a_text_of_tokens_is_learnt(self):
        text = self.root / "text.txt"
        text.write_text("".join("abcd" * 8 + "\n" for _ in range(60)))
        run = self.train(f"--tokens={text}", "--learning_rate=0.01", "--epochs=10")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertGreater(json.loads((self.output / "scores.json").read_text())["accuracy"], 0.95)

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

    def search(self, text, *arguments):
        """Runs a search; each setting tried with its validation loss, and what the model says of its training."""
        self.output = self.root / f"search{next(self.numbers)}" / "1"
        run = self.train(self.write(text), "--target=x", "--epochs=6", *arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        tried = re.findall(r"setting \d+/\d+  (.*?)  validation (\S+)", run.stderr)
        return [(setting, float(loss)) for setting, loss in tried if loss != "none"], training_of(self.output)

    def test_a_search_keeps_what_validates_best_whatever_the_test_part_says(self):
        rows = sine(400, noise=0.2).splitlines()
        draw = random.Random(3)
        other_end = rows[:301] + [f"{1577836800 + 60 * t},{draw.gauss(0, 5):.6f},7" for t in range(300, 400)]
        tried, training = self.search("\n".join(rows) + "\n", "--search=5")
        self.assertEqual(len(tried), 6)
        best, least = min(tried, key=lambda each: each[1])
        self.assertEqual(training["options"]["search_chose"], best)
        self.assertAlmostEqual(training["validation_loss"], least, delta=1e-5)
        again, of_other_end = self.search("\n".join(other_end) + "\n", "--search=5")
        self.assertEqual(again, tried)
        self.assertEqual(of_other_end["options"]["search_chose"], best)
        self.assertNotEqual(of_other_end["scores"], training["scores"])

    def test_a_search_depends_on_its_seed_alone(self):
        first, second, other = (self.search(sine(300), "--search=3", f"--seed={seed}")[0] for seed in (1, 1, 2))
        self.assertEqual(first, second)
        self.assertEqual(len({setting for setting, _ in first + other}), 7, "the given setting and 3 of each seed")

    def test_a_search_ends_with_its_time_and_trains_the_best_by_then(self):
        begun = time.monotonic()
        tried, training = self.search(sine(300), "--search=100000", "--search_time=2s")
        self.assertLess(time.monotonic() - begun, 60)
        self.assertGreaterEqual(len(tried), 1)
        self.assertEqual(training["options"]["search_chose"], min(tried, key=lambda each: each[1])[0])
        # Not even the first setting is finished: it is the one that is trained.
        tried, _ = self.search(sine(300), "--search=5", "--search_time=1us")
        self.assertEqual(tried, [])

    def serve(self):
        """A server of everything trained so far; returns a function that runs `rondo` against it."""
        server = subprocess.Popen([BIN / "rondo-server", f"--model_repository={self.root}/models", "--listen=127.0.0.1:0",
                                   "--http_listen=127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        address = next(m.group(1) for m in (re.search(r"event=listening .*\baddress=(\S+)", line) for line in server.stderr)
                       if m)
        drain = threading.Thread(target=server.stderr.read)
        drain.start()
        self.addCleanup(drain.join)
        self.addCleanup(server.terminate)

        def rondo(*arguments, rows=""):
            answer = subprocess.run([BIN / "rondo", f"--server={address}", *arguments], input=rows, capture_output=True,
                                    text=True, timeout=60)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            return [{name: float(cell) for name, cell in row.items() if name not in ("t", "date")}
                    for row in csv.DictReader(io.StringIO(answer.stdout))]
        rondo.address = address
        return rondo

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
