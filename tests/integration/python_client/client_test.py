"""The blocking client against a real server. A sum model answers the running sum of its inputs."""

import copy
import datetime
import math
import pathlib
import pickle
import tempfile
import time
import unittest

import numpy as np
import pandas as pd
import rondo
from server_process import SEATTLE, ServerProcess
from small_models import write_sum_model

SEATTLE_DAYS = np.array([[12.8, 5.0, 0.0, 4.7], [10.6, 2.8, 10.9, 4.5], [11.7, 7.2, 0.8, 2.3]], dtype=np.float32)
SEATTLE_TIMES = np.array(["2012-01-01", "2012-01-02", "2012-01-03"], dtype="datetime64[D]")


class ClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.client = self.enterContext(rondo.Client(self.server.address))

    def test_models_are_listed_and_described(self):
        self.assertEqual([model.name for model in self.client.list_models()], ["clock", "sum", "two", "verse"])
        model = self.client.get_model("two")
        self.assertEqual((model.cell, model.inputs, model.outputs, model.input_size), ("rnn", ("x", "y"), ("sum",), 2))
        self.assertEqual(model.feedback, (rondo.FeedbackDescription("sum", "x"),))

    def test_a_model_that_could_not_be_loaded_is_listed_with_its_reason(self):
        repository = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_sum_model(repository, "sum", ["x"])
        broken = repository / "broken" / "1"
        broken.mkdir(parents=True)
        (broken / "model.safetensors").write_text("nonsense")
        server = self.enterContext(ServerProcess(repository=repository))
        client = self.enterContext(rondo.Client(server.address))
        broken, live = client.list_models()
        self.assertEqual((broken.name, broken.version, broken.state, broken.cell), ("broken", 1, "unavailable", ""))
        self.assertRegex(broken.reason, '^model "broken" version 1: ')
        self.assertEqual((live.name, live.state, live.reason), ("sum", "ready", ""))
        with self.assertRaisesRegex(rondo.Unavailable, 'model "broken" version 1: '):
            client.get_model("broken", timeout=5)

    def test_text_comes_as_it_is_generated(self):
        self.assertEqual(self.client.get_model("verse").vocabulary, ("a", "b", "c", "d", "\n"))
        generation = self.client.generate("verse", "ab", max_tokens=6, temperature=0)
        self.assertEqual("".join(piece.text for piece in generation), "cd\nabc")
        self.assertEqual((generation.text, generation.tokens), ("cd\nabc", [2, 3, 4, 0, 1, 2]))
        self.assertEqual((generation.stopped, generation.next_position), (False, 0))
        stopped = self.client.generate("verse", [0, 1], max_tokens=6, temperature=0, stop=["\n"])
        self.assertEqual((stopped.read_all(), stopped.stopped), ("cd\n", True))
        once, again = (self.client.generate("verse", "a", max_tokens=50, temperature=3, seed=5) for _ in range(2))
        self.assertEqual(once.read_all(), again.read_all())

    def test_a_generation_moves_its_session_or_leaves_it(self):
        with self.client.open_session("verse") as session:
            session.step([0])
            greedy = {"max_tokens": 2, "temperature": 0, "session_id": session.id}
            self.assertEqual(self.client.generate("verse", **greedy).read_all(), "bc")
            self.assertEqual(session.sync(), 1)
            moved = self.client.generate("verse", move_session=True, position=1, **greedy)
            self.assertEqual((moved.read_all(), moved.next_position, session.sync()), ("bc", 3, 3))
            with self.assertRaises(rondo.PositionError) as caught:
                self.client.generate("verse", move_session=True, position=1, **greedy).read_all()
            self.assertEqual(caught.exception.expected_position, 3)

    def test_a_generation_that_cannot_run_raises(self):
        for error, arguments in (
            (rondo.InvalidArgument, ("verse", "x")),
            (rondo.FailedPrecondition, ("sum", [0])),
            (rondo.NotFound, ("nobody", "a")),
        ):
            with self.subTest(error), self.assertRaises(error):
                self.client.generate(*arguments, max_tokens=3).read_all()

    def test_a_session_goes_on_where_it_stands(self):
        first = self.client.open_session("sum", "goes-on")
        self.assertEqual(first.step([1]).tolist(), [1])
        self.assertEqual(first.step(2.0).tolist(), [3])
        again = self.client.open_session("sum", "goes-on")
        self.assertEqual(again.position, 2)
        output = again.run([[3], [4]])
        self.assertEqual((output.tolist(), output.dtype, again.position), ([[6], [10]], np.float32, 4))
        self.assertEqual(again.run([[1], [1]], last_only=True).tolist(), [[12]])

    def test_a_session_of_another_model_is_refused(self):
        self.client.open_session("sum", "taken").step([1])
        with self.assertRaisesRegex(rondo.FailedPrecondition, "'taken' belongs to model 'sum' version 1"):
            self.client.open_session("two", "taken")

    def test_a_block_ends_a_session_with_an_id_of_the_server_only(self):
        with self.client.open_session("sum") as temporary, self.client.open_session("sum", "stays") as named:
            temporary.step([1])
            named.step([1])
        self.assertEqual(self.client.get_session("stays").position, 1)
        with self.assertRaisesRegex(rondo.NotFound, "deleted by its owner"):
            self.client.get_session(temporary.id)

    def test_a_session_that_moved_elsewhere_says_where_it_stands(self):
        mine, theirs = self.client.open_session("sum", "shared"), self.client.open_session("sum", "shared")
        theirs.run([[5], [5], [5]])
        with self.assertRaises(rondo.PositionError) as caught:
            mine.step([1])
        self.assertEqual((caught.exception.position, caught.exception.expected_position), (0, 3))
        self.assertIn("expects position 3", str(caught.exception))
        self.assertEqual(mine.sync(), 3)
        self.assertEqual(mine.step([1]).tolist(), [16])

    def test_another_model_is_no_position_error(self):
        self.client.open_session("sum", "of-sum").run([[1], [1]])
        sequence = rondo.SequenceInput([[1, 1]], "of-sum", position=2)
        with self.assertRaisesRegex(rondo.FailedPrecondition, "runs model 'sum'") as caught:
            self.client.predict_many("two", [sequence])
        self.assertNotIsInstance(caught.exception, rondo.PositionError)

    def test_an_array_of_another_shape_never_leaves(self):
        session = self.client.open_session("two", "shapes")
        for x in ([1], [[1, 2]], 1.0, [1, 2, 3]):
            with self.assertRaisesRegex(ValueError, r"takes \[2\]: x, y"):
                session.step(x)
        # Flat, these are as many numbers as four timesteps of two inputs have.
        with self.assertRaisesRegex(ValueError, r"values has shape \(2, 4\); model 'two' takes \[timesteps, 2\]"):
            session.run(np.ones((2, 4)))
        with self.assertRaisesRegex(ValueError, "one time for each of 1 timesteps"):
            self.client.predict("clock", [[1]], times=[0, 3600])
        self.assertEqual(session.position, 0)

    def test_errors_have_the_text_of_the_server(self):
        with self.assertRaisesRegex(rondo.NotFound, 'no model "nothing"; there are: clock, sum, two'):
            self.client.predict("nothing", [[1]])
        with self.assertRaisesRegex(rondo.InvalidArgument, "finite"):
            self.client.predict("sum", [[math.nan]])
        with self.assertRaisesRegex(rondo.InvalidArgument, "times"):
            self.client.predict("clock", [[1]])

    def test_times_are_what_users_have(self):
        aware = datetime.datetime(2015, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
        for time in (1420070400, "2015-01-01", "2015-01-01T00:00:00Z", datetime.date(2015, 1, 1), aware,
                     datetime.datetime(2015, 1, 1), np.datetime64("2015-01-01"), pd.Timestamp("2015-01-01")):  # fmt: skip
            with self.subTest(time=time), self.client.open_session("clock") as session:
                self.assertEqual(session.step([2], time).tolist(), [2])
                # The model's next hour: the server knows the time it was given.
                sequence = rondo.SequenceInput([[2]], session.id, 0, [1420070400])
                self.assertEqual(self.client.predict_many("clock", [sequence])[0].next_position, 1)

    def test_a_sequence_of_many_fails_alone(self):
        answers = self.client.predict_many("sum", [
            rondo.SequenceInput([[1], [2]]),
            rondo.SequenceInput([[1]], "many-unknown", position=7),
            rondo.SequenceInput([[math.inf]]),
            rondo.SequenceInput([[4]], "many-new", position=0, end_session=True),
        ])  # fmt: skip
        self.assertEqual([a.values.tolist() for a in answers], [[[1], [3]], [], [], [[4]]])
        kinds = [type(answer.error) for answer in answers]
        self.assertEqual(kinds, [type(None), rondo.NotFound, rondo.InvalidArgument, type(None)])

    def test_many_sessions_step_in_one_message(self):
        sessions = [self.client.open_session("two", f"step-{i}") for i in range(3)]
        self.assertEqual(self.client.step_many(sessions, [[1, 1], [2, 2], [3, 3]]).tolist(), [[2], [4], [6]])
        sessions[1].end()
        with self.assertRaisesRegex(rondo.PartialFailure, "1 of 3 sessions failed; session 1: .*deleted") as caught:
            self.client.step_many(sessions, np.ones((3, 2)))
        self.assertIsInstance(caught.exception.errors[1], rondo.NotFound)
        self.assertEqual([None if o is None else o.tolist() for o in caught.exception.outputs], [[4], None, [8]])
        self.assertEqual([session.position for session in sessions], [2, 1, 2])
        with self.assertRaisesRegex(ValueError, "one message is for one model"):
            self.client.step_many([sessions[0], self.client.open_session("sum", "step-other")], [[1, 1], [1, 1]])

    def test_a_newer_version_goes_on_with_a_session_that_was_opened_without_one(self):
        repository = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_sum_model(repository, "sum", ["x"])
        server = self.enterContext(ServerProcess("--adopt_sessions=same_shape", repository=repository))
        client = self.enterContext(rondo.Client(server.address))
        live, named = client.open_session("sum", "live"), client.open_session("sum", "named", version=1)
        self.assertEqual([session.step(2).tolist() for session in (live, named)], [[2], [2]])
        write_sum_model(repository, "sum", ["x"], version=2, scale=10.0)
        server.look_for_models()
        deadline = time.monotonic() + 30
        while client.get_model("sum").version == 1:
            self.assertLess(time.monotonic(), deadline, "version 2 was never loaded")
        self.assertEqual([session.step(3).tolist() for session in (live, named)], [[50], [5]])
        new = client.open_session("sum", "new")
        self.assertEqual(client.step_many([live, new], [[1], [4]]).tolist(), [[60], [40]])
        self.assertEqual(client.get_session("live").version, 2)

    def test_sessions_are_created_listed_and_deleted(self):
        created = self.client.create_session("sum", "kept", idle_timeout=60)
        self.assertEqual((created.session_id, created.position, created.idle_timeout), ("kept", 0, 60))
        with self.assertRaisesRegex(rondo.AlreadyExists, "kept"):
            self.client.create_session("sum", "kept")
        for i in range(1200):  # more than one page
            self.client.create_session("two", f"page-{i}")
        listed = [info.session_id for info in self.client.list_sessions("two") if info.session_id.startswith("page-")]
        self.assertEqual(sorted(listed), sorted(f"page-{i}" for i in range(1200)))
        self.client.delete_session("kept")
        with self.assertRaisesRegex(rondo.NotFound, "deleted by its owner"):
            self.client.delete_session("kept")

    def test_sessions_are_deleted_together(self):
        for i in range(3):
            self.client.create_session("sum", f"together-{i}")
        self.client.create_session("two", "together-two")
        self.assertEqual(self.client.delete_sessions("together-", model="sum"), 3)
        self.assertEqual(self.client.get_session("together-two").ends_in, None)
        with self.assertRaisesRegex(rondo.InvalidArgument, "all=true"):
            self.client.delete_sessions()
        self.assertEqual(self.client.delete_sessions("together-"), 1)

    def test_sessions_end_with_their_stream_and_a_stream_hears_of_ends(self):
        first = rondo.SequenceInput([[1]], "with-stream", 0)
        with self.client.open_stream("sum", end_with_stream=True) as stream:
            stream.write([first])
            self.assertIsNone(stream.read().error)
        with self.assertRaisesRegex(rondo.NotFound, "ended with its stream"):
            self.client.get_session("with-stream")
        with self.client.open_stream("sum", tell_ended=True) as stream:
            stream.write([first])
            self.assertEqual(stream.read().ended, {})
            self.client.delete_session("with-stream")
            told = stream.read(timeout=10)
            self.assertEqual((told.ended, told.outputs), ({"with-stream": "deleted by its owner"}, []))
            stream.write([first])
            self.assertEqual(stream.read().outputs[0].values.tolist(), [[1]])

    def test_a_session_goes_on_from_its_bytes(self):
        session = self.client.open_session("sum", "value")
        session.run([[1], [2]])
        state = session.export()
        self.assertIsInstance(state, bytes)
        self.assertEqual(self.client.export_session("value")[:8], state[:8])
        session.step([100])
        info = self.client.import_session(state, "value-again")
        self.assertEqual((info.session_id, info.model, info.position), ("value-again", "sum", 2))
        self.assertEqual(self.client.open_session("sum", "value-again").step([4]).tolist(), [7])
        with self.assertRaisesRegex(rondo.AlreadyExists, "'value' exists"):
            self.client.import_session(state)
        session.end()
        self.assertEqual(self.client.import_session(state).session_id, "value")
        damaged = bytearray(state)
        damaged[50] ^= 4
        with self.assertRaisesRegex(rondo.DataLoss, "checksum"):
            self.client.import_session(bytes(damaged))
        with self.assertRaises(rondo.InvalidArgument):
            self.client.import_session(b"")
        with self.assertRaises(rondo.NotFound):
            self.client.export_session("nobody")

    def test_a_fork_goes_its_own_way(self):
        trunk = self.client.open_session("sum", "trunk")
        trunk.step([5])
        with trunk.fork() as guess:
            self.assertEqual((guess.position, guess.model), (1, trunk.model))
            self.assertEqual(guess.step([1]).tolist(), [6])
        self.assertEqual(trunk.step([2]).tolist(), [7])
        with self.assertRaises(rondo.NotFound):
            self.client.get_session(guess.id)
        self.assertEqual(trunk.fork("branch").step([1]).tolist(), [8])
        self.assertEqual(self.client.get_session("branch").position, 3)
        self.assertEqual(self.client.fork_session("branch", "twig").position, 3)
        with self.assertRaises(rondo.AlreadyExists):
            self.client.fork_session("trunk", "branch")

    def test_a_forecast_leaves_the_session_where_it_is(self):
        session = self.client.open_session("sum", "forecast")
        session.run([[1], [2]])
        self.assertEqual(session.forecast(4).tolist(), [[3], [6], [12], [24]])
        self.assertEqual((session.position, session.sync()), (2, 2))
        self.assertEqual(self.client.forecast("sum", [[1], [2]], 4).tolist(), [[3], [6], [12], [24]])
        two = self.client.open_session("two", "forecast-two")
        two.step([1, 1])
        with self.assertRaisesRegex(rondo.FailedPrecondition, "lacks input"):
            two.forecast(3)
        self.assertEqual(two.forecast(3, known_inputs=[[0, 10], [0, 20]]).tolist(), [[2], [14], [48]])

    def test_a_read_that_times_out_leaves_the_stream_usable(self):
        with self.client.open_stream("sum") as stream:
            with self.assertRaisesRegex(rondo.DeadlineExceeded, "the stream goes on"):
                stream.read(timeout=0.01)
            stream.write([rondo.SequenceInput([[1]], "timed", 0)])
            self.assertEqual(stream.read(timeout=30).outputs[0].values.tolist(), [[1]])
            with self.assertRaises(rondo.DeadlineExceeded):
                stream.read(timeout=0.001)
            stream.write([rondo.SequenceInput([[1]], "timed", 1)])
            self.assertEqual(stream.read().outputs[0].values.tolist(), [[2]])
            stream.done_writing()
            self.assertIsNone(stream.read(timeout=30))

    def test_a_stream_answers_in_order_and_outlives_a_refused_message(self):
        with self.client.open_stream("sum") as stream:
            for value in range(100):
                stream.write([rondo.SequenceInput([[value]], "streamed", position=value)])
                if value >= 10:
                    self.assertEqual(stream.read().outputs[0].next_position, value - 9)
            stream.write([])
            stream.done_writing()
            replies = list(stream)
            self.assertEqual([reply.outputs[0].next_position for reply in replies[:10]], list(range(91, 101)))
            self.assertRegex(str(replies[10].error), "0 sequences")
            self.assertIsNone(stream.read())
            with self.assertRaisesRegex(ValueError, "after done_writing"):
                stream.write([rondo.SequenceInput([[1]])])

    def test_an_address_and_a_timeout_are_checked(self):
        with self.assertRaisesRegex(ValueError, "'a b' is not HOST:PORT with a port of 1 to 65535"):
            rondo.Client("a b")
        for address in (8001, b"h:1", ["h:1"]):
            with self.assertRaisesRegex(TypeError, "wanted text, HOST:PORT"):
                rondo.Client(address)
        with self.assertRaisesRegex(ValueError, "timeout is 0 seconds"):
            self.client.list_models(timeout=0)

    def test_a_client_says_that_it_cannot_be_pickled(self):
        for take in (pickle.dumps, copy.copy, copy.deepcopy):
            with self.assertRaisesRegex(TypeError, "make one in each process"):
                take(self.client)

    def test_what_is_no_number_and_no_time_is_refused_by_name(self):
        for values in ("text", [[1], [2, 3]], [["a"]], {"a": 1}, [[1j]], [[np.datetime64("2020-01-01")]]):
            with self.assertRaisesRegex(ValueError, "^values is not an array of real numbers: "):
                self.client.predict("sum", values)
        with self.client.open_session("sum") as session:
            with self.assertRaisesRegex(ValueError, "^x is not an array of real numbers: "):
                session.step("text")
        for times in (["x"], [None], [float("nan")], [float("inf")]):
            with self.assertRaisesRegex(ValueError, "times has a time that cannot be read: .*; wanted Unix seconds, "):
                self.client.predict("sum", [[1]], times)
        with self.assertRaisesRegex(ValueError, "times has a time that is too far from 1970"):
            self.client.predict("sum", [[1]], [1e300])


class SeattleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess(repository=SEATTLE)
        cls.addClassCleanup(cls.server.close)

    def test_steps_runs_and_messages_of_many_agree(self):
        with rondo.Client(self.server.address) as client, client.open_session("seattle") as session:
            whole = client.predict("seattle", SEATTLE_DAYS, SEATTLE_TIMES)
            steps = [session.step(day, time) for day, time in zip(SEATTLE_DAYS, SEATTLE_TIMES)]
            np.testing.assert_allclose(np.stack(steps), whole, rtol=1e-5, atol=1e-5)
            sessions = [client.open_session("seattle", f"s{i}") for i in range(3)]
            for day, time in zip(SEATTLE_DAYS, SEATTLE_TIMES):
                together = client.step_many(sessions, np.tile(day, (3, 1)), [time] * 3)
            np.testing.assert_allclose(together, np.tile(whole[-1], (3, 1)), rtol=1e-5, atol=1e-5)

    def test_frames_go_in_by_name_and_come_out_with_names(self):
        from rondo import frames

        columns = ["precipitation", "wind", "temp_max", "temp_min"]
        frame = pd.DataFrame(SEATTLE_DAYS[:, [2, 3, 0, 1]], pd.DatetimeIndex(SEATTLE_TIMES), columns)
        with rondo.Client(self.server.address) as client, client.open_session("seattle") as session:
            values, times = frames.to_inputs(session.model, frame)
            np.testing.assert_array_equal(values, SEATTLE_DAYS)
            predicted = frames.to_frame(session.model, session.run(values, times), frame.index)
            self.assertEqual(list(predicted.columns), ["temp_max", "temp_min", "precipitation", "wind"])
            expected = client.predict("seattle", SEATTLE_DAYS, SEATTLE_TIMES)
            np.testing.assert_allclose(predicted.loc["2012-01-02"], expected[1], rtol=1e-5, atol=1e-5)
            with self.assertRaisesRegex(ValueError, "takes temp_max, temp_min"):
                frames.to_inputs(session.model, frame[["wind"]])
