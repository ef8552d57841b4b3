"""A real rondo-server with small models, and a wire to it that can be cut."""

import contextlib
import os
import pathlib
import socket
import tempfile
import threading

from running_server import RunningServer
from small_models import write_chain_model, write_sum_model

BIN = pathlib.Path(os.environ["RONDO_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[3]
SEATTLE = ROOT / "deploy/demo/models"


class ServerProcess(RunningServer):
    """With the sum models ("sum": one input x, "two": x and y, "clock": x and times; "verse": the letters abcd and a
    newline) or other ones."""

    def __init__(self, *flags, repository=None, **options):
        self._folder = tempfile.TemporaryDirectory()
        if repository is None:
            repository = pathlib.Path(self._folder.name)
            write_sum_model(repository, "sum", ["x"])
            write_sum_model(repository, "two", ["x", "y"])
            write_sum_model(repository, "clock", ["x"], calendar=["hour"])
            write_chain_model(repository, "verse", "abcd\n")
        super().__init__(BIN, *flags, repository=repository, **options)

    def stop(self):
        if (code := super().stop()) != 0:
            raise RuntimeError(f"rondo-server ended with {code}")

    def close(self):
        super().stop()
        self._folder.cleanup()

    def __exit__(self, *_):
        self.close()


class CuttableWire:
    """A TCP relay to `target`. After `hold`, requests still pass but no reply does; `cut` breaks every connection, and
    new ones pass again: exactly the lost reply that makes a retry dangerous."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._passing = threading.Event()
        self._passing.set()
        self._pairs = []
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self._sockets.append(client)
                server = socket.create_connection(self._target)
                self._sockets.append(server)
                pair = (client, server, threading.Event())
                self._pairs.append(pair)
                for source, sink, is_reply in ((client, server, False), (server, client, True)):
                    thread = threading.Thread(target=self._relay, args=(source, sink, is_reply, pair[2]))
                    self._threads.append(thread)
                    thread.start()

    def _relay(self, source, sink, is_reply, broken):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if is_reply:
                    self._passing.wait()
                if broken.is_set():
                    break
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def hold(self):
        self._passing.clear()

    def cut(self):
        for pair in self._pairs:
            self._break(pair)
        self._pairs.clear()
        self._passing.set()

    @staticmethod
    def _break(pair):
        pair[2].set()
        for end in pair[:2]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # no connection comes any more
        self.cut()
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()
