"""usage: lessons.py STEPS >LESSONS.csv

Writes what the teacher does: the position and the angle that are seen in each step, and the force that it answered in the
step before. The teacher is pushed about, so that it shows what it does when the pole is not upright.
"""

import random
import sys

from cart_pole import CartPole, teacher


def main():
    cart, chance, push, force = CartPole(0), random.Random(0), 0.0, 0.0
    print("position,angle,force")
    for step in range(int(sys.argv[1])):
        print(f"{cart.position:.6g},{cart.angle:.6g},{force:.6g}")
        if step % 20 == 0:
            push = chance.gauss(0, 4)
        force = teacher(cart)
        cart.push(force + push)
        if cart.has_fallen():
            cart.start()


if __name__ == "__main__":
    main()
