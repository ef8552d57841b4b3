"""Errors as values: what a process pool or a copy makes of them."""

import copy
import pickle
import unittest

import rondo
from rondo import errors


class ErrorsTest(unittest.TestCase):
    def test_every_error_survives_pickling_and_copying(self):
        made = [getattr(rondo, name)("what came", retry_after=0.5) for name in errors.__all__
                if name not in ("PositionError", "PartialFailure")]  # fmt: skip
        missing = rondo.NotFound("gone")
        missing.expected_position = 0
        position = rondo.PositionError("elsewhere", position=3, expected_position=7)
        made += [missing, position, rondo.PartialFailure(2, {1: position}, [[1.0], None])]
        self.assertEqual({type(error).__name__ for error in made}, set(errors.__all__))
        for error in made:
            for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
                self.assertIs(type(again), type(error))
                self.assertEqual((str(again), again.args), (str(error), error.args))
                self.assertEqual(set(vars(again)), set(vars(error)))
        again = pickle.loads(pickle.dumps(made[-1]))
        self.assertEqual(again.errors[1].expected_position, 7)
        self.assertEqual(pickle.loads(pickle.dumps(made[0])).retry_after, 0.5)
