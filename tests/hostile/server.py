"""A real rondo-server under attack, and the raw bytes to attack it with: the standard library and the loopback only."""

import ctypes
import os
import pathlib
import re
import resource
import select
import socket
import ssl
import struct
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from running_server import RunningServer  # noqa: E402

PIDFD_GETFD = 438  # on every architecture
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)  # and empty settings


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(value):
    """As HPACK writes a text that is not compressed."""
    length = len(value)
    if length < 127:
        return bytes([length]) + value.encode()
    length -= 127
    return bytes([127, length & 127 | 128, length >> 7 & 127 | 128, length >> 14]) + value.encode()


def headers(stream, method, *more):
    """Opens a call, with literals that no table remembers. At most 16 KiB of them."""
    block = b"".join(b"\0" + text(name) + text(value) for name, value in [
        (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
        ("te", "trailers"), ("content-type", "application/grpc"), *more])
    return frame(1, 4, stream, block)


def prefixed(message):
    return b"\0" + struct.pack(">I", len(message)) + message


def call(stream, method, message):
    """One unary call: its headers and its message."""
    return headers(stream, method) + frame(0, 1, stream, prefixed(message))


class Sender:
    """Sends calls of any size on one connection, as fast as the server's windows let it, and opens no window for what is
    answered: nothing of that is ever read."""

    FRAME = 16384

    def __init__(self, server, tls=None):
        self.connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        if tls is not None:
            self.connection = tls.wrap_socket(self.connection, server_hostname="127.0.0.1")
        nothing = struct.pack(">HI", 4, 0)  # SETTINGS_INITIAL_WINDOW_SIZE
        self.connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, nothing))
        self.initial = 65535
        self.windows = {0: 65535}
        self.next_stream, self.bytes = 1, b""

    def open(self, method, *more):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.windows[stream] = self.initial
        self.connection.sendall(headers(stream, method, *more))
        return stream

    def send(self, stream, content):
        """Returns whether the server took all of it: not if it has ended the call or the connection."""
        at = 0
        while at < len(content):
            room = min(self.windows[0], self.windows.get(stream, 0), self.FRAME, len(content) - at)
            if room > 0:
                self.connection.sendall(frame(0, 0, stream, content[at:at + room]))
                at += room
                self.windows[0] -= room
                self.windows[stream] -= room
            if not self.hear(wait=room <= 0) or stream not in self.windows:
                return False
        return True

    def readable(self, seconds=0):
        has_rest = isinstance(self.connection, ssl.SSLSocket) and self.connection.pending() > 0
        return has_rest or bool(select.select([self.connection], [], [], seconds)[0])

    def hear(self, wait):
        """Takes what the server has said. False: it has closed the connection."""
        if not self.readable(30 if wait else 0):
            return not wait
        came = self.connection.recv(1 << 16)
        self.bytes += came
        while len(self.bytes) >= 9 and len(self.bytes) >= (end := 9 + int.from_bytes(self.bytes[:3], "big")):
            self.take(self.bytes[3], self.bytes[4], int.from_bytes(self.bytes[5:9], "big"), self.bytes[9:end])
            self.bytes = self.bytes[end:]
        return bool(came)

    def take(self, kind, flags, stream, content):
        if kind == 8 and stream in self.windows:
            self.windows[stream] += int.from_bytes(content, "big")
        elif kind == 4 and flags & 1 == 0:
            for name, value in struct.iter_unpack(">HI", content):
                if name == 4:
                    self.windows = {k: w + (k != 0) * (value - self.initial) for k, w in self.windows.items()}
                    self.initial = value
            self.connection.sendall(frame(4, 1, 0, b""))
        elif kind == 6 and flags & 1 == 0:
            self.connection.sendall(frame(6, 1, 0, content))
        elif kind == 3 or (kind == 1 and flags & 1):
            self.windows.pop(stream, None)


class Server(RunningServer):
    """With the model that comes with the tree, and at most so many open descriptors."""

    def __init__(self, bin_dir, *flags, descriptors=None):
        def limit():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.bin_dir = bin_dir
        super().__init__(bin_dir, *flags, preexec_fn=limit)
        self.port, self.max_connections = int(self.address.rsplit(":", 1)[1]), int(self.said("max_connections"))

    def connect(self):
        """A connection that has said what a gRPC client says first, and is silent from then on."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(PREFACE)
        return connection

    def ask(self):
        """What an honest newcomer sees: (whether it was served, what it printed). RuntimeError: the server has died."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {self.process.returncode}: {self.log[-3000:].decode()}")
        done = subprocess.run([f"{self.bin_dir}/rondo", f"--server=127.0.0.1:{self.port}", "models"], timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode == 0, done.stdout

    def page(self, timeout):
        return urllib.request.urlopen(f"http://{self.http_address}/metrics", timeout=timeout).read().decode()

    def metric(self, sample):
        return float(re.search(rf"^{re.escape(sample)} (\S+)$", self.page(30), re.MULTILINE).group(1))

    def break_listener(self):
        """Makes its listening socket one that accepts nothing any more. OSError: the kernel does not let us."""
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = os.pidfd_open(self.process.pid)
        try:
            for name in os.listdir(f"/proc/{self.process.pid}/fd"):
                if not os.readlink(f"/proc/{self.process.pid}/fd/{name}").startswith("socket:"):
                    continue
                copy = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
                if copy < 0:
                    raise OSError(ctypes.get_errno(), "pidfd_getfd")
                with socket.socket(fileno=copy) as theirs:
                    if (theirs.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                            and theirs.getsockname()[1] == self.port):
                        return theirs.shutdown(socket.SHUT_RDWR)
            raise OSError("it does not listen")
        finally:
            os.close(pidfd)
