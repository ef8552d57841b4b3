"""A plain baseline: the characters that followed the last ones in the train part, by interpolated counts."""

import collections
import math


class NGram:
    """Witten-Bell smoothing over contexts of 0 to `order` characters."""

    def __init__(self, text, order, alphabet):
        self.order, self.alphabet = order, alphabet
        self.counts = [collections.defaultdict(collections.Counter) for _ in range(order + 1)]
        for i, character in enumerate(text):
            for length in range(min(i, order) + 1):
                self.counts[length][text[i - length : i]][character] += 1

    def probability(self, context, character):
        probability = 1 / self.alphabet
        for length in range(min(len(context), self.order) + 1):
            followers = self.counts[length].get(context[len(context) - length :])
            if followers is None:
                break
            total, kinds = sum(followers.values()), len(followers)
            probability = (followers[character] + kinds * probability) / (total + kinds)
        return probability

    def bits_per_character(self, text):
        """Of each character but the first, after all before it."""
        bits = 0.0
        for i in range(1, len(text)):
            bits -= math.log2(self.probability(text[max(0, i - self.order) : i], text[i]))
        return bits / (len(text) - 1)
