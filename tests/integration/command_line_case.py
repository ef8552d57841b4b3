"""What the tests of `rondo` share. The folder of the programs is the first argument of the test that is run.

The models are small enough to know every answer: an RNN with relu and weights of one answers the running sum of its
inputs, as h = relu(x + h).
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from running_server import RunningServer
from small_models import write_chain_model, write_model, write_sum_model

BIN = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path("build/release/bin")


def write_letters_model(repository):
    """Two tokens, and a probability of one half for each."""
    write_model(repository, "letters", {
        "format": 1, "cell": "rnn", "activation": "relu", "inputs": {"tokens": 2}, "head": "softmax",
        "outputs": [{"name": "a"}, {"name": "b"}],
    }, {
        "embedding.weight": ([2, 1], [0.0, 0.0]),
        "rnn.weight_ih_l0": ([1, 1], [1.0]),
        "rnn.weight_hh_l0": ([1, 1], [1.0]),
        "rnn.bias_ih_l0": ([1], [0.0]),
        "rnn.bias_hh_l0": ([1], [0.0]),
        "head.weight": ([2, 1], [0.0, 0.0]),
        "head.bias": ([2], [0.0, 0.0]),
    })


class CommandLineCase(unittest.TestCase):
    """A server with small models, and `rondo` run against it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        repository = pathlib.Path(cls.folder.name)
        write_sum_model(repository, "sum", ["x"])
        write_sum_model(repository, "two", ["x", "y"])
        write_sum_model(repository, "clock", ["x"], calendar=["hour"])
        write_sum_model(repository, "far", ["x"], horizon=2)
        write_letters_model(repository)
        write_chain_model(repository, "verse", "abcd\n")
        broken = repository / "broken" / "1"
        broken.mkdir(parents=True)
        (broken / "model.safetensors").write_text("nonsense")
        cls.server = RunningServer(BIN, repository=repository)
        cls.address = cls.server.address

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def command(self, *arguments):
        return [BIN / "rondo", "--server=" + self.address, *arguments]

    def rondo(self, *arguments, stdin=""):
        """(exit code, stdout, stderr)"""
        done = subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def answer(self, *arguments, stdin=""):
        code, out, err = self.rondo(*arguments, stdin=stdin)
        self.assertEqual((code, err), (0, ""))
        return out

    def refusal(self, *arguments, stdin="", code=1):
        got, _, err = self.rondo(*arguments, stdin=stdin)
        self.assertEqual(got, code, err)
        return err

    def sessions(self):
        return [line.split(",")[0] for line in self.answer("sessions", "list").splitlines()[1:]]
