"""usage: score.py CHARACTERS

Prints the bits a character of the first CHARACTERS of the test part: by the model "verses" of the server, and by counts.
"""

import csv
import math
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from ngram import NGram  # noqa: E402
from parts import split  # noqa: E402
from vocabulary import vocabulary_of  # noqa: E402


def served_bits(text, vocabulary):
    numbers = {character: i for i, character in enumerate(vocabulary)}
    tokens = [numbers[character] for character in text]
    table = "token\n" + "".join(f"{token}\n" for token in tokens)
    rows = subprocess.run([os.environ["RONDO"], "predict", "verses", "--input=-"], input=table, check=True,
                          capture_output=True, text=True).stdout.splitlines()
    answers = list(csv.reader(rows))[1:]
    bits = -sum(math.log2(float(answer[token])) for answer, token in zip(answers, tokens[1:]))
    return bits / (len(tokens) - 1)


def main():
    train, test = split()
    text, vocabulary = test[: int(sys.argv[1])], vocabulary_of(HERE / "models/verses/1/model.safetensors")
    counts = NGram(train, 3, len(vocabulary))
    print(f"{served_bits(text, vocabulary):.3f} {counts.bits_per_character(text):.3f}")


if __name__ == "__main__":
    main()
