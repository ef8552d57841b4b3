"""usage: control.py LOOPS SECONDS

Runs so many control loops at 100 Hz, each a cart whose controller is a session of the model "cart" behind `rondo stream`,
that sees position and angle but no speed. Prints the mean angle in degrees, that of a controller without a memory, and how
long steps took, from the row that is written to the force that is read, and how many were answered after their deadline,
when the next one was due.
"""

import heapq
import math
import os
import select
import subprocess
import sys
import time

from cart_pole import STEP, CartPole, without_memory


class Loop:
    """A cart, and a session that is asked through a pipe."""

    def __init__(self, number, count):
        self.number, self.count, self.cart = number, count, CartPole(number)
        self.angles, self.times, self.late, self.falls = [], [], 0, 0
        self.process = subprocess.Popen([os.environ["RONDO"], "stream", "cart", f"--session=cart-{number}"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.process.stdin.write("position,angle\n")
        self.ask()
        self.process.stdout.readline()  # "force"
        self.process.stdout.readline()  # the connection is made

    def begin(self, begin):
        """The carts are asked about one after the other, as carts are that know nothing of each other."""
        self.due = begin + STEP * self.number / self.count

    def ask(self):
        self.asked = time.monotonic()
        self.process.stdin.write(f"{self.cart.position:.6g},{self.cart.angle:.6g}\n")

    def push(self):
        force = float(self.process.stdout.readline())
        now = time.monotonic()
        self.times.append(now - self.asked)
        self.late += now > self.due + STEP
        self.due = max(now, self.due + STEP)
        self.cart.push(force)
        self.angles.append(abs(self.cart.angle))
        if self.cart.has_fallen():
            self.falls += 1
            self.cart.start()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def run(loops, steps):
    """Asks each loop when it is due, and pushes its cart when the force has come."""
    begin = time.monotonic() + STEP
    for loop in loops:
        loop.begin(begin)
    waiting = [(loop.due, loop.number) for loop in loops]
    asked = {}
    while waiting or asked:
        wait = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for answer in select.select(list(asked), [], [], wait)[0]:
            loop = asked.pop(answer)
            loop.push()
            if len(loop.times) < steps:
                heapq.heappush(waiting, (loop.due, loop.number))
        while waiting and waiting[0][0] <= time.monotonic():
            loop = loops[heapq.heappop(waiting)[1]]
            loop.ask()
            asked[loop.process.stdout] = loop


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
    count, steps = int(sys.argv[1]), round(float(sys.argv[2]) / STEP)
    loops = [Loop(number, count) for number in range(count)]
    run(loops, steps)
    for loop in loops:
        loop.end()
    angles, times = sum((loop.angles for loop in loops), []), sorted(sum((loop.times for loop in loops), []))
    p50, p99, p999 = (1000 * times[int(len(times) * part)] for part in (0.5, 0.99, 0.999))
    print(f"{len(times)} steps: p50 {p50:.2f} ms, p99 {p99:.2f} ms, p99.9 {p999:.2f} ms, longest {1000 * times[-1]:.2f} ms, with the pipe; "
          f"{sum(loop.late for loop in loops)} over the deadline of {1000 * STEP:.0f} ms; {sum(loop.falls for loop in loops)} falls",
          file=sys.stderr)
    print(f"{math.degrees(sum(angles) / len(angles)):.3f} {math.degrees(angle_without_memory(count, min(steps, 3000))):.3f}")


if __name__ == "__main__":
    main()
