"""Small videos of something that moves: 8 x 8 pixels, a frame a timestep.

usage: video.py COUNT SEED >VIDEOS.csv      rows of all videos: video,p0 ... p63,what
"""

import math
import random
import sys

SIZE = 8
CENTRE = (SIZE - 1) / 2


def rightwards(t):
    return t, 0.0, 1.0


def upwards(t):
    return 0.0, -t, 1.0


def turning(t):
    return 0.6 * math.cos(2 * math.pi * t), 0.6 * math.sin(2 * math.pi * t), 1.0


def waving(t):
    return 0.6 * math.sin(2 * math.pi * t), 0.0, 1.0


def nearing(t):
    return 0.0, 0.0, 1.0 + 0.6 * t


# Where it is (x, y in -1 .. 1) and how large, at a time between -1 and 1. What is shown backwards is another class.
WAYS = {
    "right": rightwards, "left": lambda t: rightwards(-t), "up": upwards, "down": lambda t: upwards(-t),
    "clockwise": turning, "counterclockwise": lambda t: turning(-t), "wave": waving,
    "nearer": nearing, "farther": lambda t: nearing(-t),
}  # fmt: skip


def shine(x, y, size, light, chance):
    """A frame: a soft disk in front of a background with noise."""
    return [light * math.exp(-((((i % SIZE) - x) ** 2 + ((i // SIZE) - y) ** 2) / (2 * size * size))) + chance.gauss(0, 0.12)
            for i in range(SIZE * SIZE)]  # fmt: skip


def film(what, chance):
    """[frame]: anywhere, slow or fast, bright or dim, from any moment of it, with a hand that shakes."""
    length, begin, span = chance.randint(10, 24), chance.uniform(-1.0, -0.4), chance.uniform(1.0, 1.5)
    size, light, reach = chance.uniform(0.7, 1.3), chance.uniform(0.5, 1.0), chance.uniform(1.7, 3.0)
    left, top = (CENTRE + chance.uniform(-1.0, 1.0) for _ in range(2))
    frames = []
    for number in range(length):
        x, y, scale = WAYS[what](begin + span * number / (length - 1))
        shaky_x, shaky_y = (chance.gauss(0, 0.2) for _ in range(2))
        frames.append(shine(left + reach * x + shaky_x, top + reach * y + shaky_y, size * scale, light, chance))
    return frames


def videos(count, seed):
    chance = random.Random(seed)
    for number in range(count):
        what = list(WAYS)[number % len(WAYS)]
        yield what, film(what, chance)


def main():
    print("video", *(f"p{i}" for i in range(SIZE * SIZE)), "what", sep=",")
    for number, (what, frames) in enumerate(videos(int(sys.argv[1]), int(sys.argv[2]))):
        for frame in frames:
            print(number, *(f"{pixel:.2f}" for pixel in frame), what, sep=",")


if __name__ == "__main__":
    main()
