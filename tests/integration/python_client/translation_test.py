"""Encoder to decoder and beam search against plain loops over the weights, in numpy."""

import asyncio
import pathlib
import tempfile
import unittest

import numpy as np
import rondo
from server_process import ServerProcess
from small_models import write_model

LETTERS, SOUNDS, UNITS, COLUMNS = 6, 7, 12, 5
BEGIN, STOP, MOST = 0, 1, 8  # tokens of the decoder, and how many it answers at most


class Lstm:
    """One layer behind an embedding, and a softmax, with random weights; PyTorch's order of the gates."""

    def __init__(self, tokens, outputs, seed):
        random = np.random.default_rng(seed)
        self.embedding = random.normal(size=(tokens, COLUMNS)).astype(np.float32)
        self.weight_ih = random.normal(size=(4 * UNITS, COLUMNS)).astype(np.float32)
        self.weight_hh = random.normal(size=(4 * UNITS, UNITS)).astype(np.float32) * 0.5
        self.bias = random.normal(size=4 * UNITS).astype(np.float32)
        self.head = random.normal(size=(outputs, UNITS)).astype(np.float32) * 2

    def write(self, repository, name):
        tokens, outputs = len(self.embedding), len(self.head)
        write_model(repository, name, {
            "format": 1, "cell": "lstm", "inputs": {"tokens": tokens}, "head": "softmax",
            "outputs": [{"name": f"y{i}"} for i in range(outputs)],
        }, {
            "embedding.weight": ([tokens, COLUMNS], self.embedding.ravel()),
            "rnn.weight_ih_l0": ([4 * UNITS, COLUMNS], self.weight_ih.ravel()),
            "rnn.weight_hh_l0": ([4 * UNITS, UNITS], self.weight_hh.ravel()),
            "rnn.bias_ih_l0": ([4 * UNITS], self.bias),
            "rnn.bias_hh_l0": ([4 * UNITS], np.zeros(4 * UNITS)),
            "head.weight": ([outputs, UNITS], self.head.ravel()),
            "head.bias": ([outputs], np.zeros(outputs)),
        })

    def step(self, token, state):
        """(probabilities, the state after it)"""
        hidden, cell = state
        gates = self.weight_ih.astype(float) @ self.embedding[token] + self.weight_hh.astype(float) @ hidden + self.bias
        i, f, g, o = np.split(gates, 4)
        sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        scores = np.exp(self.head @ hidden)
        return scores / scores.sum(), (hidden, cell)


def greedy(encoder, decoder, text):
    state, token, tokens = encode(encoder, text), BEGIN, []
    while token != STOP and len(tokens) < MOST:
        probabilities, state = decoder.step(token, state)
        token = int(np.argmax(probabilities))
        tokens.append(token)
    return tokens


def encode(encoder, text):
    state = (np.zeros(UNITS), np.zeros(UNITS))
    for token in text:
        _, state = encoder.step(token, state)
    return state


def beam_search(encoder, decoder, text, width, penalty):
    """[(score, log probability, tokens)], the best first: the textbook's loop."""
    live, found = [(0.0, [], decoder.step(BEGIN, encode(encoder, text)))], []
    for length in range(1, MOST + 1):
        candidates = [
            (total + np.log(probability), tokens + [token], state)
            for total, tokens, (probabilities, state) in live
            for token, probability in enumerate(probabilities)
        ]
        candidates.sort(key=lambda candidate: -candidate[0])
        done = [candidate for candidate in candidates[:width] if candidate[1][-1] == STOP]
        growing = [candidate for candidate in candidates if candidate[1][-1] != STOP][:width]
        if length == MOST:
            done += growing
        found += [(total / length**penalty, total, tokens) for total, tokens, _ in done]
        live = [(total, tokens, decoder.step(tokens[-1], state)) for total, tokens, state in growing]
    return sorted(found, key=lambda sequence: -sequence[0])[:width]


class TranslationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        repository = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.encoder, cls.decoder = Lstm(LETTERS, 2, seed=1), Lstm(SOUNDS, SOUNDS, seed=2)
        cls.encoder.write(repository, "encoder")
        cls.decoder.write(repository, "decoder")
        cls.server = ServerProcess(repository=repository)
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.client = self.enterContext(rondo.Client(self.server.address))
        self.random = np.random.default_rng(3)

    def text(self):
        return self.random.integers(0, LETTERS, self.random.integers(1, 9))

    def encoded(self, text):
        """A session of the encoder that has read the text."""
        session = self.enterContext(self.client.open_session("encoder"))
        session.run(text.reshape(-1, 1))
        return rondo.InitialState(session_id=session.id)

    def test_a_decoder_goes_on_where_an_encoder_stands_1000_times(self):
        for _ in range(1000):
            text = self.text()
            generation = self.client.generate("decoder", [BEGIN], max_tokens=MOST, temperature=0, stop=[STOP],
                                              initial_state=self.encoded(text))  # fmt: skip
            generation.read_all()
            self.assertEqual(generation.tokens, greedy(self.encoder, self.decoder, text), text)

    def test_beam_search_finds_what_a_plain_loop_finds_1000_times(self):
        for _ in range(1000):
            text = self.text()
            width, penalty = int(self.random.integers(2, 6)), float(self.random.choice([0.0, 0.7, 1.0]))
            generation = self.client.generate("decoder", [BEGIN], max_tokens=MOST, stop=[STOP], num_beams=width,
                                              length_penalty=penalty, initial_state=self.encoded(text))  # fmt: skip
            generation.read_all()
            expected = beam_search(self.encoder, self.decoder, text, width, penalty)
            self.assertEqual([list(beam.tokens) for beam in generation.beams], [tokens for _, _, tokens in expected], text)
            np.testing.assert_allclose([beam.log_probability for beam in generation.beams],
                                       [total for _, total, _ in expected], atol=1e-4)  # fmt: skip
            np.testing.assert_allclose([beam.score for beam in generation.beams], [score for score, _, _ in expected],
                                       atol=1e-4)  # fmt: skip

    def test_a_session_that_began_so_goes_on_as_any_other_and_does_not_begin_anew(self):
        text = self.text()
        probabilities, state = self.decoder.step(BEGIN, encode(self.encoder, text))
        expected, _ = self.decoder.step(4, state)
        session = self.client.open_session("decoder", initial_state=self.encoded(text))
        np.testing.assert_allclose(session.step([BEGIN]), probabilities, atol=1e-5)
        np.testing.assert_allclose(session.step([4]), expected, atol=1e-5)
        session = self.client.open_session("decoder", initial_state=self.encoded(text))
        session.end()
        with self.assertRaises(rondo.NotFound):
            session.step([BEGIN])
        with self.assertRaisesRegex(rondo.FailedPrecondition, "has to fit element 'attention'"):
            self.client.create_session("decoder", initial_state=rondo.InitialState(
                exported=session_state(self.client, text), elements=("attention",)))  # fmt: skip

    def test_asyncio_has_it_too(self):
        async def run():
            async with rondo.aio.Client(self.server.address) as client, client.open_session("encoder") as reader:
                await reader.run(text.reshape(-1, 1))
                start = rondo.InitialState(exported=await reader.export())
                async with client.open_session("decoder", initial_state=start) as session:
                    step = await session.step([BEGIN])
                generation = client.generate("decoder", [BEGIN], max_tokens=MOST, num_beams=3, initial_state=start)
                await generation.read_all()
                return step, generation.beams

        text = self.text()
        step, beams = asyncio.run(run())
        np.testing.assert_allclose(step, self.decoder.step(BEGIN, encode(self.encoder, text))[0], atol=1e-5)
        self.assertEqual(len(beams), 3)


def session_state(client, text):
    with client.open_session("encoder") as session:
        session.run(text.reshape(-1, 1))
        return session.export()


if __name__ == "__main__":
    unittest.main()
