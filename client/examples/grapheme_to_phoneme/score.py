"""usage: score.py MODEL TRAINING.txt TEST.txt BEAMS

Prints how many of 100 words of the test file are spoken wrongly: by the models "reader" and "speaker" of the server, and by
the sound that each letter has most often.
"""

import collections
import concurrent.futures
import csv
import io
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from vocabulary import vocabulary_of  # noqa: E402


def read(path):
    return [tuple(line.rstrip(".\n").split("=")) for line in open(path)]


def rondo(*arguments, text=None):
    run = subprocess.run([os.environ["RONDO"], *arguments], check=True, capture_output=True, text=True, input=text)
    return run.stdout


class Speaker:
    """The encoder reads the letters in a session; the decoder begins where that stands, and looks for the best sounds."""

    def __init__(self, model, beams):
        self.numbers = {token: number for number, token in enumerate(vocabulary_of(pathlib.Path(model)))}
        self.beams = beams

    def speak(self, word):
        letters = "token\n" + "".join(f"{self.numbers[letter]}\n" for letter in word)
        rondo("predict", "reader", "--input=-", f"--session={word.encode().hex()}", text=letters)
        found = rondo("generate", "speaker", f"--initial_session={word.encode().hex()}", "--prompt==", "--max_tokens=40",
                      "--stop=.", f"--beams={self.beams}", "--length_penalty=1")
        return next(csv.DictReader(io.StringIO(found)))["text"].rstrip(".")


class OneSoundALetter:
    """The plain baseline, learned from the words that have as many sounds as letters."""

    def __init__(self, words):
        counts = collections.defaultdict(collections.Counter)
        for letters, sounds in words:
            if len(letters) == len(sounds):
                for letter, sound in zip(letters, sounds):
                    counts[letter][sound] += 1
        self.sounds = {letter: sounds.most_common(1)[0][0] for letter, sounds in counts.items()}

    def speak(self, word):
        return "".join(self.sounds.get(letter, "") for letter in word)


def main():
    model, training, test = sys.argv[1], read(sys.argv[2]), read(sys.argv[3])
    speaker, rule = Speaker(model, int(sys.argv[4])), OneSoundALetter(training)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        spoken = list(pool.map(speaker.speak, [word for word, _ in test]))
    for (word, sounds), answer in list(zip(test, spoken))[:6]:
        print(f"{word:16s} {answer:16s} {'' if answer == sounds else 'wanted ' + sounds}", file=sys.stderr)
    wrong = sum(answer != sounds for answer, (_, sounds) in zip(spoken, test))
    plain = sum(rule.speak(word) != sounds for word, sounds in test)
    print(f"{100 * wrong / len(test):.2f} {100 * plain / len(test):.2f}")


if __name__ == "__main__":
    main()
