"""Made-up words as Spanish spells them, and the rules by which they are spoken.

usage: words.py COUNT SEED [TRAINING.txt]     words with their sounds, one a line: "guerra=gera."; none that is in TRAINING.txt
"""

import pathlib
import random
import sys

SYLLABLE_BEGINS = ["b", "c", "ch", "d", "f", "g", "gu", "gü", "h", "j", "l", "ll", "m", "n", "ñ", "p", "qu", "r", "rr", "s",
                   "t", "v", "y", "z", "bl", "br", "cl", "cr", "dr", "fl", "fr", "gl", "gr", "pl", "pr", "tr", ""]
FRONT, BACK = "ei", "aou"
SYLLABLE_ENDS = ["", "", "", "", "n", "s", "r", "l", "z", "x"]


def make(random):
    word = ""
    for place in range(random.randint(1, 3)):
        begin = random.choice(SYLLABLE_BEGINS)
        vowels = FRONT if begin in ("qu", "gu", "gü") else FRONT + BACK
        if begin == "rr" and place == 0:
            begin = "r"
        word += begin + random.choice(vowels) + random.choice(SYLLABLE_ENDS)
    return word


def speak(word):
    """One letter a sound: T as in think, C as in church, Y as in yes, X as in loch, N as in canyon, R a long r."""
    sounds, i = "", 0
    while i < len(word):
        rest, front = word[i:], word[i + 1 : i + 2] in ("e", "i")
        for spelling, sound in (("ch", "C"), ("ll", "Y"), ("qu", "k"), ("rr", "R"), ("gü", "gw")):
            if rest.startswith(spelling):
                sounds, i = sounds + sound, i + len(spelling)
                break
        else:
            letter = word[i]
            if rest.startswith("gu") and word[i + 2 : i + 3] in ("e", "i"):
                sounds, i = sounds + "g", i + 2
                continue
            sounds += {
                "c": "T" if front else "k", "g": "X" if front else "g", "h": "", "j": "X", "ñ": "N", "v": "b", "y": "Y", "z": "T",
                "x": "ks", "r": "R" if i == 0 or word[i - 1] in "nls" else "r",
            }.get(letter, letter)  # fmt: skip
            i += 1
    return sounds


def main():
    count, chance = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    known = set()
    if len(sys.argv) > 3:
        known = {line.split("=")[0] for line in pathlib.Path(sys.argv[3]).read_text().splitlines()}
    for _ in range(count):
        word = make(chance)
        while word in known:
            word = make(chance)
        known.add(word)
        print(f"{word}={speak(word)}.")


if __name__ == "__main__":
    main()
