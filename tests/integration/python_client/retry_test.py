"""The retry policy, apart from clocks and sockets."""

import unittest

from rondo import errors
from rondo._retry import RetryPolicy

UNAVAILABLE = errors.Unavailable("gone")
EXHAUSTED = errors.ResourceExhausted("full")


class RetryPolicyTest(unittest.TestCase):
    def test_doubles_up_to_the_longest_backoff(self):
        policy = RetryPolicy(max_attempts=16, initial_backoff=0.1, max_backoff=0.3)
        delays = [policy.delay(UNAVAILABLE, number, True, None, 0.0) for number in (1, 2, 3, 15)]
        self.assertEqual(delays, [0.1, 0.2, 0.3, 0.3])

    def test_jitter_takes_up_to_half_off(self):
        self.assertAlmostEqual(RetryPolicy().delay(UNAVAILABLE, 1, True, None, 0.5), 0.075)
        self.assertGreater(RetryPolicy().delay(UNAVAILABLE, 1, True, None, 0.999), 0.05)

    def test_the_last_try_is_the_last(self):
        self.assertIsNotNone(RetryPolicy(max_attempts=3).delay(UNAVAILABLE, 2, True, None, 0.0))
        self.assertIsNone(RetryPolicy(max_attempts=3).delay(UNAVAILABLE, 3, True, None, 0.0))

    def test_what_is_worth_waiting_for_has_no_last_try(self):
        for kind in (errors.Unavailable, errors.Aborted, errors.Cancelled):
            self.assertEqual(RetryPolicy().delay(kind("gone"), 10**6, True, None, 0.0, waits=True), 2.0)
            self.assertIsNone(RetryPolicy(max_attempts=1).delay(kind("gone"), 1, True, None, 0.0, waits=True))
        self.assertIsNone(RetryPolicy().delay(EXHAUSTED, 4, True, "40", 0.0, waits=True))

    def test_a_session_that_moved_is_asked_for_again(self):
        self.assertEqual(RetryPolicy().delay(errors.Aborted("moved"), 1, True, None, 0.0), 0.1)

    def test_a_call_with_a_second_effect_is_not_repeated_unless_the_server_asks(self):
        self.assertIsNone(RetryPolicy().delay(UNAVAILABLE, 1, False, None, 0.0))
        self.assertEqual(RetryPolicy().delay(UNAVAILABLE, 1, False, "7", 0.9), 0.007)

    def test_a_limit_is_not_a_full_queue(self):
        self.assertIsNone(RetryPolicy().delay(EXHAUSTED, 1, True, None, 0.0))
        self.assertEqual(RetryPolicy().delay(EXHAUSTED, 1, False, "40", 0.0), 0.04)

    def test_a_negative_or_broken_pushback_means_never(self):
        for pushback in ("-1", "", "soon", "1e3", "99999999999999999999", "\u0663"):
            self.assertIsNone(RetryPolicy().delay(UNAVAILABLE, 1, True, pushback, 0.0), pushback)

    def test_other_errors_are_final(self):
        for kind in (errors.InvalidArgument, errors.DeadlineExceeded, errors.NotFound, errors.Cancelled):
            self.assertIsNone(RetryPolicy().delay(kind("no"), 1, True, None, 0.0))

    def test_options_out_of_bounds_are_refused(self):
        for options in ({"max_attempts": 0}, {"max_attempts": 17}, {"initial_backoff": 0.0}, {"max_backoff": 0.01}):
            with self.assertRaises(ValueError, msg=options):
                RetryPolicy(**options)
