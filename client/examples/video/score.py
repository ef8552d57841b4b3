"""usage: score.py LEARNED JUDGED PICTURE.svg      how many videos of seed 1 were learned from, and how many of seed 2 are judged

Prints how many of 100 videos get the wrong class: by the model "video" of the server, a frame at a time, and by the mean video of
each class. Draws some, with what the model says after each frame.
"""

import csv
import io
import os
import subprocess
import sys

from video import SIZE, WAYS, videos

FRAMES = 6  # of a video that is compared with a mean one
DRAWN = 4
PIXEL = 8


def resampled(frames):
    """So many frames at equal distances, as one row of numbers, less their mean and of one size."""
    pixels = [pixel for i in range(FRAMES) for pixel in frames[round(i * (len(frames) - 1) / (FRAMES - 1))]]
    mean = sum(pixels) / len(pixels)
    size = sum((pixel - mean) ** 2 for pixel in pixels) ** 0.5
    return [(pixel - mean) / size for pixel in pixels]


class MeanVideos:
    """The plain baseline: the class whose mean video is nearest."""

    def __init__(self, learned):
        sums, counts = {}, {}
        for what, frames in learned:
            pixels = resampled(frames)
            sums[what] = [a + b for a, b in zip(sums.get(what, [0.0] * len(pixels)), pixels)]
            counts[what] = counts.get(what, 0) + 1
        self.means = {what: [value / counts[what] for value in total] for what, total in sums.items()}

    def classify(self, frames):
        pixels = resampled(frames)
        return min(self.means, key=lambda what: sum((a - b) ** 2 for a, b in zip(pixels, self.means[what])))


def served(number, frames):
    """After each frame, how probable each class is: a session for each video, a message for each frame."""
    rows = [",".join(f"p{i}" for i in range(SIZE * SIZE)), *(",".join(f"{pixel:.2f}" for pixel in frame) for frame in frames)]
    said = subprocess.run([os.environ["RONDO"], "stream", "video", f"--session=camera-{number}"], input="\n".join(rows) + "\n",
                          check=True, capture_output=True, text=True).stdout  # fmt: skip
    return [{what: float(share) for what, share in row.items()} for row in csv.DictReader(io.StringIO(said))]


def draw(films, path):
    """A strip for each (class, frames, answers), with a bar below each frame: how probable the right class is."""
    side, shapes, y = SIZE * PIXEL, "", 0
    for what, frames, answers in films:
        shapes += f'<text x="0" y="{y + 16}" font-size="14">{what}; after the last frame the model says {max(answers[-1], key=answers[-1].get)}</text>'
        for number, (frame, answer) in enumerate(zip(frames, answers)):
            left, top = number * (side + 4), y + 24
            for i, pixel in enumerate(frame):
                grey = round(255 * max(0.0, min(1.0, pixel)))
                shapes += (f'<rect x="{left + PIXEL * (i % SIZE)}" y="{top + PIXEL * (i // SIZE)}" width="{PIXEL}" height="{PIXEL}" '
                           f'fill="rgb({grey},{grey},{grey})"/>')
            shapes += f'<rect x="{left}" y="{top + side + 4}" width="{side}" height="10" fill="#ddd"/>'
            shapes += f'<rect x="{left}" y="{top + side + 4}" width="{side * answer[what]:.1f}" height="10" fill="#1f5fbf"/>'
        y += side + 56
    width = max(len(frames) for _, frames, _ in films) * (side + 4)
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="sans-serif" shape-rendering="crispEdges">'
                   f'<rect width="100%" height="100%" fill="white"/>{shapes}</svg>\n')


def percent_wrong(judged, answers, part):
    """By what is most probable after that part of the frames."""
    said = [rows[round(part * len(rows)) - 1] for rows in answers]
    return 100 * sum(max(row, key=row.get) != what for row, (what, _) in zip(said, judged)) / len(judged)


def main():
    means = MeanVideos(videos(int(sys.argv[1]), 1))
    judged = list(videos(int(sys.argv[2]), 2))
    answers = [served(number, frames) for number, (_, frames) in enumerate(judged)]
    draw([(what, frames, said) for (what, frames), said in zip(judged, answers)][::2][:DRAWN], sys.argv[3])
    wrong_half, wrong = percent_wrong(judged, answers, 0.5), percent_wrong(judged, answers, 1)
    plain = 100 * sum(means.classify(frames) != what for what, frames in judged) / len(judged)
    print(f"after half of the frames {wrong_half:.1f} of 100 are wrong, after the last {wrong:.1f}; {len(WAYS)} classes", file=sys.stderr)
    print(f"{wrong:.2f} {plain:.2f}")


if __name__ == "__main__":
    main()
