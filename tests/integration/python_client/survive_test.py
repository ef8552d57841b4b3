"""Sessions and streams that outlive their server, which keeps them in a store."""

import asyncio
import concurrent.futures
import pathlib
import re
import tempfile
import unittest

import numpy as np
import rondo
import rondo.aio
from rondo import _stream_state
from rondo._channel import targets_of
from rondo._unsaved import UnsavedSteps
from server_process import ServerProcess
from small_models import write_sum_model

PATIENT = {"timeout": 60.0, "max_backoff": 0.2}


class UnsavedStepsTest(unittest.TestCase):
    def test_gives_timesteps_from_any_position(self):
        steps = UnsavedSteps(1000)
        steps.add(5, [[1, 2]], [10])
        steps.add(6, [[3, 4], [5, 6]], [11, 12])
        piece = steps.piece_from(6)
        self.assertEqual((piece.position, piece.values.tolist(), piece.times), (6, [[3, 4], [5, 6]], [11, 12]))
        self.assertEqual(steps.piece_from(5).values.tolist(), [[1, 2], [3, 4], [5, 6]])
        self.assertEqual([steps.reaches(position) for position in (4, 5, 7, 8)], [False, True, True, False])
        steps.drop_before(7)
        self.assertFalse(steps.reaches(6))
        self.assertEqual(steps.piece_from(7).values.tolist(), [[5, 6]])

    def test_a_piece_is_bounded(self):
        steps = UnsavedSteps(1 << 20)
        steps.add(0, np.zeros((1000, 1)), None)
        self.assertEqual(len(steps.piece_from(500).values), 256)
        self.assertIsNone(steps.piece_from(500).times)

    def test_the_oldest_go_first_and_a_gap_starts_anew(self):
        steps = UnsavedSteps(3 * 4)
        for position in range(5):
            steps.add(position, [[position]], None)
        self.assertEqual([steps.reaches(position) for position in (1, 2, 4)], [False, True, True])
        steps.add(9, [[9]], None)
        self.assertEqual([steps.reaches(position) for position in (4, 9)], [False, True])
        nothing = UnsavedSteps(0)
        nothing.add(0, [[1]], None)
        self.assertFalse(nothing.reaches(0))


class OutageTest(unittest.TestCase):
    def test_a_stream_comes_back_when_the_server_says_so(self):
        model = rondo.ModelDescription(
            "sum", 1, "rnn", 1, 1, 1, 1, ("x",), 0, ("sum",), 1, "linear", False, (), 0.0, "", ()
        )  # fmt: skip
        with rondo.Client("127.0.0.1:1") as client:
            for pushback, wanted in (("40", 0.04), ("-1", None), ("3600000", None)):
                unanswered = _stream_state.Unanswered(model, 0, False, None)
                outage = _stream_state.Outage(client._connection, unanswered)
                trailers = [("grpc-retry-pushback-ms", pushback)]
                self.assertEqual(outage.delay(rondo.ResourceExhausted("full"), trailers), wanted)
                self.assertIsNone(outage.delay(rondo.ResourceExhausted("too long"), []))


class TargetTest(unittest.TestCase):
    def test_a_list_is_one_of_addresses(self):
        self.assertEqual(targets_of("localhost:8001"), {"localhost:8001": "localhost:8001"})
        self.assertEqual(targets_of("10.0.0.1:1,10.0.0.2:2"), {
            "10.0.0.1:1": "ipv4:10.0.0.1:1,10.0.0.2:2", "10.0.0.2:2": "ipv4:10.0.0.2:2,10.0.0.1:1",
        })  # fmt: skip
        self.assertEqual(targets_of("[::1]:1,[::2]:2")["[::2]:2"], "ipv6:[::2]:2,[::1]:1")
        for address in ("a:1,b:2", "10.0.0.1:1,", "10.0.0.1:1,[::1]:2", "10.0.0.1:1,10.0.0.2", "10.0.0.1:1,10.0.0.2:65536"):
            with self.assertRaises(ValueError, msg=address):
                targets_of(address)

    def test_a_port_that_grpc_would_make_another_of_is_refused(self):
        for address in ("", "a b", "localhost", ":8001", "localhost:", "localhost:0", "localhost:99999", "localhost:x", "h:-1",
                        "h:+1", "h:1_0", "::1:1"):
            with self.assertRaisesRegex(ValueError, f"'{re.escape(address)}' is not HOST:PORT with a port of 1 to 65535$"):
                targets_of(address)
        for address in ("a:1", "[::1]:65535", "dns:///a", "unix:/run/rondo.sock", "unix-abstract:x", "ipv4:10.0.0.1:1"):
            self.assertEqual(targets_of(address), {address: address})

    def test_a_url_is_refused_with_the_address_that_was_meant(self):
        with self.assertRaisesRegex(ValueError, "'http://h:1/v2' is a URL: wanted HOST:PORT, here h:1$"):
            rondo.Client("http://h:1/v2")
        with self.assertRaisesRegex(ValueError, r"here h:1, and TLS as an option of its own \(tls=rondo.TlsOptions"):
            rondo.Client("https://h:1")


class SurviveTest(unittest.TestCase):
    FLAGS = ()

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.server = self.enterContext(ServerProcess(f"--session_store=rocksdb:{folder}/store", *self.FLAGS))
        self.client = self.enterContext(rondo.Client(self.server.address, **PATIENT))
        self.thread = self.enterContext(concurrent.futures.ThreadPoolExecutor(1))

    def restart_under(self, call):
        """Stops the server and starts it again while `call` runs; its result."""
        self.server.stop()
        running = self.thread.submit(call)
        self.server.restart()
        return running.result()


class StoppedServerTest(SurviveTest):
    def test_a_session_goes_on(self):
        session = self.client.open_session("sum", "lives")
        session.run([[1], [2]])
        self.assertEqual(self.restart_under(lambda: session.step([3])).tolist(), [6])
        self.assertEqual(self.restart_under(lambda: session.forecast(2)).tolist(), [[6], [12]])
        self.assertEqual((session.position, self.client.get_session("lives").position), (3, 3))

    def test_many_sessions_go_on(self):
        sessions = [self.client.open_session("sum", f"many-{i}") for i in range(50)]
        self.client.step_many(sessions, [[1]] * 50)
        self.assertEqual(self.restart_under(lambda: self.client.step_many(sessions, [[2]] * 50)).tolist(), [[3]] * 50)

    def test_a_stream_goes_on(self):
        with self.client.open_stream("sum") as stream:
            for position in range(3):
                stream.write([rondo.SequenceInput([[1]], "streamed", position)])
                self.assertEqual(stream.read().outputs[0].values.tolist(), [[position + 1]])
            self.server.stop()
            for position in range(3, 8):
                stream.write([rondo.SequenceInput([[1]], "streamed", position)])
            stream.done_writing()
            reading = self.thread.submit(lambda: [reply.outputs[0].values.tolist() for reply in stream])
            self.server.restart()
            self.assertEqual(reading.result(), [[[total]] for total in range(4, 9)])

    def test_asyncio_goes_on(self):
        async def drive():
            async with rondo.aio.Client(self.server.address, **PATIENT) as client, client.open_stream("sum") as stream:
                session = await client.open_session("sum", "aio")
                await session.step([1])
                await stream.write([rondo.SequenceInput([[1]], "aio-streamed", 0)])
                await stream.read()
                await asyncio.to_thread(self.server.stop)
                stepping = asyncio.create_task(session.step([2]))
                for position in range(1, 6):
                    await stream.write([rondo.SequenceInput([[1]], "aio-streamed", position)])
                await asyncio.to_thread(self.server.restart)
                await stream.done_writing()
                return (await stepping).tolist(), [reply.outputs[0].values.tolist() async for reply in stream]

        self.assertEqual(asyncio.run(drive()), ([3], [[[total]] for total in range(2, 7)]))

    def test_a_stream_that_is_closed_does_not_go_on(self):
        with self.client.open_stream("sum") as stream:
            stream.write([rondo.SequenceInput([[1]])])
            stream.read()
        with self.assertRaises(rondo.RondoError):
            stream.read()


class LateModelTest(unittest.TestCase):
    """A server that has come back, with a model that cannot be loaded at first."""

    def setUp(self):
        repository = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_sum_model(repository, "sum", ["x"])
        self.file = repository / "sum/1/model.safetensors"
        self.server = self.enterContext(ServerProcess(repository=repository))

    def restart_with_a_broken_file(self):
        self.server.stop()
        self.file.rename(self.file.with_suffix(".whole"))
        self.file.write_bytes(b"broken")
        self.server.restart()

    def mend_the_file(self):
        self.file.with_suffix(".whole").rename(self.file)
        self.server.look_for_models()

    def test_what_a_stream_sent_before_it_is_sent_again(self):
        with rondo.Client(self.server.address, **PATIENT) as client, client.open_stream("sum") as stream:
            stream.write([rondo.SequenceInput([[1]])])
            self.assertEqual(stream.read().outputs[0].values.tolist(), [[1]])
            self.restart_with_a_broken_file()
            for number in range(2, 6):
                stream.write([rondo.SequenceInput([[number]])])
            with self.assertRaises(rondo.DeadlineExceeded):
                stream.read(timeout=0.5)
            self.mend_the_file()
            stream.done_writing()
            self.assertEqual([reply.outputs[0].values.tolist() for reply in stream], [[[n]] for n in range(2, 6)])

    def test_what_an_asyncio_stream_sent_before_it_is_sent_again(self):
        async def drive():
            async with rondo.aio.Client(self.server.address, **PATIENT) as client, client.open_stream("sum") as stream:
                await stream.write([rondo.SequenceInput([[1]])])
                await stream.read()
                await asyncio.to_thread(self.restart_with_a_broken_file)
                await stream.write([rondo.SequenceInput([[2]])])
                with self.assertRaises(rondo.DeadlineExceeded):
                    await stream.read(timeout=0.5)
                for number in range(3, 6):
                    await stream.write([rondo.SequenceInput([[number]])])
                self.mend_the_file()
                await stream.done_writing()
                return [reply.outputs[0].values.tolist() async for reply in stream]

        self.assertEqual(asyncio.run(drive()), [[[number]] for number in range(2, 6)])


class KilledServerTest(SurviveTest):
    FLAGS = ("--durability=interval", "--sync_interval=1h")  # only what is told to be saved is

    def test_a_session_that_was_never_saved_is_run_again(self):
        session = self.client.open_session("sum", "unsaved")
        for value in range(1, 11):
            session.step([value])
        self.server.restart()
        self.assertEqual((session.step([11]).tolist(), session.position), ([66], 11))
        self.server.restart()
        self.assertEqual(session.forecast(2).tolist(), [[66], [132]])

    def test_many_sessions_are_run_again(self):
        sessions = [self.client.open_session("sum", f"many-{i}") for i in range(20)]
        for _ in range(3):
            self.client.step_many(sessions, [[1]] * 20)
        self.server.restart()
        self.assertEqual(self.client.step_many(sessions, [[1]] * 20).tolist(), [[4]] * 20)
        self.server.restart()
        self.assertEqual(self.client.step_many(sessions[:1], [[1]]).tolist(), [[5]])

    def test_a_saved_session_is_run_again_from_there(self):
        session = self.client.open_session("sum", "saved")
        session.run([[1], [2], [3]])
        self.server.stop()
        self.server.restart()
        for value in (4, 5, 6):
            session.step([value])
        self.server.restart()
        self.assertEqual(session.step([7]).tolist(), [28])

    def test_more_than_is_kept_is_an_error(self):
        with rondo.Client(self.server.address, max_unsaved_bytes=8, **PATIENT) as client:
            session = client.open_session("sum", "forgotten")
            for value in (1, 2, 3):
                session.step([value])
            self.server.restart()
            with self.assertRaises(rondo.NotFound):
                session.step([4])
            self.assertEqual(session.position, 3)

    def test_a_session_that_was_ended_is_not_begun_again(self):
        session = self.client.open_session("sum", "ended")
        session.step([1])
        self.client.delete_session("ended")
        with self.assertRaisesRegex(rondo.NotFound, "deleted by its owner"):
            session.step([2])
