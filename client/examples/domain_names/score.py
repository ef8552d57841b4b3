"""usage: score.py TRAINING.csv TEST.csv

Prints how many of 100 names of the test file get the wrong class: by the model "domains" of the server, and by letter pairs.
"""

import collections
import csv
import io
import math
import os
import subprocess
import sys


def read(path):
    with open(path, newline="") as table:
        return [(row["name"], row["made_by"]) for row in csv.DictReader(table)]


class LetterPairs:
    """The plain baseline: which class makes the pairs of letters of a name more probable (naive Bayes)."""

    def __init__(self, names):
        self.pairs = collections.defaultdict(collections.Counter)
        for name, maker in names:
            self.pairs[maker].update(self.pairs_of(name))
        self.totals = {maker: sum(pairs.values()) for maker, pairs in self.pairs.items()}

    @staticmethod
    def pairs_of(name):
        return zip("^" + name, name + "$")

    def classify(self, name):
        def probability(maker):
            counts, total = self.pairs[maker], self.totals[maker]
            return sum(math.log((counts[pair] + 0.5) / (total + 400)) for pair in self.pairs_of(name))

        return max(self.pairs, key=probability)


def served(names):
    texts = "".join(name + "\n" for name, _ in names)
    answers = subprocess.run([os.environ["RONDO"], "predict", "domains", "--input=-", "--text", "--label"], input=texts, check=True,
                             capture_output=True, text=True).stdout
    return [row["label"] for row in csv.DictReader(io.StringIO(answers))]


def wrong(answers, names):
    return 100 * sum(answer != maker for answer, (_, maker) in zip(answers, names)) / len(names)


def main():
    training, test = map(read, sys.argv[1:3])
    pairs = LetterPairs(training)
    print(f"{wrong(served(test), test):.2f} {wrong([pairs.classify(name) for name, _ in test], test):.2f}")


if __name__ == "__main__":
    main()
