"""usage: frames.py [SECONDS] <SOUND.wav >ROWS.csv

A row of 80 samples each 10 ms: what the models of this example take. With SECONDS the sound is live: each row is written when it
would have been heard, until then.
"""

import array
import sys
import time
import wave

FRAME = 80


def main():
    begin, live = time.monotonic(), len(sys.argv) > 1
    at_once = live or not sys.stdin.seekable()
    print(",".join(f"sample{i}" for i in range(FRAME)), flush=at_once)
    with wave.open(sys.stdin.buffer, "rb") as sound:
        length, number = FRAME / sound.getframerate(), 0
        while not live or number * length < float(sys.argv[1]):
            samples = array.array("h", sound.readframes(FRAME))
            if len(samples) < FRAME:
                return
            number += 1
            if live:
                time.sleep(max(0.0, begin + number * length - time.monotonic()))
            print(str(samples.tolist())[1:-1].replace(" ", ""), flush=at_once)


if __name__ == "__main__":
    main()
