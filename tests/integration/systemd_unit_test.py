#!/usr/bin/env python3
"""Checks the systemd unit: systemd takes it and finds little exposed, and the server runs as it says.

usage: systemd_unit_test.py BIN_DIR     exit 77: no systemd-analyze here (Debian package systemd)

systemd itself is not started: the test is the service manager that the server tells, reloads and stops.
"""

import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy/systemd/rondo.service"
FLAGS = ROOT / "deploy/systemd/server.flags"
BIN_DIR = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "").resolve()
MOST_EXPOSED = 2.0  # of 10, by systemd-analyze security


def value(name):
    return re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE).group(1)


class UnitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_systemd_takes_the_unit(self):
        unit = self.folder / UNIT.name
        unit.write_text(UNIT.read_text().replace("/usr/bin/rondo-server", str(BIN_DIR / "rondo-server")))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_little_is_exposed(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED * 10:.0f}",
                               "--no-pager", UNIT], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_server_is_ready_reloads_and_stops_as_the_unit_says(self):
        flags = self.folder / "server.flags"
        ours = {"--model_repository": ROOT / "deploy/demo/models", "--listen": "127.0.0.1:0",
                "--http_listen": "127.0.0.1:0"}
        text = FLAGS.read_text()
        for option, mine in ours.items():
            text, count = re.subn(rf"^{option}=.*$", f"{option}={mine}", text, flags=re.MULTILINE)
            self.assertEqual(count, 1, option)
        flags.write_text(text)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(str(self.folder / "notify"))
        manager.settimeout(60)
        command = shlex.split(value("ExecStart").replace("/etc/rondo/server.flags", str(flags)))
        command[0] = str(BIN_DIR / pathlib.Path(command[0]).name)
        self.assertEqual(value("Type"), "notify")
        server = subprocess.Popen(command, env={"NOTIFY_SOCKET": str(self.folder / "notify")}, stderr=subprocess.PIPE,
                                  text=True)
        self.addCleanup(server.stderr.close)
        try:
            self.assertEqual(manager.recv(64), b"READY=1")
            self.assertIn("-HUP $MAINPID", value("ExecReload"))
            server.send_signal(signal.SIGHUP)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(manager.recv(64), b"STOPPING=1")
            self.assertEqual(server.wait(60), 0)
        finally:
            server.kill()


if __name__ == "__main__":
    if shutil.which("systemd-analyze") is None:
        print("skipped: no systemd-analyze here (Debian package systemd)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
