"""Sessions and streams over servers that share a store: each has its share, and none is lost when one goes or comes."""

import asyncio
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

import rondo
import rondo.aio
from rondo._channel import home_of
from rondo._names import NamedServers, servers_at
from server_process import BIN, ServerProcess

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


def resident(servers, prefix):
    """Of the sessions, how many each server has in its memory."""
    counts = []
    for server in servers:
        with rondo.Client(server.address) as client:
            counts.append(sum(info.session_id.startswith(prefix) for info in client.list_sessions()))
    return counts


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
        return resident(self.servers, prefix)

    def assert_even(self, counts):
        self.assertEqual(sum(counts), SESSIONS)
        for count in counts:  # within four standard deviations, which is 13 % of a half
            self.assertAlmostEqual(count, SESSIONS / 2, delta=64)

    def test_no_proxy_is_asked_for_a_list(self):
        with unittest.mock.patch.dict("os.environ", {"http_proxy": "http://127.0.0.1:1"}):
            with rondo.Client(self.addresses, max_attempts=1) as client:
                self.assertGreater(len(client.list_models()), 1)

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


class LookUpTest(unittest.TestCase):
    """What needs no server."""

    def test_the_servers_of_a_name_are_of_one_family(self):
        for addresses, servers in (
            (["10.0.0.2", "::1", "10.0.0.1", "10.0.0.2"], ("10.0.0.1:1", "10.0.0.2:1")),
            (["fd00::2", "fe80::1", "fd00::1"], ("[fd00::1]:1", "[fd00::2]:1")),
            (["10.0.0.1", "fd00::2", "fd00::1"], ()),  # one that may listen on IPv4 only
            (["fd00::1", "fe80::1", "fe80::1%eth0", "fd00::2%eth0"], ()),
            (["127.0.0.1", "::1"], ()), (["nonsense", "10.0.0.1"], ()),
        ):  # fmt: skip
            self.assertEqual(servers_at(addresses, "1"), servers)

    def test_while_a_resolver_hangs_every_call_ends_in_its_time(self):
        answered = threading.Event()
        self.addCleanup(answered.set)

        def look_up(host):
            answered.wait()
            return []

        async def ask():
            async with rondo.aio.Client("rondo.example:1", timeout=0.5, look_up=look_up) as client:
                calls = [client.open_session("sum") for _ in range(100)]
                return await asyncio.gather(*calls, return_exceptions=True)

        begin = time.monotonic()
        ended = (rondo.DeadlineExceeded, rondo.Unavailable)  # as gRPC says it of a call that begins at its deadline
        for error in asyncio.run(ask()):
            self.assertIsInstance(error, ended)
        with rondo.Client("rondo.example:1", timeout=0.5, look_up=look_up) as client:
            self.assertRaises(ended, client.open_session, "sum")
        self.assertLess(time.monotonic() - begin, 5)

    def test_without_a_thread_to_look_up_with_gRPC_finds_the_server(self):
        with unittest.mock.patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread")):
            servers = NamedServers("rondo.example", "1", lambda host: ["10.0.0.1", "10.0.0.2"])
            self.assertTrue(servers.first_look().done())
            self.assertEqual(servers.current(), ())
        servers.current()
        while not servers.current():
            time.sleep(0.001)
        self.assertEqual(servers.current(), ("10.0.0.1:1", "10.0.0.2:1"))

    def test_what_a_proxy_reaches_is_left_to_it(self):
        with unittest.mock.patch.dict("os.environ", {"http_proxy": "http://127.0.0.1:1", "no_proxy": "localhost, .svc"}):
            for address, is_looked_up in (("rondo.example:1", False), ("rondo-pods.SVC:1", True)):
                with rondo.Client(address) as client:
                    self.assertEqual(client._connection.channel.named is not None, is_looked_up, address)
            direct = [("grpc.enable_http_proxy", 0)]
            with rondo.Client("rondo.example:1", channel_options=direct) as client:
                self.assertIsNotNone(client._connection.channel.named)


class NameTest(unittest.TestCase):
    """A name that stands for two servers, and then for a third one too, as a headless service does whose replicas grow."""

    HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")

    def setUp(self):
        redis, port = start_redis(self.enterContext(tempfile.TemporaryDirectory()))
        self.addCleanup(redis.wait)
        self.addCleanup(redis.kill)
        self.store = f"--session_store=redis://127.0.0.1:{port}"
        self.servers = []
        self.port = 0
        for host in self.HOSTS[:2]:
            self.start(host)

    def start(self, host):
        self.servers.append(self.enterContext(ServerProcess(self.store, listen=f"{host}:{self.port}")))
        self.port = int(self.servers[0].address.rpartition(":")[2])

    def look_up(self, host):
        self.assertEqual(host, "rondo.example")
        return [server.address.rpartition(":")[0] for server in self.servers]

    def test_a_third_server_takes_its_share_within_ten_seconds_and_none_is_lost(self):
        asyncio.run(self.drive())

    async def drive(self):
        async with rondo.aio.Client(f"rondo.example:{self.port}", timeout=60, look_up=self.look_up) as client:
            sessions = [await client.open_session("sum", f"named-{number}") for number in range(SESSIONS)]
            await asyncio.gather(*(session.step([1]) for session in sessions))
            counts = await asyncio.to_thread(resident, self.servers, "named-")
            self.assertEqual(sum(counts), SESSIONS)
            for count in counts:
                self.assertAlmostEqual(count, SESSIONS / 2, delta=SESSIONS * 0.064)  # four standard deviations
            await asyncio.to_thread(self.start, self.HOSTS[2])
            begin, steps = time.monotonic(), 1
            while counts[-1] < SESSIONS * 0.27 or len(counts) < 3:
                self.assertLess(time.monotonic() - begin, 10, f"the servers have {counts} sessions")
                steps += 1
                sums = await asyncio.gather(*(session.step([1]) for session in sessions))
                self.assertEqual({float(each[0]) for each in sums}, {float(steps)})
                counts = await asyncio.to_thread(resident, self.servers, "named-")
            self.assertEqual(sum(counts), SESSIONS)

    def test_streams_and_calls_of_the_blocking_client_are_spread_too(self):
        with rondo.Client(f"dns:///rondo.example:{self.port}", look_up=self.look_up) as client:
            self.assertEqual(len(client.open_session("sum").id), 32)  # made here, so that it begins at home
            for number in range(4):
                with client.open_stream("sum") as stream:
                    stream.write([rondo.SequenceInput([[1]], f"streamed-{number}", 0)])
                    stream.read(timeout=30)
            self.assertEqual(resident(self.servers, "streamed-"), [2, 2])
            self.assertEqual(client.delete_sessions("streamed-"), 4)
        with rondo.Client(f"rondo.example:{self.port}", look_up=lambda host: [], max_attempts=1) as client:
            with self.assertRaises(rondo.Unavailable):  # gRPC does not find the name either
                client.list_models()

    def test_channels_are_closed_that_the_name_has_left_and_no_stream_uses(self):
        hosts = list(self.HOSTS[:2])
        address = f"rondo.example:{self.port}"
        with unittest.mock.patch("rondo._routes._KEPT", 0), rondo.Client(address, look_up=lambda host: hosts) as client:
            with client.open_stream("sum") as stream:
                stream.write([rondo.SequenceInput([[1]], "kept", 0)])
                stream.read(timeout=30)
                call = stream._call
                for last in range(10, 30):
                    hosts[1] = f"127.0.0.{last}"
                    client._connection.channel.named._look()
                    client._routes()
                self.assertLess(len(client._table.all_channels()), 8)
                stream.write([rondo.SequenceInput([[1]], "kept", 1)])
                self.assertEqual(stream.read(timeout=30).outputs[0].values.tolist(), [[2]])
                self.assertIs(stream._call, call, "it was not opened again")

    @unittest.skipUnless(shutil.which("unshare") and subprocess.call(
        ["unshare", "--map-root-user", "--mount", "true"], stderr=subprocess.DEVNULL) == 0,
        "no file of hosts of one's own here: unshare is not allowed")  # fmt: skip
    def test_the_systems_resolver_and_the_command_line_find_the_same_homes(self):
        hosts = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "hosts"
        hosts.write_text("".join(f"{host} rondo.example\n" for host in self.HOSTS[:2]))
        ids = [f"hosted-{number}" for number in range(12)]
        stream = f"echo x,1 | tr , '\\n' | {BIN}/rondo --server=rondo.example:{self.port} stream sum --session="
        commands = "\n".join(stream + id for id in ids)
        subprocess.run(["unshare", "--map-root-user", "--mount", "bash", "-ec",
                        f"mount --bind {hosts} /etc/hosts\n{commands}"], check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        addresses = tuple(server.address for server in self.servers)
        wanted = [sum(home_of(id, addresses) == address for id in ids) for address in addresses]
        self.assertEqual(resident(self.servers, "hosted-"), wanted)
        self.assertGreater(min(wanted), 0)
