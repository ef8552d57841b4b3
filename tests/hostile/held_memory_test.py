"""Clients that make the server hold memory: messages sent in parts, replies that nobody reads, messages that grow as they
are parsed.

usage: held_memory_test.py BIN_DIR [--full]
  --full: four times as much of each

Each server has --max_memory=256 MiB; what is sent to it, or asked of it, would take more.
"""

import sys
import time
import unittest

from server import Sender, Server, call, prefixed

BIN_DIR = ""
TIMES = 1
MIB = 1 << 20
LIMIT = 256 * MIB
PATIENCE = 30  # seconds until memory has returned
MESSAGE = 4 * MIB - 1024  # just below the largest message
MODEL = b"seattle"
FIELD_MODEL = b"\x0a" + bytes([len(MODEL)]) + MODEL
OF_A_PARSE = 200 * MIB  # two bytes of a message are an object of a hundred, and one loop parses one at once


class HeldMemoryTest(unittest.TestCase):
    def serve(self, *flags):
        server = Server(BIN_DIR, f"--max_memory={LIMIT}", "--loops=1", *flags)
        self.addCleanup(server.stop)
        self.at_start = self.rss(server)
        return server

    def rss(self, server):
        return server.metric("process_resident_memory_bytes")

    def sender(self, server):
        sender = Sender(server)
        self.addCleanup(sender.connection.close)
        return sender

    def settled(self, server):
        """What the server has in memory once that has not grown for a second."""
        deadline = time.monotonic() + PATIENCE
        most, since = 0, time.monotonic()
        while time.monotonic() < min(since + 1, deadline):
            if (now := self.rss(server)) > most:
                most, since = now, time.monotonic()
            time.sleep(0.05)
        return most

    def check(self, server, senders, what, limit=LIMIT):
        held = self.settled(server)
        self.assertLess(held, limit, what)
        served, said = server.ask()
        self.assertTrue(served, said)
        for sender in senders:
            sender.connection.close()
        deadline = time.monotonic() + PATIENCE
        while (after := self.rss(server)) > self.at_start + (held - self.at_start) / 2 + 16 * MIB:
            self.assertLess(time.monotonic(), deadline, f"{what}: {after / MIB:.0f} MiB are kept")
            time.sleep(0.1)
        print(f"{what}: RSS {self.at_start / MIB:.0f} MiB before, {held / MIB:.0f} held, {after / MIB:.0f} after")
        self.assertEqual(server.stop(), 0)

    def test_messages_sent_but_for_their_last_byte(self):
        server = self.serve()
        senders = [self.sender(server) for _ in range(4)]
        for i in range(100 * TIMES):  # 400 MiB
            sender = senders[i % len(senders)]
            try:
                sender.send(sender.open("/rondo.v1.Inference/Predict"), prefixed(bytes(MESSAGE))[:-1])
            except ConnectionError:  # the server has ended it
                senders[i % len(senders)] = self.sender(server)
        self.check(server, senders, "messages without an end")

    def test_replies_that_nobody_reads(self):
        server = self.serve()
        maker = self.sender(server)
        for i in range(1000):
            name = f"s{i:0120}".encode()
            maker.connection.sendall(call(maker.next_stream, "/rondo.v1.Sessions/CreateSession",
                                          FIELD_MODEL + b"\x1a" + bytes([len(name)]) + name))
            maker.next_stream += 2
            maker.hear(wait=False)
        senders = [self.sender(server) for _ in range(4)]
        for i in range(3000 * TIMES):  # of 150 KiB each
            sender = senders[i % len(senders)]
            sender.send(sender.open("/rondo.v1.Sessions/ListSessions"), prefixed(b"\x10\xe8\x07"))
            sender.connection.sendall(b"\0\0\0\0\1" + (sender.next_stream - 2).to_bytes(4, "big"))
        self.check(server, [*senders, maker], "replies that nobody reads")

    def test_refused_messages_of_many_empty_entries_on_many_streams(self):
        server = self.serve()
        sender = self.sender(server)
        for method, entry in (("/rondo.v1.Inference/StreamPredict", b"\x1a\0"),
                              ("/inference.GRPCInferenceService/ModelStreamInfer", b"\x3a\0")):
            for _ in range(4 * TIMES):
                stream = sender.open(method)
                for _ in range(3):
                    sender.send(stream, prefixed(FIELD_MODEL + entry * (MESSAGE // 2 - 10)))
        self.check(server, [sender], "messages of empty entries", LIMIT + OF_A_PARSE)


if __name__ == "__main__":
    TIMES = 4 if "--full" in sys.argv else 1
    BIN_DIR = [argument for argument in sys.argv[1:] if not argument.startswith("--")][0]
    unittest.main(argv=sys.argv[:1], verbosity=2)
