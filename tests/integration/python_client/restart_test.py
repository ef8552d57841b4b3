"""What a client sees when replies are lost, the server dies and comes back, or has no room."""

import concurrent.futures
import contextlib
import time
import unittest
import unittest.mock

import rondo
from server_process import CuttableWire, ServerProcess

PATIENT = {"max_attempts": 16, "timeout": 60.0, "max_backoff": 0.5}


class LostReplyTest(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(ServerProcess())
        self.wire = self.enterContext(CuttableWire(self.server.address))
        self.direct = self.enterContext(rondo.Client(self.server.address))
        self.thread = self.enterContext(concurrent.futures.ThreadPoolExecutor(1))

    def lose_the_reply(self, call, session_id, position):
        """Cuts the wire once the server has run the call, before any of its reply has passed."""
        self.wire.hold()
        running = self.thread.submit(call)
        give_up = time.monotonic() + 30
        while self.direct.get_session(session_id).position != position:
            self.assertLess(time.monotonic(), give_up)
        self.wire.cut()
        return running

    def test_a_step_is_asked_for_again_and_runs_once(self):
        with rondo.Client(self.wire.address) as client:
            session = client.open_session("sum", "lost")
            session.step([1])
            running = self.lose_the_reply(lambda: session.step([2]), "lost", 2)
            self.assertEqual((running.result().tolist(), session.position), ([3], 2))
            self.assertEqual((session.step([3]).tolist(), self.direct.get_session("lost").position), ([6], 3))

    def test_many_steps_are_asked_for_again_and_run_once(self):
        with rondo.Client(self.wire.address) as client:
            sessions = [client.open_session("sum", f"lost-{i}") for i in range(8)]
            client.step_many(sessions, [[1]] * 8)
            running = self.lose_the_reply(lambda: client.step_many(sessions, [[2]] * 8), "lost-7", 2)
            self.assertEqual(running.result().tolist(), [[3]] * 8)
            self.assertEqual([self.direct.get_session(session.id).position for session in sessions], [2] * 8)

    def test_without_retries_the_user_asks_again_with_the_same_values(self):
        with rondo.Client(self.wire.address, max_attempts=1) as client:
            session = client.open_session("sum", "lost-once")
            session.step([1])
            running = self.lose_the_reply(lambda: session.step([2]), "lost-once", 2)
            with self.assertRaises(rondo.Unavailable):
                running.result()
            self.assertEqual(session.position, 1)
            give_up = time.monotonic() + 30
            while session.position == 1:
                self.assertLess(time.monotonic(), give_up)
                with contextlib.suppress(rondo.Unavailable):  # not connected again yet
                    self.assertEqual(session.step([2]).tolist(), [3])
            self.assertEqual(self.direct.get_session("lost-once").position, 2)

    def test_a_step_without_a_position_is_never_repeated(self):
        with rondo.Client(self.wire.address) as client:
            sequence = rondo.SequenceInput([[1]], "lost-blind")
            client.open_session("sum", "lost-blind").step([1])
            running = self.lose_the_reply(lambda: client.predict_many("sum", [sequence]), "lost-blind", 2)
            with self.assertRaises(rondo.Unavailable):
                running.result()
            self.assertEqual(self.direct.get_session("lost-blind").position, 2)

    def test_a_broken_stream_goes_on(self):
        with rondo.Client(self.wire.address) as client, client.open_stream("sum") as stream:
            stream.write([rondo.SequenceInput([[1]])])
            self.assertEqual(stream.read().outputs[0].values.tolist(), [[1]])
            self.wire.cut()
            stream.write([rondo.SequenceInput([[2]])])
            self.assertEqual(stream.read().outputs[0].values.tolist(), [[2]])

    def test_a_broken_stream_says_so_without_retries(self):
        with rondo.Client(self.wire.address, max_attempts=1) as client, client.open_stream("sum") as stream:
            stream.write([rondo.SequenceInput([[1]])])
            self.assertEqual(stream.read().outputs[0].values.tolist(), [[1]])
            self.wire.cut()
            with self.assertRaises(rondo.Unavailable):
                stream.read()
            with self.assertRaises(rondo.Unavailable):
                while True:
                    stream.write([rondo.SequenceInput([[1]])])

    def test_a_broken_stream_with_a_step_that_could_run_twice_says_so(self):
        with rondo.Client(self.wire.address) as client, client.open_stream("sum") as stream:
            stream.write([rondo.SequenceInput([[1]], "blind-stream")])
            stream.read()
            self.wire.hold()
            stream.write([rondo.SequenceInput([[1]], "blind-stream")])
            self.wire.cut()
            with self.assertRaises(rondo.Unavailable):
                stream.read()


class RestartTest(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(ServerProcess())

    def test_a_call_waits_for_the_server_to_come_back(self):
        with (
            rondo.Client(self.server.address, **PATIENT) as client,
            concurrent.futures.ThreadPoolExecutor(2) as threads,
        ):
            session = client.open_session("sum", "waits")
            self.server.kill()
            first_step = threads.submit(session.step, [5])
            stateless = threads.submit(client.predict, "sum", [[1], [1]])
            self.server.restart()
            self.assertEqual((first_step.result().tolist(), stateless.result().tolist()), ([5], [[1], [2]]))
            self.assertEqual((session.position, client.get_session("waits").position), (1, 1))

    def test_a_session_that_the_restart_lost_is_not_found_and_not_restarted(self):
        with rondo.Client(self.server.address, **PATIENT) as client:
            session = client.open_session("sum", "gone")
            session.run([[1], [2]])
            self.server.restart()
            for ask in (lambda: session.step([3]), lambda: session.forecast(2), session.sync):
                with self.assertRaisesRegex(rondo.NotFound, "no session 'gone'"):
                    ask()
            self.assertEqual((session.position, list(client.list_sessions())), (2, []))
            again = client.open_session("sum", "gone")
            self.assertEqual((again.position, again.run([[1], [2], [3]]).tolist()), (0, [[1], [3], [6]]))

    def test_a_server_that_stays_away_is_unavailable(self):
        with rondo.Client(self.server.address, max_attempts=2, initial_backoff=0.01) as client:
            self.server.kill()
            with self.assertRaises(rondo.Unavailable):
                client.list_models()

    def test_the_deadline_covers_the_retries(self):
        with rondo.Client(self.server.address, max_attempts=16, timeout=0.3) as client:
            self.server.kill()
            with self.assertRaises((rondo.Unavailable, rondo.DeadlineExceeded)):
                client.list_models()


class FullServerTest(unittest.TestCase):
    def test_a_refused_call_comes_back_when_the_server_says(self):
        with ServerProcess("--max_sessions=1") as server, rondo.Client(server.address) as client:
            client.create_session("sum", "first")
            waits = []

            def make_room_meanwhile(seconds):
                waits.append(seconds)
                client.delete_session("first")

            with unittest.mock.patch("rondo.client.time.sleep", make_room_meanwhile):
                self.assertEqual(client.create_session("sum", "second", timeout=300).session_id, "second")
            self.assertEqual(len(waits), 1)
            self.assertTrue(0 < waits[0] <= 120, waits)
            with rondo.Client(server.address, max_attempts=1) as hasty, self.assertRaises(rondo.ResourceExhausted) as caught:
                hasty.create_session("sum", "third")
            self.assertTrue(0 < caught.exception.retry_after <= 120, caught.exception.retry_after)
