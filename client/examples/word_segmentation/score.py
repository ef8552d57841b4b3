"""usage: score.py LINES

Prints 100 minus the F1 (in percent) of where words begin in lines of the test part: by the model "words" of the server, and by
counts of the four letters around each place.
"""

import collections
import csv
import io
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from letters import begins_of, lines_of  # noqa: E402
from vocabulary import vocabulary_of  # noqa: E402


class Counts:
    """The plain baseline: whether a word began more often than not between those letters."""

    def __init__(self, lines):
        self.counts = collections.defaultdict(lambda: [0, 0])
        for words in lines:
            letters, begins = begins_of(words)
            for i, begin in enumerate(begins):
                for width in (1, 2):
                    self.counts[self.around(letters, i, width)][begin] += 1

    @staticmethod
    def around(letters, i, width):
        padded = "^" * width + letters + "$" * width
        return padded[i : i + 2 * width]

    def begins(self, letters):
        answers = []
        for i in range(len(letters)):
            goes_on, begins = self.counts.get(self.around(letters, i, 2)) or self.counts[self.around(letters, i, 1)]
            answers.append(begins > goes_on)
        return answers


def served(lines):
    """A table a line, which is asked for as a whole."""
    numbers = {letter: i for i, letter in enumerate(vocabulary_of(pathlib.Path(os.environ["MODEL"])))}
    answers = []
    for words in lines:
        letters, _ = begins_of(words)
        table = "token\n" + "".join(f"{numbers[letter]}\n" for letter in letters)
        rows = subprocess.run([os.environ["RONDO"], "predict", "words", "--input=-", "--label"], input=table, check=True,
                              capture_output=True, text=True).stdout  # fmt: skip
        answers.append([row["label"] == "begins" for row in csv.DictReader(io.StringIO(rows))])
    return answers


def error(answers, lines):
    """100 minus F1 in percent; the first letter of a line is known."""
    right = wrong = missed = 0
    for answer, words in zip(answers, lines):
        for said, begins in list(zip(answer, begins_of(words)[1]))[1:]:
            right += said and begins
            wrong += said and not begins
            missed += begins and not said
    return 100 - 100 * 2 * right / (2 * right + wrong + missed)


def show(answer, words):
    letters, _ = begins_of(words)
    return "".join((" " if begins and i else "") + letter for i, (letter, begins) in enumerate(zip(letters, answer)))


def main():
    lines = [words for words, _ in zip(lines_of("test"), range(int(sys.argv[1])))]
    counts = Counts(lines_of("training"))
    answers = served(lines)
    for answer, words in list(zip(answers, lines))[:3]:
        print("".join(words), "\n ", show(answer, words), file=sys.stderr)
    plain = [counts.begins(begins_of(words)[0]) for words in lines]
    print(f"{error(answers, lines):.2f} {error(plain, lines):.2f}")


if __name__ == "__main__":
    main()
