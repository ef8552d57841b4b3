#!/usr/bin/env python3
"""rondo-train --task=classify and --task=tag: what is written, what a server answers by it, and what is refused.

    train_labels_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import io
import json
import math
import pathlib
import random
import signal
import subprocess
import unittest

from train_fixture import BIN, description_of, tensors, TrainFixture

QUICK = ["--epochs=12", "--hidden_size=12", "--embedding_size=4", "--learning_rate=0.02", "--warmup_steps=0"]


def names(count, seed=1):
    """Texts of several lengths: those of class "vowel" begin with one."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        text = "".join(draw.choice("aeibcd") for _ in range(draw.randint(2, 9)))
        rows.append(f"{text},{'vowel' if text[0] in 'aei' else 'other'}\n")
    return "name,kind\n" + "".join(rows)


def walks(count, seed=1):
    """Steps up and down; each row's label says whether the walk is above where it began."""
    draw = random.Random(seed)
    text = "walk,step,where\n"
    for walk in range(count):
        height = 0
        for _ in range(draw.randint(3, 20)):
            step = draw.choice([-1, 1])
            height += step
            text += f"{walk},{step},{'above' if height > 0 else 'not above'}\n"
    return text


KINDS = {"tag": ("begin end end", "end begin end end begin begin end"), "classify": ("short short short",) + ("long " * 7,)}


def two_patterns(task, count=60):
    """Sequences of two kinds, of 3 and of 7 rows: what is said of each kind tells what is said of any part of them."""
    patterns = ("0 0 1", "0 1 0 1 1 0 0")
    text = "which,x,what\n"
    for i in range(count):
        for x, label in zip(patterns[i % 2].split(), KINDS[task][i % 2].split()):
            text += f"{i},{x},{label}\n"
    return text


class LabelsTest(TrainFixture):
    def answers(self, model, rows, *options):
        return [row["label"] for row in self.rows_of(self.serve(), model, rows, *options)]

    def rows_of(self, rondo, model, rows, *options):
        run = subprocess.run([BIN / "rondo", f"--server={rondo.address}", "predict", model, "--input=-", "--label", *options],
                             input=rows, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return list(csv.DictReader(io.StringIO(run.stdout)))

    def expect_served_as_scored(self, task, rondo):
        """The scores of the test part follow from what the server answers to a sequence of each kind."""
        scores = json.loads((self.output / "scores.json").read_text())
        short, long = (self.rows_of(rondo, task, "x\n" + "\n".join(xs) + "\n") for xs in ("001", "0101100"))
        if task == "classify":
            short, long = short[-1:], long[-1:]
            counts = (8, 8)  # a quarter of each class
        else:
            counts = (15 - (scores["labels"] - 45) // 4, (scores["labels"] - 45) // 4)  # 15 sequences of 3 or 7 labels
        loss = right = 0
        for rows, labels, count in zip((short, long), KINDS[task], counts):
            for row, label in zip(rows, labels.split()):
                is_right = row["label"] == label
                loss -= count * math.log(float(row["probability"]) if is_right else 1 - float(row["probability"]))
                right += count * is_right
        self.assertAlmostEqual(scores["log_loss"], loss / scores["labels"], delta=1e-4)
        self.assertAlmostEqual(scores["accuracy"], right / scores["labels"], delta=1e-9)

    def test_a_bidirectional_network_answers_whole_sequences_as_the_report_says(self):
        for task in ("tag", "classify"):
            self.output = self.root / "models" / task / "1"
            run = self.train(self.write(two_patterns(task)), f"--task={task}", "--series=which", "--inputs=x", "--target=what",
                             "--bidirectional", "--layers=2", "--cell=lstm", "--hidden_size=6", "--epochs=3")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("lstm of 2 x 6, bidirectional", run.stdout)
            self.assertIn("lstm of 2 x 6, bidirectional", (self.output / "report.html").read_text())
        rondo = self.serve()
        for task in ("tag", "classify"):
            self.output = self.root / "models" / task / "1"
            self.expect_served_as_scored(task, rondo)
        self.assertEqual(len(self.rows_of(rondo, "tag", "x\n" + "1\n" * 600)), 600)  # more rows than a session is sent at once
        run = subprocess.run([BIN / "rondo", f"--server={rondo.address}", "stream", "tag", "--session=s"], input="x\n1\n",
                             capture_output=True, text=True, timeout=60)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("send each sequence whole, without session_id", run.stderr)

    def test_a_text_is_read_from_both_its_ends(self):
        run = self.train(self.write(names(400)), "--task=classify", "--text=name", "--target=kind", "--bidirectional", *QUICK)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertGreater(json.loads((self.output / "scores.json").read_text())["accuracy"], 0.97)
        self.assertEqual(self.answers("sine", "abcb\nbabebi\ncacacacaca\nebbbbbbb\n", "--text"),
                         ["vowel", "other", "other", "vowel"])

    def test_killed_and_resumed_gives_the_same_weights(self):
        run = [self.write(walks(80)), "--task=tag", "--series=walk", "--inputs=step", "--target=where", "--bidirectional",
               "--layers=2", "--dropout=0.2", "--hidden_size=8", "--epochs=40", "--patience=0"]
        self.assertEqual(self.train(*run).returncode, 0)
        whole = tensors(self.output / "model.safetensors")
        self.output.rename(self.root / "whole")
        checkpoint = pathlib.Path(f"{self.output}.checkpoint")
        for _ in range(3):
            process = self.train(*run, "--checkpoint_interval=0", *(["--resume"] if checkpoint.exists() else []), wait=False)
            self.wait_for_checkpoints(process, checkpoint, 15)
            process.kill()
            process.communicate()
            self.assertEqual(process.returncode, -signal.SIGKILL)
        unasked = self.train(*run)
        self.assertEqual(unasked.returncode, 1)
        self.assertIn("--resume goes on with it", unasked.stderr)
        last = self.train(*run, "--resume")
        self.assertEqual(last.returncode, 0, last.stderr)
        self.assertIn("resumed after step", last.stderr)
        self.assertEqual(tensors(self.output / "model.safetensors"), whole)
        self.assertFalse(checkpoint.exists())

    def test_texts_are_classified_by_the_server_as_the_report_says(self):
        run = self.train(self.write(names(400)), "--task=classify", "--text=name", "--target=kind", *QUICK)
        self.assertEqual(run.returncode, 0, run.stderr)
        scores = json.loads((self.output / "scores.json").read_text())
        self.assertGreater(scores["accuracy"], 0.95)
        self.assertAlmostEqual(sum(map(sum, scores["confusion"])), 100, delta=2)  # a quarter of each class
        self.assertEqual([c["class"] for c in scores["classes"]], ["other", "vowel"])
        self.assertEqual(description_of(self.output)["training"]["scores"], scores)
        self.assertIn("Confusion matrix", (self.output / "report.html").read_text())
        self.assertIn("macro F1", run.stdout)
        new = names(200, seed=2).splitlines()[1:]
        texts, kinds = zip(*(row.split(",") for row in new))
        said = self.answers("sine", "\n".join(texts) + "\n", "--text")
        self.assertGreater(sum(a == b for a, b in zip(said, kinds)), 190)

    def test_rows_of_sequences_are_tagged_and_the_seed_says_the_weights(self):
        arguments = (self.write(walks(120)), "--task=tag", "--series=walk", "--inputs=step", "--target=where", *QUICK)
        run = self.train(*arguments, "--class_weights=balanced")
        self.assertEqual(run.returncode, 0, run.stderr)
        scores = json.loads((self.output / "scores.json").read_text())
        self.assertGreater(scores["macro_f1"], 0.9)
        self.assertEqual(self.answers("sine", "step\n1\n-1\n-1\n1\n1\n1\n"),
                         ["above", "not above", "not above", "not above", "above", "above"])
        first = tensors(self.output / "model.safetensors")
        self.output = self.root / "models" / "sine" / "2"
        self.train(*arguments, "--class_weights=balanced")
        self.assertEqual(tensors(self.output / "model.safetensors"), first)

    def test_what_does_not_go_together_is_refused(self):
        data = self.write(names(40))
        for arguments, said in (
            (["--text=name"], "--target has 0 columns; --task=classify takes one"),
            (["--target=kind"], "wanted one of --inputs, columns of numbers, and --text"),
            (["--target=kind", "--text=name", "--inputs=name"], "wanted one of --inputs"),
            (["--target=kind", "--inputs=name"], "wanted --series"),
            *((["--target=kind", "--text=name", option], f"--{name}: wanted no such option with --task=classify")
              for name, option in (("horizon", "--horizon=2"), ("refit", "--norefit"), ("series_scale", "--series_scale=own"),
                                   ("window_inputs", "--window_inputs=8"))),
        ):
            run = self.train(data, "--task=classify", *arguments)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn(said, run.stderr)
        run = self.train(data, "--target=name", "--bidirectional")
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("--bidirectional: wanted --task=classify or --task=tag with it", run.stderr)
        self.expect_refused("no column 'color'", data, "--task=classify", "--target=color", "--text=name")
        self.expect_refused("row 42, column 'kind': is empty", self.write(names(40) + "ab,\n"), "--task=classify", "--target=kind",
                            "--text=name")
        self.assertFalse(self.output.exists())

    def test_rows_that_say_nothing_are_refused_by_row_and_column(self):
        tag = ("--task=tag", "--series=walk", "--inputs=step", "--target=where")
        good = walks(20)
        row = good.count("\n") + 1
        for more, said in (
            ("0,nan,above\n", f"row {row}, column 'step': has no value; wanted a number"),
            ("0,,above\n", f"row {row}, column 'step': has no value; wanted a number"),
            ("0,inf,above\n", f"row {row}, column 'step': "),
            ("0,1e39,above\n", f"row {row}, column 'step': is '1e39'; wanted a number from -3.4e38 to 3.4e38"),
            ("0,up,above\n", f"row {row}, column 'step': "),
            ("0,1\n", f"row {row}"),
        ):
            self.expect_refused(said, self.write(good + more), *tag)
        one_class = good.replace("not above", "above")
        self.expect_refused("column 'where' has 1 classes; wanted two or more", self.write(one_class), *tag)
        self.expect_refused("column 'where' has 0 classes; wanted two or more", self.write("walk,step,where\n"), *tag)
        self.expect_refused("there are 4 sequences; wanted 10 or more", self.write(walks(4)), *tag)
        self.expect_refused(f"the sequence of row {row} has 4097 timesteps; wanted at most 4096",
                            self.write(good + "long,1,above\n" * 4097), *tag)
        self.expect_refused("row 42, column 'name': is empty; wanted a text", self.write(names(40) + ",vowel\n"), "--task=classify",
                            "--text=name", "--target=kind")

    def test_a_class_of_one_sequence_is_scored_without_being_known(self):
        rows = walks(40) + "lonely,1,never again\nlonely,-1,above\n"
        for seed in (1, 2, 3):  # so it is in another part
            self.output = self.root / "models" / f"seed{seed}" / "1"
            run = self.train(self.write(rows), "--task=tag", "--series=walk", "--inputs=step", "--target=where", "--bidirectional",
                             "--class_weights=balanced", "--epochs=1", "--hidden_size=4", f"--seed={seed}")
            self.assertEqual(run.returncode, 0, run.stderr)
            scores = (self.output / "scores.json").read_text()
            self.assertNotIn("null", scores)
            self.assertIn("never again", [c["class"] for c in json.loads(scores)["classes"]])


if __name__ == "__main__":
    unittest.main()
