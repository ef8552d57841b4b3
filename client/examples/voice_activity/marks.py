"""usage: marks.py <ANSWERS.csv >SEGMENTS.csv      begin,end in seconds of each piece of speech, written when it has ended

ANSWERS has the column "voice": how probable it is that somebody spoke LATER rows before. A change counts once it has held for
HOLD rows, so that neither the p of "stop" ends a word nor a bang begins one.
"""

import sys

from sound import LATER

HOLD = 12  # frames
FRAMES_A_SECOND = 100


def segments(flags):
    """(first frame, frame after the last) of each piece of speech."""
    speaking, held, begin, number = False, 0, 0, -1
    for number, flag in enumerate(flags):
        held = held + 1 if flag != speaking else 0
        if held == HOLD:
            speaking, held, change = flag, 0, number + 1 - HOLD
            if speaking:
                begin = change
            else:
                yield begin, change
    if speaking:
        yield begin, number + 1


def main():
    column = sys.stdin.readline().rstrip("\n").split(",").index("voice")
    print("begin,end", flush=True)
    for begin, end in segments(float(line.split(",")[column]) > 0.5 for line in iter(sys.stdin.readline, "")):
        print(f"{(begin - LATER) / FRAMES_A_SECOND:.2f},{(end - LATER) / FRAMES_A_SECOND:.2f}", flush=True)


if __name__ == "__main__":
    main()
