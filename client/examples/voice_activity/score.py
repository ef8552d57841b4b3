"""usage: score.py LEARNED TEST SEGMENTS.csv SECONDS CPU_SECONDS PICTURE.svg

Prints how many of 100 frames of the sound TEST (.wav and .csv of sound.py) are judged wrongly: in SEGMENTS, what the model said
of it, and by the level that parts voice from none best in LEARNED. Says how long that
took, and draws the sound and what was heard.
"""

import array
import csv
import math
import sys
import wave

from frames import FRAME
from marks import FRAMES_A_SECOND, segments

NEAR = 5  # frames: 50 ms
SHOWN = 2000  # frames of the picture


def read(name):
    """[(level in decibels, whether somebody speaks)] of each frame."""
    with wave.open(name + ".wav", "rb") as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    levels = (10 * math.log10(1 + sum(x * x for x in samples[i : i + FRAME]) / FRAME) for i in range(0, len(samples), FRAME))
    with open(name + ".csv", newline="") as table:
        return [(level, row["spoken"] == "1") for level, row in zip(levels, csv.DictReader(table))]


def level_of(frames):
    """The plain baseline: voice is what is louder than this. Errs least on what is learned from."""
    wrong = sum(not voice for _, voice in frames)  # everything is voice
    best, least = min(frames)[0], wrong
    for level, voice in sorted(frames):
        wrong += 1 if voice else -1
        if wrong < least:
            best, least = level, wrong
    return best


def percent_wrong(found, truth):
    flags = [False] * len(truth)
    for begin, end in found:
        flags[begin:end] = [True] * (end - begin)
    return 100 * sum(a != b for a, b in zip(flags, truth)) / len(truth)


def draw(frames, rows, path):
    """The level of each frame, and a row of bars below it for each of the (name, segments)."""
    width, height = min(SHOWN, len(frames)), 120
    quiet = min(level for level, _ in frames[:width])
    line = " ".join(f"{i},{height - 1.6 * (level - quiet):.0f}" for i, (level, _) in enumerate(frames[:width]))
    boxes = ""
    for number, (name, found) in enumerate(rows):
        y = height + 20 + 40 * number
        boxes += f'<text x="0" y="{y - 4}" font-size="14">{name}</text>'
        boxes += "".join(f'<rect x="{a}" y="{y}" width="{min(b, width) - a}" height="14" fill="#1f5fbf"/>' for a, b in found if a < width)
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 30 + 40 * len(rows)}" font-family="sans-serif">'
                   f'<rect width="100%" height="100%" fill="white"/><polyline points="{line}" fill="none" stroke="#888"/>{boxes}</svg>\n')


def main():
    test, seconds, cpu_seconds = read(sys.argv[2]), float(sys.argv[4]), float(sys.argv[5])
    truth = [voice for _, voice in test]
    with open(sys.argv[3], newline="") as table:
        found = [tuple(round(float(row[name]) * FRAMES_A_SECOND) for name in ("begin", "end")) for row in csv.DictReader(table)]
    limit = level_of(read(sys.argv[1]))
    loud, wanted = list(segments(level > limit for level, _ in test)), list(segments(truth))
    for name, some in (("the model", found), ("the level", loud)):
        near = sum(any(abs(a - b) <= NEAR and abs(c - d) <= NEAR for b, d in some) for a, c in wanted)
        print(f"{near} of {len(wanted)} pieces of speech found by {name} within 50 ms of where they begin and end; "
              f"{len(some)} found in all", file=sys.stderr)
    length = len(test) / FRAMES_A_SECOND
    print(f"{length:.0f} s of sound in {seconds:.2f} s, on one core with the server: {length / seconds:.0f} times real time; "
          f"by CPU time, {cpu_seconds:.2f} s, {length / cpu_seconds:.0f} times", file=sys.stderr)
    draw(test, (("put in", wanted), ("heard by the model", found), ("louder than the level", loud)), sys.argv[6])
    print(f"{percent_wrong(found, truth):.2f} {percent_wrong(loud, truth):.2f}")


if __name__ == "__main__":
    main()
