"""Strokes of a pen as somebody draws them who is in a hurry.

usage: strokes.py COUNT SEED >STROKES.csv      rows of all strokes: stroke,dx,dy,shape
"""

import math
import random
import sys


def line(*corners):
    """The points of straight strokes from corner to corner."""
    points = []
    for (x, y), (to_x, to_y) in zip(corners, corners[1:]):
        pieces = max(1, round(12 * math.hypot(to_x - x, to_y - y)))
        points += [(x + (to_x - x) * i / pieces, y + (to_y - y) * i / pieces) for i in range(pieces)]
    return [*points, corners[-1]]


def round_shape(turns, radius):
    return [(radius(t) * math.cos(2 * math.pi * turns * t), radius(t) * math.sin(2 * math.pi * turns * t))
            for t in (i / (40 * turns) for i in range(round(40 * turns)))]  # fmt: skip


SHAPES = {
    "circle": round_shape(1, lambda t: 1),
    "spiral": round_shape(2, lambda t: 0.2 + 0.4 * t),
    "triangle": line((-1, -0.6), (1, -0.6), (0, 1), (-1, -0.6)),
    "square": line((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8), (-0.8, -0.8)),
    "zigzag": line((-1, 0), (-0.5, 0.8), (0, -0.8), (0.5, 0.8), (1, 0)),
    "tick": line((-0.8, 0), (-0.2, -0.8), (1, 1)),
    "hook": line((0, 1), (0, -0.4)) + [(0.4 - 0.4 * math.cos(t / 5), -0.4 - 0.4 * math.sin(t / 5)) for t in range(14)],
    "wave": [(t / 15 - 1, 0.6 * math.sin(t / 2.4)) for t in range(31)],
}


def draw(shape, chance):
    """[(dx, dy)]: turned, stretched, slow or fast, shaky, and a closed shape from anywhere on it."""
    points = list(SHAPES[shape])
    if shape in ("circle", "triangle", "square"):
        begin = chance.randrange(len(points))
        points = points[begin:] + points[1 : begin + 1]
    if chance.random() < 0.5:
        points.reverse()
    angle, size, stretch = chance.gauss(0, 0.7), math.exp(chance.gauss(0, 0.4)), math.exp(chance.gauss(0, 0.25))
    turned = [(size * stretch * (x * math.cos(angle) - y * math.sin(angle)), size / stretch * (x * math.sin(angle) + y * math.cos(angle)))
              for x, y in points]  # fmt: skip
    speed = chance.uniform(0.8, 2.2)
    places, place = [], 0.0
    while place < len(turned):
        places.append(turned[int(place)])
        place += speed * chance.uniform(0.6, 1.4)
    shaky = [(x + chance.gauss(0, 0.05), y + chance.gauss(0, 0.05)) for x, y in places]
    return [(x - before_x, y - before_y) for (before_x, before_y), (x, y) in zip(shaky, shaky[1:])]


def strokes(count, seed):
    chance = random.Random(seed)
    for number in range(count):
        shape = list(SHAPES)[number % len(SHAPES)]
        yield shape, draw(shape, chance)


def main():
    print("stroke,dx,dy,shape")
    for number, (shape, steps) in enumerate(strokes(int(sys.argv[1]), int(sys.argv[2]))):
        for dx, dy in steps:
            print(f"{number},{dx:.4f},{dy:.4f},{shape}")


if __name__ == "__main__":
    main()
