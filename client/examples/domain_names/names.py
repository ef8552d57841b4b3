"""usage: names.py COUNT SEED >NAMES.csv

Writes so many names of domains, half of them of words, as people choose them, half as programs make them that look for
their masters (four ways; two of them can be pronounced).
"""

import pathlib
import random
import re
import sys

TEXT = pathlib.Path(__file__).resolve().parents[1] / "text_generation/verses.txt"
CONSONANTS, VOWELS, LETTERS = "bcdfghjklmnprstvwz", "aeiou", "abcdefghijklmnopqrstuvwxyz"
ENDINGS = ["shop", "net", "online", "info", "app", "tech", "blog", "mail", "news", "home"]


def words():
    """Those of a public-domain text, without the rarest, which are names."""
    return sorted(set(re.findall(r"\b[a-z]{3,9}\b", TEXT.read_text())))


class People:
    def __init__(self, seed):
        self.random, self.words = random.Random(seed), words()

    def name(self):
        kind = self.random.random()
        one, two = self.random.sample(self.words, 2)
        if kind < 0.3 and len(one) > 4:
            return one
        if kind < 0.7:
            return one + two
        if kind < 0.8:
            return f"{one}{self.random.choice(['-', '4', '2'])}{two}"
        return one + self.random.choice(ENDINGS)


class Programs:
    def __init__(self, seed):
        self.random, self.state = random.Random(seed), seed

    def name(self):
        length = self.random.randint(7, 16)
        return self.random.choice([self.even, self.congruential, self.syllables, self.broken_syllables])(length)

    def even(self, length):
        return "".join(self.random.choice(LETTERS) for _ in range(length))

    def congruential(self, length):
        """The letters of a linear congruential generator, as several worms have it."""
        letters = ""
        for _ in range(length):
            self.state = (self.state * 1103515245 + 12345) % 2**31
            letters += LETTERS[(self.state >> 16) % 25]
        return letters

    def syllables(self, length):
        return "".join(self.random.choice(CONSONANTS if i % 2 == 0 else VOWELS) for i in range(length))

    def broken_syllables(self, length):
        letters = self.syllables(length)
        place = self.random.randrange(1, length)
        return letters[:place] + self.random.choice(LETTERS) + letters[place:]


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    people, programs = People(seed), Programs(seed)
    print("name,made_by")
    for i in range(count):
        maker, source = ("people", people) if i % 2 == 0 else ("programs", programs)
        print(f"{source.name()},{maker}")


if __name__ == "__main__":
    main()
