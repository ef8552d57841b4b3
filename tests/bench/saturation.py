#!/usr/bin/env python3
"""Checks that a server whose CPU is throttled says so: its loop is busy, and its request histogram has what clients saw.

usage: saturation.py BIN_DIR, on a quiet machine: it compares times.     exit 77: no cgroup of the cpu controller can be made here, so there is no quota
"""

import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))
from running_server import RunningServer  # noqa: E402

BIN_DIR = sys.argv[1] if len(sys.argv) > 1 else ""
CONTROLLERS = pathlib.Path("/sys/fs/cgroup")
STREAMS = 256
SECONDS = 4


class Quota:
    """A cgroup with a tenth of a CPU, 10 ms of every 100."""

    def __init__(self):
        self.second_version = (CONTROLLERS / "cgroup.controllers").exists()
        self.folder = CONTROLLERS / ("" if self.second_version else "cpu") / f"rondo_test_{os.getpid()}"
        self.folder.mkdir()
        try:
            if self.second_version:
                (self.folder / "cpu.max").write_text("10000 100000")
            else:
                (self.folder / "cpu.cfs_period_us").write_text("100000")
                (self.folder / "cpu.cfs_quota_us").write_text("10000")
        except OSError:
            self.folder.rmdir()
            raise

    def take(self, process):
        (self.folder / "cgroup.procs").write_text(str(process.pid))

    def end(self, server):
        """Ends the server, which the quota then slows no more, and the cgroup."""
        (CONTROLLERS / ("" if self.second_version else "cpu") / "cgroup.procs").write_text(str(server.process.pid))
        server.stop()
        self.folder.rmdir()


class SaturationTest(unittest.TestCase):
    def setUp(self):
        try:
            quota = Quota()
        except OSError as error:
            print(f"skipped: no cgroup with a quota can be made here: {error}")
            os._exit(77)
        self.server = RunningServer(BIN_DIR, "--loops=1")
        self.addCleanup(quota.end, self.server)
        quota.take(self.server.process)

    def read(self, sample):
        page = urllib.request.urlopen(f"http://{self.server.http_address}/metrics", timeout=30).read().decode()
        return sum(float(value) for name, value in re.findall(r"^(\S+) (\S+)$", page, re.MULTILINE) if name.startswith(sample))

    def test_the_histogram_has_what_clients_of_a_throttled_server_saw(self):
        names = ("rondo_loop_busy_seconds_total", "rondo_request_duration_seconds_sum", "rondo_request_duration_seconds_count")
        before = [self.read(name) for name in names]
        load = subprocess.run([f"{BIN_DIR}/rondo-load", f"--server={self.server.address}", "--model=seattle", "--json",
                               f"--streams={STREAMS}", f"--duration={SECONDS}s", "--warmup=0"],
                              capture_output=True, text=True, check=True)
        busy, seconds, messages = (self.read(name) - old for name, old in zip(names, before))
        usage, load = resource.getrusage(resource.RUSAGE_CHILDREN), json.loads(load.stdout)
        # Every stream always has one message open, so a message takes as long as all streams have one answered. The one
        # thread of the clients works on the messages in turn, which is none of the server's time.
        seen = STREAMS / load["messages_per_second"]
        of_clients = STREAMS * (usage.ru_utime + usage.ru_stime) / load["messages"]
        counted = seconds / messages
        print(f"clients saw {seen * 1e3:.1f} ms, {of_clients * 1e3:.1f} of them their own; the histogram has "
              f"{counted * 1e3:.1f} ms; the loop was busy for {busy / SECONDS:.2f} of the time")
        self.assertGreater(counted, 0.8 * (seen - of_clients))
        self.assertLess(counted, 1.1 * seen)
        self.assertGreaterEqual(busy / SECONDS, 0.9)

    def test_an_idle_loop_is_not_busy(self):
        before, begin = self.read("rondo_loop_busy_seconds_total"), time.monotonic()
        while time.monotonic() - begin < 0.5:  # the page is not the loop's work
            busy = self.read("rondo_loop_busy_seconds_total") - before
        self.assertLess(busy, 0.1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
