"""Something like speech in something like a street, and what a frame of it sounds like.

usage: sound.py SECONDS SEED >FRAMES.csv      a row every 10 ms: piece,level,crossings,hiss,pitch,voice,heard

`voice` says whether somebody speaks; `heard` says it of the frame LATER rows before, when what followed is known, or nothing
in the first rows of a piece.
"""

import math
import random
import sys

RATE, FRAME = 8000, 80  # samples a second, and in a frame
PIECE = 300  # frames: three seconds
LATER = 5  # frames


def hum(chance, seconds):
    """Noise of a street: a rumble and a hiss that swell, and now and then a bang or a tone."""
    low, level, samples = 0.0, chance.uniform(0.02, 0.12), []
    bang = tone = 0
    for i in range(seconds * RATE):
        if i % RATE == 0:
            goal = chance.uniform(0.02, 0.15)
            bang = int(chance.random() < 0.4) * chance.randrange(200, 1500)
            tone = int(chance.random() < 0.3) * chance.randrange(1000, 6000)
            height = chance.uniform(300, 2500)
        level += (goal - level) / RATE
        white = chance.gauss(0, 1)
        low += 0.05 * (white - low)
        sample = level * (2.5 * low + 0.4 * white)
        if bang > 0:
            sample, bang = sample + 0.3 * white * bang / 1500, bang - 1
        if tone > 0:
            sample, tone = sample + 0.15 * math.sin(2 * math.pi * height * i / RATE), tone - 1
        samples.append(sample)
    return samples


def speech(chance, seconds):
    """(samples, whether somebody speaks): syllables with a pitch and two formants, fricatives in between, and pauses."""
    samples, voices, phase = [], [], 0.0
    while len(samples) < seconds * RATE:
        pause = int(RATE * chance.uniform(0.3, 1.6))
        samples += [0.0] * pause
        voices += [False] * pause
        pitch, loud = chance.uniform(90, 220), chance.uniform(0.12, 0.35)
        for _ in range(chance.randint(3, 9)):
            length, bend = int(RATE * chance.uniform(0.12, 0.28)), chance.uniform(-0.2, 0.2)
            first, second = chance.uniform(300, 800), chance.uniform(900, 2300)
            hiss = int(length * chance.choice([0, 0, 0.3]))
            for i in range(length):
                swell = math.sin(math.pi * (i + 0.5) / length) ** 0.5
                if i < hiss:
                    sample = 0.25 * chance.gauss(0, 1)
                else:
                    phase += pitch * (1 + bend * i / length) / RATE
                    sample = sum(
                        math.sin(2 * math.pi * k * phase)
                        * (math.exp(-(((k * pitch - first) / 250) ** 2)) + 0.6 * math.exp(-(((k * pitch - second) / 350) ** 2)) + 0.1 / k)
                        for k in range(1, 12)
                    )
                samples.append(loud * swell * sample)
                voices.append(True)
    return samples[: seconds * RATE], voices[: seconds * RATE]


def describe(frame):
    """The level in decibels, crossings of zero, the level of the differences (hiss), and how much it repeats (pitch)."""
    energy = sum(x * x for x in frame) / len(frame)
    crossings = sum((a < 0) != (b < 0) for a, b in zip(frame, frame[1:]))
    hiss = sum((b - a) ** 2 for a, b in zip(frame, frame[1:])) / len(frame)
    pitch = max(sum(a * b for a, b in zip(frame[lag:], frame)) for lag in range(18, 70, 2)) / (len(frame) * energy + 1e-9)
    return 10 * math.log10(energy + 1e-7), crossings, 10 * math.log10(hiss + 1e-7), pitch


def frames(seconds, seed):
    """[(features, whether somebody speaks)]"""
    chance = random.Random(seed)
    background = hum(chance, seconds)
    spoken, voices = speech(chance, seconds)
    mixed = [a + b for a, b in zip(background, spoken)]
    for begin in range(0, len(mixed) - FRAME, FRAME):
        yield describe(mixed[max(0, begin - FRAME) : begin + FRAME]), sum(voices[begin : begin + FRAME]) > FRAME // 2


def main():
    print("piece,level,crossings,hiss,pitch,voice,heard")
    voices = []
    for number, (features, voice) in enumerate(frames(int(sys.argv[1]), int(sys.argv[2]))):
        voices.append("voice" if voice else "none")
        heard = voices[number - LATER] if number % PIECE >= LATER else ""
        print(number // PIECE, *(f"{value:.3f}" for value in features), voices[-1], heard, sep=",")


if __name__ == "__main__":
    main()
