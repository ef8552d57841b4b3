"""Speech by espeak-ng in the noise of a street, and where it was put in.

usage: sound.py SECONDS SEED NAME      writes NAME.wav (8000 samples a second) and NAME.csv (a row a frame: piece,spoken,heard)

`spoken` says whether somebody speaks in the frame. `heard` says it of the frame LATER rows before, when what followed is known,
or nothing in the first rows of a piece. Odd and even seeds have other voices and other sentences.
"""

import array
import itertools
import math
import pathlib
import random
import re
import subprocess
import sys
import wave

RATE, FRAME = 8000, 80  # samples a second, and in a frame of 10 ms
PIECE = 300  # frames: three seconds
LATER = 20  # frames
QUIET = 0.07  # of the loudest sample: what is quieter is silence
PAUSE = RATE * 12 // 100  # samples: a longer silence is a pause
ESPEAK_RATE, ESPEAK_HEADER = 22050, 44  # samples a second, bytes before the first of them
VERSES = pathlib.Path(__file__).resolve().parent.parent / "text_generation/verses.txt"
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")
SPEAKERS = ("m1", "m2", "f1", "f2", "m3", "m4", "f3", "f4", "m5", "m6", "f5", "croak", "m7", "m8")


def hum(chance, seconds):
    """Noise of a street: a rumble and a hiss that swell, and now and then a bang or a tone."""
    low, level, samples = 0.0, chance.uniform(0.003, 0.02), []
    bang = tone = 0
    for i in range(seconds * RATE):
        if i % RATE == 0:
            goal = chance.uniform(0.003, 0.02)
            bang = int(chance.random() < 0.15) * chance.randrange(200, 1500)
            tone = int(chance.random() < 0.15) * chance.randrange(1000, 6000)
            height = chance.uniform(300, 2500)
        level += (goal - level) / RATE
        white = chance.gauss(0, 1)
        low += 0.05 * (white - low)
        sample = level * (2.5 * low + 0.4 * white)
        if bang > 0:
            sample, bang = sample + 0.3 * white * bang / 1500, bang - 1
        if tone > 0:
            sample, tone = sample + 0.1 * math.sin(2 * math.pi * height * i / RATE), tone - 1
        samples.append(sample)
    return samples


def spoken(text, voice, chance):
    """What espeak-ng says: samples, the loudest 1, without the silence around them; none if there is a pause in between."""
    said = subprocess.run(["espeak-ng", "-v", voice, "-s", str(chance.randint(130, 210)), "-p", str(chance.randint(25, 75)), "--stdout",
                           text], check=True, capture_output=True).stdout  # fmt: skip
    sums = [0, *itertools.accumulate(array.array("h", said[ESPEAK_HEADER:]))]
    step = ESPEAK_RATE / RATE
    places = [int(i * step) for i in range(int((len(sums) - 1) / step))]
    samples = [(sums[b] - sums[a]) / (b - a) for a, b in zip(places, places[1:])]
    loudest = max(map(abs, samples))
    heard = [i for i, sample in enumerate(samples) if abs(sample) > QUIET * loudest]
    if max(b - a for a, b in zip(heard, heard[1:])) > PAUSE:
        return []
    return [sample / loudest for sample in samples[heard[0] : heard[-1] + 1]]


def sentences(chance, seed):
    """Some words of a verse each, without a pause in between."""
    verses = VERSES.read_text().splitlines()[seed % 2 :: 2]
    while True:
        words = re.sub(r"[^A-Za-z ]", "", chance.choice(verses)).split()
        begin = chance.randrange(max(1, len(words) - 4))
        yield " ".join(words[begin : begin + chance.randint(2, 7)])


def speech(seconds, seed, chance):
    """(samples, whether somebody speaks), and a pause at the end."""
    samples, flags = [], []
    for text in sentences(chance, seed):
        pause = int(RATE * chance.uniform(0.5, 2.0))
        voice = f"{chance.choice(ACCENTS)}+{chance.choice(SPEAKERS[seed % 2 :: 2])}"
        said = spoken(text, voice, chance)
        if not said:
            continue
        if len(samples) + pause + len(said) + RATE // 2 > seconds * RATE:
            rest = seconds * RATE - len(samples)
            return samples + [0.0] * rest, flags + [False] * rest
        loud = chance.uniform(0.2, 0.6)
        samples += [0.0] * pause + [loud * sample for sample in said]
        flags += [False] * pause + [True] * len(said)


def main():
    seconds, seed, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chance = random.Random(seed)
    said, flags = speech(seconds, seed, chance)
    mixed = (round(32767 * max(-1.0, min(1.0, a + b))) for a, b in zip(hum(chance, seconds), said))
    with wave.open(name + ".wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", mixed).tobytes())
    frames = [int(sum(flags[begin : begin + FRAME]) > FRAME // 2) for begin in range(0, len(flags), FRAME)]
    with open(name + ".csv", "w") as table:
        print("piece,spoken,heard", file=table)
        for i, flag in enumerate(frames):
            heard = ("none", "voice")[frames[i - LATER]] if i % PIECE >= LATER else ""
            print(i // PIECE, flag, heard, sep=",", file=table)


if __name__ == "__main__":
    main()
