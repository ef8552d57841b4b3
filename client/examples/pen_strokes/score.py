"""usage: score.py TRAINED TESTED      how many strokes of seed 1 were learned from, and how many of seed 2 are judged

Prints how many of 100 strokes get the wrong shape: by the model "strokes" of the server, as the pen moves, and by templates.
"""

import math
import os
import subprocess
import sys

from strokes import SHAPES, strokes

POINTS = 16


def resampled(steps):
    """So many points at equal distances along the stroke, around their middle, of size 1."""
    points, x, y = [(0.0, 0.0)], 0.0, 0.0
    for dx, dy in steps:
        x, y = x + dx, y + dy
        points.append((x, y))
    lengths = [0.0]
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        lengths.append(lengths[-1] + math.hypot(to_x - x, to_y - y))
    sampled, k = [], 0
    for i in range(POINTS):
        wanted = lengths[-1] * i / (POINTS - 1)
        while k + 2 < len(lengths) and lengths[k + 1] < wanted:
            k += 1
        share = (wanted - lengths[k]) / max(1e-9, lengths[k + 1] - lengths[k])
        sampled += [a + (b - a) * share for a, b in zip(points[k], points[k + 1])]
    middle = [sum(sampled[axis::2]) / POINTS for axis in (0, 1)]
    centred = [value - middle[i % 2] for i, value in enumerate(sampled)]
    size = math.sqrt(sum(value * value for value in centred)) or 1.0
    return [value / size for value in centred]


class Templates:
    """The plain baseline: the shape whose mean stroke is nearest."""

    def __init__(self, learned):
        sums, counts = {}, {}
        for shape, steps in learned:
            points = resampled(steps)
            sums[shape] = [a + b for a, b in zip(sums.get(shape, [0.0] * len(points)), points)]
            counts[shape] = counts.get(shape, 0) + 1
        self.means = {shape: [value / counts[shape] for value in total] for shape, total in sums.items()}

    def classify(self, steps):
        points = resampled(steps)
        return min(self.means, key=lambda shape: sum((a - b) ** 2 for a, b in zip(points, self.means[shape])))


def served(steps):
    """A row a step of the pen; what counts is what the model says after the last one."""
    table = "dx,dy\n" + "".join(f"{dx:.4f},{dy:.4f}\n" for dx, dy in steps)
    rows = subprocess.run([os.environ["RONDO"], "predict", "strokes", "--input=-", "--label"], input=table, check=True,
                          capture_output=True, text=True).stdout.splitlines()  # fmt: skip
    return rows[-1].split(",")[0]


def draw(steps):
    """The stroke as people see it, in letters."""
    x = y = 0.0
    points = [(x, y)]
    for dx, dy in steps:
        x, y = x + dx, y + dy
        points.append((x, y))
    left, low = (min(point[axis] for point in points) for axis in (0, 1))
    size = max(max(point[axis] for point in points) - least for axis, least in ((0, left), (1, low))) or 1.0
    picture = [[" "] * 27 for _ in range(12)]
    for x, y in points:
        picture[11 - round(11 * (y - low) / size)][round(26 * (x - left) / size)] = "o"
    return "\n".join("".join(row).rstrip() for row in picture)


def main():
    templates = Templates(strokes(int(sys.argv[1]), 1))
    test = list(strokes(int(sys.argv[2]), 2))
    answers = [served(steps) for _, steps in test]
    for (shape, steps), answer in list(zip(test, answers))[2:4]:
        print(f"{draw(steps)}\n-- a {shape}; the model says {answer}\n", file=sys.stderr)
    wrong = sum(answer != shape for answer, (shape, _) in zip(answers, test))
    plain = sum(templates.classify(steps) != shape for shape, steps in test)
    assert set(answers) <= set(SHAPES)
    print(f"{100 * wrong / len(test):.2f} {100 * plain / len(test):.2f}")


if __name__ == "__main__":
    main()
