"""More sessions than there is memory for.

usage: memory_test.py BIN_DIR [--full]
  --full: 400,000 sessions in 128 MiB instead of what fits into 48 MiB more than the server takes when it starts
"""

import struct
import sys
import time
import unittest

from server import Server, call, frame

BIN_DIR = ""
FULL = False
PATIENCE = 60  # seconds that a test waits at most for what must happen
# What the server keeps that is free: it gives memory back once so much more is free than after the last time.
NOT_WORTH_A_TRIM = 8 << 20
MIB = 1 << 20
BATCH = 200  # calls at once


class Caller:
    """Unary calls over one connection, many at once; what they answer is not looked at."""

    def __init__(self, server):
        self.connection = server.connect()
        self.connection.sendall(frame(8, 0, 0, struct.pack(">I", 0x7FFF0000)))  # all that the server may ever say
        self.next_stream = 1
        self.bytes = b""

    def make(self, method, messages):
        self.connection.sendall(b"".join(call(self.next_stream + 2 * i, method, m) for i, m in enumerate(messages)))
        self.next_stream += 2 * len(messages)
        ended = 0
        while ended < len(messages):
            self.bytes += self.connection.recv(1 << 16)
            at = 0
            while len(self.bytes) >= at + 9:
                length = int.from_bytes(self.bytes[at:at + 3], "big")
                if len(self.bytes) < at + 9 + length:
                    break
                kind, flags = self.bytes[at + 3], self.bytes[at + 4]
                ended += kind in (0, 1, 3) and (flags & 1 != 0 or kind == 3)
                at += 9 + length
            self.bytes = self.bytes[at:]


def create_session(number):
    model, name = b"seattle", f"s{number}".encode()
    return b"\x0a" + bytes([len(model)]) + model + b"\x1a" + bytes([len(name)]) + name


def delete_session(number):
    name = f"s{number}".encode()
    return b"\x0a" + bytes([len(name)]) + name


class MemoryTest(unittest.TestCase):
    def serve(self, *flags):
        server = Server(BIN_DIR, *flags)
        self.addCleanup(server.stop)
        return server

    def rss(self, server):
        return server.metric("process_resident_memory_bytes")

    def until(self, is_so, what):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            self.assertLess(time.monotonic(), deadline, what)

    def test_sessions_past_the_memory_are_refused_and_memory_returns_when_they_end(self):
        empty = self.serve()
        bytes_at_start = self.rss(empty)
        self.assertEqual(empty.stop(), 0)
        limit = int(128 * MIB if FULL else bytes_at_start + 48 * MIB)
        asked = 400_000 if FULL else 200_000
        server = self.serve(f"--max_memory={limit}")
        caller = Caller(server)
        self.addCleanup(caller.connection.close)
        began = time.monotonic()
        made = 0
        while made < asked and server.metric('rondo_rejected_total{reason="out_of_memory"}') == 0:
            caller.make("/rondo.v1.Sessions/CreateSession", [create_session(made + i) for i in range(BATCH)])
            made += BATCH
        caller.make("/rondo.v1.Sessions/CreateSession", [create_session(asked + i) for i in range(BATCH)])
        live = server.metric('rondo_sessions{model="seattle"}')
        peak = self.rss(server)
        print(f"max_memory {limit / MIB:.0f} MiB: {live:.0f} sessions of {made} in {time.monotonic() - began:.1f} s; "
              f"RSS {bytes_at_start / MIB:.1f} MiB before, {peak / MIB:.1f} at the peak")
        self.assertGreater(live, 0)
        self.assertGreater(server.metric('rondo_rejected_total{reason="out_of_memory"}'), 0)
        self.assertLess(peak, 1.1 * limit)
        self.assertTrue(server.ask()[0], "an honest client is not served")
        for first in range(0, made, BATCH):
            caller.make("/rondo.v1.Sessions/DeleteSession", [delete_session(first + i) for i in range(BATCH)])
        self.assertLessEqual(server.metric('rondo_sessions{model="seattle"}'), BATCH)
        bound = bytes_at_start + (peak - bytes_at_start) / 2 + NOT_WORTH_A_TRIM
        self.until(lambda: self.rss(server) < bound, "memory does not return")
        print(f"RSS {self.rss(server) / MIB:.1f} MiB after")
        caller.make("/rondo.v1.Sessions/CreateSession", [create_session(0)])
        self.assertGreater(server.metric('rondo_sessions{model="seattle"}'), 0)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    FULL = "--full" in sys.argv
    BIN_DIR = [argument for argument in sys.argv[1:] if not argument.startswith("--")][0]
    unittest.main(argv=sys.argv[:1], verbosity=2)
