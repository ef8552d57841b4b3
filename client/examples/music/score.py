"""usage: score.py MODEL

Prints the bits a note of the tunes that were kept apart: by the model "tunes" of the server, and by counts of the note before.
"""

import collections
import csv
import math
import os
import pathlib
import subprocess
import sys

from tunes import split

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from vocabulary import vocabulary_of  # noqa: E402


class Pairs:
    """The plain baseline: which note followed this one, smoothed by how often each note is there (Witten and Bell)."""

    def __init__(self, train):
        self.single, self.pairs = collections.Counter(), collections.defaultdict(collections.Counter)
        for tune in train:
            self.single.update(tune)
            for before, note in zip(tune, tune[1:]):
                self.pairs[before][note] += 1

    def bits(self, before, note):
        plain = (self.single[note] + 0.5) / (self.single.total() + 0.5 * len(self.single))
        pairs = self.pairs[before]
        return -math.log2((pairs[note] + len(pairs) * plain) / (pairs.total() + len(pairs)))


def served_bits(tune, numbers):
    table = "token\n" + "".join(f"{numbers[note]}\n" for note in tune)
    rows = subprocess.run([os.environ["RONDO"], "predict", "tunes", "--input=-"], input=table, check=True,
                          capture_output=True, text=True).stdout.splitlines()  # fmt: skip
    answers = list(csv.reader(rows))[1:]
    return sum(-math.log2(max(1e-9, float(answer[numbers[note]]))) for answer, note in zip(answers, tune[1:]))


def main():
    train, test = split()
    numbers = {text.strip(): i for i, text in enumerate(vocabulary_of(pathlib.Path(sys.argv[1])))}
    pairs = Pairs(train)
    notes = sum(len(tune) - 1 for tune in test)
    model = sum(served_bits(tune, numbers) for tune in test) / notes
    counts = sum(pairs.bits(before, note) for tune in test for before, note in zip(tune, tune[1:])) / notes
    print(f"{model:.3f} {counts:.3f}")


if __name__ == "__main__":
    main()
