"""Verses without spaces, as rows of letters, and where the words began.

usage: letters.py training|test LINES >LETTERS.csv

Each row says of its letter whether a word begins with it: "begins" or "goes on".
"""

import pathlib
import re
import sys

TEXT = pathlib.Path(__file__).resolve().parents[1] / "text_generation/verses.txt"


def lines_of(part):
    """Of each 20 verses the last two are the test part; no line is longer than some words."""
    for number, verse in enumerate(TEXT.read_text().splitlines()):
        if (number % 20 >= 18) != (part == "test"):
            continue
        words = re.findall(r"[a-z]+", verse.lower())
        for begin in range(0, len(words), 12):
            yield words[begin : begin + 12]


def begins_of(words):
    """(letters, whether a word begins with each)"""
    return "".join(words), [i == 0 for word in words for i in range(len(word))]


def main():
    part, most = sys.argv[1], int(sys.argv[2])
    print("line,letter,word")
    for number, words in enumerate(lines_of(part)):
        if number == most:
            break
        letters, begins = begins_of(words)
        for letter, begin in zip(letters, begins):
            print(f"{number},{letter},{'begins' if begin else 'goes on'}")


if __name__ == "__main__":
    main()
