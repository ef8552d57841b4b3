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
    print(",".join(f"sample{i}" for i in range(FRAME)), flush=live)
    with wave.open(sys.stdin.buffer, "rb") as sound:
        length = FRAME / sound.getframerate()
        samples = array.array("h", sound.readframes(sound.getnframes()))
    count = round(float(sys.argv[1]) / length) if live else len(samples) // FRAME
    for number in range(count):
        if live:
            time.sleep(max(0.0, begin + (number + 1) * length - time.monotonic()))
        print(str(samples[FRAME * number : FRAME * (number + 1)].tolist())[1:-1].replace(" ", ""), flush=live)


if __name__ == "__main__":
    main()
