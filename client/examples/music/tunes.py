"""The tunes of tunes.abc as notes, and notes as something to hear and to look at.

usage: tunes.py train >TUNES.txt                       the tunes to learn from, one a line: "C2 C2 G2 ..."
       tunes.py play NOTES OUTPUT                      writes OUTPUT.wav and OUTPUT.svg, and prints the piano roll
"""

import math
import pathlib
import re
import struct
import sys
import wave

FILE = pathlib.Path(__file__).resolve().parent / "tunes.abc"
TONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
QUAVER, RATE = 0.22, 16000  # seconds, samples a second


def tunes():
    """[["C2", ...]]: a note or rest (z) and its length in quavers; a dot ends a tune."""
    found = []
    for line in FILE.read_text().splitlines():
        if line.startswith("X:"):
            found.append([])
        elif found and not re.match(r"[A-Z]:|%", line):
            found[-1] += [f"{note}{length or 1}" for note, length in re.findall(r"([A-Ga-gz],?)(\d?)", line)]
    return [[*notes, "."] for notes in found]


def split():
    """(train, test): every fifth tune is kept apart, but for notes that no other tune has."""
    everything = tunes()
    train = [tune for i, tune in enumerate(everything) if i % 5 != 2]
    known = {note for tune in train for note in tune}
    return train, [[note for note in tune if note in known] for i, tune in enumerate(everything) if i % 5 == 2]


def key_of(note):
    """(the key on a piano, middle c is 60; quavers). None: a rest."""
    name, length = re.fullmatch(r"([A-Ga-gz],?)(\d)", note).groups()
    if name == "z":
        return None, int(length)
    octave = 12 * name[0].islower() - 12 * name.endswith(",")
    return 60 + TONES[name[0].upper()] + octave, int(length)


def write_sound(keys, path):
    samples = []
    for key, length in keys:
        count = round(RATE * QUAVER * length)
        pitch = 0 if key is None else 440 * 2 ** ((key - 69) / 12)
        for i in range(count):
            fade = math.exp(-3 * i / RATE) * min(1, (count - i) / 400)
            tone = sum(math.sin(2 * math.pi * k * pitch * i / RATE) / k**2 for k in (1, 2, 3)) if pitch else 0
            samples.append(round(9000 * fade * tone))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def draw(keys):
    """The piano roll in letters, a column a quaver."""
    heights = [key for key, _ in keys if key is not None]
    if not heights:
        return ""
    rows = {key: "" for key in range(max(heights), min(heights) - 1, -1)}
    for key, length in keys:
        for row in rows:
            rows[row] += ("#" + "=" * (length - 1)) if row == key else "." * length
    return "\n".join(f"{'C C#D D#E F F#G G#A A#B '[2 * (row % 12):2 * (row % 12) + 2]} {line[:96]}" for row, line in rows.items())


def write_picture(keys, path):
    """The piano roll: a row for each key with its name, darker for a black one, and a line before each four crotchets."""
    heights = [key for key, _ in keys if key is not None] or [60]
    low, high, x, shapes, width = min(heights), max(heights), 0, "", 8 * sum(length for _, length in keys)
    for key in range(low, high + 1):
        name, y = "C C#D D#E F F#G G#A A#B "[2 * (key % 12) : 2 * (key % 12) + 2].strip(), 8 * (high - key)
        shapes += f'<rect x="0" y="{y}" width="{width}" height="8" fill="{"#e4e4e4" if "#" in name else "#f8f8f8"}"/>'
        shapes += f'<text x="-3" y="{y + 7}" font-size="7" text-anchor="end">{name}</text>'
    shapes += "".join(f'<path d="M{bar} 0V{8 * (high - low + 1)}" stroke="#bbb"/>' for bar in range(0, width, 64))
    for key, length in keys:
        if key is not None:
            shapes += f'<rect x="{8 * x}" y="{8 * (high - key)}" width="{8 * length - 1}" height="7" fill="#1f5fbf"/>'
        x += length
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 -2 {width + 22} {8 * (high - low + 1) + 4}" font-family="sans-serif">'
                    f'<rect x="-20" y="-2" width="100%" height="100%" fill="white"/>{shapes}</svg>\n')


def main():
    if sys.argv[1] == "train":
        print("\n".join(" ".join(tune) for tune in split()[0]))
        return
    keys = [key_of(note) for note in sys.argv[2].split() if note != "."]
    write_sound(keys, pathlib.Path(sys.argv[3] + ".wav"))
    write_picture(keys, pathlib.Path(sys.argv[3] + ".svg"))
    print(draw(keys))


if __name__ == "__main__":
    main()
