"""Two real servers, one of which stops or goes: how soon its clients are at the other one."""

import asyncio
import concurrent.futures
import contextlib
import signal
import socket
import struct
import threading
import time
import unittest

import rondo
import rondo.aio
from server_process import ServerProcess


class StoppedServerTest(unittest.TestCase):
    """A server that is stopped but not gone, as on a machine that hangs: its connections stay open, and nothing comes."""

    KEEPALIVE = 5.0  # the default

    def setUp(self):
        self.stopped = self.enterContext(ServerProcess())
        self.other = self.enterContext(ServerProcess())
        self.addresses = f"{self.stopped.address},{self.other.address}"  # asked in this order

    def test_every_client_leaves_it_within_two_keepalives(self):
        with (
            rondo.Client(self.addresses, spread=False) as client,
            client.open_stream("sum") as stream,
            concurrent.futures.ThreadPoolExecutor(3) as threads,
        ):
            stopped, left = threading.Event(), []
            asking = threads.submit(asyncio.run, self.asyncio_client(stopped, left))
            client.predict("sum", [[1]])
            self.exchange(stream)
            while len(left) < 1:  # the asyncio client is connected
                time.sleep(0.01)
            self.stopped.signal(signal.SIGSTOP)
            begin = time.monotonic()
            stopped.set()
            running = [threads.submit(client.predict, "sum", [[1]]), threads.submit(self.exchange, stream), asking]
            try:
                for each in running:
                    each.result()
                    self.assertLess(time.monotonic() - begin, 2 * self.KEEPALIVE)
            finally:
                self.stopped.signal(signal.SIGCONT)

    def exchange(self, stream):
        stream.write([rondo.SequenceInput([[1]])])
        self.assertEqual(stream.read(timeout=30).outputs[0].values.tolist(), [[1]])

    async def asyncio_client(self, stopped, left):
        async with rondo.aio.Client(self.addresses, spread=False) as client:
            await client.predict("sum", [[1]])
            left.append(True)
            await asyncio.to_thread(stopped.wait)
            await client.predict("sum", [[1]])


class NameServer:
    """Answers every question for an address with `self.address`, which lives no second."""

    def __init__(self, address):
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self):
        with contextlib.suppress(OSError):
            while True:
                question, asker = self._socket.recvfrom(4096)
                if question == b"end":
                    return
                end = question.index(b"\0", 12) + 5  # of the name, its type and its class
                (kind,) = struct.unpack(">H", question[end - 4 : end - 2])
                found = kind == 1  # an IPv4 address
                head = question[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, int(found), 0, 0)
                answer = struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(self.address) if found else b""
                self._socket.sendto(head + question[12:end] + answer, asker)

    def close(self):
        self._socket.sendto(b"end", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


class NameTest(unittest.TestCase):
    """A DNS name that stands for another server now, as behind a headless service whose pod was replaced."""

    def test_both_clients_are_at_the_other_server_within_three_seconds(self):
        with ServerProcess() as gone, contextlib.closing(NameServer("127.0.0.1")) as names:
            port = gone.address.rsplit(":", 1)[1]
            target = f"dns://127.0.0.1:{names.port}/rondo.example:{port}"
            with ServerProcess(listen=f"127.0.0.2:{port}"), rondo.Client(target) as client:
                client.predict("sum", [[1]])
                asyncio.run(self.asyncio_client(target, gone, names, lambda: client.predict("sum", [[1]])))

    async def asyncio_client(self, target, gone, names, ask_blocking):
        async with rondo.aio.Client(target) as client:
            await client.predict("sum", [[1]])
            gone.kill()
            names.address = "127.0.0.2"
            begin = time.monotonic()
            blocking = asyncio.to_thread(self.until_answered, ask_blocking)
            await asyncio.gather(self.until_answered_async(client), blocking)
            self.assertLess(time.monotonic() - begin, 3)

    @staticmethod
    def until_answered(ask):
        while True:
            with contextlib.suppress(rondo.Unavailable):
                return ask()

    @staticmethod
    async def until_answered_async(client):
        while True:
            with contextlib.suppress(rondo.Unavailable):
                return await client.predict("sum", [[1]])
