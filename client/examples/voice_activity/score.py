"""usage: score.py TRAINING.csv TEST.csv ANSWERS.csv SECONDS

Prints how many of 100 frames are judged wrongly: in ANSWERS, what the model said of TEST in SECONDS, and by the level that parts
voice from none best in TRAINING.
"""

import csv
import sys

from sound import LATER


def read(path):
    with open(path, newline="") as table:
        return list(csv.DictReader(table))


def level_of(rows):
    """The plain baseline: voice is what is louder than this. Errs least on the training part."""
    levels = sorted((float(row["level"]), row["voice"] == "voice") for row in rows)
    wrong = sum(not voice for _, voice in levels)  # everything is voice
    best, least = levels[0][0], wrong
    for level, voice in levels:
        wrong += 1 if voice else -1
        if wrong < least:
            best, least = level, wrong
    return best


def segments(flags):
    """[(first frame, frame after the last)] of those that are true."""
    found, begin = [], None
    for i, flag in enumerate([*flags, False]):
        if flag and begin is None:
            begin = i
        if not flag and begin is not None:
            found.append((begin, i))
            begin = None
    return found


def smooth(flags):
    """Gaps of up to 8 frames are filled, and what is shorter than 8 is left out."""
    flags = list(flags)
    for wanted in (False, True):
        for begin, end in segments([flag == wanted for flag in flags]):
            if end - begin < 8 and begin > 0 and end < len(flags):
                flags[begin:end] = [not wanted] * (end - begin)
    return flags


def main():
    training, test, answers = map(read, sys.argv[1:4])
    said = [row["label"] == "voice" for row in answers][LATER:]
    truth = [row["voice"] == "voice" for row in test][: len(said)]
    limit = level_of(training)
    loud = [float(row["level"]) > limit for row in test][: len(said)]
    found, wanted = segments(smooth(said)), segments(truth)
    near = sum(any(abs(a - b) <= 5 and abs(c - d) <= 5 for b, d in found) for a, c in wanted)
    picture = 70
    for name, flags in (("spoken", truth), ("model ", said), ("loud  ", loud)):
        print(name, "".join("#" if sum(flags[i * 10 : i * 10 + 10]) > 5 else "." for i in range(picture)), file=sys.stderr)
    print(f"{near} of {len(wanted)} pieces of speech found within 50 ms; {len(truth) / 100:.0f} s of sound in {float(sys.argv[4]):.2f} s: "
          f"{len(truth) / 100 / float(sys.argv[4]):.0f} times real time", file=sys.stderr)
    wrong, plain = (100 * sum(a != b for a, b in zip(flags, truth)) / len(truth) for flags in (said, loud))
    print(f"{wrong:.2f} {plain:.2f}")


if __name__ == "__main__":
    main()
