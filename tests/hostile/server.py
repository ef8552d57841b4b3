"""A real rondo-server under attack, and the raw bytes to attack it with: the standard library and the loopback only."""

import ctypes
import os
import pathlib
import re
import resource
import socket
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


def call(stream, method, message):
    """One unary call: its headers, as literals that no table remembers, and its message."""
    def literal(name, value):
        return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    headers = b"".join(literal(*pair) for pair in [
        (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
        ("te", "trailers"), ("content-type", "application/grpc")])
    return frame(1, 4, stream, headers) + frame(0, 1, stream, b"\0" + struct.pack(">I", len(message)) + message)


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
