#!/usr/bin/env python3
"""The life of a run of the real `rondo-train`: options, outputs, interruptions, kill -9 and resume, searches.

    train_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import json
import pathlib
import random
import re
import signal
import subprocess
import time
import unittest

from train_fixture import BIN, description_of, sine, tensors, TrainFixture, training_of


class TrainTest(TrainFixture):
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
        self.assertEqual(sorted(description_of(self.output)["inputs"]["vocabulary"]), ["a", "b", "c", "d"])

    def test_a_character_stands_for_another_text_if_that_is_said(self):
        text = self.root / "text.txt"
        text.write_text("".join("ab|" * 8 + "\n" for _ in range(60)))
        self.expect_refused("'x=y': wanted TOKEN=TEXT", f"--tokens={text}", "--token_texts=x=y")
        run = self.train(f"--tokens={text}", "--epochs=1", r"--token_texts=|=\n,a=A")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(sorted(description_of(self.output)["inputs"]["vocabulary"]), ["\n", "A", "b"])

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


if __name__ == "__main__":
    unittest.main()
