"""Connections that hold on, too many of them, and bytes that make libraries talk.

usage: connections_test.py BIN_DIR [--full] [--keep_descriptors]
  --full: at 1,024 descriptors instead of 64
  --keep_descriptors: without the test that leaves the server no descriptor at all
"""

import errno
import os
import resource
import signal
import socket
import sys
import time
import unittest

from server import Server, PREFACE, call, frame, headers, prefixed

BIN_DIR = ""
DESCRIPTORS = 64
KEEP_DESCRIPTORS = False
PATIENCE = 30  # seconds that a test waits at most for what must happen


def is_open(connection):
    """Whether the server has answered the preface (True) or closed the connection (False)."""
    try:
        return connection.recv(1) != b""
    except ConnectionError:
        return False


def close_all(connections):
    for connection in connections:
        connection.close()


class ConnectionsTest(unittest.TestCase):
    def serve(self, *flags, **limits):
        server = Server(BIN_DIR, *flags, **limits)
        self.addCleanup(server.stop)
        return server

    def fill(self, server):
        connections = [server.connect() for _ in range(server.max_connections)]
        self.addCleanup(close_all, connections)
        self.assertTrue(all(map(is_open, connections)))
        return connections

    def until(self, is_so, what):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            self.assertLess(time.monotonic(), deadline, what)

    def test_a_newcomer_is_refused_while_all_places_are_taken_and_let_in_when_one_leaves(self):
        server = self.serve(descriptors=DESCRIPTORS)
        connections = self.fill(server)
        began = time.monotonic()
        with server.connect() as newcomer:
            self.assertFalse(is_open(newcomer))
        self.assertLess(time.monotonic() - began, 1)
        served, printed = server.ask()
        self.assertFalse(served)
        self.assertIn("UNAVAILABLE", printed)
        self.assertGreater(server.metric('rondo_rejected_total{reason="connections_full"}'), 0)
        self.assertIn(b"event=connection_refused reason=connections_full", server.log)
        connections[0].close()
        self.until(lambda: server.ask()[0], "no place was given again")
        self.assertEqual(server.stop(), 0)

    def test_a_flood_of_twice_the_descriptors_leaves_the_server_hearing(self):
        server = self.serve(descriptors=DESCRIPTORS)
        for _ in range(2):
            flood = []
            for _ in range(2 * DESCRIPTORS):
                try:
                    flood.append(server.connect())
                except OSError:  # it closes while we greet
                    pass
            close_all(flood)
        self.until(lambda: server.ask()[0], "the server is deaf")
        self.until(lambda: server.metric("rondo_connections") <= 1, "places of closed connections are kept")

    def test_more_connections_than_descriptors_allow_cannot_be_asked_for(self):
        server = self.serve("--max_connections=100000", descriptors=DESCRIPTORS)
        self.assertLess(server.max_connections, DESCRIPTORS)

    def test_descriptors_that_others_take_do_not_make_it_deaf(self):
        """/metrics takes descriptors that no connection was counted for: accept() then finds none."""
        if KEEP_DESCRIPTORS:
            self.skipTest("the server needs descriptors")
        server = self.serve("--max_connections=1000000", descriptors=DESCRIPTORS)
        half_open = [socket.create_connection(server.http_address.split(":"), timeout=10) for _ in range(DESCRIPTORS)]
        flood = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(DESCRIPTORS)]
        close_all(half_open + flood)
        self.until(lambda: server.ask()[0], "the server is deaf")

    def break_listener(self, server):
        try:
            server.break_listener()
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOSYS):
                raise
            self.skipTest(f"another process's socket cannot be reached here: {error}")

    def test_a_listening_socket_that_breaks_is_opened_again(self):
        server = self.serve()
        self.break_listener(server)
        self.until(lambda: server.ask()[0], "the server is deaf")
        self.assertIn(b"event=listening_again", server.log)

    def test_a_server_that_cannot_listen_again_ends_with_exit_code_1(self):
        server = self.serve()
        server.process.send_signal(signal.SIGSTOP)  # else it is faster than we
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)
        self.addCleanup(server.process.send_signal, signal.SIGCONT)
        self.break_listener(server)
        with socket.create_server(("127.0.0.1", server.port)):
            server.process.send_signal(signal.SIGCONT)
            self.assertEqual(server.process.wait(PATIENCE), 1)
        self.assertEqual(server.stop(), 1)
        self.assertIn(b"event=not_listening", server.log)

    def test_metrics_answer_while_half_open_connections_hold_on(self):
        server = self.serve()
        for count, bound in ((8, 1), (100, 10)):
            half_open = [socket.create_connection(server.http_address.split(":"), timeout=10) for _ in range(count)]
            for connection in half_open:
                connection.sendall(b"GET /metrics HT")
            began = time.monotonic()
            self.assertIn("rondo_connections", server.page(PATIENCE))
            took = time.monotonic() - began
            print(f"/metrics with {count} half-open connections: {took:.3f} s")
            close_all(half_open)
            self.assertLess(took, bound)

    def test_large_headers_of_one_call_do_not_end_the_other_calls_of_its_connection(self):
        """A proxy has many clients on one connection; up to 16 KiB of headers is what proxies let through."""
        server = self.serve()
        connection = server.connect()
        connection.settimeout(PATIENCE)
        connection.sendall(headers(1, "/grpc.health.v1.Health/Watch") + frame(0, 1, 1, prefixed(b"")))
        self.assertTrue(connection.recv(1 << 16))
        connection.sendall(frame(4, 1, 0, b""))  # takes the server's settings, which hold from here on
        time.sleep(0.1)
        connection.sendall(headers(3, "/rondo.v1.Models/ListModels", ("x-large", "v" * 15_000))
                           + frame(0, 1, 3, prefixed(b"")))
        came, ended = b"", []
        while not ended:
            chunk = connection.recv(1 << 16)
            self.assertTrue(chunk, "the whole connection was closed")
            came += chunk
            while len(came) >= 9 and len(came) >= (end := 9 + int.from_bytes(came[:3], "big")):
                kind, flags, stream = came[3], came[4], int.from_bytes(came[5:9], "big")
                ended += [stream] if kind == 3 or (kind in (0, 1) and flags & 1) else []
                came = came[end:]
        self.assertEqual(ended, [3])
        connection.close()
        self.assertEqual(server.stop(), 0)

    def test_names_that_clients_send_come_back_short(self):
        """A long text in a reply's trailers costs its receiver the connection."""
        server = self.serve()
        connection = server.connect()
        connection.settimeout(PATIENCE)
        name = b"n" * 10_000
        field = b"\x0a" + bytes([len(name) & 127 | 128, len(name) >> 7]) + name
        connection.sendall(call(1, "/grpc.health.v1.Health/Check", field))
        came = b""
        while b"grpc-message" not in came:
            chunk = connection.recv(1 << 16)
            self.assertTrue(chunk, "the whole connection was closed")
            came += chunk
        connection.settimeout(1)
        try:
            while chunk := connection.recv(1 << 16):
                came += chunk
        except TimeoutError:
            pass
        self.assertLess(len(came), 6_000)
        connection.close()
        self.assertEqual(server.stop(), 0)

    def test_messages_that_make_libraries_talk_do_not_fill_the_log(self):
        server = self.serve()
        before = len(server.log)
        connection = server.connect()
        name = b"\xff" * 100  # a model name that is not UTF-8
        message = b"\x0a" + bytes([len(name)]) + name
        calls = 2000
        began = time.monotonic()
        received = b""
        connection.settimeout(PATIENCE)
        for batch in range(0, calls, 50):
            connection.sendall(b"".join(
                call(2 * i + 1, "/rondo.v1.Inference/Predict", message) for i in range(batch, batch + 50)))
            connection.sendall(frame(6, 0, 0, b"so far.."))  # its answer comes once all of the batch were read
            while b"so far.." not in received:
                received += connection.recv(65536)
            received = b""
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" * 50, PREFACE + b"\xff" * 1000):
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", server.port), timeout=10) as other:
                    other.sendall(garbage)
                    other.settimeout(PATIENCE)
                    try:
                        while other.recv(65536):
                            pass
                    except ConnectionError:
                        pass
        connection.close()
        self.assertEqual(server.stop(), 0)
        seconds = time.monotonic() - began
        added = len(server.log) - before
        print(f"{calls} bad messages and 60 bad connections in {seconds:.1f} s: {added} bytes of log")
        self.assertLess(added, 10_000 * (2 + seconds))
        for line in server.log.decode().splitlines():
            self.assertRegex(line, r"^time=\S+ level=\w+ event=\w+")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if "--full" in arguments:
        DESCRIPTORS = 1024
        arguments.remove("--full")
    if "--keep_descriptors" in arguments:
        KEEP_DESCRIPTORS = True
        arguments.remove("--keep_descriptors")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # of the attacker
    BIN_DIR = arguments[0]
    unittest.main(argv=[sys.argv[0], *arguments[1:]])
