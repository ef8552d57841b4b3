#!/usr/bin/env python3
"""rondo-train --task=classify and --task=tag: what is written, what a server answers by it, and what is refused.

    train_labels_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import io
import json
import random
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


class LabelsTest(TrainFixture):
    def answers(self, model, rows, *options):
        rondo = self.serve()
        run = subprocess.run([BIN / "rondo", f"--server={rondo.address}", "predict", model, "--input=-", "--label", *options],
                             input=rows, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return [row["label"] for row in csv.DictReader(io.StringIO(run.stdout))]

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
                                   ("checkpoint_interval", "--checkpoint_interval=5s"), ("window_inputs", "--window_inputs=8"))),
        ):
            run = self.train(data, "--task=classify", *arguments)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn(said, run.stderr)
        self.expect_refused("no column 'color'", data, "--task=classify", "--target=color", "--text=name")
        self.expect_refused("row 42, column 'kind': is empty", self.write(names(40) + "ab,\n"), "--task=classify", "--target=kind",
                            "--text=name")
        self.assertFalse(self.output.exists())


if __name__ == "__main__":
    unittest.main()
