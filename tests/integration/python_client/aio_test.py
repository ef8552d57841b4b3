"""The client for asyncio against a real server."""

import asyncio
import unittest

import numpy as np
import rondo
import rondo.aio
from server_process import CuttableWire, ServerProcess


class AioTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess()
        cls.addClassCleanup(cls.server.close)

    async def test_sessions_step_side_by_side(self):
        async with rondo.aio.Client(self.server.address) as client:
            async def total(number):
                async with client.open_session("sum") as session:
                    for _ in range(20):
                        output = await session.step([number])
                    return session.id, float(output[0])

            ids, totals = zip(*await asyncio.gather(*(total(n) for n in range(16))))
            self.assertEqual(list(totals), [20.0 * n for n in range(16)])
            self.assertTrue({info.session_id async for info in client.list_sessions("sum")}.isdisjoint(ids))

    async def test_text_comes_as_it_is_generated(self):
        async with rondo.aio.Client(self.server.address) as client:
            generation = client.generate("verse", "ab", max_tokens=6, temperature=0)
            self.assertEqual("".join([piece.text async for piece in generation]), "cd\nabc")
            self.assertFalse(generation.stopped)
            texts = await asyncio.gather(*(
                client.generate("verse", "a", max_tokens=40, temperature=3, seed=seed).read_all() for seed in (1, 1, 2)
            ))  # fmt: skip
            self.assertEqual(texts[0], texts[1])
            self.assertNotEqual(texts[0], texts[2])
            with self.assertRaises(rondo.InvalidArgument):
                await client.generate("verse", "x", max_tokens=1).read_all()

    async def test_a_named_session_is_awaited_and_lives_on(self):
        async with rondo.aio.Client(self.server.address) as client:
            session = await client.open_session("two", "aio-named")
            self.assertEqual((await session.run([[1, 1], [1, 1]])).tolist(), [[2], [4]])
            self.assertEqual((await client.open_session("two", "aio-named")).position, 2)
            self.assertEqual((await client.get_session("aio-named")).position, 2)
            self.assertEqual((await session.forecast(2, known_inputs=[[0, 1]])).tolist(), [[4], [9]])
            await session.end()
            with self.assertRaisesRegex(rondo.NotFound, "deleted by its owner"):
                await session.step([1, 1])

    async def test_the_rest_answers_as_the_blocking_client_does(self):
        async with rondo.aio.Client(self.server.address) as client:
            self.assertEqual([model.name for model in await client.list_models()], ["clock", "sum", "two", "verse"])
            self.assertEqual((await client.get_model("sum")).inputs, ("x",))
            self.assertEqual((await client.predict("sum", [[1], [2]])).tolist(), [[1], [3]])
            self.assertEqual((await client.forecast("sum", [[1], [2]], 3)).tolist(), [[3], [6], [12]])
            info = await client.create_session("sum", "aio-created")
            sessions = [await client.open_session("sum", info.session_id), await client.open_session("sum", "aio-new")]
            self.assertEqual((await client.step_many(sessions, np.array([[1], [2]]))).tolist(), [[1], [2]])
            sequence = rondo.SequenceInput([[1]], "aio-created", position=9)
            with self.assertRaises(rondo.PositionError) as caught:
                await client.predict_many("sum", [sequence])
            self.assertEqual(caught.exception.expected_position, 1)
            await client.delete_session("aio-created")

    async def test_a_session_is_a_value(self):
        async with rondo.aio.Client(self.server.address) as client:
            trunk = await client.open_session("sum", "aio-trunk")
            await trunk.step([5])
            async with trunk.fork() as guess:
                self.assertEqual((await guess.step([1])).tolist(), [6])
            with self.assertRaises(rondo.NotFound):
                await client.get_session(guess.id)
            state = await trunk.export()
            await trunk.step([100])
            info = await client.import_session(state, "aio-again")
            self.assertEqual(info.position, 1)
            again = await client.open_session("sum", "aio-again")
            self.assertEqual((await again.step([2])).tolist(), [7])
            self.assertEqual((await client.fork_session("aio-again", "aio-fork")).position, 2)
            self.assertGreater(len(await client.export_session("aio-fork")), 100)

    async def test_a_stream_answers_in_order_and_outlives_a_refused_message(self):
        async with rondo.aio.Client(self.server.address) as client, client.open_stream("sum") as stream:
            await stream.write([])
            for value in range(20):
                await stream.write([rondo.SequenceInput([[1]], "aio-streamed", position=value)])
            await stream.done_writing()
            replies = [reply async for reply in stream]
            self.assertIsInstance(replies[0].error, rondo.InvalidArgument)
            self.assertEqual([float(reply.outputs[0].values[0, 0]) for reply in replies[1:]], list(range(1, 21)))

    async def test_a_read_or_write_that_is_cancelled_or_times_out_leaves_the_stream_usable(self):
        async with rondo.aio.Client(self.server.address) as client, client.open_stream("sum") as stream:
            with self.assertRaisesRegex(rondo.DeadlineExceeded, "the stream goes on"):
                await stream.read(timeout=0.01)
            reading = asyncio.create_task(stream.read())
            await asyncio.sleep(0)
            reading.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await reading
            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await stream.read()
            for position in range(3):
                writing = asyncio.create_task(stream.write([rondo.SequenceInput([[1]], "aio-cancelled", position)]))
                await asyncio.sleep(0)
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                reply = await stream.read(timeout=30)
                self.assertEqual(reply.outputs[0].values.tolist(), [[position + 1]])
            await stream.done_writing()
            self.assertIsNone(await stream.read(timeout=30))

    async def test_a_stream_is_closed_while_a_read_waits(self):
        async with rondo.aio.Client(self.server.address) as client, client.open_stream("sum") as stream:
            with self.assertRaises(rondo.DeadlineExceeded):
                await stream.read(timeout=0.01)

    async def test_a_lost_reply_is_asked_for_again_and_runs_once(self):
        with CuttableWire(self.server.address) as wire:
            async with rondo.aio.Client(self.server.address) as direct, rondo.aio.Client(wire.address) as client:
                session = await client.open_session("sum", "aio-lost")
                await session.step([1])
                wire.hold()
                step = asyncio.create_task(session.step([2]))
                async with asyncio.timeout(30):
                    while (await direct.get_session("aio-lost")).position != 2:
                        pass
                wire.cut()
                self.assertEqual(((await step).tolist(), session.position), ([3], 2))
                self.assertEqual((await session.step([3])).tolist(), [6])
