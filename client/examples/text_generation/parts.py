"""The parts of verses.txt: what the network and the n-gram learn from, and what both are judged by."""

import pathlib

TEXT = pathlib.Path(__file__).resolve().parent / "verses.txt"


def split():
    """(train, test): of each 200 verses the last 20 are the test part."""
    lines = TEXT.read_text().splitlines(keepends=True)
    tests = [i % 200 >= 180 for i in range(len(lines))]
    return tuple("".join(line for line, is_test in zip(lines, tests) if is_test == part) for part in (False, True))
