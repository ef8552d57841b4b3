"""The options of the retry policy; its waits are those of tests/golden/client, read by vectors_test.py."""

import unittest

from rondo._retry import RetryPolicy


class RetryPolicyTest(unittest.TestCase):
    def test_options_out_of_bounds_are_refused(self):
        for options in ({"max_attempts": 0}, {"max_attempts": 17}, {"initial_backoff": 0.0}, {"max_backoff": 0.01}):
            with self.assertRaises(ValueError, msg=options):
                RetryPolicy(**options)
