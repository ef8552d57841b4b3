"""usage: control.py LOOPS SECONDS

Runs so many control loops at 100 Hz, each a cart whose controller is a session of the model "cart" behind `rondo stream`,
that sees position and angle but no speed. Prints the mean angle in degrees, that of a controller without a memory, and how
often a step took longer than it may.
"""

import math
import os
import subprocess
import sys
import threading
import time

from cart_pole import STEP, CartPole, without_memory


class Controller:
    """A session that is asked through a pipe."""

    def __init__(self, name):
        self.process = subprocess.Popen([os.environ["RONDO"], "stream", "cart", f"--session={name}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.process.stdin.write("position,angle\n")

    def force(self, cart):
        self.process.stdin.write(f"{cart.position:.6g},{cart.angle:.6g}\n")
        line = self.process.stdout.readline()
        return float(line if line != "force\n" else self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Loop(threading.Thread):
    def __init__(self, number, seconds):
        super().__init__()
        self.controller, self.cart, self.steps = Controller(f"cart-{number}"), CartPole(number), round(seconds / STEP)
        self.angles, self.times, self.falls = [], [], 0

    def run(self):
        self.controller.force(self.cart)  # the connection is made
        begin = time.monotonic()
        for step in range(self.steps):
            time.sleep(max(0.0, begin + step * STEP - time.monotonic()))
            asked = time.monotonic()
            force = self.controller.force(self.cart)
            self.times.append(time.monotonic() - asked)
            self.cart.push(force)
            self.angles.append(abs(self.cart.angle))
            if self.cart.has_fallen():
                self.falls += 1
                self.cart.start()
        self.controller.end()


def angle_without_memory(loops, steps):
    angles = []
    for number in range(loops):
        cart = CartPole(number)
        for _ in range(steps):
            cart.push(without_memory(cart.position, cart.angle))
            angles.append(abs(cart.angle))
            if cart.has_fallen():
                cart.start()
    return sum(angles) / len(angles)


def main():
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    loops = [Loop(number, seconds) for number in range(count)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    angles, times = sum((loop.angles for loop in loops), []), sorted(sum((loop.times for loop in loops), []))
    late = sum(taken > STEP for taken in times)
    print(f"{len(times)} steps: p50 {1000 * times[len(times) // 2]:.2f} ms, p99 {1000 * times[len(times) * 99 // 100]:.2f} ms "
          f"with the pipe, {late} over the deadline of {1000 * STEP:.0f} ms; {sum(loop.falls for loop in loops)} falls",
          file=sys.stderr)
    print(f"{math.degrees(sum(angles) / len(angles)):.3f} {math.degrees(angle_without_memory(count, loops[0].steps)):.3f}")


if __name__ == "__main__":
    main()
