"""A pole on a cart that is pushed 100 times a second, and what balances it."""

import math
import random

STEP = 0.01  # seconds
GRAVITY, CART, POLE, HALF_LENGTH = 9.8, 1.0, 0.1, 0.5  # m/s^2, kg, kg, m
MOST_FORCE = 10.0  # N
FALLEN = math.radians(30)


class CartPole:
    """The textbook's equations (Barto, Sutton and Anderson 1983), without friction."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.start()

    def start(self):
        self.position, self.speed, self.turn = (self.random.uniform(-0.05, 0.05) for _ in range(3))
        self.angle = self.random.uniform(-0.1, 0.1)

    def push(self, force):
        force = max(-MOST_FORCE, min(MOST_FORCE, force)) + self.random.gauss(0, 0.5)  # the floor is not even
        mass, moment = CART + POLE, POLE * HALF_LENGTH
        sine, cosine = math.sin(self.angle), math.cos(self.angle)
        common = (force + moment * self.turn**2 * sine) / mass
        bend = (GRAVITY * sine - cosine * common) / (HALF_LENGTH * (4 / 3 - POLE * cosine**2 / mass))
        self.position += STEP * self.speed
        self.speed += STEP * (common - moment * bend * cosine / mass)
        self.angle += STEP * self.turn
        self.turn += STEP * bend

    def has_fallen(self):
        return abs(self.angle) > FALLEN or abs(self.position) > 2.4


def teacher(cart):
    """A linear controller that is told the speeds too."""
    force = 1.5 * cart.position + 3.0 * cart.speed + 35.0 * cart.angle + 7.0 * cart.turn
    return max(-MOST_FORCE, min(MOST_FORCE, force))


def without_memory(position, angle):
    """The same controller for whoever sees no speeds."""
    return 1.5 * position + 35.0 * angle
