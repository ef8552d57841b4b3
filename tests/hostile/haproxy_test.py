"""Attacks by HTTP/2 itself, which Debian's gRPC cannot bear, against the HAProxy of deploy/haproxy.cfg in front of a server.

usage: haproxy_test.py BIN_DIR [--full]
  --full: ten times as long
"""

import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from server import PREFACE, ROOT, Server, call, frame

BIN_DIR = ""
SCALE = 1
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin") or "haproxy"
HEADERS, RST_STREAM, CONTINUATION = 1, 3, 9
REQUEST = call(1, "/rondo.v1.Models/ListModels", b"")


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def listening():
    """A socket for HAProxy to inherit, so that its port is a free one."""
    made = socket.create_server(("127.0.0.1", 0))
    made.set_inheritable(True)
    return made


class HaproxyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pem = f"{folder.name}/server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder.name}/key", "-out", self.pem],
                       check=True, capture_output=True)
        with open(self.pem, "a", encoding="ascii") as pem:
            pem.write(pathlib.Path(f"{folder.name}/key").read_text(encoding="ascii"))
        self.server = Server(BIN_DIR)
        self.addCleanup(self.server.stop)
        self.secured, plain = listening(), listening()
        self.addCleanup(plain.close)
        self.addCleanup(self.secured.close)
        # As shipped, but for ports and files; and a second port without TLS for a client that speaks none.
        text = (ROOT / "deploy/haproxy.cfg").read_text(encoding="utf-8")
        for old, new in ((" bind :8443 ", f" bind fd@{plain.fileno()} proto h2\n    bind fd@{self.secured.fileno()} "),
                         ("/etc/rondo/server.pem", self.pem), ("127.0.0.1:8001", f"127.0.0.1:{self.server.port}")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        config = pathlib.Path(folder.name, "haproxy.cfg")
        config.write_text(text, encoding="utf-8")
        self.proxy = subprocess.Popen([HAPROXY, "-db", "-q", "-f", str(config)],
                                      pass_fds=(plain.fileno(), self.secured.fileno()))
        self.addCleanup(self.proxy.wait, 30)
        self.addCleanup(self.proxy.terminate)
        self.plain_port = plain.getsockname()[1]
        self.assertTrue(self.ask_honestly()[0])

    def ask_honestly(self):
        """What a client through the proxy sees: (whether it was served, seconds)."""
        began = time.monotonic()
        done = subprocess.run([f"{BIN_DIR}/rondo", f"--server=127.0.0.1:{self.plain_port}", "models"], timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode == 0, time.monotonic() - began

    def connect(self):
        context = ssl.create_default_context(cafile=self.pem)
        context.set_alpn_protocols(["h2"])
        # From another address than the honest client's: limits are by address.
        raw = socket.create_connection(self.secured.getsockname(), timeout=30, source_address=("127.0.0.2", 0))
        connection = context.wrap_socket(raw, server_hostname="localhost")
        connection.sendall(PREFACE)
        return connection

    @staticmethod
    def answer(connection):
        """The payloads of stream 1, to its end."""
        received, payloads = b"", b""
        while True:
            while len(received) < 9 or len(received) < 9 + int.from_bytes(received[:3], "big"):
                chunk = connection.recv(65536)
                if not chunk:
                    return payloads
                received += chunk
            size, kind, flags = int.from_bytes(received[:3], "big"), received[3], received[4]
            stream, payload, received = received[5:9], received[9:9 + size], received[9 + size:]
            if stream == b"\0\0\0\1":
                payloads += payload
                if kind == RST_STREAM or (kind in (0, HEADERS) and flags & 1):
                    return payloads

    def attack(self, name, send):
        """Runs `send(connection)` over and over for a while, with an honest client beside it, and states the bounds."""
        before = resident_bytes(self.server.process.pid)
        peak = before
        stop = threading.Event()

        def run():
            while not stop.is_set():
                try:
                    with self.connect() as connection:
                        send(connection, stop)
                except (OSError, ssl.SSLError):
                    pass  # the proxy has closed it

        attackers = [threading.Thread(target=run) for _ in range(2)]
        for attacker in attackers:
            attacker.start()
        worst = 0
        end = time.monotonic() + 3 * SCALE
        try:
            while time.monotonic() < end:
                served, seconds = self.ask_honestly()
                self.assertTrue(served, name)
                worst = max(worst, seconds)
                peak = max(peak, resident_bytes(self.server.process.pid))
        finally:
            stop.set()
            for attacker in attackers:
                attacker.join()
        proxy = resident_bytes(self.proxy.pid)
        print(f"{name}: server {before >> 20} -> {peak >> 20} MiB, proxy {proxy >> 20} MiB, "
              f"an honest client's call took up to {worst:.2f} s")
        self.assertLess(peak - before, 64 << 20)
        self.assertLess(proxy, 256 << 20)
        self.assertLess(worst, 5)
        self.assertTrue(self.ask_honestly()[0])
        self.assertIsNone(self.server.process.poll())

    def test_a_call_passes_with_its_trailers(self):
        with self.connect() as connection:
            connection.sendall(REQUEST)
            self.assertIn(b"seattle", self.answer(connection))

    def test_only_grpc_passes(self):
        with self.connect() as connection:
            connection.sendall(REQUEST.replace(b"application/grpc", b"application/json"))
            self.assertNotIn(b"seattle", self.answer(connection))

    def test_a_continuation_flood_ends_at_the_proxy(self):
        start = frame(HEADERS, 0, 1, b"\0\1a\1b")
        more = frame(CONTINUATION, 0, 1, b"\0\1a\1b" * 3000)

        def send(connection, stop):
            connection.sendall(start)
            while not stop.is_set():
                connection.sendall(more)

        self.attack("CONTINUATION flood", send)

    def test_a_header_string_without_end_ends_at_the_proxy(self):
        endless = b"\0\1a\x7f" + b"\xff\xff\xff\x7f"  # a literal whose value is announced with 256 MiB
        start = frame(HEADERS, 0, 1, endless + b"x" * 1000)
        more = frame(CONTINUATION, 0, 1, b"x" * 16000)

        def send(connection, stop):
            connection.sendall(start)
            while not stop.is_set():
                connection.sendall(more)

        self.attack("endless header string", send)

    def test_a_rapid_reset_ends_at_the_proxy(self):
        headers = REQUEST[:REQUEST.index(b"application/grpc") + len(b"application/grpc")]

        def send(connection, stop):
            stream = 1
            while not stop.is_set():
                burst = b""
                for _ in range(500):
                    burst += headers[:5] + struct.pack(">I", stream) + headers[9:]
                    burst += frame(RST_STREAM, 0, stream, b"\0\0\0\x08")
                    stream += 2
                connection.sendall(burst)

        self.attack("rapid reset", send)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if "--full" in arguments:
        SCALE = 10
        arguments.remove("--full")
    BIN_DIR = arguments[0]
    unittest.main(argv=[sys.argv[0], *arguments[1:]])
