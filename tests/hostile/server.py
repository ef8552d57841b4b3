"""A real rondo-server under attack, and the raw bytes to attack it with: the standard library and the loopback only."""

import ctypes
import os
import pathlib
import re
import resource
import socket
import struct
import subprocess
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
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


class Server:
    """rondo-server with the model that comes with the tree, in a process of its own."""

    def __init__(self, bin_dir, *flags, descriptors=None):
        def limit():
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.bin_dir = bin_dir
        self.process = subprocess.Popen(
            [f"{bin_dir}/rondo-server", f"--model_repository={ROOT}/deploy/demo/models", "--listen=127.0.0.1:0",
             "--http_listen=127.0.0.1:0", *flags],
            stderr=subprocess.PIPE, preexec_fn=limit)
        self.log = b""
        self.listening = threading.Event()
        self.reader = threading.Thread(target=self._read_log)
        self.reader.start()
        if not self.listening.wait(60):
            self.stop()
            raise RuntimeError(f"the server did not start: {self.log}")

    def _read_log(self):
        while chunk := os.read(self.process.stderr.fileno(), 65536):
            self.log += chunk
            found = re.search(rb"event=listening address=127\.0\.0\.1:(\d+) http_address=(\S+).*"
                              rb"max_connections=(\d+).*\n", self.log)
            if found and not self.listening.is_set():
                self.port, self.max_connections = int(found.group(1)), int(found.group(3))
                self.http_address = found.group(2).decode()
                self.listening.set()

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

    def stop(self):
        """Returns the exit code; again does no harm."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.reader.join()
            self.process.stderr.close()
