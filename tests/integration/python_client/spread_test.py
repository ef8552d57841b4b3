"""Sessions and streams over two servers that share a store: each has its share, and none is lost when one goes."""

import asyncio
import socket
import subprocess
import tempfile
import time
import unittest

import rondo
import rondo.aio
from server_process import ServerProcess

SESSIONS = 1000


def start_redis(folder):
    """(process, port)"""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                               stdout=subprocess.DEVNULL)  # fmt: skip
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            time.sleep(0.01)


class SpreadTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        redis, port = start_redis(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.addClassCleanup(redis.wait)
        cls.addClassCleanup(redis.kill)
        store = f"--session_store=redis://127.0.0.1:{port}"
        cls.servers = [cls.enterClassContext(ServerProcess(store)) for _ in range(2)]
        cls.addresses = ",".join(server.address for server in cls.servers)

    def resident(self, prefix):
        """How many of the sessions each server has in its memory."""
        counts = []
        for server in self.servers:
            with rondo.Client(server.address) as client:
                counts.append(sum(info.session_id.startswith(prefix) for info in client.list_sessions()))
        return counts

    def assert_even(self, counts):
        self.assertEqual(sum(counts), SESSIONS)
        for count in counts:  # within four standard deviations, which is 13 % of a half
            self.assertAlmostEqual(count, SESSIONS / 2, delta=64)

    def test_sessions_are_spread_and_stay(self):
        with rondo.Client(self.addresses, timeout=60) as client, rondo.Client(self.addresses) as other:
            for number in range(SESSIONS):
                client.open_session("sum", f"blocking-{number}").step([1])
            self.assert_even(self.resident("blocking-"))
            for number in range(SESSIONS):  # another client finds each where it lives
                self.assertEqual(other.open_session("sum", f"blocking-{number}").step([1]).tolist(), [2])
            self.assert_even(self.resident("blocking-"))

    def test_listings_stay_on_a_server_and_each_is_asked_to_delete(self):
        with rondo.Client(self.addresses, timeout=60) as client:
            for number in range(2200):  # a listing of one server takes several pages
                client.create_session("sum", f"listed-{number}")
            listings = [set(), set()]
            for listing in listings:
                ids = (info.session_id for info in client.list_sessions())
                listing.update(id for id in ids if id.startswith("listed-"))
            self.assertEqual(len(listings[0] | listings[1]), 2200)
            self.assertTrue(listings[0].isdisjoint(listings[1]))
            self.assertEqual(client.delete_sessions("listed-"), 2200)
            self.assertEqual(self.resident("listed-"), [0, 0])
        self.assertEqual(asyncio.run(self.delete_two()), 2)

    async def delete_two(self):
        async with rondo.aio.Client(self.addresses) as client:
            for server in self.servers:
                async with rondo.aio.Client(server.address) as one:
                    await one.create_session("sum", f"two-{server.address}")
            return await client.delete_sessions("two-")

    def test_none_is_lost_when_a_server_goes(self):
        asyncio.run(self.drive())

    async def drive(self):
        async with rondo.aio.Client(self.addresses, timeout=60) as client:
            sessions = [await client.open_session("sum", f"asyncio-{number}") for number in range(SESSIONS)]
            await asyncio.gather(*(session.step([1]) for session in sessions))
            self.assert_even(await asyncio.to_thread(self.resident, "asyncio-"))
            await asyncio.to_thread(self.servers[1].stop)
            steps = await asyncio.gather(*(session.step([1]) for session in sessions))
            self.assertEqual({float(step[0]) for step in steps}, {2.0})
            self.servers[1].restart()

    def test_streams_take_turns(self):
        with rondo.Client(self.addresses) as client:
            streams = [client.open_stream("sum") for _ in range(4)]
            for number, stream in enumerate(streams):
                stream.write([rondo.SequenceInput([[1]], f"streamed-{number}", 0)])
                stream.read(timeout=30)
                stream.close()
            self.assertEqual(self.resident("streamed-"), [2, 2])
