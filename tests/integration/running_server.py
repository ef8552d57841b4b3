"""A real rondo-server in a process of its own, for every test, attack and bench in Python. The standard library only."""

import os
import pathlib
import re
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO_MODELS = ROOT / "deploy/demo/models"


class RunningServer:
    """A server that listens on free ports of the loopback.

    bin_dir: where rondo-server is. repository: its models, by default the one that comes with the tree; None: the flags
    say which. options: of subprocess.Popen. RuntimeError: it did not start; its log is in the message.

    address, http_address: HOST:PORT, the latter "" with http_listen="". log: what it has written so far, bytes.
    """

    def __init__(self, bin_dir, *flags, repository=DEMO_MODELS, listen="127.0.0.1:0", http_listen="127.0.0.1:0", **options):
        models = [] if repository is None else [f"--model_repository={repository}"]
        self._command = [f"{bin_dir}/rondo-server", *models, f"--http_listen={http_listen}", *flags]
        self._options = options
        self._start(listen)

    def _start(self, listen):
        self.log = b""
        self._listening = threading.Event()
        self.process = subprocess.Popen([*self._command, f"--listen={listen}"], stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, **self._options)
        self._reader = threading.Thread(target=self._read_log)  # a full pipe would stop the server
        self._reader.start()
        if not self._listening.wait(60) or self.line is None:
            self.stop()
            raise RuntimeError(f"rondo-server did not start:\n{self.log.decode()}")
        self.address = self.said("address")
        self.http_address = self.said("http_address")

    def _read_log(self):
        self.line = None  # that says where it listens
        while chunk := os.read(self.process.stderr.fileno(), 65536):
            self.log += chunk
            found = None if self.line else re.search(rb"event=listening\b.*\n", self.log)
            if found:
                self.line = found.group().decode()
                self._listening.set()
        self._listening.set()  # it has ended

    def said(self, field):
        """A field of the line that says where it listens."""
        return re.search(rf" {field}=(\S*)", self.line).group(1).strip('"')

    def signal(self, number):
        self.process.send_signal(number)

    def look_for_models(self):
        self.signal(signal.SIGHUP)

    def stop(self):
        """As an orchestrator does it. Returns the exit code; again does no harm."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            return self.kill()
        finally:
            self._reap()

    def kill(self):
        """Without a goodbye, as a crash does. Returns the exit code."""
        self.process.kill()
        self._reap()
        return self.process.returncode

    def _reap(self):
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()

    def restart(self):
        """At the same address. What was only in its memory is gone."""
        if self.process.poll() is None:
            self.kill()
        self._start(self.address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
